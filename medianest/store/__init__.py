"""State that workers share: in Redis for all of them, or in this process alone.

`current()` returns the store that the settings name. Each module has one concern: its types, its
Protocol, and the class for either kind of store.

- `values`: cached values, and the versions of the tags that make them misses
- `rate_windows`: sliding windows of requests and of failed attempts
- `stamps`: which tokens of a user are valid now
- `locks`: locks that expire, for those who load
- `records`: what must survive when the cache is cleared
- `breaker`: the circuit breaker that guards Plex
- `counters`: numbers for the operator's pages
- `reports`: what processes say about themselves, for the operator's pages
- `recent_entries`: the last few texts under a name, for the operator's pages
- `store`: all of them together, and the one read that every request makes
- `redis_server`: the connections of threads to Redis, and what happens while it is unavailable
- `loop_connection`: the one connection of an event loop
- `sentinel_server`: the same for the master that Sentinel names
- `cluster_server`: the same for a cluster, whose nodes are asked side by side
- `clients`: redis-py's clients of a master that Sentinel names, and of a cluster
- `cache_backend`: the client class of Django's cache
- `lua/`: the scripts

Nothing here knows HTTP, Plex, or the meaning of the stored bytes.
"""

import logging
from functools import cache

from django.conf import settings

from medianest.store.locks import failure_of
from medianest.store.rate_windows import Attempt, Counting, Hit, StampedHit, Verdict
from medianest.store.redis_server import Condition, Facts
from medianest.store.reports import Report
from medianest.store.stamps import Stamp
from medianest.store.store import FastReading, LocalStore, Overview, Reading, RedisStore, Store
from medianest.store.values import EVERYTHING, ScannedValue, TagVersions

__all__ = [
    "EVERYTHING",
    "Attempt",
    "Condition",
    "Counting",
    "Facts",
    "FastReading",
    "Hit",
    "LocalStore",
    "Overview",
    "Reading",
    "RedisStore",
    "Report",
    "ScannedValue",
    "Stamp",
    "StampedHit",
    "Store",
    "TagVersions",
    "Verdict",
    "current",
    "failure_of",
]

log = logging.getLogger(__name__)


@cache
def current() -> Store:
    """Return this process's store."""
    if settings.REDIS_URL:
        return RedisStore()
    log.warning(
        "REDIS_URL is not set: responses are cached and limits counted in this process alone; "
        "run one process only"
    )
    return LocalStore()
