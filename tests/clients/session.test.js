// The session of clients/typescript against servers on real sockets that answer as each test says.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { MediaNestError, NetworkError, read } from '../../clients/typescript/src/errors.js';
import { createSession } from '../../clients/typescript/src/session.js';
import { MemoryStorage } from '../../clients/typescript/src/tokens.js';

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="api"' };
const FIRST = { access: 'access-1', refresh: 'refresh-1' };

const ok = (data) => ({ body: { success: true, data } });

function failure(status, code, headers = {}) {
  const body = { success: false, error: { code, message: code }, metadata: { requestId: 'req-1' } };
  return { status, headers, body };
}

// Serves what `answer` returns for a request; null closes the connection without a response.
async function serve(t, answer) {
  const requests = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks = await incoming.toArray();
    const { method, url: path, headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const answered = await answer(request);
    if (!answered) return incoming.socket.destroy();
    const { status = 200, headers: fields = {}, body } = answered;
    outgoing.writeHead(status, { 'Content-Type': 'application/json', ...fields });
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const sent = (path) => requests.filter((request) => request.path === path);
  return { baseUrl: `http://127.0.0.1:${server.address().port}`, requests, sent };
}

// A service where each renewal makes the next pair; `refresh` may answer in its place.
async function service(t, { refresh = () => undefined, others } = {}) {
  let pair = 1;
  return serve(t, async (request) => {
    if (request.path === '/api/v1/auth/token/refresh') {
      const answered = await refresh(request);
      if (answered !== undefined) return answered;
      if (JSON.parse(request.body).refresh !== `refresh-${pair}`) {
        return failure(401, 'UNAUTHORIZED', CHALLENGE);
      }
      pair += 1;
      return ok({ access: `access-${pair}`, refresh: `refresh-${pair}`, expiresIn: 900 });
    }
    if (request.path === '/api/v1/auth/logout') return ok({});
    // The first access token has expired.
    const isCurrent = pair > 1 && request.headers.authorization === `Bearer access-${pair}`;
    if (!isCurrent) return failure(401, 'UNAUTHORIZED', CHALLENGE);
    return others ? others(request) : ok({ path: request.path });
  });
}

function signedIn(options) {
  const session = createSession(options);
  session.useTokens(FIRST);
  return session;
}

// A promise, and the function that resolves it.
function later() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test('all requests with an expired token share one renewal', async (t) => {
  const { baseUrl, sent } = await service(t);
  const session = signedIn({ baseUrl });
  const paths = Array.from({ length: 8 }, (_, number) => `/api/v1/plex/items/${number}`);
  const answers = await Promise.all(paths.map(async (path) => read(await session.fetch(path))));
  assert.deepEqual(answers.map((data) => data.path), paths);
  assert.equal(sent('/api/v1/auth/token/refresh').length, 1);
});

test('a request that fails after the renewal of another one uses the renewed tokens', async (t) => {
  const slow = later();
  const { baseUrl, sent } = await serve(t, async ({ path, headers }) => {
    if (path.endsWith('/refresh')) return ok({ access: 'access-2', refresh: 'refresh-2' });
    if (headers.authorization === 'Bearer access-2') return ok(path);
    if (path === '/slow') await slow.promise;
    return failure(401, 'UNAUTHORIZED', CHALLENGE);
  });
  const session = signedIn({ baseUrl });
  const late = session.fetch('/slow');
  assert.equal(await read(await session.fetch('/quick')), '/quick');
  slow.resolve();
  assert.equal(await read(await late), '/slow');
  assert.equal(sent('/api/v1/auth/token/refresh').length, 1);
});

test('two tabs that share a storage renew one after the other', async (t) => {
  const { baseUrl, sent } = await service(t);
  const storage = new MemoryStorage();
  const session = signedIn({ baseUrl, storage });
  const otherTab = createSession({ baseUrl, storage });
  await session.fetch('/api/v1/plex/server');
  assert.equal((await otherTab.fetch('/api/v1/plex/server')).status, 200);
  assert.equal(sent('/api/v1/auth/token/refresh').length, 1);
});

test('a network failure during the renewal does not sign out', async (t) => {
  let failures = 1;
  const { baseUrl } = await service(t, { refresh: () => (failures-- > 0 ? null : undefined) });
  const session = signedIn({ baseUrl, onSignedOut: assert.fail });
  await assert.rejects(session.fetch('/api/v1/plex/server'), NetworkError);
  assert.equal(session.signedIn, true);
  assert.equal((await session.fetch('/api/v1/plex/server')).status, 200);
});

for (const [status, code] of [[503, 'SERVICE_UNAVAILABLE'], [429, 'RATE_LIMIT_EXCEEDED']]) {
  test(`a renewal that fails with ${status} does not sign out`, async (t) => {
    const refused = failure(status, code, { 'Retry-After': '7' });
    const { baseUrl } = await service(t, { refresh: () => refused });
    const session = signedIn({ baseUrl, onSignedOut: assert.fail });
    await assert.rejects(session.fetch('/api/v1/plex/server'), { code, status, retryAfter: 7 });
    assert.equal(session.signedIn, true);
  });
}

test('a refused refresh token signs out once, and each request gets its 401', async (t) => {
  const refused = failure(401, 'UNAUTHORIZED', CHALLENGE);
  const { baseUrl, sent } = await service(t, { refresh: () => refused });
  let signOuts = 0;
  const session = signedIn({ baseUrl, onSignedOut: () => { signOuts += 1; } });
  const responses = await Promise.all(['/a', '/b', '/c'].map((path) => session.fetch(path)));
  for (const response of responses) {
    await assert.rejects(read(response), { code: 'UNAUTHORIZED', status: 401 });
  }
  assert.deepEqual([signOuts, session.signedIn], [1, false]);
  assert.equal(sent('/api/v1/auth/token/refresh').length, 1);
});

test('a 401 about the token of the service itself renews nothing', async (t) => {
  const { baseUrl, requests } = await serve(t, () =>
    failure(401, 'PLEX_UNAUTHORIZED', { 'WWW-Authenticate': 'Plex' }));
  const response = await signedIn({ baseUrl }).fetch('/api/v1/plex/server');
  await assert.rejects(read(response), { code: 'PLEX_UNAUTHORIZED' });
  assert.equal(requests.length, 1);
});

test('a request that is sent again keeps its method, headers and body', async (t) => {
  let limited = 1;
  const { baseUrl, sent } = await service(t, {
    others: () => (limited-- > 0 ? failure(429, 'RATE_LIMIT_EXCEEDED', { 'Retry-After': '0' }) : ok(1)),
  });
  const body = JSON.stringify({ title: 'A Long Sunday' });
  const headers = { 'Content-Type': 'application/json', 'X-Request-ID': 'mine' };
  const session = signedIn({ baseUrl });
  await session.fetch('/api/v1/plex/playlists', { method: 'POST', headers, body });
  const attempts = sent('/api/v1/plex/playlists');
  const [expired, ...renewed] = attempts.map((attempt) => attempt.headers.authorization);
  assert.deepEqual([expired, ...renewed], ['Bearer access-1', 'Bearer access-2', 'Bearer access-2']);
  for (const attempt of attempts) {
    assert.deepEqual([attempt.method, attempt.body], ['POST', body]);
    assert.equal(attempt.headers['content-type'], 'application/json');
    assert.equal(attempt.headers['x-request-id'], 'mine');
  }
});

test('a request waits as long as Retry-After says, in seconds or until a date', async (t) => {
  const waits = ['1', () => new Date(Date.now() + 2000).toUTCString()];
  const { baseUrl } = await serve(t, () => {
    const wait = waits.shift();
    if (!wait) return ok(true);
    const header = typeof wait === 'string' ? wait : wait();
    return failure(429, 'RATE_LIMIT_EXCEEDED', { 'Retry-After': header });
  });
  const began = performance.now();
  assert.equal(await read(await createSession({ baseUrl }).fetch('/')), true);
  // A date has no fractions of a second.
  assert.ok(performance.now() - began >= 1900);
});

test('a request is sent again at most as often as `retries` says', async (t) => {
  const { baseUrl, requests } = await serve(t, () =>
    failure(429, 'RATE_LIMIT_EXCEEDED', { 'Retry-After': '0' }));
  const response = await createSession({ baseUrl, retries: 3 }).fetch('/');
  await assert.rejects(read(response), { code: 'RATE_LIMIT_EXCEEDED', retryAfter: 0 });
  assert.equal(requests.length, 4);
});

test('a request that would wait longer than `maxWait` in all fails at once', async (t) => {
  const waits = ['1', '2'];
  const { baseUrl, requests } = await serve(t, () =>
    failure(429, 'RATE_LIMIT_EXCEEDED', { 'Retry-After': waits.shift() }));
  const response = await createSession({ baseUrl, maxWait: 2 }).fetch('/');
  await assert.rejects(read(response), { code: 'RATE_LIMIT_EXCEEDED', retryAfter: 2 });
  assert.equal(requests.length, 2);
});

for (const [method, headers, wait, attempts] of [
  ['GET', {}, '0', 2],
  ['PUT', {}, '0', 2],
  ['DELETE', {}, '0', 2],
  ['POST', {}, '0', 1],
  ['PATCH', {}, '0', 1],
  ['POST', { 'Idempotency-Key': 'once' }, '0', 2],
  ['GET', {}, undefined, 1],
]) {
  const request = `a ${method} with ${JSON.stringify(headers)} and Retry-After ${wait}`;
  test(`${request} is sent ${attempts} times when the first answer is 503`, async (t) => {
    const { baseUrl, requests } = await serve(t, () =>
      requests.length > 1
        ? ok(true)
        : failure(503, 'PLEX_SERVER_UNAVAILABLE', wait ? { 'Retry-After': wait } : {}));
    await createSession({ baseUrl }).fetch('/', { method, headers });
    assert.equal(requests.length, attempts);
  });
}

test('an abort ends the wait for the next attempt', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  const { baseUrl, requests } = await serve(t, () =>
    failure(429, 'RATE_LIMIT_EXCEEDED', { 'Retry-After': '60' }));
  const abortAfterResponse = async (request) => {
    const response = await fetch(request);
    setImmediate(() => controller.abort(new Error('The view was closed.')));
    return response;
  };
  const response = createSession({ baseUrl, fetch: abortAfterResponse }).fetch('/', { signal });
  await assert.rejects(response, { message: 'The view was closed.' });
  assert.equal(requests.length, 1);
});

