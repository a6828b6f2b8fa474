"""Which view of Plex a user has, as this process last saw it, so that a hit needs no query.

The token stamp says it with every request that is counted (`Stamp.scope`). The fast path reads the
cached response in the same round trip, so it must know the view before: it takes the one it saw
last, and a request whose stamp names another one goes on to the full path.
"""

from threading import Lock

from cachetools import LRUCache

from accounts.plex_links import NO_VIEW

MAX_USERS = 20_000

_lock = Lock()
_views: LRUCache[str, str] = LRUCache(MAX_USERS)


def last_seen(user_id: str) -> str:
    """Return the view that a user had last; a user who was never seen has no link."""
    try:
        with _lock:
            return _views[user_id]
    except KeyError:
        return NO_VIEW


def remember(user_id: str, view: str) -> None:
    """Remember the view that a user has."""
    if view == last_seen(user_id):
        return
    with _lock:
        _views[user_id] = view


def forget() -> None:
    """Forget all views."""
    with _lock:
        _views.clear()
