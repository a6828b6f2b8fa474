// A complete client of the API in one page. It has three parts: sign-in, requests and views.

// --- Sign-in: an access token for the requests, and a refresh token for the next access token -----

let tokens = JSON.parse(sessionStorage.getItem('tokens'));

function storeTokens(newTokens) {
  tokens = newTokens;
  if (tokens) sessionStorage.setItem('tokens', JSON.stringify(tokens));
  else sessionStorage.removeItem('tokens');
}

function getToken() {
  return tokens.access;
}

async function post(path, body) {
  const response = await window.fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body)
  });
  const result = await response.json();
  if (!result.success) {
    throw Object.assign(new Error(result.error.message), { status: response.status });
  }
  return result.data;
}

// A refresh token is valid only once, so all requests with an expired token share one renewal.
let renewal = null;

function renewTokens() {
  renewal ??= post('/api/v1/auth/token/refresh', { refresh: tokens.refresh })
    .then(storeTokens)
    .finally(() => { renewal = null; });
  return renewal;
}

// Replaces the browser's `fetch` in this file: if the access token has expired, it renews the token
// and sends the request again.
async function fetch(path, options) {
  const response = await window.fetch(path, options);
  const challenge = response.headers.get('WWW-Authenticate') ?? '';
  if (response.status !== 401 || !challenge.startsWith('Bearer')) return response;
  try {
    await renewTokens();
  } catch (error) {
    // Only a refused token signs the user out: any other failure may be temporary.
    if (error.status === 401) storeTokens(null);
    throw error;
  }
  const headers = { ...options.headers, 'Authorization': `Bearer ${getToken()}` };
  return window.fetch(path, { ...options, headers });
}

// --- Requests: the two examples of the API documentation, and a function for all other requests ---

async function browseMovieLibrary(page = 0, pageSize = 50, library = 1) {
  const start = page * pageSize;

  const response = await fetch(
    `/api/v1/plex/libraries/${library}/items?start=${start}&size=${pageSize}&sort=titleSort`,
    {
      headers: {
        'Authorization': `Bearer ${getToken()}`
      }
    }
  );

  const result = await response.json();

  if (!result.success) {
    throw new Error(result.error.message);
  }

  return {
    items: result.data.items,
    pagination: result.data.pagination,
    hasMore: result.data.pagination.hasMore
  };
}

async function searchAndFilter(query, options = {}) {
  const params = new URLSearchParams({
    query,
    limit: options.limit || 50
  });

  if (options.type) params.append('type', options.type);

  const response = await fetch(
    `/api/v1/plex/search?${params}`,
    {
      headers: {
        'Authorization': `Bearer ${getToken()}`
      }
    }
  );

  const result = await response.json();

  return result.success ? result.data.results : [];
}

async function getData(path) {
  const response = await fetch(`/api/v1/plex/${path}`, {
    headers: { 'Authorization': `Bearer ${getToken()}` }
  });
  const result = await response.json();
  if (!result.success) throw new Error(result.error.message);
  return result.data;
}

// --- Views: the part of the URL after # selects the view ------------------------------------------

const $ = (id) => document.getElementById(id);
const PAGE_SIZE = 24;

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function link(href, text) {
  return element('a', { href }, text);
}

function poster(item) {
  const picture = item.thumbUrl
    ? element('img', { src: `${item.thumbUrl}&width=320`, alt: '', loading: 'lazy' })
    : element('div', { className: 'tile', ariaHidden: 'true' }, item.title?.[0] ?? '');
  const title = item.title ?? 'Untitled';
  const details = item.type === 'collection'
    ? `${item.childCount} items`
    : [item.grandparentTitle ?? item.parentTitle, item.year].filter(Boolean).join(', ');
  return element('li', {},
    picture,
    item.type === 'collection' ? link(`#/collection/${item.ratingKey}`, title) : element('b', {}, title),
    element('small', {}, details));
}