test('an abort before the wait for the next attempt ends it', async () => {
  const controller = new AbortController();
  const abortWithResponse = async () => {
    controller.abort();
    return new Response(null, { status: 429, headers: { 'Retry-After': '60' } });
  };
  const session = createSession({ baseUrl: 'http://127.0.0.1', fetch: abortWithResponse });
  await assert.rejects(session.fetch('/', { signal: controller.signal }), { name: 'AbortError' });
});

test('an abort during a renewal ends only the request that is aborted', async (t) => {
  const requested = later();
  const allowed = later();
  const { baseUrl, sent } = await service(t, {
    refresh: async () => {
      requested.resolve();
      await allowed.promise;
    },
  });
  const session = signedIn({ baseUrl });
  const controller = new AbortController();
  const aborted = session.fetch('/aborted', { signal: controller.signal });
  const other = session.fetch('/other');
  await requested.promise;
  controller.abort();
  await assert.rejects(aborted, { name: 'AbortError' });
  allowed.resolve();
  assert.equal((await other).status, 200);
  assert.equal(sent('/aborted').length, 1);
});

test('who signs out during a renewal stays signed out', async (t) => {
  const { baseUrl } = await service(t, { refresh: () => session.signOut() });
  const session = signedIn({ baseUrl, onSignedOut: assert.fail });
  const response = await session.fetch('/api/v1/plex/server');
  assert.deepEqual([response.status, session.signedIn], [401, false]);
});

