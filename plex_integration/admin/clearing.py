"""What an operator can clear: all cached responses, those of an endpoint or library, pictures."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from medianest import store
from medianest.store import EVERYTHING
from plex_integration.admin.labels import ENDPOINT_LABELS
from plex_integration.caching.response_cache import policy_tag
from plex_integration.caching.tags import invalidate_library
from plex_integration.configuration import runtime
from plex_integration.images import disk_cache
from plex_integration.plex.ids import is_id

NOT_RECEIVED = "Redis is unavailable. The cache will be cleared when it is available again."
NOT_WRITABLE = "The folder of pictures cannot be changed now. Nothing was cleared, or only a part."


@dataclass(frozen=True)
class Clearing:
    """Something to clear: "Cache of library 2", and what happens then.

    `run` clears it, and returns a sentence if it is not cleared now.
    """

    name: str
    consequence: str
    run: Callable[[], str | None]

    @property
    def object(self) -> str:
        """What completes "Clear …": "the cache of library 2"."""
        return f"the {self.name[0].lower()}{self.name[1:]}"


def find_clearing(what: str) -> Clearing | None:
    """Return what these words name; None for others.

    They are `everything`, `endpoint:<policy>`, `library:<id>` and `pictures`.
    """
    kind, _, name = what.partition(":")
    if what == "everything":
        return _cache("", partial(_invalidate, EVERYTHING))
    if what == "pictures":
        return _pictures()
    if kind == "endpoint" and name in ENDPOINT_LABELS:
        return _cache(f" of {ENDPOINT_LABELS[name]}", partial(_invalidate, policy_tag(name)))
    if kind == "library" and is_id(name):
        return _cache(f" of library {name}", partial(_invalidate_library, name))
    return None


def _cache(part: str, invalidate: Callable[[], bool]) -> Clearing:
    consequence = (
        f"All cached responses{part} will be loaded from Plex again. Rate limits are not affected."
    )
    return Clearing(f"Cache{part}", consequence, partial(_clear_cache, invalidate))


def _pictures() -> Clearing:
    consequence = (
        f"All pictures that this machine ({socket.gethostname()}) has cached will be fetched from "
        "Plex again. If the service runs on other machines, they keep theirs."
    )
    return Clearing("Pictures on this machine", consequence, _clear_pictures)


def _clear_cache(invalidate: Callable[[], bool]) -> str | None:
    return None if invalidate() else NOT_RECEIVED


def _clear_pictures() -> str | None:
    try:
        disk_cache.current().clear()
    except OSError:
        return NOT_WRITABLE
    return None


def _invalidate(tag: str) -> bool:
    return store.current().values.invalidate_tags([tag])


def _invalidate_library(key: str) -> bool:
    connection = runtime.current().connection
    return connection is None or invalidate_library(connection.server, key)
