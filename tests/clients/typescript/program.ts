// Calls every operation of the service with the package @medianest/client, and checks what it gets.
//
// Prints each request that the service answers: `200 GET /api/v1/health`.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { createMediaNestClient, MediaNestError, unwrap } from '@medianest/client';

const [baseUrl = '', plexUrl = ''] = process.argv.slice(2);
const MOVIE = '1072';
const TITLE = 'Hugo and the Observatory';
const GUID = 'plex://movie/f82ab45b229e52772b78852b';

async function printed(request: Request): Promise<Response> {
  const response = await fetch(request);
  console.log(response.status, request.method, new URL(request.url).pathname);
  return response;
}

function connect() {
  return createMediaNestClient({ baseUrl, fetch: printed });
}

type Api = ReturnType<typeof connect>;

interface Pin {
  id: string;
  code: string;
  authUrl: string;
  interval: number;
  secret: string;
}

async function checkService(api: Api) {
  let health = await unwrap(api.GET('/api/v1/health'));
  // The result of a check of Plex that takes long is in a later response.
  while (health.checks.plex !== 'ok') {
    await sleep(500);
    health = await unwrap(api.GET('/api/v1/health'));
  }
  assert.equal(health.status, 'healthy');
  assert.equal((await unwrap(api.GET('/api/v1/health/live'))).status, 'alive');
}

async function signIn(api: Api) {
  const credentials = { username: 'demo', password: 'medianest-demo' };
  const first = await unwrap(api.POST('/api/v1/auth/token', { body: credentials }));
  const body = { refresh: first.refresh };
  const second = await unwrap(api.POST('/api/v1/auth/token/refresh', { body }));
  assert.notEqual(second.refresh, first.refresh);
  const token = { token: second.access };
  const verified = await unwrap(api.POST('/api/v1/auth/token/verify', { body: token }));
  assert.equal(verified.tokenType, 'access');
  // The session renews the token.
  api.session.useTokens({ access: 'expired', refresh: second.refresh });
  const { user } = await unwrap(api.GET('/api/v1/auth/session'));
  assert.equal(user.username, 'demo');
}

async function signOut(api: Api) {
  const tokens = await unwrap(
    api.POST('/api/v1/auth/token', { body: { username: 'demo', password: 'medianest-demo' } }),
  );
  const body = { refresh: tokens.refresh };
  await unwrap(api.POST('/api/v1/auth/logout', { body }));
  await assert.rejects(unwrap(api.POST('/api/v1/auth/token/refresh', { body })), (error) => {
    assert.ok(error instanceof MediaNestError);
    assert.equal(error.code, 'UNAUTHORIZED');
    return true;
  });
}

async function readLibraries(api: Api) {
  const { server } = await unwrap(api.GET('/api/v1/plex/server'));
  assert.equal(server.name, 'Simulated Plex');
  const { libraries } = await unwrap(api.GET('/api/v1/plex/libraries'));
  const movies = libraries.find((library) => library.title === 'Movies');
  assert.equal(movies?.id, '1');
  const path = { libraryKey: movies.id };
  const { genres } = await unwrap(
    api.GET('/api/v1/plex/libraries/{libraryKey}/genres', { params: { path } }),
  );
  assert.ok(genres.some((genre) => genre.title === 'Western'));
  const { items, pagination } = await unwrap(
    api.GET('/api/v1/plex/libraries/{libraryKey}/items', {
      params: { path, query: { size: 2, sort: 'year' } },
    }),
  );
  assert.deepEqual([items.length, items[0]?.title, pagination.hasMore], [2, TITLE, true]);
  const recent = await unwrap(
    api.GET('/api/v1/plex/recently-added', { params: { query: { limit: 3 } } }),
  );
  assert.equal(recent.items.length, 3);
}

async function readManyItems(api: Api) {
  const ids = [MOVIE, '9999999', '1000'];
  const listed = await unwrap(
    api.GET('/api/v1/plex/items', { params: { query: { ids, fields: ['ratingKey', 'title'] } } }),
  );
  assert.deepEqual(listed.items.map((item) => item.ratingKey), [MOVIE, '1000']);
  assert.deepEqual(listed.items[0], { ratingKey: MOVIE, title: TITLE });
  const body = { ids: ['1000'], guids: [GUID, 'imdb://tt0000001'] };
  const found = await unwrap(api.POST('/api/v1/plex/items', { body }));
  assert.deepEqual(found.items.map((item) => item.ratingKey), ['1000', MOVIE]);
  assert.deepEqual(found.missing, ['imdb://tt0000001']);
}