test('a request of one user is not sent again for the next user', async (t) => {
  const next = { access: 'access-of-the-next', refresh: 'refresh-of-the-next' };
  const { baseUrl, requests } = await service(t, {
    refresh: () => {
      session.useTokens(next);
    },
  });
  const session = signedIn({ baseUrl });
  const response = await session.fetch('/api/v1/plex/items/1/watched', { method: 'PUT' });
  assert.equal(response.status, 401);
  assert.equal(session.signedIn, true);
  assert.ok(requests.every(({ headers }) => headers.authorization !== `Bearer ${next.access}`));
});

test('a request renews its own token during the renewal of the sign-in before', async (t) => {
  const requested = later();
  const allowed = later();
  const { baseUrl } = await serve(t, async ({ path, headers, body }) => {
    if (path.endsWith('/refresh') && body.includes(FIRST.refresh)) {
      requested.resolve();
      await allowed.promise;
      return failure(503, 'SERVICE_UNAVAILABLE');
    }
    if (path.endsWith('/refresh')) return ok({ access: 'access-3', refresh: 'refresh-3' });
    if (headers.authorization === 'Bearer access-3') return ok(path);
    return failure(401, 'UNAUTHORIZED', CHALLENGE);
  });
  // The renewal of the first sign-in ends after the request of the second one was refused.
  const session = signedIn({ baseUrl, fetch: async (request) => {
    const response = await fetch(request);
    if (request.url.endsWith('/second')) setImmediate(allowed.resolve);
    return response;
  } });
  const first = session.fetch('/first');
  await requested.promise;
  session.useTokens({ access: 'access-2', refresh: 'refresh-2' });
  const second = session.fetch('/second');
  await assert.rejects(first, { code: 'SERVICE_UNAVAILABLE' });
  assert.equal(await read(await second), '/second');
});

