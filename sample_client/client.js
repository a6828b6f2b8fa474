// A whole client of the API in one page. Read it from top to bottom: signing in, asking, showing.

// --- Signing in: an access token for every request, a refresh token for the next one --------------

let tokens = JSON.parse(sessionStorage.getItem('tokens'));

function keep(pair) {
  tokens = pair;
  if (pair) sessionStorage.setItem('tokens', JSON.stringify(pair));
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
  if (!result.success) throw new Error(result.error.message);
  return result.data;
}

// A refresh token works once: requests that find the access token ended wait for one renewal.
let renewal = null;

function renew() {
  renewal ??= post('/api/v1/auth/token/refresh', { refresh: tokens.refresh })
    .then(keep)
    .finally(() => { renewal = null; });
  return renewal;
}

// What follows calls this `fetch`: the browser's, which asks again when the token has ended.
async function fetch(path, options) {
  const response = await window.fetch(path, options);
  const challenge = response.headers.get('WWW-Authenticate') ?? '';
  if (response.status !== 401 || !challenge.startsWith('Bearer')) return response;
  try {
    await renew();
  } catch (error) {
    keep(null);
    throw error;
  }
  return window.fetch(path, { headers: { 'Authorization': `Bearer ${getToken()}` } });
}

// --- Asking: the two examples of the API's document, and one function for the rest ----------------

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

async function ask(path) {
  const response = await fetch(`/api/v1/plex/${path}`, {
    headers: { 'Authorization': `Bearer ${getToken()}` }
  });
  const result = await response.json();
  if (!result.success) throw new Error(result.error.message);
  return result.data;
}

// --- Showing: the address after # says what ------------------------------------------------------

const $ = (id) => document.getElementById(id);
const PAGE_SIZE = 24;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function link(href, text) {
  return element('a', { href }, text);
}

function poster(item) {
  const picture = item.thumbUrl
    ? element('img', { src: `${item.thumbUrl}&width=320`, alt: '', loading: 'lazy' })
    : element('div', { className: 'tile', ariaHidden: 'true' }, item.title?.[0] ?? '');
  const title = item.title ?? 'Untitled';
  const about = item.type === 'collection'
    ? `${item.childCount} items`
    : [item.grandparentTitle ?? item.parentTitle, item.year].filter(Boolean).join(', ');
  return element('li', {},
    picture,
    item.type === 'collection' ? link(`#/collection/${item.ratingKey}`, title) : element('b', {}, title),
    element('small', {}, about));
}

function show(title, items, told, ...pages) {
  document.title = `${title} – MediaNest`;
  $('title').textContent = title;
  $('status').textContent = told;
  $('posters').replaceChildren(...items.map(poster));
  $('pages').replaceChildren(...pages);
}

const views = {
  async library(key, page = '0') {
    const { items, pagination, hasMore } = await browseMovieLibrary(Number(page), PAGE_SIZE, key);
    const last = Math.max(1, Math.ceil(pagination.total / PAGE_SIZE));
    show(items[0]?.library.title ?? 'Library', items,
      `${pagination.total} titles, page ${Number(page) + 1} of ${last}`,
      link(`#/collections/${key}`, 'Collections'),
      ...(page > 0 ? [link(`#/library/${key}/${Number(page) - 1}`, 'Previous page')] : []),
      ...(hasMore ? [link(`#/library/${key}/${Number(page) + 1}`, 'Next page')] : []));
  },
  async recent() {
    const { items, timeframe } = await ask('recently-added?limit=48');
    show('Recently added', items, `Newest of ${timeframe}`);
  },
  async collections(key) {
    const { collections, total, library } = await ask(`libraries/${key}/collections`);
    show(`Collections of ${library.title}`, collections, `${total} collections`,
      link(`#/library/${key}`, `Back to ${library.title}`));
  },
  async collection(key) {
    const { collection, items, pagination } = await ask(`collections/${key}?size=${PAGE_SIZE}`);
    show(collection.title, items, `${items.length} of ${pagination.total} items`,
      link(`#/collections/${collection.library.id}`, 'All collections'));
  },
  async search(query) {
    const items = await searchAndFilter(decodeURIComponent(query));
    show(`Results for “${decodeURIComponent(query)}”`, items,
      items.length ? `${items.length} results` : 'Nothing found');
  }
};

let shown = 0;

async function open() {
  const turn = ++shown;
  for (const id of ['places', 'search', 'sign-out']) $(id).hidden = !tokens;
  $('sign-in').hidden = Boolean(tokens);
  if (!tokens) return show('Sign in', [], '');
  const [, view, ...keys] = location.hash.split('/');
  $('status').textContent = 'Loading…';
  try {
    if (!$('places').hasChildNodes()) await places();
    if (!views[view]) return location.replace($('places').firstChild.href);
    await views[view](...keys);
    for (const each of $('places').children) {
      each.ariaCurrent = location.hash.startsWith(each.hash) ? 'page' : null;
    }
    if (turn === shown) $('title').focus();
  } catch (error) {
    if (!tokens) return open();
    show('That did not work', [], error.message);
  }
}

async function places() {
  const { libraries } = await ask('libraries');
  $('places').replaceChildren(
    ...libraries.map((library) => link(`#/library/${library.id}`, library.title)),
    link('#/recent', 'Recently added'));
}

$('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { username, password } = Object.fromEntries(new FormData(event.target));
  try {
    keep(await post('/api/v1/auth/token', { username, password }));
    event.target.reset();
    await open();
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
  keep(null);
  $('places').replaceChildren();
  open();
  await post('/api/v1/auth/logout', { refresh });
});

window.addEventListener('hashchange', open);
open();
