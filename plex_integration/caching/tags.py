"""Cache tags: what a cached response shows, so that a change invalidates just what shows it.

A response depends on the libraries, collections, playlists and items it shows. Items have tags of
their own, because an item shows which collections it is in. Every cache read reads the versions of
all changed tags, so their number is bounded by rounding twice, each time towards invalidating too
much: a response with more than 200 items depends on every item of its libraries, and a write to
more than 100 items invalidates every response that shows items of their library.

Ids are unique within a server, so a tag in the store also names the server. A change that only one
viewer sees invalidates tags in the viewer's scope alone.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from medianest import store
from plex_integration.configuration.connection import Scope
from plex_integration.plex.media import Item

MAX_ITEM_TAGS = 200
MAX_ITEMS_PER_WRITE = 100

SERVER = "server"
"""What depends on anything at all of a server."""
ALL_LIBRARIES = "libraries"
"""What depends on every library: a change of any of them is a change of it."""
ALL_PLAYLISTS = "playlists"
ON_DECK = "on-deck"


def library(key: str) -> str:
    """Return the tag of everything that shows a library's items."""
    return f"library:{key}"


def libraries(keys: Iterable[str] | None) -> frozenset[str]:
    """Return the tags of these libraries; None stands for all of them."""
    return frozenset({ALL_LIBRARIES} if keys is None else {library(key) for key in keys})


def collection(key: str) -> str:
    """Return the tag of what shows a collection."""
    return f"collection:{key}"


def collections_of(library_key: str) -> str:
    """Return the tag of what lists a library's collections."""
    return f"collections:{library_key}"


def playlist(key: str) -> str:
    """Return the tag of what shows a playlist."""
    return f"playlist:{key}"


def unwatched(library_key: str) -> str:
    """Return the tag of what lists only the unwatched items of a library."""
    return f"unwatched:{library_key}"


def watch_filtered(library_key: str) -> str:
    """Return the tag of what shows smart lists that choose their items by watch state.

    Collections are of one library; playlists, which may be of several, have the empty one.
    """
    return f"watch-filtered:{library_key}"


def items(shown: Iterable[Item]) -> frozenset[str]:
    """Return the tags of a response that shows these items."""
    library_of = {item.ratingKey: item.library.id if item.library else "" for item in shown}
    tags = {_many_items(key) for key in library_of.values()}
    if len(library_of) > MAX_ITEM_TAGS:
        tags |= {_any_item(key) for key in library_of.values()}
    else:
        tags |= {_item(key) for key in library_of}
    return frozenset(tags)


def images_of(key: str) -> frozenset[str]:
    """Return the tags of the images of an item, a collection or a playlist.

    The image of a collection or a playlist is made from what is in it.
    """
    return frozenset({collection(key), playlist(key)})


@dataclass(frozen=True)
class Written:
    """What a write changes, or may have changed, by rating keys; `library` is that of the items."""

    collection: str | None = None
    playlist: str | None = None
    library: str | None = None
    items: frozenset[str] = frozenset()

    def tags(self) -> frozenset[str]:
        """Return the tags of every response that shows what was written."""
        tags: set[str] = set()
        if self.collection is not None:
            tags.add(collection(self.collection))
        if self.playlist is not None:
            tags |= {playlist(self.playlist), ALL_PLAYLISTS}
        if self.library is not None:
            tags |= {collections_of(self.library), *_written_items(self.library, self.items)}
        return frozenset(tags)


@dataclass(frozen=True)
class WatchStateWritten:
    """What a write changes in the watch states of a viewer.

    `items` are the rating keys of the items, of what is below them and of what they belong to.
    `marks` tells whether items become watched or unwatched, and `resumes` whether a resume point
    comes or goes; the lists that choose their items by that change too.
    """

    library: str | None
    items: frozenset[str]
    marks: bool = False
    resumes: bool = False

    def tags(self) -> frozenset[str]:
        """Return the tags of every response that shows what was written."""
        if self.library is None:
            return frozenset({SERVER})
        tags = {ON_DECK, *_written_items(self.library, self.items)}
        if self.marks:
            tags.add(unwatched(self.library))
        if self.marks or self.resumes:
            tags |= {watch_filtered(self.library), watch_filtered("")}
        return frozenset(tags)


def _written_items(library_key: str, keys: frozenset[str]) -> Iterable[str]:
    # Items whose library Plex did not name have the empty one.
    if len(keys) > MAX_ITEMS_PER_WRITE:
        return (_many_items(library_key), _many_items(""))
    if not keys:
        return ()
    return (*map(_item, keys), _any_item(library_key), _any_item(""))


def of_server(server: str, tags: Iterable[str]) -> Collection[str]:
    """Return the tags as the store has them."""
    return {f"{server}/{tag}" for tag in tags}


def invalidate(server: str, tags: Iterable[str]) -> bool:
    """Make every response of a server with one of these tags a miss.

    Tells whether the store received it.
    """
    return store.current().values.invalidate_tags(sorted(of_server(server, tags)))


def invalidate_library(server: str, key: str) -> bool:
    """Invalidate what shows a library, and what shows all of them."""
    return invalidate(server, [library(key), ALL_LIBRARIES])


def invalidate_for(scope: Scope, tags: Iterable[str]) -> bool:
    """Invalidate these tags in the responses of one scope; tell whether the store received it."""
    named = sorted(of_server(scope.server, tags))
    return store.current().values.invalidate_tags(named, scope.versions)


def _item(key: str) -> str:
    return f"item:{key}"


def _any_item(library_key: str) -> str:
    return f"any-item:{library_key}"


def _many_items(library_key: str) -> str:
    return f"many-items:{library_key}"
