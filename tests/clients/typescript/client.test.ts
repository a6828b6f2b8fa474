// The typed client against a server on a real socket that answers as each test says.

import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { createMediaNestClient, MediaNestError, NetworkError, unwrap } from '@medianest/client';

async function connect(t: TestContext, answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return createMediaNestClient({ baseUrl: `http://127.0.0.1:${port}/medianest/` });
}

test('an error has the code, the details and the id of its request', async (t) => {
  const details = { size: ['Must be at most 200.'] };
  const error = { code: 'VALIDATION_ERROR', message: 'Not valid: size.', details };
  const { GET } = await connect(t, (_, response) => {
    response.writeHead(400, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ success: false, error, metadata: { requestId: 'req-1' } }));
  });
  const expected = { ...error, name: 'MediaNestError', status: 400, requestId: 'req-1' };
  await assert.rejects(unwrap(GET('/api/v1/plex/server')), expected);
});

test('the page of a proxy is an error with its status', async (t) => {
  const { GET } = await connect(t, (_, response) => {
    response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>');
  });
  await assert.rejects(unwrap(GET('/api/v1/plex/server')), (error) => {
    assert.ok(error instanceof MediaNestError);
    assert.deepEqual([error.status, error.code], [502, 'UNREADABLE_RESPONSE']);
    return true;
  });
});

test('a page in place of JSON is an error as well', async (t) => {
  const { GET } = await connect(t, (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Welcome to the hotel</h1>');
  });
  await assert.rejects(unwrap(GET('/api/v1/plex/server')), {
    name: 'MediaNestError',
    code: 'UNREADABLE_RESPONSE',
    status: 200,
  });
});

test('a connection that breaks within the response is a network failure', async (t) => {
  const { GET } = await connect(t, (_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' });
    response.write('{"success": true', () => response.destroy());
  });
  await assert.rejects(unwrap(GET('/api/v1/plex/server')), NetworkError);
});

test('an abort is not a network failure', async (t) => {
  const controller = new AbortController();
  const { GET } = await connect(t, () => controller.abort());
  const { signal } = controller;
  await assert.rejects(unwrap(GET('/api/v1/plex/server', { signal })), { name: 'AbortError' });
});

test('lists are sent with commas, below the path of a proxy', async (t) => {
  let address: string | undefined;
  const { GET } = await connect(t, (request, response) => {
    address = request.url;
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end('{"success": true, "data": {"items": [], "total": 0, "missing": []}}');
  });
  await unwrap(GET('/api/v1/plex/items', { params: { query: { ids: ['1', '2'] } } }));
  assert.equal(address, '/medianest/api/v1/plex/items?ids=1,2');
});
