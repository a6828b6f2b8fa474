// Lists over all libraries. They have no pages and grow instead.

import { withQuery } from '../addresses.js';
import { choices, link } from '../elements.js';
import { count } from '../formats.js';
import { hasMore, limitOf, moreButton } from '../paging.js';
import { posters } from '../posters.js';
import { get } from '../requests.js';

const TYPES = {
  '': 'All',
  movie: 'Movies',
  show: 'Shows',
  episode: 'Episodes',
  artist: 'Artists',
  album: 'Albums',
  track: 'Tracks',
};

export async function search(view) {
  const { query, type = '' } = Object.fromEntries(view.parameters);
  const parameters = { query, type, limit: limitOf(view), details: 'summary' };
  const { results } = await get('search', view, parameters);
  const found = results.length ? count(results.length, 'result') : 'Nothing found';
  return {
    title: `Results for “${query}”`,
    status: hasMore(view, results) ? `The first ${found}` : found,
    content: [types(query, TYPES[type]), posters(results, view), moreButton(view, results)],
  };
}

function types(query, current) {
  const links = Object.entries(TYPES).map(([type, name]) =>
    link(withQuery('#/search', { query, type }), name));
  return choices('Types', links, current);
}

export async function recentlyAdded(view) {
  const parameters = { limit: limitOf(view), details: 'summary' };
  const { items, total } = await get('recently-added', view, parameters);
  return {
    title: 'Recently added',
    status: `${total ? count(total, 'title') : 'Nothing'} in the last 30 days`,
    section: '#/recently-added',
    content: [posters(items, view), moreButton(view, items)],
  };
}

export async function onDeck(view) {
  const parameters = { limit: limitOf(view), details: 'summary' };
  const { items } = await get('on-deck', view, parameters);
  return {
    title: 'Continue watching',
    status: items.length ? 'Last watched first' : 'Nothing to continue',
    section: '#/on-deck',
    content: [posters(items, view), moreButton(view, items)],
  };
}
