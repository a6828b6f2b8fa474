// What Plex knows of an item, as names and values.

import { withQuery } from './addresses.js';
import { definitions, link } from './elements.js';
import { externalLinks } from './external-links.js';

const PROVIDERS = { imdb: 'IMDb', themoviedb: 'TMDB', rottentomatoes: 'Rotten Tomatoes' };

export function facts(item) {
  return definitions({
    'Original title': item.originalTitle,
    Edition: item.editionTitle,
    Released: item.originallyAvailableAt?.slice(0, 10),
    Genres: genres(item),
    Ratings: ratings(item),
    Directors: names(item.directors),
    Writers: names(item.writers),
    Producers: names(item.producers),
    Studio: item.studio,
    Countries: names(item.countries),
    Collections: names(item.collections),
    'Other sites': externalLinks(item),
  });
}

function names(tags) {
  return tags?.map(({ tag }) => tag);
}

function genres({ genres, library }) {
  if (!library) return names(genres);
  return genres?.map(({ tag }) => link(withQuery(`#/library/${library.id}`, { genre: tag }), tag));
}

/** Name the source of each rating, or show Plex's own two where it knows no sources. */
function ratings({ ratings, rating, audienceRating, userRating }) {
  const sources = ratings ?? [
    { provider: 'Critics', value: rating },
    { provider: 'Audience', value: audienceRating },
  ];
  return [...sources, { provider: 'Yours', value: userRating }]
    .filter(({ value }) => value)
    .map(({ provider, type, value }) =>
      [PROVIDERS[provider] ?? provider, type, value.toFixed(1)].filter(Boolean).join(' '));
}