async function readItems(api: Api) {
  const { results } = await unwrap(
    api.GET('/api/v1/plex/search', { params: { query: { query: 'observatory', type: 'movie' } } }),
  );
  assert.ok(results.some((result) => result.ratingKey === MOVIE));
  const path = { ratingKey: MOVIE };
  const { item } = await unwrap(
    api.GET('/api/v1/plex/items/{ratingKey}', { params: { path } }),
  );
  assert.deepEqual([item.title, item.type, item.externalIds?.imdb], [TITLE, 'movie', 'tt2775914']);
  const found = await unwrap(
    api.GET('/api/v1/plex/items/lookup', { params: { query: { guid: 'imdb://tt2775914' } } }),
  );
  assert.deepEqual(found.items.map((each) => each.ratingKey), [MOVIE]);
  const show = await unwrap(
    api.GET('/api/v1/plex/items/{ratingKey}/children', { params: { path: { ratingKey: '1001018' } } }),
  );
  assert.equal(show.items[0]?.type, 'season');
  const { data: picture } = await api.GET('/api/v1/plex/items/{ratingKey}/images/{kind}', {
    params: { path: { ...path, kind: 'thumb' }, query: { width: 320 } },
    headers: { Accept: 'image/png' },
    parseAs: 'blob',
  });
  assert.equal(picture?.type, 'image/png');
}

async function writeCollection(api: Api) {
  const { collection } = await unwrap(
    api.POST('/api/v1/plex/libraries/{libraryKey}/collections', {
      params: { path: { libraryKey: '1' } },
      body: { title: 'Typed in TypeScript', items: ['1000', '1001'] },
    }),
  );
  assert.ok(collection);
  const collectionKey = collection.ratingKey;
  const path = { collectionKey };
  const added = await unwrap(
    api.POST('/api/v1/plex/collections/{collectionKey}/items', {
      params: { path },
      body: { items: ['1001', '1002'] },
    }),
  );
  assert.deepEqual(added.items, [
    { ratingKey: '1001', state: 'alreadyThere' },
    { ratingKey: '1002', state: 'added' },
  ]);
  await unwrap(
    api.PUT('/api/v1/plex/collections/{collectionKey}/items/{ratingKey}/position', {
      params: { path: { collectionKey, ratingKey: '1002' } },
      body: { after: null },
    }),
  );
  await unwrap(
    api.DELETE('/api/v1/plex/collections/{collectionKey}/items/{ratingKey}', {
      params: { path: { collectionKey, ratingKey: '1000' } },
    }),
  );
  await unwrap(
    api.PATCH('/api/v1/plex/collections/{collectionKey}', {
      params: { path },
      body: { summary: 'Two movies.' },
    }),
  );
  const read = await unwrap(
    api.GET('/api/v1/plex/collections/{collectionKey}', { params: { path } }),
  );
  assert.deepEqual(read.items.map((item) => item.ratingKey), ['1002', '1001']);
  assert.equal(read.collection.summary, 'Two movies.');
  const { collections } = await unwrap(
    api.GET('/api/v1/plex/libraries/{libraryKey}/collections', {
      params: { path: { libraryKey: '1' } },
    }),
  );
  assert.ok(collections.some((each) => each.ratingKey === collectionKey));
  const { deleted } = await unwrap(
    api.DELETE('/api/v1/plex/collections/{collectionKey}', { params: { path } }),
  );
  assert.equal(deleted?.title, 'Typed in TypeScript');
}

