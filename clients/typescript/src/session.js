// Signs in, sends requests with the access token, renews it, and waits where the service says so.

import { asNetworkError, MediaNestError, NetworkError, read, retryAfter } from './errors.js';
import { MemoryStorage, StoredTokens } from './tokens.js';
import { abortable, pause } from './waiting.js';

// These have their credentials in the body: their 401 says nothing about the access token.
const WITHOUT_TOKEN = ['/api/v1/auth/token', '/api/v1/auth/logout'];
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];
// A sign-in or a renewal that hangs would hold up all other requests.
const SIGN_IN_TIMEOUT = 30_000;

/**
 * @typedef {object} SessionOptions
 * @property {string} [baseUrl] The address of the service; in a browser, by default that of the page.
 * @property {import('./tokens.js').TokenStorage} [storage] Where the tokens are stored, for example
 *   `sessionStorage`; by default in memory.
 * @property {(request: Request) => Promise<Response>} [fetch]
 * @property {() => void} [onSignedOut] Called when the service refuses to renew the tokens.
 * @property {number} [retries] How often a request is sent again after 429 or 503; by default 2.
 * @property {number} [maxWait] The most seconds that a request waits for that in all; by default 60.
 */

/**
 * Create the session of one user with one service.
 *
 * @param {SessionOptions} [options]
 */
export function createSession(options = {}) {
  return new Session(options);
}

export class Session {
  #root;
  #tokens;
  #send;
  #onSignedOut;
  #retries;
  #maxWait;
  /** @type {Map<number, Promise<void>>} The renewals under way, by the time of their sign-in. */
  #renewals = new Map();

  /** @param {SessionOptions} options */
  constructor({ baseUrl, storage, fetch, onSignedOut, retries = 2, maxWait = 60 }) {
    this.#root = new URL(baseUrl ?? '/', globalThis.location?.href).href.replace(/\/+$/, '');
    this.#tokens = new StoredTokens(storage ?? new MemoryStorage(), this.#root);
    this.#send = fetch ?? ((/** @type {Request} */ request) => globalThis.fetch(request));
    this.#onSignedOut = onSignedOut;
    this.#retries = retries;
    this.#maxWait = maxWait;
  }

  /** The address of the service, without a slash at its end. */
  get baseUrl() {
    return this.#root;
  }

  /** Whether the session has tokens; the service may still refuse them. */
  get signedIn() {
    return this.#tokens.get() !== null;
  }

