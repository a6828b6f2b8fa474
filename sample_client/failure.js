// The page that says what failed, and how to go on.

import { element, link, paragraph } from './elements.js';
import { count } from './formats.js';
import { MediaNestError, NetworkError } from './medianest/errors.js';
import { clearMenu } from './menu.js';
import { plexButton } from './plex-sign-in.js';

const TITLES = {
  400: 'This address is not valid',
  403: 'Not allowed',
  404: 'Not found',
  429: 'Too many requests',
  502: 'Plex does not respond as expected',
  503: 'Not available right now',
};
// The same request would fail again.
const FINAL = [400, 403, 404];

/** Return a page about an error of a view. */
export function failure(error, view) {
  const isKnown = error instanceof MediaNestError || error instanceof NetworkError;
  if (!isKnown) reportError(error);
  const title = error instanceof NetworkError ? 'No connection' : TITLES[error.status];
  return {
    title: title ?? 'Something went wrong',
    status: error.message,
    content: waysOut(error, view),
  };
}

function waysOut(error, view) {
  return [
    error.code === 'PLEX_LINK_REQUIRED' && plexButton(() => reloadAll(view)),
    FINAL.includes(error.status) ? link('#/', 'Go to the start page') : retryButton(view),
    error.retryAfter != null && countdown(error.retryAfter, view),
    paragraph(error.requestId && `Request ${error.requestId}`, 'small'),
  ];
}

/** A linked account has libraries of its own. */
function reloadAll(view) {
  clearMenu();
  view.reload();
}

function retryButton(view) {
  const button = element('button', { id: 'retry' }, 'Try again');
  button.addEventListener('click', () => view.reload());
  window.addEventListener('online', () => view.reload(), { signal: view.signal });
  return button;
}

/** Count down the seconds, and then try again. The focus stays where it is. */
function countdown(seconds, view) {
  let left = Math.max(1, Math.ceil(seconds));
  const text = element('p', {}, `Trying again in ${count(left, 'second')}.`);
  const timer = setInterval(() => {
    left -= 1;
    text.textContent = `Trying again in ${count(left, 'second')}.`;
    if (left === 0) view.reload(document.activeElement.id);
  }, 1000);
  view.signal.addEventListener('abort', () => clearInterval(timer));
  return text;
}
