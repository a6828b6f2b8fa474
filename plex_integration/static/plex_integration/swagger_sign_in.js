// The sign-in above Swagger UI. Tokens are only in the memory of the page.
'use strict';

const paths = document.currentScript.dataset;
const SCHEME = 'bearer'; // its name in the OpenAPI document
const RENEW_BEFORE_SECONDS = 60;
const [form, session, problem, username] = ['credentials', 'session', 'problem', 'username'].map(
  (id) => document.getElementById(id),
);
let refresh, renewal; // while signed in: the refresh token, and the timer that uses it

// Send a body. Return the data of the response; show its error, and return nothing.
async function send(path, body) {
  const before = refresh;
  let message;
  problem.textContent = '';
  const headers = { 'Content-Type': 'application/json' };
  try {
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    const { data, error } = await response.json();
    if (!error) return data;
    message = error.message;
  } catch {
    message = 'The service is not reachable.';
  }
  // Meanwhile the user may have signed in or out: the message is about what was before.
  if (refresh === before) problem.textContent = message;
}

function use(pair) {
  const schema = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' };
  ui.authActions.authorize({ [SCHEME]: { name: SCHEME, schema, value: pair.access } });
  refresh = pair.refresh;
  // A form that was sent twice is answered twice.
  clearTimeout(renewal);
  renewal = setTimeout(renew, (pair.expiresIn - RENEW_BEFORE_SECONDS) * 1000);
}

function forget() {
  clearTimeout(renewal);
  ui.authActions.logout([SCHEME]);
  refresh = undefined;
  show();
}

function show() {
  form.hidden = Boolean(refresh);
  session.hidden = !refresh;
}

async function renew() {
  const sent = refresh;
  const pair = await send(paths.refresh, { refresh: sent });
  // Meanwhile the user has signed out, and another one may have signed in.
  if (refresh !== sent) return;
  if (pair) use(pair);
  else forget();
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const credentials = Object.fromEntries(new FormData(form));
  const pair = await send(paths.token, credentials);
  if (!pair) return;
  use(pair);
  username.textContent = credentials.username;
  form.reset();
  show();
});

document.getElementById('sign-out').addEventListener('click', () => {
  const sent = refresh;
  forget();
  send(paths.logout, { refresh: sent });
});
