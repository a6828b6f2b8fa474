// Waits that an `AbortSignal` can end.

/**
 * Wait for a promise. If the signal is aborted first, throw its reason; the promise goes on.
 *
 * @template Value
 * @param {Promise<Value>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<Value>}
 */
export function abortable(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Wait for some seconds.
 *
 * @param {number} seconds
 * @param {AbortSignal} signal
 */
export async function pause(seconds, signal) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const passed = new Promise((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  try {
    await abortable(passed, signal);
  } finally {
    clearTimeout(timer);
  }
}