function showPage(title, items, status, ...pageLinks) {
  document.title = `${title} – MediaNest`;
  $('title').textContent = title;
  $('status').textContent = status;
  $('posters').replaceChildren(...items.map(poster));
  $('pages').replaceChildren(...pageLinks);
}

// Each view returns the arguments of `showPage`.
const views = {
  async library(key, page = '0') {
    const { items, pagination, hasMore } = await browseMovieLibrary(Number(page), PAGE_SIZE, key);
    const last = Math.max(1, Math.ceil(pagination.total / PAGE_SIZE));
    return [items[0]?.library.title ?? 'Library', items,
      `${pagination.total} titles, page ${Number(page) + 1} of ${last}`,
      link(`#/collections/${key}`, 'Collections'),
      ...(page > 0 ? [link(`#/library/${key}/${Number(page) - 1}`, 'Previous page')] : []),
      ...(hasMore ? [link(`#/library/${key}/${Number(page) + 1}`, 'Next page')] : [])];
  },
  async recent() {
    const { items, timeframe } = await getData('recently-added?limit=48');
    return ['Recently added', items, `Added in the ${timeframe.replaceAll('_', ' ')}`];
  },
  async collections(key) {
    const { collections, total, library } = await getData(`libraries/${key}/collections`);
    return [`Collections of ${library.title}`, collections, `${total} collections`,
      link(`#/library/${key}`, `Back to ${library.title}`)];
  },
  async collection(key) {
    const { collection, items, pagination } = await getData(`collections/${key}?size=${PAGE_SIZE}`);
    return [collection.title, items, `${items.length} of ${pagination.total} items`,
      link(`#/collections/${collection.library.id}`, 'All collections')];
  },
  async search(query) {
    const items = await searchAndFilter(decodeURIComponent(query));
    return [`Results for “${decodeURIComponent(query)}”`, items,
      items.length ? `${items.length} results` : 'No results'];
  }
};

let openedViews = 0;

async function openView() {
  const number = ++openedViews;
  for (const id of ['libraries', 'search', 'sign-out']) $(id).hidden = !tokens;
  $('sign-in').hidden = Boolean(tokens);
  if (!tokens) return showPage('Sign in', [], '');
  const [, view, ...keys] = location.hash.split('/');
  $('status').textContent = 'Loading…';
  try {
    if (!$('libraries').hasChildNodes()) await listLibraries();
    if (!views[view]) return location.replace($('libraries').firstChild.href);
    const page = await views[view](...keys);
    // Another view may have been opened during the requests of this one.
    if (number !== openedViews) return;
    showPage(...page);
    for (const entry of $('libraries').children) {
      entry.ariaCurrent = location.hash.startsWith(entry.hash) ? 'page' : null;
    }
    $('title').focus();
  } catch (error) {
    if (number !== openedViews) return;
    if (!tokens) return openView();
    showPage('Something went wrong', [], error.message);
  }
}

async function listLibraries() {
  const { libraries } = await getData('libraries');
  $('libraries').replaceChildren(
    ...libraries.map((library) => link(`#/library/${library.id}`, library.title)),
    link('#/recent', 'Recently added'));
}

$('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { username, password } = Object.fromEntries(new FormData(event.target));
  try {
    storeTokens(await post('/api/v1/auth/token', { username, password }));
    event.target.reset();
    await openView();
  } catch (error) {
    $('status').textContent = error.message;
  }
});

$('search').addEventListener('submit', (event) => {
  event.preventDefault();
  location.hash = `#/search/${encodeURIComponent(new FormData(event.target).get('query').trim())}`;
});

$('sign-out').addEventListener('click', async () => {
  const { refresh } = tokens;
  storeTokens(null);
  $('libraries').replaceChildren();
  openView();
  try {
    await post('/api/v1/auth/logout', { refresh });
  } catch (error) {
    $('status').textContent = `Signed out in this browser only: ${error.message}`;
  }
});

window.addEventListener('hashchange', openView);
openView();
