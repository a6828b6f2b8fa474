"""The library catalog: the server's libraries and genres, which make queries canonical.

A list is a cached response like any other. This process holds it unpacked; the tag versions that
were read when the request was counted show whether it is still current. Only a list that is not
held, or not current, costs a round trip or a request to Plex.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from cachetools import LRUCache

from medianest.store import Reading
from plex_integration.caching import CacheKey, Loaded, entry, failures, get_or_load, tags
from plex_integration.caching.entry import Head
from plex_integration.caching.loading import PlexLoad
from plex_integration.configuration.connection import Connection
from plex_integration.errors import LibraryNotFound, PlexApiError
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Choice, Choices, Libraries, Library, Location
from plex_integration.policies import CATALOG

# An unknown library may be new: Plex is asked again, but not more often than this.
RENEW_SECONDS = 10.0
MAX_LISTS = 1_000

_LIBRARY_SHAPE = ",".join(
    field.name for kind in (Libraries, Library, Location) for field in fields(kind)
)


@dataclass(frozen=True)
class _List:
    """One list of the catalog: its cache key, how it is loaded and read, and its tags."""

    query: str
    load: Callable[[PlexClient], Any]
    read: Callable[[Any], Any]
    tags: frozenset[str]
    shape: str = ""


@dataclass(frozen=True)
class _Held:
    head: Head
    value: Any


_held: LRUCache[str, _Held] = LRUCache(MAX_LISTS)
_lock = threading.Lock()


class LibraryCatalog:
    """The catalog as one request uses it.

    `reading` is what the store answered when the request was counted; `deadline`, a moment of
    `time.monotonic()`, is the request's.
    """

    def __init__(self, connection: Connection, reading: Reading, deadline: float) -> None:
        self._connection, self._reading, self._deadline = connection, reading, deadline
        self._used: dict[str, Head] = {}

    @property
    def used(self) -> Mapping[str, Head]:
        """The heads of the lists used so far, by their names in the store."""
        return dict(self._used)

    def libraries(self) -> Sequence[Library]:
        """Return all libraries."""
        libraries: Sequence[Library] = self._get(_LIBRARIES).all
        return libraries

    def library(self, key: str) -> Library:
        """Return one library. Raises LibraryNotFound, or PlexApiError if it may be unreadable."""
        found = self._find(key)
        head = self._used[self._key(_LIBRARIES).name]
        if found is None and time.time() - head.at >= RENEW_SECONDS:
            self._load(_LIBRARIES, renew=True)
            found = self._find(key)
        if found is None:
            raise LibraryNotFound if self._get(_LIBRARIES).is_complete else PlexApiError
        return found

    def genres(self, library: Library, kind: str) -> Choices:
        """Return a library's genres, as items of a type carry them."""
        choices: Choices = self._get(
            _List(
                f"genres:{library.id}:{kind}",
                lambda plex: [[each.id, each.title] for each in plex.genres(library.id, kind).all],
                _choices,
                tags.libraries([library.id]),
            )
        )
        return choices

    def _find(self, key: str) -> Library | None:
        return next((each for each in self.libraries() if each.id == key), None)

    def _get(self, wanted: _List) -> Any:
        name = self._key(wanted).name
        with _lock:
            held = _held.get(name)
        if held is None or not self._is_current(held.head):
            held = self._load(wanted)
        self._used[name] = held.head
        return held.value

    def _is_current(self, head: Head) -> bool:
        if time.time() - head.at >= CATALOG.ttl:
            return False
        return not self._reading.is_available or entry.is_current(head, self._reading.tags)

    def _load(self, wanted: _List, *, renew: bool = False) -> _Held:
        key = self._key(wanted)
        load = PlexLoad(PlexClient, self._connection, _Loading(wanted))
        response = get_or_load(
            key, ttl=CATALOG.ttl, load=load, deadline=self._deadline, renew=renew
        )
        if renew and response.status == "STALE":
            # Only Plex could say whether there is such a library now.
            raise failures.of_code(response.reason)
        head, value = response.entry.head, wanted.read(json.loads(response.entry.payload()))
        with _lock:
            held = _held[key.name] = _Held(head, value)
        self._used[key.name] = head
        return held

    def _key(self, wanted: _List) -> CacheKey:
        return CacheKey(CATALOG.name, self._connection.scope, wanted.query, wanted.shape)


@dataclass(frozen=True)
class _Loading:
    """Load a list as the response cache stores it."""

    wanted: _List

    def __call__(self, plex: PlexClient) -> Loaded:
        return Loaded(json.dumps(self.wanted.load(plex)).encode(), self.wanted.tags)


def forget() -> None:
    """Forget the lists that this process holds."""
    with _lock:
        _held.clear()


def _libraries(written: dict[str, Any]) -> Libraries:
    return Libraries([_library(each) for each in written["all"]], written["is_complete"])


def _library(written: dict[str, Any]) -> Library:
    return Library(**{**written, "location": [Location(**each) for each in written["location"]]})


def _choices(written: list[list[Any]]) -> Choices:
    return Choices(tuple(Choice(*each) for each in written))


_LIBRARIES = _List(
    "libraries",
    lambda plex: asdict(plex.library_list()),
    _libraries,
    tags.libraries(None),
    _LIBRARY_SHAPE,
)
