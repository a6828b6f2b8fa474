// Signing in with Plex: its page in another tab, and the result of a PIN from this service.

import { element } from './elements.js';
import { pause } from './medianest/waiting.js';
import { createPin, readPin, session } from './requests.js';

// The attempt to sign in. It ends when the user begins another one, or signs in another way.
let attempt = new AbortController();
document.getElementById('sign-in').addEventListener('signed-in', () => attempt.abort());

/** Create the button "Continue with Plex". `onDone` is called when the user has signed in. */
export function plexButton(onDone) {
  const button = element('button', { type: 'button' }, 'Continue with Plex');
  button.addEventListener('click', () => continueWithPlex(onDone));
  return button;
}

/** Sign in with Plex, or link the account to the user who is signed in. */
export async function continueWithPlex(onDone) {
  // Opened before any request, so that the browser does not block it.
  const tab = window.open('about:blank');
  const status = document.getElementById('status');
  attempt.abort();
  attempt = new AbortController();
  const { signal } = attempt;
  try {
    if (!tab) throw new Error('Allow this page to open another tab, and try again.');
    const pin = await createPin(signal);
    tab.location = pin.authUrl;
    status.textContent = 'Sign in to Plex in the other tab.';
    const result = await resultOf(pin, signal);
    if (result.access) session.useTokens(result);
    onDone();
  } catch (error) {
    tab?.close();
    if (!signal.aborted) status.textContent = error.message;
  }
}

async function resultOf(pin, signal) {
  while (true) {
    const result = await readPin(pin, signal);
    if (result.status === 'complete') return result;
    if (result.status === 'expired') throw new Error('Nobody signed in to Plex in time.');
    await pause(result.interval, signal);
  }
}
