"""Where answers, limits and leases are kept: Redis for all workers, or this process alone.

`current()` gives the one that the settings name. Both do the same; a Redis that is away makes its
store `unusable` for answers at once, and its limits fall back to this process. Knows nothing of
HTTP, of Plex or of what the stored bytes mean.
"""

import logging
from functools import cache

from django.conf import settings

from medianest.store.local import LocalStore
from medianest.store.redis import RedisStore
from medianest.store.values import EVERYTHING, Attempt, Look, Take, Verdict

__all__ = ["EVERYTHING", "Attempt", "Look", "Store", "Take", "Verdict", "current"]

log = logging.getLogger(__name__)

Store = LocalStore | RedisStore


@cache
def current() -> Store:
    """Return this process's store."""
    if settings.REDIS_URL:
        return RedisStore()
    log.warning(
        "REDIS_URL is not set: answers are cached and limits counted in this process alone; "
        "run one process only"
    )
    return LocalStore()
