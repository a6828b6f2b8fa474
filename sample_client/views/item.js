// The page of an item: all that Plex knows of it, and what is below it, like a show's seasons.

import { cast } from '../cast.js';
import { element, link, paragraph } from '../elements.js';
import { facts } from '../facts.js';
import { count, duration, position } from '../formats.js';
import { pageLinks, pageQuery } from '../paging.js';
import { episodeNumber, picture, posters } from '../posters.js';
import { get } from '../requests.js';
import { versions } from '../versions.js';
import { watchState } from '../watched.js';

const TYPES = {
  movie: 'Movie',
  show: 'Show',
  season: 'Season',
  episode: 'Episode',
  artist: 'Artist',
  album: 'Album',
  track: 'Track',
  photo: 'Photo',
  photoalbum: 'Photo album',
};
const CHILDREN = {
  show: 'Seasons',
  season: 'Episodes',
  artist: 'Albums',
  album: 'Tracks',
  photoalbum: 'Photos',
};

export async function item(view) {
  const { item } = await get(`items/${encodeURIComponent(view.key)}`, view);
  const children = item.type in CHILDREN ? await childList(item, view) : null;
  return {
    title: item.title ?? 'Untitled',
    status: summaryLine(item),
    path: pathTo(item),
    section: `#/library/${item.library?.id}`,
    content: [
      backdrop(item),
      about(item, view),
      children,
      cast(item),
      versions(item),
      chapters(item),
    ],
  };
}

/** "Movie · 2026 · PG-13 · 2 h 40 min" */
function summaryLine(item) {
  const hasEpisodes = ['show', 'season'].includes(item.type) && item.leafCount;
  return [
    TYPES[item.type],
    item.type === 'episode' && episodeNumber(item),
    item.year,
    item.contentRating,
    item.duration && duration(item.duration),
    hasEpisodes && count(item.leafCount, 'episode'),
  ].filter(Boolean).join(' · ');
}

function pathTo({ library, grandparentRatingKey, grandparentTitle, parentRatingKey, parentTitle }) {
  return [
    library && link(`#/library/${library.id}`, library.title ?? 'Library'),
    grandparentRatingKey && link(`#/item/${grandparentRatingKey}`, grandparentTitle ?? 'Untitled'),
    parentRatingKey && link(`#/item/${parentRatingKey}`, parentTitle ?? 'Untitled'),
  ].filter(Boolean);
}

function backdrop({ artUrl }) {
  return artUrl && element('img', { className: 'backdrop', src: `${artUrl}&width=1080`, alt: '' });
}

function about(item, view) {
  return element('div', { className: `about ${item.type}` },
    picture(item, 480),
    element('div', {},
      paragraph(item.tagline, 'tagline'),
      paragraph(item.summary, 'summary'),
      element('div', { className: 'state' }, watchState(item, view)),
      facts(item)));
}

async function childList({ ratingKey, type }, view) {
  const query = { ...pageQuery(view), details: 'summary' };
  const { items, pagination } = await get(`items/${ratingKey}/children`, view, query);
  return element('section', {},
    element('h2', {}, CHILDREN[type]),
    items.length ? posters(items.map(withoutParents), view) : paragraph('There are none.'),
    pageLinks(view, pagination.total));
}

/** Leave out the titles that the page shows already. */
function withoutParents(item) {
  return { ...item, parentTitle: undefined, grandparentTitle: undefined };
}

function chapters({ chapters = [] }) {
  if (chapters.length === 0) return null;
  return element('section', {},
    element('h2', {}, 'Chapters'),
    element('ol', { className: 'chapters' }, chapters.map(chapter)));
}

function chapter({ title, index, startTimeOffset }) {
  return element('li', {},
    element('span', {}, title ?? `Chapter ${index ?? ''}`),
    element('span', {}, startTimeOffset === null ? '' : position(startTimeOffset)));
}
