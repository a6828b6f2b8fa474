// Calls every operation of the service with the client that @hey-api/openapi-ts generates, and
// checks what it gets.
//
// Prints each request that the service answers: `200 GET /api/v1/health`.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { createClient, type Client } from './generated/client/index.js';
import * as api from './generated/sdk.gen.js';
import type { PlexPin } from './generated/types.gen.js';

const [baseUrl = '', plexUrl = ''] = process.argv.slice(2);
const MOVIE = '1072';
const TITLE = 'Hugo and the Observatory';
const GUID = 'plex://movie/f82ab45b229e52772b78852b';

async function printed(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const response = await fetch(request);
  console.log(response.status, request.method, new URL(request.url).pathname);
  return response;
}

function connect(access?: string): Client {
  return createClient({ baseUrl, fetch: printed, ...(access && { auth: access }) });
}

async function dataOf<Data>(call: Promise<{ data?: { data: Data } | undefined; error?: unknown }>) {
  const { data, error } = await call;
  assert.ok(data, JSON.stringify(error));
  return data.data;
}

function credentials(username: string) {
  return { username, password: `medianest-${username}` };
}

async function checkService(client: Client) {
  let health = await dataOf(api.getHealth({ client }));
  // The result of a check of Plex that takes long is in a later response.
  while (health.checks.plex !== 'ok') {
    await sleep(500);
    health = await dataOf(api.getHealth({ client }));
  }
  assert.equal(health.status, 'healthy');
  assert.equal((await dataOf(api.getLiveness({ client }))).status, 'alive');
}

async function signIn(client: Client, username: string) {
  return dataOf(api.signIn({ client, body: credentials(username) }));
}

async function renewTokens(client: Client) {
  const { refresh } = await signIn(client, 'demo');
  const tokens = await dataOf(api.refreshToken({ client, body: { refresh } }));
  const token = await dataOf(api.verifyToken({ client, body: { token: tokens.access } }));
  assert.equal(token.tokenType, 'access');
  const { user } = await dataOf(api.getSession({ client: connect(tokens.access) }));
  assert.equal(user.username, 'demo');
}

async function signOut(client: Client) {
  const { refresh } = await signIn(client, 'demo');
  await dataOf(api.signOut({ client, body: { refresh } }));
  const { error } = await api.refreshToken({ client, body: { refresh } });
  assert.equal(error?.error.code, 'UNAUTHORIZED');
}

async function readLibraries(client: Client) {
  const { server } = await dataOf(api.getServer({ client }));
  assert.equal(server.name, 'Simulated Plex');
  const { libraries } = await dataOf(api.listLibraries({ client }));
  const movies = libraries.find((library) => library.title === 'Movies');
  assert.equal(movies?.id, '1');
  const path = { libraryKey: movies.id };
  const { genres } = await dataOf(api.listLibraryGenres({ client, path }));
  assert.ok(genres.some((genre) => genre.title === 'Western'));
  const query = { size: 2, sort: 'year' } as const;
  const { items, pagination } = await dataOf(api.listLibraryItems({ client, path, query }));
  assert.deepEqual([items.length, items[0]?.title, pagination.hasMore], [2, TITLE, true]);
  const recent = await dataOf(api.listRecentlyAdded({ client, query: { limit: 3 } }));
  assert.equal(recent.items.length, 3);
}

async function readManyItems(client: Client) {
  const ids = [MOVIE, '9999999', '1000'];
  const fields: ['ratingKey', 'title'] = ['ratingKey', 'title'];
  const listed = await dataOf(api.listItems({ client, query: { ids, fields } }));
  assert.deepEqual(listed.items.map((item) => item.ratingKey), [MOVIE, '1000']);
  assert.deepEqual(listed.items[0], { ratingKey: MOVIE, title: TITLE });
  const body = { ids: ['1000'], guids: [GUID, 'imdb://tt0000001'] };
  const found = await dataOf(api.findItems({ client, body }));
  assert.deepEqual(found.items.map((item) => item.ratingKey), ['1000', MOVIE]);
  assert.deepEqual(found.missing, ['imdb://tt0000001']);
}

async function readItems(client: Client) {
  const query = { query: 'observatory', type: 'movie' } as const;
  const { results } = await dataOf(api.search({ client, query }));
  assert.ok(results.some((result) => result.ratingKey === MOVIE));
  const { item } = await dataOf(api.getItem({ client, path: { ratingKey: MOVIE } }));
  assert.deepEqual([item.title, item.type, item.externalIds?.imdb], [TITLE, 'movie', 'tt2775914']);
  const found = await dataOf(api.lookUpItems({ client, query: { guid: 'imdb://tt2775914' } }));
  assert.deepEqual(found.items.map((each) => each.ratingKey), [MOVIE]);
  const seasons = await dataOf(api.listItemChildren({ client, path: { ratingKey: '1001018' } }));
  assert.equal(seasons.items[0]?.type, 'season');
  const { data: picture } = await api.getItemImage({
    client,
    path: { ratingKey: MOVIE, kind: 'thumb' },
    query: { width: 320 },
    headers: { Accept: 'image/png' },
  });
  assert.equal(picture instanceof Blob && picture.type, 'image/png');
}

