// Links to an item's pages at other sites.

import { element } from './elements.js';

// For each site its name, and the start of the addresses of the types that have pages there.
const IMDB = 'https://www.imdb.com/title/';
const TVDB = 'https://thetvdb.com/dereferrer/';
const SITES = {
  imdb: ['IMDb', { movie: IMDB, show: IMDB, episode: IMDB }],
  tmdb: ['TMDB', {
    movie: 'https://www.themoviedb.org/movie/',
    show: 'https://www.themoviedb.org/tv/',
  }],
  tvdb: ['TheTVDB', {
    movie: `${TVDB}movie/`,
    show: `${TVDB}series/`,
    season: `${TVDB}season/`,
    episode: `${TVDB}episode/`,
  }],
  musicbrainz: ['MusicBrainz', {
    artist: 'https://musicbrainz.org/artist/',
    album: 'https://musicbrainz.org/release/',
    track: 'https://musicbrainz.org/recording/',
  }],
};

/** Return a link for each id that has a page, without telling the other site where it was. */
export function externalLinks({ externalIds = {}, type }) {
  return Object.entries(SITES)
    .filter(([site, [, starts]]) => externalIds[site] && starts[type])
    .map(([site, [name, starts]]) => {
      const href = starts[type] + encodeURIComponent(externalIds[site]);
      return element('a', { href, rel: 'noreferrer' }, name);
    });
}
