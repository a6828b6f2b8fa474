"""Parse what an item has below it: tags, actors, ratings, chapters and external ids."""

import re
from itertools import islice
from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.parsing.attributes import number, text, whole

_EXTERNAL_IDS = {"imdb": "imdb", "tmdb": "tmdb", "tvdb": "tvdb", "mbid": "musicbrainz"}
# Agents from before 2020 put one external id into the guid itself. With a path behind the id (show,
# season, episode), the id is the show's and not this item's.
_LEGACY_GUID = re.compile(
    r"com\.plexapp\.agents\.(imdb|themoviedb|thetvdb)://([A-Za-z0-9]+)(?:\?|$)"
)
_LEGACY_AGENTS = {"imdb": "imdb", "themoviedb": "tmdb", "thetvdb": "tvdb"}


def parse_tags(element: Element, name: str) -> list[media.Tag] | None:
    """Parse an item's genres, directors, countries and the like; None if it has none."""
    return [
        media.Tag(tag, whole(each, "id"))
        for each in element.findall(name)
        if (tag := each.get("tag")) is not None
    ] or None


def parse_actors(element: Element, most: int | None = None) -> list[media.Actor] | None:
    """Parse an item's actors in billing order, all or the first; None if it has none."""
    actors = (
        media.Actor(tag, whole(each, "id"), text(each, "role"), text(each, "thumb"))
        for each in element.findall("Role")
        if (tag := each.get("tag")) is not None
    )
    return list(islice(actors, most)) or None


def parse_ratings(element: Element) -> list[media.Rating]:
    """Parse the ratings of an item by provider; the image's scheme names the provider.

    An example: `rottentomatoes://image.rating.ripe`.
    """
    return [
        media.Rating(each.get("image", "").partition("://")[0], text(each, "type"), value)
        for each in element.findall("Rating")
        if (value := number(each, "value")) is not None
    ]


def parse_chapters(element: Element) -> list[media.Chapter]:
    """Parse the chapters of an item."""
    return [
        media.Chapter(
            id=whole(each, "id"),
            index=whole(each, "index"),
            title=text(each, "tag"),
            startTimeOffset=whole(each, "startTimeOffset"),
            endTimeOffset=whole(each, "endTimeOffset"),
        )
        for each in element.findall("Chapter")
    ]


def parse_external_ids(element: Element) -> media.ExternalIds | None:
    """Parse an item's ids at IMDb, TMDB, TheTVDB and MusicBrainz; None if it has none."""
    known: dict[str, str] = {}
    if legacy := _LEGACY_GUID.match(element.get("guid", "")):
        known[_LEGACY_AGENTS[legacy[1]]] = legacy[2]
    for each in element.findall("Guid"):
        scheme, _, identifier = each.get("id", "").partition("://")
        if scheme in _EXTERNAL_IDS and identifier:
            known[_EXTERNAL_IDS[scheme]] = identifier
    return media.ExternalIds(**known) if known else None
