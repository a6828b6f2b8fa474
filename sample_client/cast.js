// The people who act in an item.

import { element } from './elements.js';

const FIRST_ACTORS = 12;

/** Show the first actors, and the others on request: Plex keeps up to 200. */
export function cast({ actors = [] }) {
  if (actors.length === 0) return null;
  const others = actors.slice(FIRST_ACTORS);
  return element('section', {},
    element('h2', {}, 'Cast'),
    people(actors.slice(0, FIRST_ACTORS)),
    others.length > 0
      && element('details', {}, element('summary', {}, `${others.length} more`), people(others)));
}

// Pictures of people are on Plex's servers. A page that uses this service alone shows initials.
function people(actors) {
  return element('ul', { className: 'people' }, actors.map(person));
}

function person({ tag, role }) {
  return element('li', {},
    element('span', { className: 'initials', ariaHidden: 'true' }, initials(tag)),
    element('span', {}, element('b', {}, tag), role && element('small', {}, role)));
}

function initials(name) {
  return name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join('');
}

