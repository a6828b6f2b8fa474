"""The server's own lists, libraries and genres, kept in this process and checked at every use.

They make queries canonical before the store is looked into. A list is an entry of the cache like
any other; this process keeps it unpacked, and the versions that come with every look tell whether
it still holds (`are_current`). Only a list that is not here costs a look, or a question to Plex.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from plex_integration.caching import response_cache
from plex_integration.plex import media
from medianest import store
from plex_integration.configuration.connection import Connection
from plex_integration.caching.entry import Head
from plex_integration.errors import TABLE, LibraryNotFound, PlexServerUnavailable
from plex_integration.plex import Plex
from plex_integration.policies import LISTS_TTL, SERVER_INFO, Policy
from medianest.store import Look

# A library nobody knows may be new: Plex is asked again, but not more often than this.
ASKED_AGAIN_AFTER = 10.0

LISTS = Policy("lists", LISTS_TTL, SERVER_INFO)


@dataclass(frozen=True)
class _Kept:
    head: Head
    value: Any


_kept: dict[str, _Kept] = {}
_lock = threading.Lock()


class KeptLists:
    """The lists as one request uses them; `before_asking` runs before any look or question.

    `deadline`, of `time.monotonic()`, is the request's.
    """

    def __init__(
        self, connection: Connection, deadline: float, before_asking: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._deadline = deadline
        self._before_asking = before_asking
        self._used: dict[str, Head] = {}

    def libraries(self) -> Sequence[media.Library]:
        """Return all libraries."""
        libraries: Sequence[media.Library] = self._list(
            "libraries",
            ask=lambda plex: [asdict(library) for library in plex.libraries()],
            read=_libraries,
            tag=None,
        )
        return libraries

    def library(self, key: str) -> media.Library:
        """Return one library. Raises LibraryNotFound."""
        for is_last in (False, True):
            for library in self.libraries():
                if library.id == key:
                    return library
            name = self._name("libraries")
            if is_last or time.time() - self._used[name].at < ASKED_AGAIN_AFTER:
                break
            self._forget([name])
            self._list(
                "libraries",
                ask=lambda plex: [asdict(library) for library in plex.libraries()],
                read=_libraries,
                tag=None,
                renew=True,
            )
        raise LibraryNotFound

    def genres(self, library: media.Library, kind: str) -> media.Choices:
        """Return a library's genres, as items of a type carry them."""
        choices: media.Choices = self._list(
            f"genres:{library.id}:{kind}",
            ask=lambda plex: [[each.id, each.title] for each in plex.genres(library.id, kind).all],
            read=lambda written: media.Choices(tuple(media.Choice(*each) for each in written)),
            tag=library.id,
        )
        return choices

    def are_current(self, looked: Look) -> bool:
        """Tell whether all lists used still hold; forget them if not."""
        old = [name for name, head in self._used.items() if not response_cache.are_current([head], looked)]
        self._forget(old)
        return not old

    @property
    def used(self) -> Mapping[str, Head]:
        """The heads of the lists used so far."""
        return dict(self._used)

    def _list(
        self,
        what: str,
        *,
        ask: Callable[[Plex], Any],
        read: Callable[[Any], Any],
        tag: str | None,
        renew: bool = False,
    ) -> Any:
        name = self._name(what)
        kept = _kept.get(name)
        if kept is None or time.time() - kept.head.at >= LISTS_TTL:
            kept = self._fetched(name, ask, read, tag, renew=renew)
            with _lock:
                _kept[name] = kept
        self._used[name] = kept.head
        return kept.value

    def _fetched(
        self,
        name: str,
        ask: Callable[[Plex], Any],
        read: Callable[[Any], Any],
        tag: str | None,
        *,
        renew: bool,
    ) -> _Kept:
        self._before_asking()

        def load(seconds: float) -> response_cache.Loaded:
            listed = ask(Plex(self._connection, seconds))
            tags = frozenset({response_cache.LIBRARIES if tag is None else response_cache.library_tag(tag)})
            return response_cache.Loaded(json.dumps(listed).encode(), tags, partial=False)

        looked = store.current().look(None, name)
        fetched = response_cache.fetch(
            LISTS,
            name,
            looked,
            looked.values[0],
            load,
            deadline=self._deadline,
            renew=renew,
        )
        if renew and fetched.status == "STALE":
            # Whether there is such a thing now, only Plex could tell.
            raise TABLE.get(fetched.reason or "", PlexServerUnavailable)
        return _Kept(fetched.entry.head, read(json.loads(fetched.entry.payload())))

    def _name(self, what: str) -> str:
        return response_cache.key(LISTS.name, self._connection.viewer, what)

    def _forget(self, names: Sequence[str]) -> None:
        with _lock:
            for name in names:
                _kept.pop(name, None)
                self._used.pop(name, None)


def forget() -> None:
    """Forget this process's copies: the next use looks into the store."""
    with _lock:
        _kept.clear()


def _libraries(written: list[dict[str, Any]]) -> list[media.Library]:
    return [
        media.Library(
            **{**each, "location": [media.Location(**place) for place in each["location"]]}
        )
        for each in written
    ]
