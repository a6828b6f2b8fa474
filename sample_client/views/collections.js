import { link, paragraph } from '../elements.js';
import { pageLinks, pageQuery, pageStatus } from '../paging.js';
import { posters } from '../posters.js';
import { get } from '../requests.js';

/** The collections of a library, page by page. */
export async function collections(view) {
  const path = `libraries/${encodeURIComponent(view.key)}/collections`;
  const { collections, total, library } = await get(path, view, pageQuery(view));
  return {
    title: `Collections of ${library.title}`,
    status: pageStatus(view, total, 'collection'),
    path: [link(`#/library/${library.id}`, library.title)],
    section: `#/library/${library.id}`,
    content: [posters(collections, view), pageLinks(view, total)],
  };
}

/** A collection's items in its own order, page by page. */
export async function collection(view) {
  const path = `collections/${encodeURIComponent(view.key)}`;
  const query = { ...pageQuery(view), details: 'summary' };
  const { collection, items, pagination } = await get(path, view, query);
  const { title, summary, library } = collection;
  return {
    title,
    status: pageStatus(view, pagination.total, 'item'),
    path: [
      link(`#/library/${library.id}`, library.title),
      link(`#/collections/${library.id}`, 'Collections'),
    ],
    section: `#/library/${library.id}`,
    content: [
      paragraph(summary, 'summary'),
      posters(items, view),
      pageLinks(view, pagination.total),
    ],
  };
}