test('no other address gets the token', async (t) => {
  const other = await serve(t, () => ok(true));
  const session = signedIn({ baseUrl: 'http://127.0.0.1:80/medianest/' });
  for (const address of [other.baseUrl, 'http://127.0.0.1/other', 'http://127.0.0.1/medianest-2/']) {
    await assert.rejects(session.fetch(address), TypeError);
  }
  assert.equal(other.requests.length, 0);
});

test('a service below a path of a proxy is reached there', async (t) => {
  const { baseUrl, requests } = await serve(t, () => ok(true));
  const session = createSession({ baseUrl: `${baseUrl}/medianest/` });
  await session.fetch('/api/v1/health');
  await session.fetch(new Request(`${baseUrl}/medianest/api/v1/health/live`));
  const paths = requests.map(({ path }) => path);
  assert.deepEqual(paths, ['/medianest/api/v1/health', '/medianest/api/v1/health/live']);
});

test('what has its credentials in the body is sent without a token and never again', async (t) => {
  const refused = failure(401, 'UNAUTHORIZED', CHALLENGE);
  const { baseUrl, requests } = await serve(t, () => refused);
  const session = signedIn({ baseUrl });
  for (const path of ['/api/v1/auth/token', '/api/v1/auth/token/verify', '/api/v1/auth/logout']) {
    assert.equal((await session.fetch(path, { method: 'POST', body: '{}' })).status, 401);
  }
  assert.deepEqual(requests.map(({ headers }) => headers.authorization), Array(3).fill(undefined));
  assert.equal(session.signedIn, true);
});

