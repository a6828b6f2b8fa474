"""The store: every concern together, in Redis for all workers or in this process alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

from medianest.store import records, values
from medianest.store.breaker import Breaker, LocalBreaker, RedisBreaker
from medianest.store.counters import Counters, LocalCounters, RedisCounters
from medianest.store.locks import LocalLocks, Locks, RedisLocks
from medianest.store.rate_windows import (
    Hit,
    LocalRateWindows,
    RateWindows,
    RedisRateWindows,
    Verdict,
)
from medianest.store.records import LocalRecords, Records, RedisRecords
from medianest.store.redis_server import Availability, RedisServer
from medianest.store.values import LocalValues, RedisValues, TagVersions, Values


@dataclass(frozen=True)
class Reading:
    """What one read of the store found.

    `values` has one entry per key. `verdict` is None without a hit. While `is_available` is False,
    nothing can be cached: all `values` are None, and `tags` has no versions.
    """

    verdict: Verdict | None
    values: Sequence[bytes | None]
    tags: TagVersions
    is_available: bool


class Store(Protocol):
    """Everything that workers share. No method raises because Redis is unavailable."""

    @property
    def values(self) -> Values:
        """Cached values and the versions of their tags."""

    @property
    def rate_windows(self) -> RateWindows:
        """Sliding windows that limits count in."""

    @property
    def load_locks(self) -> Locks:
        """Locks of those who load a value, stored beside the values: `read` reads them too."""

    @property
    def write_locks(self) -> Locks:
        """Locks of those who write, stored beside the limits."""

    @property
    def records(self) -> Records:
        """What must survive when the cache is cleared, stored beside the limits."""

    @property
    def breaker(self) -> Breaker:
        """The breaker that guards Plex."""

    @property
    def counters(self) -> Counters:
        """Numbers for the operator's pages."""

    def read(self, *keys: str, hit: Hit | None = None) -> Reading:
        """Read values and all tag versions, and count a hit.

        It costs one round trip, or two where the limits have a Redis of their own.
        """

    def is_available(self) -> bool:
        """Tell whether Redis responds, if Redis is used."""


class LocalStore:
    """The store of this process alone."""

    def __init__(self) -> None:
        self.values = LocalValues()
        self.rate_windows = LocalRateWindows()
        self.load_locks = LocalLocks()
        self.write_locks = LocalLocks()
        self.records = LocalRecords()
        self.breaker = LocalBreaker()
        self.counters = LocalCounters()

    def read(self, *keys: str, hit: Hit | None = None) -> Reading:
        verdict = self.rate_windows.hit(hit) if hit else None
        pairs = zip(keys, self.values.read(keys), strict=True)
        found = [self.load_locks.value(key) if value is None else value for key, value in pairs]
        return Reading(verdict, found, self.values.tag_versions(), is_available=True)

    def is_available(self) -> bool:
        return True


class RedisStore:
    """The store of all workers and machines."""

    def __init__(self) -> None:
        availability = Availability()
        self._cache = RedisServer("default", availability)
        self._limits = (
            RedisServer("limits", availability) if settings.REDIS_LIMITS_URL else self._cache
        )
        self.values = RedisValues(self._cache)
        self.rate_windows = RedisRateWindows(self._limits)
        self.load_locks = RedisLocks(self._cache, values.PREFIX)
        self.write_locks = RedisLocks(self._limits, records.PREFIX)
        self.records = RedisRecords(self._limits)
        self.breaker = RedisBreaker(self._cache)
        self.counters = RedisCounters(self._cache)

    def read(self, *keys: str, hit: Hit | None = None) -> Reading:
        commands = self.values.read_commands(keys)
        if hit is None:
            return _reading(None, keys, self._cache.send(*commands))
        if self._limits is not self._cache:
            return _reading(self.rate_windows.hit(hit), keys, self._cache.send(*commands))
        replies = self._cache.send(self.rate_windows.hit_command(hit), *commands)
        verdict = self.rate_windows.verdict(hit, replies[0] if replies else None)
        return _reading(verdict, keys, replies[1:] if replies else None)

    def is_available(self) -> bool:
        return self._cache.execute(("PING",)) is not None


def _reading(verdict: Verdict | None, keys: Sequence[str], replies: list[Any] | None) -> Reading:
    if replies is None or any(isinstance(reply, Exception) for reply in replies):
        return Reading(verdict, [None] * len(keys), TagVersions.parse(None), is_available=False)
    *found, versions = replies
    return Reading(verdict, found, TagVersions.parse(versions), is_available=True)
