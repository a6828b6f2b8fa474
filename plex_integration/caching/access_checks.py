"""When a viewer's access to Plex was last checked, shared by all workers.

Access can end at any time, and nothing says so. A cached response is served for `MAX_AGE` seconds
after a check at most; a check begins in the background before that. The moment of a check is the
version of a tag in the viewer's scope, which every read of the store returns anyway. No response
has this tag. While Redis is unavailable, each process goes by its own checks: nothing else would
find that access has ended for what it serves without asking Plex, the pictures on the disk.
"""

import time
from threading import Lock

from cachetools import LRUCache

from medianest import store
from medianest.store import TagVersions
from plex_integration.configuration.connection import Scope

MAX_AGE = 270.0
"""Ended access is noticed within 5 minutes, the time that a check takes included."""
DUE_AGE = 120.0
RETRY_AGE = 30.0
"""How long a check counts that could not reach Plex."""

MAX_SCOPES = 20_000

_CHECKED, _TRIED = "access-checked", "access-tried"

_lock = Lock()
_here: LRUCache[tuple[str, str], float] = LRUCache(2 * MAX_SCOPES)
"""When this process has recorded what, by the name of the scope and the tag."""


def is_required(scope: Scope, versions: TagVersions) -> bool:
    """Tell whether access must be checked before a cached response is served."""
    return scope.viewer != "" and _is_older(scope, versions, MAX_AGE)


def is_due(scope: Scope, versions: TagVersions) -> bool:
    """Tell whether access should be checked in the background."""
    return scope.viewer != "" and _is_older(scope, versions, DUE_AGE)


def record(scope: Scope, *, reached: bool) -> None:
    """Record a check; one that did not reach Plex counts for a moment only."""
    tag = _CHECKED if reached else _TRIED
    with _lock:
        _here[scope.name, tag] = time.time()
    store.current().values.invalidate_tags([tag], scope.versions)


def forget() -> None:
    """Forget what this process has recorded."""
    with _lock:
        _here.clear()


def _is_older(scope: Scope, versions: TagVersions, seconds: float) -> bool:
    now = time.time()
    checked, tried = (_recorded_at(tag, scope, versions) for tag in (_CHECKED, _TRIED))
    is_checked = checked is not None and now - checked < seconds
    return not is_checked and (tried is None or now - tried >= RETRY_AGE)


def _recorded_at(tag: str, scope: Scope, versions: TagVersions) -> float | None:
    if versions.raw is not None:
        return versions.changed_at(tag)
    with _lock:
        return _here.get((scope.name, tag))
