// Items, collections and playlists as a grid of pictures.

import { element, link } from './elements.js';
import { count } from './formats.js';
import { watchState } from './watched.js';

const SHAPES = {
  episode: 'wide',
  artist: 'square',
  album: 'square',
  track: 'square',
  photo: 'square',
  photoalbum: 'square',
  playlist: 'square',
};

/** Create the grid. If all items have pictures of one shape, so has the grid. */
export function posters(items, view) {
  const shapes = new Set(items.map(({ type }) => SHAPES[type]));
  const shape = shapes.size === 1 ? [...shapes][0] ?? '' : '';
  const entries = items.map((item, index) => poster(item, index, view));
  return element('ul', { className: `posters ${shape}` }, entries);
}

function poster(item, index, view) {
  const kind = ['collection', 'playlist'].includes(item.type) ? item.type : 'item';
  const target = link(`#/${kind}/${item.ratingKey}`, picture(item, 320), item.title ?? 'Untitled');
  target.id = `poster-${index}`;
  return element('li', {}, target, element('small', {}, caption(item)), watchState(item, view));
}

/** Create an item's picture: the first letter of its title if there is none, or none arrives. */
export function picture(item, width) {
  const letter = [...item.title ?? ''][0];
  const tile = element('span', { className: 'picture', ariaHidden: 'true' }, letter);
  if (!item.thumbUrl) return tile;
  const image = element('img', { className: 'picture', loading: 'lazy', alt: '' });
  image.addEventListener('error', () => image.replaceWith(tile), { once: true });
  image.src = `${item.thumbUrl}&width=${width}`;
  return image;
}

function caption(item) {
  return [item.grandparentTitle ?? item.parentTitle, measure(item)].filter(Boolean).join(', ');
}

function measure(item) {
  switch (item.type) {
    case 'collection': return count(item.childCount ?? 0, 'item');
    case 'playlist': return count(item.itemCount ?? 0, 'item');
    case 'season': return count(item.leafCount ?? 0, 'episode');
    case 'episode': return episodeNumber(item);
    default: return item.year;
  }
}

/** "S1 E4", or what is known of it. */
export function episodeNumber({ parentIndex, index }) {
  const known = [['S', parentIndex], ['E', index]].filter(([, number]) => number !== undefined);
  return known.map(([letter, number]) => `${letter}${number}`).join(' ');
}
