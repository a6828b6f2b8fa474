"""What an operator can clear: the whole cache, the responses of an endpoint, or a library."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from medianest.store import EVERYTHING
from plex_integration.admin.labels import ENDPOINT_LABELS
from plex_integration.caching.response_cache import policy_tag
from plex_integration.caching.tags import invalidate, invalidate_library
from plex_integration.plex.ids import is_id


@dataclass(frozen=True)
class Clearing:
    """A part of the cache. `part` completes a sentence: "", " of /server" or " of library 2".

    `run` makes its responses misses, and tells whether the store received that.
    """

    part: str
    run: Callable[[], bool]


def find_clearing(what: str) -> Clearing | None:
    """Return what `everything`, `endpoint:<policy>` or `library:<id>` names; None for others."""
    kind, _, name = what.partition(":")
    if what == "everything":
        return Clearing("", partial(invalidate, [EVERYTHING]))
    if kind == "endpoint" and name in ENDPOINT_LABELS:
        return Clearing(f" of {ENDPOINT_LABELS[name]}", partial(invalidate, [policy_tag(name)]))
    if kind == "library" and is_id(name):
        return Clearing(f" of library {name}", partial(invalidate_library, name))
    return None
