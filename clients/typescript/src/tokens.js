// Where a session stores its tokens.

/** The tokens of one service, in a `Storage` of the browser or in anything like it. */
export class StoredTokens {
  #storage;
  #key;

  /**
   * @param {TokenStorage} storage
   * @param {string} root The address of the service: its tokens are for no other one.
   */
  constructor(storage, root) {
    this.#storage = storage;
    this.#key = `medianest.tokens ${root}`;
  }

  /** @returns {Tokens | null} */
  get() {
    return JSON.parse(this.#storage.getItem(this.#key) ?? 'null');
  }

  /** @param {Tokens} tokens */
  set({ access, refresh, signedInAt }) {
    this.#storage.setItem(this.#key, JSON.stringify({ access, refresh, signedInAt }));
  }

  remove() {
    this.#storage.removeItem(this.#key);
  }
}

/** A storage that ends with the page or the process. */
export class MemoryStorage {
  /** @type {Map<string, string>} */
  #values = new Map();

  /** @param {string} key */
  getItem(key) {
    return this.#values.get(key) ?? null;
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  setItem(key, value) {
    this.#values.set(key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.#values.delete(key);
  }
}

/**
 * @typedef {object} Tokens
 * @property {string} access
 * @property {string} refresh
 * @property {number} signedInAt Stays the same when the tokens are renewed.
 *
 * @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} TokenStorage
 *   For example `sessionStorage` or `localStorage`.
 */
