import { link, paragraph } from '../elements.js';
import { count } from '../formats.js';
import { pageLinks, pageQuery, pageStatus } from '../paging.js';
import { posters } from '../posters.js';
import { get } from '../requests.js';

const SECTION = '#/playlists';

export async function playlists(view) {
  const { playlists, total } = await get('playlists', view);
  return {
    title: 'Playlists',
    status: count(total, 'playlist'),
    section: SECTION,
    content: [posters(playlists, view)],
  };
}

/** A playlist's items in order, page by page. */
export async function playlist(view) {
  const path = `playlists/${encodeURIComponent(view.key)}`;
  const query = { ...pageQuery(view), details: 'summary' };
  const { playlist, items, pagination } = await get(path, view, query);
  return {
    title: playlist.title,
    status: pageStatus(view, pagination.total, 'item'),
    path: [link(SECTION, 'Playlists')],
    section: SECTION,
    content: [
      paragraph(playlist.summary, 'summary'),
      posters(items, view),
      pageLinks(view, pagination.total),
    ],
  };
}
