// Signing in with Plex: its page in another tab, and the result of a PIN from this service.

import { element } from './elements.js';
import { createPin, readPin, session } from './requests.js';

/** Create the button "Continue with Plex". `onDone` is called when the user has signed in. */
export function plexButton(onDone) {
  const button = element('button', { type: 'button' }, 'Continue with Plex');
  button.addEventListener('click', () => continueWithPlex(button, onDone));
  return button;
}

/** Sign in with Plex, or link the account to the user who is signed in. */
export async function continueWithPlex(button, onDone) {
  // Opened before any request, so that the browser does not block it.
  const tab = window.open('about:blank');
  const status = document.getElementById('status');
  button.disabled = true;
  try {
    if (!tab) throw new Error('Allow this page to open another tab, and try again.');
    const pin = await createPin();
    tab.location = pin.authUrl;
    status.textContent = 'Sign in to Plex in the other tab.';
    const result = await resultOf(pin);
    if (result.access) session.useTokens(result);
    onDone();
  } catch (error) {
    tab?.close();
    status.textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

async function resultOf(pin) {
  while (true) {
    const result = await readPin(pin);
    if (result.status === 'complete') return result;
    if (result.status === 'expired') throw new Error('Nobody signed in to Plex in time.');
    await new Promise((resolve) => setTimeout(resolve, result.interval * 1000));
  }
}
