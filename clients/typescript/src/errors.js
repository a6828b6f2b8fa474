// What a request can fail with, and how a response is read.

/** An error that the service answered with; `code` is one of the codes in docs/api.md. */
export class MediaNestError extends Error {
  name = 'MediaNestError';

  /**
   * @param {Response} response
   * @param {unknown} body The parsed JSON of the response. Whatever is not an error of the service,
   *   like the page of a proxy, gets the code `UNREADABLE_RESPONSE`.
   */
  constructor(response, body) {
    const { error, metadata } = /** @type {Partial<Failure>} */ (body ?? {});
    super(error?.message ?? `The response with status ${response.status} is not one of the service.`);
    this.code = error?.code ?? 'UNREADABLE_RESPONSE';
    this.status = response.status;
    /** What the code says in detail, for example the messages for each parameter. */
    this.details = error?.details;
    /** Names the request in the service's log. */
    this.requestId = metadata?.requestId ?? response.headers.get('X-Request-ID');
    /** After how many seconds to send the request again, or null where the service does not say. */
    this.retryAfter = retryAfter(response);
  }
}

/** The service could not be reached, or the connection broke. `cause` is the error of `fetch`. */
export class NetworkError extends Error {
  name = 'NetworkError';

  /** @param {unknown} cause */
  constructor(cause) {
    super('The service cannot be reached.', { cause });
  }
}

/**
 * Return what `fetch` threw as a NetworkError, unless the caller ended the request itself.
 *
 * @param {unknown} error `fetch` throws a TypeError, or the reason of the caller's `AbortSignal`.
 */
export function asNetworkError(error) {
  return error instanceof TypeError ? new NetworkError(error) : error;
}

/**
 * Return the `data` of a response.
 *
 * @template [Data=any]
 * @param {Response} response
 * @returns {Promise<Data>}
 * @throws {MediaNestError} for an error response
 * @throws {NetworkError} when the connection breaks
 */
export async function read(response) {
  const body = parse(await textOf(response));
  if (!body?.success) throw new MediaNestError(response, body);
  return body.data;
}

/**
 * Return the seconds of `Retry-After`, which may also be a date, or null without that header.
 *
 * @param {Response} response
 */
export function retryAfter(response) {
  const header = response.headers.get('Retry-After');
  if (!header) return null;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? (Date.parse(header) - Date.now()) / 1000 : seconds;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** @param {Response} response */
async function textOf(response) {
  try {
    return await response.text();
  } catch (error) {
    throw asNetworkError(error);
  }
}

/**
 * @param {string} text
 * @returns {any} null for what is not JSON
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @typedef {object} Failure
 * @property {{ code: string, message: string, details?: unknown }} error
 * @property {{ requestId: string }} metadata
 */