  /**
   * Sign in with a password.
   *
   * @param {string} username
   * @param {string} password
   * @throws {MediaNestError} with the code `UNAUTHORIZED` if the username or password is wrong
   */
  async signIn(username, password) {
    this.useTokens(await this.#post('/api/v1/auth/token', { username, password }));
  }

  /**
   * Use the tokens of another sign-in, for example of a sign-in with Plex.
   *
   * @param {{ access: string, refresh: string }} tokens
   */
  useTokens({ access, refresh }) {
    this.#tokens.set({ access, refresh, signedInAt: Date.now() });
  }

  /** Forget the tokens at once, and revoke the refresh token. */
  async signOut() {
    const tokens = this.#tokens.get();
    this.#tokens.remove();
    if (tokens) await this.#post('/api/v1/auth/logout', { refresh: tokens.refresh });
  }

  /**
   * Send a request with the access token. Takes what the global `fetch` takes, where a path that
   * begins with `/` is a path of the service.
   *
   * If the token has expired, renew it and send the request again. After 429, and after 503 if the
   * request is idempotent, wait as long as `Retry-After` says and send it again. If it must not be
   * sent again, return the response as it is.
   *
   * @throws {NetworkError} if the service cannot be reached
   * @throws {MediaNestError} if the token has expired and the service cannot renew it now
   * @type {(input: string | URL | Request, init?: RequestInit) => Promise<Response>}
   */
  fetch = async (input, init) => {
    const request = this.#request(input, init);
    let response = await this.#fetchAsUser(request);
    let waitLeft = this.#maxWait;
    for (let retry = 0; retry < this.#retries; retry += 1) {
      const seconds = secondsToWait(request, response);
      if (seconds === null || seconds > waitLeft) break;
      waitLeft -= seconds;
      await response.body?.cancel();
      await pause(seconds, request.signal);
      response = await this.#fetchAsUser(request);
    }
    return response;
  };

  /**
   * @param {string | URL | Request} input
   * @param {RequestInit} [init]
   */
  #request(input, init) {
    const isPath = typeof input === 'string' && input.startsWith('/');
    const request = new Request(isPath ? this.#root + input : input, init);
    // No other server may get the token.
    if (request.url.startsWith(`${this.#root}/`)) return request;
    throw new TypeError(`${request.url} is not an address of ${this.#root}.`);
  }

  /** @param {Request} request */
  async #fetchAsUser(request) {
    const path = request.url.slice(this.#root.length);
    const tokens = WITHOUT_TOKEN.some((each) => path.startsWith(each)) ? null : this.#tokens.get();
    const response = await this.#attempt(request, tokens);
    if (!tokens || !isTokenRefused(response)) return response;

    await abortable(this.#renew(tokens), request.signal);
    const renewed = this.#tokens.get();
    // Meanwhile another user may have signed in: a request is not sent again as somebody else.
    if (renewed?.signedInAt !== tokens.signedInAt) return response;
    await response.body?.cancel();
    return this.#attempt(request, renewed);
  }

  /**
   * @param {Request} request Not read, so that it can be sent again with the same body.
   * @param {import('./tokens.js').Tokens | null} [tokens]
   */
  async #attempt(request, tokens) {
    const attempt = request.clone();
    if (tokens) attempt.headers.set('Authorization', `Bearer ${tokens.access}`);
    // Browsers refuse `fetch` as the method of another object.
    const send = this.#send;
    try {
      return await send(attempt);
    } catch (error) {
      throw asNetworkError(error);
    }
  }

  /**
   * Renew the tokens: once for all requests of their sign-in, because a refresh token works only
   * once.
   *
   * @param {import('./tokens.js').Tokens} tokens
   */
  #renew(tokens) {
    const { signedInAt } = tokens;
    const renewal =
      this.#renewals.get(signedInAt) ??
      oneTabAtATime(() => this.#replace(tokens)).finally(() => this.#renewals.delete(signedInAt));
    this.#renewals.set(signedInAt, renewal);
    return renewal;
  }

  /** @param {import('./tokens.js').Tokens} tokens */
  async #replace(tokens) {
    // A faster request or another tab has renewed them already, or the user has signed out.
    if (this.#areReplaced(tokens)) return;
    const renewed = await this.#renewedOrNull(tokens.refresh);
    if (this.#areReplaced(tokens)) return;
    if (renewed) return this.#tokens.set({ ...renewed, signedInAt: tokens.signedInAt });
    this.#tokens.remove();
    this.#onSignedOut?.();
  }

  /** @param {import('./tokens.js').Tokens} tokens */
  #areReplaced(tokens) {
    return this.#tokens.get()?.access !== tokens.access;
  }

  /**
   * Return null only if the service refuses the token: any other failure may be temporary, and must
   * not sign the user out.
   *
   * @param {string} refresh
   * @returns {Promise<{ access: string, refresh: string } | null>}
   */
  async #renewedOrNull(refresh) {
    try {
      return await this.#post('/api/v1/auth/token/refresh', { refresh });
    } catch (error) {
      if (error instanceof MediaNestError && error.code === 'UNAUTHORIZED') return null;
      throw error;
    }
  }

  /**
   * @param {string} path
   * @param {object} body
   */
  async #post(path, body) {
    const signal = AbortSignal.timeout(SIGN_IN_TIMEOUT);
    const request = new Request(this.#root + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
    try {
      return await read(await this.#attempt(request));
    } catch (error) {
      throw signal.aborted ? new NetworkError(error) : error;
    }
  }
}

/** @param {Response} response */
function isTokenRefused(response) {
  // A challenge of another kind is about the token of the service itself, which no user can renew.
  const challenge = response.headers.get('WWW-Authenticate') ?? '';
  return response.status === 401 && challenge.startsWith('Bearer');
}

/**
 * Return after how many seconds a request may be sent again, or null if it may not.
 *
 * @param {Request} request
 * @param {Response} response
 */
function secondsToWait(request, response) {
  const isIdempotent = IDEMPOTENT.includes(request.method) || request.headers.has('Idempotency-Key');
  // With 429 the service has not begun to execute the request.
  const mayRepeat = response.status === 429 || (response.status === 503 && isIdempotent);
  return mayRepeat ? retryAfter(response) : null;
}

/**
 * Run a function while no other tab does: tabs may share a storage.
 *
 * @param {() => Promise<void>} renew
 */
async function oneTabAtATime(renew) {
  const locks = globalThis.navigator?.locks;
  await (locks ? locks.request('medianest.renewal', renew) : renew());
}
