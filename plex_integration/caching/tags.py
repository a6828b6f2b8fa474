"""What a kept answer shows, as tags of the cache: a write drops just what shows what it touched.

Knows no HTTP and no Plex. Items have tags of their own, for an item tells which collections it is
in. To keep what every look reads small, there are two roundings, both to the side of dropping too
much: an answer with more than 200 items falls with any item of its libraries, and a write that
touches more than 100 items drops every answer that shows items of their library.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plex_integration.caching import response_cache
from plex_integration.plex import media
from plex_integration.reading.services import Answer

MOST_SHOWN = 200
MOST_TOUCHED = 100

PLAYLISTS = "playlists"


@dataclass(frozen=True)
class Touched:
    """What a write touches, or may have: by rating keys; `library` is that of the items."""

    collection: str | None = None
    playlist: str | None = None
    library: str | None = None
    items: frozenset[str] = frozenset()


def shown(answer: Answer) -> frozenset[str]:
    """Return the tags of what an answer shows, and of the libraries it depends on."""
    tags = (
        {response_cache.LIBRARIES}
        if answer.libraries is None
        else {response_cache.library_tag(key) for key in answer.libraries}
    )
    if "collections" in answer.data:
        tags.add(_collections(answer.data["library"].id))
    if "playlists" in answer.data:
        tags.add(PLAYLISTS)
    if isinstance(made := answer.data.get("collection"), media.Collection):
        tags.add(_collection(made.ratingKey))
    if isinstance(made := answer.data.get("playlist"), media.Playlist):
        tags.add(_playlist(made.ratingKey))
    items = {
        item.ratingKey: item.library.id if item.library else ""
        for value in answer.data.values()
        for item in _items(value)
    }
    for library in set(items.values()):
        tags.add(_many(library))
        if len(items) > MOST_SHOWN:
            tags.add(_any(library))
    if len(items) <= MOST_SHOWN:
        tags |= _each(items)
    return frozenset(tags)


def pictured(key: str) -> frozenset[str]:
    """Return the tags of what tells the pictures of something, whatever it is.

    That of a collection or a playlist is made of what is in it.
    """
    return frozenset({_collection(key), _playlist(key)})


def touched(what: Touched) -> frozenset[str]:
    """Return the tags whose answers show what was touched."""
    tags = set()
    if what.collection is not None:
        tags.add(_collection(what.collection))
    if what.playlist is not None:
        tags |= {_playlist(what.playlist), PLAYLISTS}
    if what.library is not None:
        tags.add(_collections(what.library))
        if len(what.items) > MOST_TOUCHED:
            tags |= {_many(what.library), _many("")}
        elif what.items:
            tags |= {*_each(what.items), _any(what.library), _any("")}
    return frozenset(tags)


def _items(value: Any) -> Iterator[media.Item]:
    if isinstance(value, media.Item):
        yield value
    elif isinstance(value, list | tuple) and value and isinstance(value[0], media.Item):
        yield from value


def _collection(key: str) -> str:
    return f"collection:{key}"


def _collections(library: str) -> str:
    return f"collections:{library}"


def _playlist(key: str) -> str:
    return f"playlist:{key}"


def _each(items: Iterable[str] | Mapping[str, str]) -> set[str]:
    return {f"item:{key}" for key in items}


def _any(library: str) -> str:
    return f"any-item:{library}"


def _many(library: str) -> str:
    return f"many-items:{library}"
