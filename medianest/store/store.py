"""The store: every concern together, in Redis for all workers or in this process alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from redis.exceptions import NoScriptError

from medianest.store import values
from medianest.store.breaker import Breaker, LocalBreaker, RedisBreaker
from medianest.store.counters import Counters, LocalCounters, RedisCounters
from medianest.store.locks import LocalLocks, Locks, RedisLocks
from medianest.store.rate_windows import (
    Counting,
    Hit,
    LocalRateWindows,
    RateWindows,
    RedisRateWindows,
    StampedHit,
    StampedVerdict,
    Verdict,
)
from medianest.store.records import LocalRecords, Records, RedisRecords
from medianest.store.redis_server import Availability, Condition, RedisServer
from medianest.store.stamps import LocalStamps, RedisStamps, Stamps
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


class FastReading(NamedTuple):
    """What the fast path's one read of the store found.

    `is_available` tells whether the value and the tag versions could be read.
    """

    counted: StampedVerdict
    value: bytes | None
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
    def stamps(self) -> Stamps:
        """The users' token stamps, stored beside the limits."""

    @property
    def load_locks(self) -> Locks:
        """Locks of those who load a value, stored beside the values: `read` reads them too."""

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

    def read_fast(self, key: str, stamped: StampedHit, size: int | None = None) -> FastReading:
        """Count a user's request and read a value, or its first bytes, and all tag versions.

        It costs one round trip, or two side by side where the limits have a Redis of their own.
        """

    async def read_fast_in_loop(
        self, key: str, stamped: StampedHit, size: int | None = None
    ) -> FastReading:
        """Do the same without blocking the event loop."""

    def read_value(self, key: str) -> bytes | None:
        """Read a value alone."""

    async def read_value_in_loop(self, key: str) -> bytes | None:
        """Do the same without blocking the event loop."""

    async def close_loop(self) -> None:
        """Close what the running event loop has opened."""

    def condition(self) -> Condition:
        """Return whether Redis can be read and written, if Redis is used."""


class LocalStore:
    """The store of this process alone."""

    def __init__(self) -> None:
        self.values = LocalValues()
        self.rate_windows = LocalRateWindows()
        self.stamps = LocalStamps()
        self.load_locks = LocalLocks()
        self.records = LocalRecords()
        self.breaker = LocalBreaker()
        self.counters = LocalCounters()

    def read(self, *keys: str, hit: Hit | None = None) -> Reading:
        verdict = self.rate_windows.hit(hit) if hit else None
        pairs = zip(keys, self.values.read(keys), strict=True)
        found = [self.load_locks.value(key) if value is None else value for key, value in pairs]
        return Reading(verdict, found, self.values.tag_versions(), is_available=True)

    def read_fast(self, key: str, stamped: StampedHit, size: int | None = None) -> FastReading:
        stamp = self.stamps.get(stamped.user_id)
        if stamp is None or stamp.text != stamped.stamp:
            counting = Counting.UNKNOWN_USER if stamp is None else Counting.OTHER_STAMP
            counted = StampedVerdict(counting, stamp=stamp)
            return FastReading(counted, None, self.values.tag_versions(), True)
        counted = StampedVerdict(Counting.COUNTED, self.rate_windows.hit(stamped.hit), stamp)
        return FastReading(counted, self.read_value(key), self.values.tag_versions(), True)

    async def read_fast_in_loop(
        self, key: str, stamped: StampedHit, size: int | None = None
    ) -> FastReading:
        return self.read_fast(key, stamped, size)

    def read_value(self, key: str) -> bytes | None:
        return self.values.read([key])[0]

    async def read_value_in_loop(self, key: str) -> bytes | None:
        return self.read_value(key)

    async def close_loop(self) -> None:
        return

    def condition(self) -> Condition:
        return Condition.OK


_WORST_FIRST = (Condition.UNAVAILABLE, Condition.FULL, Condition.OK)


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
        self.stamps = RedisStamps(self._limits)
        self.load_locks = RedisLocks(self._cache, values.PREFIX)
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

    def read_fast(self, key: str, stamped: StampedHit, size: int | None = None) -> FastReading:
        count = self.rate_windows.stamped_hit_command(stamped)
        commands = self.values.fast_read_commands(key, size)
        if self._limits is self._cache:
            counts, cached = _divided(self._cache.send(count, *commands))
        else:
            counts, cached = self._limits.send(count), self._cache.send(*commands)
        if counts and isinstance(counts[0], NoScriptError):
            count = self.rate_windows.stamped_hit_command(stamped, is_unknown=True)
            counts = self._limits.send(count)
        return _fast_reading(self.rate_windows.stamped_verdict(stamped, counts), cached)

    async def read_fast_in_loop(
        self, key: str, stamped: StampedHit, size: int | None = None
    ) -> FastReading:
        count = self.rate_windows.stamped_hit_command(stamped)
        commands = self.values.fast_read_commands(key, size)
        if self._limits is self._cache:
            counts, cached = _divided(await self._cache.send_in_loop(count, *commands))
        else:
            counts, cached = await asyncio.gather(
                self._limits.send_in_loop(count), self._cache.send_in_loop(*commands)
            )
        if counts and isinstance(counts[0], NoScriptError):
            count = self.rate_windows.stamped_hit_command(stamped, is_unknown=True)
            counts = await self._limits.send_in_loop(count)
        return _fast_reading(self.rate_windows.stamped_verdict(stamped, counts), cached)

    def read_value(self, key: str) -> bytes | None:
        return _value(self._cache.send(self.values.value_command(key)))

    async def read_value_in_loop(self, key: str) -> bytes | None:
        return _value(await self._cache.send_in_loop(self.values.value_command(key)))

    async def close_loop(self) -> None:
        for server in {self._cache, self._limits}:
            server.close_loop_connection()

    def condition(self) -> Condition:
        found = {server.condition() for server in {self._cache, self._limits}}
        return next(each for each in _WORST_FIRST if each in found)


def _divided(replies: list[Any] | None) -> tuple[list[Any] | None, list[Any] | None]:
    """Divide the replies of one Redis: that about the hit, and those about the cached values."""
    return (None, None) if replies is None else (replies[:1], replies[1:])


def _fast_reading(counted: StampedVerdict, replies: list[Any] | None) -> FastReading:
    if not replies or any(isinstance(reply, Exception) for reply in replies):
        return FastReading(counted, None, TagVersions.parse(None), is_available=False)
    value, versions = replies
    return FastReading(counted, value, TagVersions.parse(versions), is_available=True)


def _value(replies: list[Any] | None) -> bytes | None:
    return replies[0] if replies and isinstance(replies[0], bytes) else None


def _reading(verdict: Verdict | None, keys: Sequence[str], replies: list[Any] | None) -> Reading:
    if replies is None or any(isinstance(reply, Exception) for reply in replies):
        return Reading(verdict, [None] * len(keys), TagVersions.parse(None), is_available=False)
    *found, versions = replies
    return Reading(verdict, found, TagVersions.parse(versions), is_available=True)
