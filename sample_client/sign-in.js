// The sign-in page: with a password, with Plex, and with a user of the demo.

import { users } from './demo.js';
import { element } from './elements.js';
import { count } from './formats.js';
import { clearMenu } from './menu.js';
import { continueWithPlex } from './plex-sign-in.js';
import { session } from './requests.js';

const form = document.getElementById('sign-in');
const plex = document.getElementById('plex-sign-in');
const demo = document.getElementById('demo-users');

/** Return the page; the form itself is in index.html. */
export function signInPage(status = '') {
  clearMenu();
  return { title: 'Sign in', status };
}

function announce() {
  clearMenu();
  form.dispatchEvent(new Event('signed-in'));
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { username, password } = Object.fromEntries(new FormData(form));
  const status = document.getElementById('status');
  status.textContent = 'Signing in…';
  try {
    await session.signIn(username, password);
    form.reset();
    announce();
  } catch (error) {
    // Meanwhile the user may have signed in another way.
    if (session.signedIn) return;
    const wait = error.retryAfter ? ` Try again in ${count(error.retryAfter, 'second')}.` : '';
    status.textContent = error.message + wait;
  }
});

plex.addEventListener('click', () => continueWithPlex(announce));

function demoUser({ name, password }) {
  const button = element('button', { type: 'button' }, `Use ${name} / ${password}`);
  button.addEventListener('click', () => {
    form.elements.username.value = name;
    form.elements.password.value = password;
    form.requestSubmit();
  });
  return button;
}

demo.append(...users.map(demoUser));
demo.hidden = users.length === 0;
