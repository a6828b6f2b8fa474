// The sample client: plain modules, no framework, nothing to build.
//
// The address says what is shown: #/item/1072 opens the view `item` with the key 1072. A view is a
// function that requests what it shows and returns a page: its title, status, path and content.

import { withQuery } from './addresses.js';
import { failure } from './failure.js';
import { NetworkError } from './medianest/errors.js';
import { showMenu } from './menu.js';
import { showLoading, showPage } from './page.js';
import { session } from './requests.js';
import { signInPage } from './sign-in.js';
import { collection, collections } from './views/collections.js';
import { item } from './views/item.js';
import { library, start } from './views/library.js';
import { onDeck, recentlyAdded, search } from './views/lists.js';
import { playlist, playlists } from './views/playlists.js';

const views = {
  '': start,
  library,
  collections,
  collection,
  item,
  search,
  'recently-added': recentlyAdded,
  'on-deck': onDeck,
  playlists,
  playlist,
};

let opened = new AbortController();

/**
 * Open the view of the address, and end what an earlier one still requests: a late response never
 * replaces a newer one. Then focus the element with the given id, or the title.
 */
async function openView(focusId = 'title', scrollTop = scrollY) {
  opened.abort();
  opened = new AbortController();
  const view = { signal: opened.signal, reload: openView };
  noticeConnection(view);
  showLoading();
  const page = await load(view);
  if (!page || view.signal.aborted) return;
  showPage(page, view);
  const focused = document.getElementById(focusId) ?? document.getElementById('title');
  focused.focus({ preventScroll: true });
  scrollTo(0, scrollTop);
}

async function load(view) {
  if (!session.signedIn) return signInPage();
  try {
    Object.assign(view, readAddress());
    await showMenu(view);
    const open = Object.hasOwn(views, view.name) ? views[view.name] : unknown;
    return await open(view);
  } catch (error) {
    if (view.signal.aborted) return null;
    if (!session.signedIn) return signInPage('Your session has ended. Sign in again.');
    if (view.isBackOnline && error instanceof NetworkError) {
      view.isBackOnline = false;
      return load(view);
    }
    return failure(error, view);
  }
}

/** Notice a connection that comes back while a request of the old one has not failed yet. */
function noticeConnection(view) {
  const notice = () => {
    view.isBackOnline = true;
  };
  window.addEventListener('online', notice, { signal: view.signal });
}

/** #/library/1?page=2 → the view `library`, its key 1, and the parameter `page`. */
function readAddress() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, key] = path.split('/');
  return { path, name, key, parameters: new URLSearchParams(query) };
}

function unknown() {
  return { title: 'Not found', status: 'There is no such page.' };
}

// Back and forward return to where a page was left: only entries that were opened have a state.
const leftAt = new Map();
history.scrollRestoration = 'manual';

window.addEventListener('hashchange', ({ oldURL }) => {
  leftAt.set(oldURL, scrollY);
  const scrollTop = history.state ? leftAt.get(location.href) : 0;
  history.replaceState('opened', '');
  openView('title', scrollTop);
});

document.getElementById('sign-in').addEventListener('signed-in', () => openView());

document.getElementById('search').addEventListener('submit', (event) => {
  event.preventDefault();
  const query = new FormData(event.target).get('query').trim();
  location.hash = withQuery('#/search', { query });
});

document.getElementById('sign-out').addEventListener('click', async () => {
  const signedOut = session.signOut();
  openView();
  try {
    await signedOut;
  } catch (error) {
    const status = document.getElementById('status');
    status.textContent = `Signed out in this browser only: ${error.message}`;
  }
});

history.replaceState('opened', '');
openView();