async function writePlaylist(api: Api) {
  const { playlist } = await unwrap(
    api.POST('/api/v1/plex/playlists', {
      params: { header: { 'Idempotency-Key': crypto.randomUUID() } },
      body: { title: 'Heard in TypeScript', items: ['1000', '1001'] },
    }),
  );
  assert.ok(playlist);
  const playlistKey = playlist.ratingKey;
  const path = { playlistKey };
  await unwrap(
    api.POST('/api/v1/plex/playlists/{playlistKey}/items', {
      params: { path },
      body: { items: ['1002'] },
    }),
  );
  await unwrap(
    api.PUT('/api/v1/plex/playlists/{playlistKey}/items/{ratingKey}/position', {
      params: { path: { playlistKey, ratingKey: '1002' } },
      body: { after: '1000' },
    }),
  );
  await unwrap(
    api.DELETE('/api/v1/plex/playlists/{playlistKey}/items/{ratingKey}', {
      params: { path: { playlistKey, ratingKey: '1001' } },
    }),
  );
  await unwrap(
    api.PATCH('/api/v1/plex/playlists/{playlistKey}', {
      params: { path },
      body: { title: 'Seen in TypeScript' },
    }),
  );
  const read = await unwrap(
    api.GET('/api/v1/plex/playlists/{playlistKey}', { params: { path } }),
  );
  assert.deepEqual(read.items.map((item) => item.ratingKey), ['1000', '1002']);
  const { playlists } = await unwrap(api.GET('/api/v1/plex/playlists'));
  assert.ok(playlists.some((each) => each.title === 'Seen in TypeScript'));
  await unwrap(api.DELETE('/api/v1/plex/playlists/{playlistKey}', { params: { path } }));
  const gone = api.GET('/api/v1/plex/playlists/{playlistKey}', { params: { path } });
  await assert.rejects(unwrap(gone), { code: 'PLAYLIST_NOT_FOUND', status: 404 });
}

async function signInWithPlex(api: Api) {
  const pin = await unwrap(api.POST('/api/v1/auth/plex/pins', { body: {} }));
  await pressTheButtonOf('Margit', pin);
  const { access, refresh } = await result(api, pin);
  assert.ok(access && refresh);
  api.session.useTokens({ access, refresh });
}

// The page of the simulated plex.tv has a button for each account.
async function pressTheButtonOf(account: string, pin: Pin) {
  const clientID = new URLSearchParams(new URL(pin.authUrl).hash.slice(2)).get('clientID') ?? '';
  const body = new URLSearchParams({ account, code: pin.code, clientID });
  assert.ok((await fetch(`${plexUrl}/auth`, { method: 'POST', body })).ok);
}

async function result(api: Api, { id, secret, interval }: Pin) {
  for (;;) {
    const answer = await unwrap(
      api.GET('/api/v1/auth/plex/pins/{pinId}', {
        params: { path: { pinId: id }, header: { 'X-Pin-Secret': secret } },
      }),
    );
    if (answer.status === 'complete') return answer;
    assert.equal(answer.status, 'pending');
    await sleep(interval * 1000);
  }
}

async function useProfile(api: Api) {
  const link = await unwrap(api.GET('/api/v1/auth/plex'));
  assert.deepEqual([link.state, link.account?.name], ['active', 'Margit']);
  const { users } = await unwrap(api.GET('/api/v1/auth/plex/home-users'));
  const vera = users.find((user) => user.name === 'Vera');
  assert.ok(vera?.protected);
  const switched = await unwrap(
    api.POST('/api/v1/auth/plex/home-users/{uuid}/switch', {
      params: { path: { uuid: vera.uuid } },
      body: { pin: '1234' },
    }),
  );
  assert.equal(switched.profile?.name, 'Vera');
}

async function watch(api: Api) {
  const params = { path: { ratingKey: '1000' } };
  const marked = await unwrap(api.PUT('/api/v1/plex/items/{ratingKey}/watched', { params }));
  assert.equal(marked.item?.playbackProgress.viewCount, 1);
  const body = { viewOffset: 1_800_000 };
  await unwrap(api.PUT('/api/v1/plex/items/{ratingKey}/progress', { params, body }));
  const { items } = await unwrap(api.GET('/api/v1/plex/on-deck'));
  assert.equal(items[0]?.ratingKey, '1000');
  const unmarked = await unwrap(api.DELETE('/api/v1/plex/items/{ratingKey}/watched', { params }));
  assert.deepEqual([unmarked.changed, unmarked.item?.playbackProgress.viewCount], [true, 0]);
}

async function unlink(api: Api) {
  const { linked } = await unwrap(api.DELETE('/api/v1/auth/plex'));
  assert.equal(linked, false);
}

const reader = connect();
await checkService(reader);
await signIn(reader);
await readLibraries(reader);
await readItems(reader);
await readManyItems(reader);

const administrator = connect();
await administrator.session.signIn('admin', 'medianest-admin');
await writeCollection(administrator);
await writePlaylist(administrator);

const viewer = connect();
await signInWithPlex(viewer);
await useProfile(viewer);
await watch(viewer);
await unlink(viewer);

await signOut(connect());