test('a session signs in with a password and sends the token', async (t) => {
  const { baseUrl, requests } = await serve(t, ({ path, body }) => {
    if (path !== '/api/v1/auth/token') return ok(true);
    const isRight = JSON.parse(body).password === 'right';
    return isRight ? ok({ ...FIRST, expiresIn: 900 }) : failure(401, 'UNAUTHORIZED', CHALLENGE);
  });
  const session = createSession({ baseUrl });
  await assert.rejects(session.signIn('demo', 'wrong'), { code: 'UNAUTHORIZED', requestId: 'req-1' });
  assert.equal(session.signedIn, false);
  await session.signIn('demo', 'right');
  await session.fetch('/api/v1/plex/server');
  assert.equal(requests.at(-1).headers.authorization, 'Bearer access-1');
});

test('who signs out while the service is unreachable is signed out here', async (t) => {
  const { baseUrl, requests } = await serve(t, () => null);
  const session = signedIn({ baseUrl });
  await assert.rejects(session.signOut(), NetworkError);
  assert.equal(session.signedIn, false);
  assert.equal(requests[0].body, '{"refresh":"refresh-1"}');
});

test('two services in one storage keep their tokens apart', () => {
  const storage = new MemoryStorage();
  signedIn({ baseUrl: 'http://127.0.0.1:1', storage });
  assert.equal(createSession({ baseUrl: 'http://127.0.0.1:1/', storage }).signedIn, true);
  assert.equal(createSession({ baseUrl: 'http://127.0.0.1:2', storage }).signedIn, false);
});

test('an error has all that the service says about it', async () => {
  const details = { limit: ['Must be at least 1.'] };
  const error = { code: 'VALIDATION_ERROR', message: 'A parameter is not valid.', details };
  const body = { success: false, error, metadata: { requestId: 'req-9' } };
  await assert.rejects(read(Response.json(body, { status: 400 })), (thrown) => {
    assert.ok(thrown instanceof MediaNestError);
    const { code, status, message, requestId, retryAfter } = thrown;
    assert.deepEqual({ code, message, details: thrown.details }, error);
    assert.deepEqual([status, requestId, retryAfter], [400, 'req-9', null]);
    return true;
  });
});

test('the page of a proxy is an error with what its headers say', async () => {
  const headers = { 'Retry-After': new Date(0).toUTCString(), 'X-Request-ID': 'req-7' };
  const page = new Response('<h1>Bad Gateway</h1>', { status: 502, headers });
  await assert.rejects(read(page), { status: 502, requestId: 'req-7', retryAfter: 0 });
});

for (const [what, response] of [
  ['the page of a proxy', new Response('<h1>Bad Gateway</h1>', { status: 502 })],
  ['a page in place of JSON', new Response('<h1>Welcome</h1>')],
  ['JSON without the envelope', Response.json({ detail: 'no' }, { status: 404 })],
  ['an empty response', new Response(null, { status: 204 })],
  ['JSON that is no object', Response.json('ok')],
]) {
  test(`${what} is an error that says it is unreadable`, async () => {
    const { status } = response;
    await assert.rejects(read(response), { name: 'MediaNestError', code: 'UNREADABLE_RESPONSE', status });
  });
}

test('a connection that breaks within the response is a network failure', async (t) => {
  const server = createServer((_, outgoing) => {
    outgoing.writeHead(200, { 'Content-Length': '100' });
    outgoing.write('{"success": true', () => outgoing.destroy());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const baseUrl = `http://127.0.0.1:${server.address().port}`;
  await assert.rejects(createSession({ baseUrl }).fetch('/').then(read), NetworkError);
});

test('a server that cannot be reached is a network failure with its cause', async () => {
  const closed = createServer();
  await new Promise((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address();
  await new Promise((resolve) => closed.close(resolve));
  await assert.rejects(createSession({ baseUrl: `http://127.0.0.1:${port}` }).fetch('/'), (error) => {
    assert.ok(error instanceof NetworkError);
    assert.equal(error.cause.cause.code, 'ECONNREFUSED');
    return true;
  });
});