async function writeCollection(client: Client) {
  const library = { libraryKey: '1' };
  const body = { title: 'Typed by Hey API', items: ['1000', '1001'] };
  const { collection } = await dataOf(api.createCollection({ client, path: library, body }));
  assert.ok(collection);
  const path = { collectionKey: collection.ratingKey };
  const items = ['1001', '1002'];
  const added = await dataOf(api.addCollectionItems({ client, path, body: { items } }));
  assert.deepEqual(added.items.map((item) => item.state), ['alreadyThere', 'added']);
  const moved = { ...path, ratingKey: '1002' };
  await dataOf(api.moveCollectionItem({ client, path: moved, body: { after: null } }));
  await dataOf(api.removeCollectionItem({ client, path: { ...path, ratingKey: '1000' } }));
  await dataOf(api.editCollection({ client, path, body: { summary: 'Two movies.' } }));
  const read = await dataOf(api.getCollection({ client, path }));
  assert.deepEqual(read.items.map((item) => item.ratingKey), ['1002', '1001']);
  assert.equal(read.collection.summary, 'Two movies.');
  const { collections } = await dataOf(api.listLibraryCollections({ client, path: library }));
  assert.ok(collections.some((each) => each.ratingKey === collection.ratingKey));
  const { deleted } = await dataOf(api.deleteCollection({ client, path }));
  assert.equal(deleted?.title, 'Typed by Hey API');
}

async function writePlaylist(client: Client) {
  const { playlist } = await dataOf(
    api.createPlaylist({
      client,
      headers: { 'Idempotency-Key': crypto.randomUUID() },
      body: { title: 'Heard by Hey API', items: ['1000', '1001'] },
    }),
  );
  assert.ok(playlist);
  const path = { playlistKey: playlist.ratingKey };
  await dataOf(api.addPlaylistItems({ client, path, body: { items: ['1002'] } }));
  const moved = { ...path, ratingKey: '1002' };
  await dataOf(api.movePlaylistItem({ client, path: moved, body: { after: '1000' } }));
  await dataOf(api.removePlaylistItem({ client, path: { ...path, ratingKey: '1001' } }));
  await dataOf(api.editPlaylist({ client, path, body: { title: 'Seen by Hey API' } }));
  const { items } = await dataOf(api.getPlaylist({ client, path }));
  assert.deepEqual(items.map((item) => item.ratingKey), ['1000', '1002']);
  const { playlists } = await dataOf(api.listPlaylists({ client }));
  assert.ok(playlists.some((each) => each.title === 'Seen by Hey API'));
  await dataOf(api.deletePlaylist({ client, path }));
  const { error } = await api.getPlaylist({ client, path });
  assert.equal(error?.error.code, 'PLAYLIST_NOT_FOUND');
}

async function signInWithPlex(client: Client) {
  const pin = await dataOf(api.createPlexPin({ client, body: {} }));
  await pressTheButtonOf('Margit', pin);
  return result(client, pin);
}

// The page of the simulated plex.tv has a button for each account.
async function pressTheButtonOf(account: string, pin: PlexPin) {
  const clientID = new URLSearchParams(new URL(pin.authUrl).hash.slice(2)).get('clientID') ?? '';
  const body = new URLSearchParams({ account, code: pin.code, clientID });
  assert.ok((await fetch(`${plexUrl}/auth`, { method: 'POST', body })).ok);
}

async function result(client: Client, { id, secret, interval }: PlexPin) {
  const headers = { 'X-Pin-Secret': secret };
  for (;;) {
    const answer = await dataOf(api.getPlexPin({ client, path: { pinId: id }, headers }));
    if (answer.status === 'complete') return answer;
    assert.equal(answer.status, 'pending');
    await sleep(interval * 1000);
  }
}

async function useProfile(client: Client) {
  const link = await dataOf(api.getPlexLink({ client }));
  assert.deepEqual([link.state, link.account?.name], ['active', 'Margit']);
  const { users } = await dataOf(api.listPlexHomeUsers({ client }));
  const vera = users.find((user) => user.name === 'Vera');
  assert.ok(vera?.protected);
  const path = { uuid: vera.uuid };
  const switched = await dataOf(api.switchPlexHomeUser({ client, path, body: { pin: '1234' } }));
  assert.equal(switched.profile?.name, 'Vera');
}

async function watch(client: Client) {
  const path = { ratingKey: '1000' };
  const marked = await dataOf(api.markWatched({ client, path }));
  assert.equal(marked.item?.playbackProgress.viewCount, 1);
  await dataOf(api.setProgress({ client, path, body: { viewOffset: 1_800_000 } }));
  const { items } = await dataOf(api.listOnDeck({ client }));
  assert.equal(items[0]?.ratingKey, '1000');
  const unmarked = await dataOf(api.markUnwatched({ client, path }));
  assert.deepEqual([unmarked.changed, unmarked.item?.playbackProgress.viewCount], [true, 0]);
}

async function unlink(client: Client) {
  const { linked } = await dataOf(api.deletePlexLink({ client }));
  assert.equal(linked, false);
}

const visitor = connect();
await checkService(visitor);
await renewTokens(visitor);

const reader = connect((await signIn(visitor, 'demo')).access);
await readLibraries(reader);
await readItems(reader);
await readManyItems(reader);

const administrator = connect((await signIn(visitor, 'admin')).access);
await writeCollection(administrator);
await writePlaylist(administrator);

const viewer = connect((await signInWithPlex(visitor)).access);
await useProfile(viewer);
await watch(viewer);
await unlink(viewer);

await signOut(visitor);
