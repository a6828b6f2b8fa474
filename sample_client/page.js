// The parts of the page that every view fills.

import { ago } from './formats.js';
import { session } from './requests.js';

const part = (id) => document.getElementById(id);

export function showLoading() {
  part('status').textContent = 'Loading…';
  part('content').ariaBusy = 'true';
}

/** Show what a view returned. `section` is the entry of the menu that it belongs to. */
export function showPage({ title, status = '', path = [], content = [], section }, view) {
  document.title = `${title} – MediaNest`;
  part('title').textContent = title;
  part('status').textContent = status;
  part('stale').textContent = staleness(view);
  part('path').replaceChildren(...path);
  part('path').hidden = path.length === 0;
  part('content').replaceChildren(...content.filter(Boolean));
  part('content').ariaBusy = null;
  for (const id of ['menu', 'search', 'sign-out']) part(id).hidden = !session.signedIn;
  part('sign-in').hidden = session.signedIn;
  for (const entry of part('menu').children) markCurrent(entry, entry.hash === section);
}

function markCurrent(entry, isCurrent) {
  entry.ariaCurrent = isCurrent ? 'page' : null;
  // On a phone the menu is one row that scrolls.
  if (isCurrent) entry.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function staleness({ staleSeconds }) {
  if (staleSeconds === undefined) return '';
  return `Plex is unavailable. Showing data from ${ago(staleSeconds)}.`;
}
