// All requests to the service. The session adds the access token, and renews an expired one.

import { withQuery } from './addresses.js';
import { read } from './medianest/errors.js';
import { createSession } from './medianest/session.js';

// No automatic retries: the page says what failed, and when it tries again.
export const session = createSession({ storage: sessionStorage, retries: 0 });

// The browser caches responses, too. After a change it must ask whether they are still current.
let cache = 'default';

/**
 * Return the data of a path under /api/v1/plex for a view. The request ends when the user leaves
 * the view. If Plex fails and the data is an old one, `view.staleSeconds` becomes its age.
 */
export async function get(path, view, parameters = {}) {
  const address = withQuery(`/api/v1/plex/${path}`, parameters);
  const response = await session.fetch(address, { signal: view.signal, cache });
  if (response.headers.get('X-Plex-Cache-Status') === 'STALE') {
    view.staleSeconds = Number(response.headers.get('X-Plex-Cache-Age'));
  }
  return read(response);
}

/** Mark an item as watched or not. */
export async function setWatched(ratingKey, isWatched) {
  const method = isWatched ? 'PUT' : 'DELETE';
  const response = await session.fetch(`/api/v1/plex/items/${ratingKey}/watched`, { method });
  cache = 'no-cache';
  await read(response);
}

/** Return whether the user is linked to a Plex account: only then there is something to mark. */
export async function isLinked({ signal }) {
  return (await read(await session.fetch('/api/v1/auth/plex', { signal }))).linked;
}

/** Begin a sign-in with Plex; with a signed-in user, link the account to this user. */
export async function createPin(signal) {
  return read(await session.fetch('/api/v1/auth/plex/pins', { method: 'POST', signal }));
}

/** Return the result of a PIN. Only whoever has its secret gets it. */
export async function readPin({ id, secret }, signal) {
  const headers = { 'X-Pin-Secret': secret };
  const path = `/api/v1/auth/plex/pins/${id}`;
  const result = await read(await session.fetch(path, { headers, signal }));
  if (result.link) cache = 'no-cache';
  return result;
}
