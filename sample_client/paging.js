// Long lists: pages with links, and lists that grow.

import { withQuery } from './addresses.js';
import { element, link } from './elements.js';
import { count } from './formats.js';

const PAGE_SIZE = 24;
const STEP = 48;
// The largest `limit` that the service accepts.
const LARGEST = 200;

const pageOf = (view) => Number(view.parameters.get('page') ?? 1);

/** Return the parameters that request the page of the address. */
export function pageQuery(view) {
  return { start: (pageOf(view) - 1) * PAGE_SIZE, size: PAGE_SIZE };
}

/** "240 titles, page 2 of 10" */
export function pageStatus(view, total, noun) {
  const last = Math.ceil(total / PAGE_SIZE);
  return count(total, noun) + (last > 1 ? `, page ${pageOf(view)} of ${last}` : '');
}

/** Create the links to the previous and the next page; none for a list that fits one page. */
export function pageLinks(view, total) {
  const page = pageOf(view);
  const links = [
    page > 1 && link(addressOf(view, { page: page - 1 }), 'Previous page'),
    page * PAGE_SIZE < total && link(addressOf(view, { page: page + 1 }), 'Next page'),
  ];
  return links.some(Boolean) && element('nav', { className: 'choices', ariaLabel: 'Pages' }, links);
}

/** Return how many items to request of a list that grows. */
export function limitOf(view) {
  return Number(view.parameters.get('limit') ?? STEP);
}

export function hasMore(view, items) {
  return items.length === limitOf(view) && items.length < LARGEST;
}

/** Create the button that shows more of the list, and focuses the first new item. */
export function moreButton(view, items) {
  if (!hasMore(view, items)) return null;
  const button = element('button', {}, 'Show more');
  button.addEventListener('click', () => {
    const limit = Math.min(items.length + STEP, LARGEST);
    history.replaceState('opened', '', addressOf(view, { limit }));
    view.reload(`poster-${items.length}`);
  });
  return button;
}

function addressOf({ path, parameters }, changes) {
  return withQuery(`#/${path}`, { ...Object.fromEntries(parameters), ...changes });
}
