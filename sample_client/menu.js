// The libraries in the header, and whether this user can mark what was watched.

import { link } from './elements.js';
import { get, isLinked } from './requests.js';
import { allowMarking } from './watched.js';

const menu = document.getElementById('menu');

/** Request the libraries, unless the menu shows them already. */
export async function showMenu(view) {
  if (menu.hasChildNodes()) return;
  const [{ libraries }, linked] = await Promise.all([get('libraries', view), isLinked(view)]);
  allowMarking(linked);
  menu.replaceChildren(
    ...libraries.map(({ id, title }) => link(`#/library/${id}`, title)),
    link('#/on-deck', 'Continue watching'),
    link('#/recently-added', 'Recently added'),
    link('#/playlists', 'Playlists'),
  );
}

/** Clear the menu: another user has other libraries. */
export function clearMenu() {
  menu.replaceChildren();
}
