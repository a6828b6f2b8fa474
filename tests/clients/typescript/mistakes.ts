// Mistakes that the types of the client find. This file is compiled and never run.

import { createMediaNestClient, unwrap, type Schemas } from '@medianest/client';

const { GET, PUT } = createMediaNestClient({ baseUrl: 'http://127.0.0.1' });
const libraryKey = '1';

// @ts-expect-error There is no such path.
GET('/api/v1/plex/movies');

// @ts-expect-error The path has no PUT.
PUT('/api/v1/plex/server');

// @ts-expect-error The path has a parameter.
GET('/api/v1/plex/libraries/{libraryKey}/items');

GET('/api/v1/plex/libraries/{libraryKey}/items', {
  // @ts-expect-error No list is sorted by color.
  params: { path: { libraryKey }, query: { sort: 'color' } },
});

GET('/api/v1/plex/libraries/{libraryKey}/items', {
  // @ts-expect-error With exactOptionalPropertyTypes an optional parameter is not undefined.
  params: { path: { libraryKey }, query: { size: undefined } },
});

PUT('/api/v1/plex/items/{ratingKey}/progress', {
  params: { path: { ratingKey: '1000' } },
  // @ts-expect-error The resume point is a number.
  body: { viewOffset: '30 minutes' },
});

const { server } = await unwrap(GET('/api/v1/plex/server'));
// @ts-expect-error The server has no color.
server.color;

// @ts-expect-error The document has no such schema.
type Movie = Schemas['Movie'];
