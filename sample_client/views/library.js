import { withQuery } from '../addresses.js';
import { choices, link } from '../elements.js';
import { pageLinks, pageQuery, pageStatus } from '../paging.js';
import { posters } from '../posters.js';
import { get } from '../requests.js';

const SORTS = { titleSort: 'Title', addedAt: 'Newest', rating: 'Rating', year: 'Year' };

/** The page of #/: the first library. */
export async function start(view) {
  const { libraries } = await get('libraries', view);
  if (libraries.length === 0) {
    return { title: 'No libraries', status: 'Nothing is shared with you.' };
  }
  location.replace(`#/library/${libraries[0].id}`);
  return null;
}

/** A library's items, page by page; of one genre if the address names it. */
export async function library(view) {
  const { sort = 'titleSort', genre } = Object.fromEntries(view.parameters);
  const path = `libraries/${encodeURIComponent(view.key)}/items`;
  const query = { ...pageQuery(view), sort, genre, details: 'summary' };
  const { items, pagination, libraryInfo } = await get(path, view, query);
  return {
    title: libraryInfo.title,
    status: pageStatus(view, pagination.total, 'title') + (genre ? `, ${genre} only` : ''),
    section: `#/library/${libraryInfo.id}`,
    content: [
      sorting(libraryInfo.id, genre, SORTS[sort]),
      posters(items, view),
      pageLinks(view, pagination.total),
    ],
  };
}

function sorting(key, genre, current) {
  const links = Object.entries(SORTS).map(([sort, name]) =>
    link(withQuery(`#/library/${key}`, { sort, genre }), name));
  const collections = link(`#/collections/${key}`, 'Collections');
  return choices('Sort and collections', [...links, collections], current);
}
