// Refresh the parts of this page that say what is so now, while somebody looks at it. Only what
// has changed is replaced and announced, so a reader or a screen reader is not disturbed. It does
// not keep anybody signed in: the session ends when it would end without it.
const watched = document.querySelector('[data-url][data-seconds]');
const news = document.getElementById('refresh-news');

const parts = (root) => [...root.querySelectorAll('[data-refresh]')];
const states = (root) => new Map([...root.querySelectorAll('[data-line]')].map(
  (line) => [line.dataset.line, line.dataset.state]));

// Open what the reader has opened.
function openLike(part, other) {
  const opened = new Set([...part.querySelectorAll('details[open] > summary')].map(
    (summary) => summary.textContent));
  for (const summary of other.querySelectorAll('details > summary')) {
    summary.parentElement.toggleAttribute('open', opened.has(summary.textContent));
  }
}

function replace(fresh) {
  const before = states(document);
  for (const part of parts(document)) {
    const other = fresh.getElementById(part.id);
    if (!other) {
      continue;
    }
    openLike(part, other);
    if (other.innerHTML !== part.innerHTML) {
      part.replaceChildren(...other.childNodes);
    }
  }
  const changed = [...states(document)].filter(([name, state]) => before.get(name) !== state);
  if (changed.length) {
    news.textContent = changed.map(([name, state]) => `${name}: ${state}`).join('. ');
  }
}

function stop(message) {
  clearInterval(timer);
  button.remove();
  document.getElementById('refreshed').textContent = message;
  news.textContent = message;
}

async function load() {
  try {
    const response = await fetch(watched.dataset.url, { redirect: 'manual' });
    return { response, text: await response.text() };
  } catch {
    return null;
  }
}

async function refresh() {
  if (document.hidden || isPaused) {
    return;
  }
  sent += 1;
  const number = sent;
  const answer = await load();
  // A late answer never replaces a newer one.
  if (number < shown) {
    return;
  }
  shown = number;
  if (!answer) {
    news.textContent = 'The service does not respond.';
    document.getElementById('refreshed').textContent = news.textContent;
    return;
  }
  const { response, text } = answer;
  if (response.type === 'opaqueredirect' || response.status === 403) {
    stop('You are signed out. Reload the page to sign in.');
  } else if (response.ok) {
    replace(new DOMParser().parseFromString(text, 'text/html'));
  }
}

// The numbers of the last request, and of the one whose answer the page shows.
let sent = 0;
let shown = 0;
let isPaused = false;
let timer;
const button = document.createElement('button');
button.type = 'button';
button.className = 'button';
const label = () => {
  button.textContent = isPaused ? 'Refresh again' : 'Pause refreshing';
};

if (watched) {
  label();
  button.addEventListener('click', () => {
    isPaused = !isPaused;
    label();
    refresh();
  });
  document.getElementById('refreshed').after(' ', button);
  timer = setInterval(refresh, watched.dataset.seconds * 1000);
  document.addEventListener('visibilitychange', refresh);
}
