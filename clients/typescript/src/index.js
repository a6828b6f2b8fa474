// The typed client: `openapi-fetch` with the paths of the OpenAPI document, on a session.

import createClient from 'openapi-fetch';
import { asNetworkError, MediaNestError } from './errors.js';
import { createSession } from './session.js';

export { MediaNestError, NetworkError, read } from './errors.js';
export { createSession, Session } from './session.js';

/**
 * @typedef {import('../types/schema.d.ts').paths} paths
 * @typedef {import('../types/schema.d.ts').components['schemas']} Schemas
 * @typedef {import('./session.js').SessionOptions} SessionOptions
 */

/**
 * Create a client that has a method for each HTTP method, like `GET`, and its `session`.
 *
 * @param {SessionOptions} [options]
 * @returns {import('openapi-fetch').Client<paths> & { session: import('./session.js').Session }}
 */
export function createMediaNestClient(options) {
  const session = createSession(options);
  /** @type {import('openapi-fetch').Client<paths>} */
  const client = createClient({
    baseUrl: session.baseUrl,
    fetch: session.fetch,
    // The service's lists are comma-separated.
    querySerializer: { array: { style: 'form', explode: false } },
  });
  client.use({ onResponse: ({ response }) => refusePage(response) });
  return { ...client, session };
}

/**
 * Refuse a page in place of a result, as a captive portal sends it.
 *
 * @param {Response} response
 */
function refusePage(response) {
  const isPage = response.headers.get('Content-Type')?.startsWith('text/html');
  if (response.ok && isPage) throw new MediaNestError(response, null);
}

/**
 * Return the `data` of a request.
 *
 * @template Data
 * @param {Promise<{ data?: { data: Data }, error?: unknown, response: Response }>} request
 * @returns {Promise<Data>}
 * @throws {MediaNestError} for an error response
 * @throws {NetworkError} if there is no response, or not all of it
 */
export async function unwrap(request) {
  const { data, error, response } = await request.catch((reason) => {
    throw asNetworkError(reason);
  });
  if (data === undefined) throw new MediaNestError(response, error);
  return data.data;
}
