"""The store: every concern together, in Redis for all workers or in this process alone."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from redis.exceptions import NoScriptError

from medianest.clocks import seconds_ahead
from medianest.redis_address import Kind, RedisAddress
from medianest.store import values
from medianest.store.breaker import Breaker, LocalBreaker, RedisBreaker
from medianest.store.cluster_server import ClusterServer
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
from medianest.store.recent_entries import LocalRecentEntries, RecentEntries, RedisRecentEntries
from medianest.store.records import LocalRecords, Records, RedisRecords
from medianest.store.redis_server import (
    MICROSECONDS,
    PROBE,
    Availability,
    Condition,
    Facts,
    RedisServer,
    condition_of,
)
from medianest.store.reports import LocalReports, RedisReports, Report, Reports
from medianest.store.sentinel_server import SentinelServer
from medianest.store.stamps import LocalStamps, RedisStamps, Stamps
from medianest.store.values import LocalValues, RedisValues, TagVersions, Values


@dataclass(frozen=True)
class Reading:
    """What one read of the store found.

    `values` has one entry per key. `verdict` is None without a hit. While `is_available` is False,
    nothing can be cached: all `values` are None, and `tags` has no versions. `scope` is the one
    whose versions `tags` has.
    """

    verdict: Verdict | None
    values: Sequence[bytes | None]
    tags: TagVersions
    is_available: bool
    scope: str = ""


class FastReading(NamedTuple):
    """What the fast path's one read of the store found.

    `is_available` tells whether the value and the tag versions could be read.
    """

    counted: StampedVerdict
    value: bytes | None
    tags: TagVersions
    is_available: bool


@dataclass(frozen=True)
class Overview:
    """What is so now, as one read of the store found it, for the operator's pages.

    `failures` are those of Plex in a row. `clock` is how many seconds Redis's clock is ahead of
    this machine's, at least; None where there is none to compare.
    """

    condition: Condition
    values: Sequence[bytes | None]
    reports: Mapping[str, Report]
    failures: int
    clock: float | None = None


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

    @property
    def reports(self) -> Reports:
        """What processes say about themselves."""

    @property
    def recent_entries(self) -> RecentEntries:
        """The last few texts under a name."""

    def read(self, *keys: str, hit: Hit | None = None, scope: str = "") -> Reading:
        """Read values and all tag versions of a scope, and count a hit.

        It costs one round trip, or two where the limits have a Redis of their own.
        """

    def read_fast(
        self, key: str, stamped: StampedHit, size: int | None = None, scope: str = ""
    ) -> FastReading:
        """Count a user's request and read a value, or its first bytes, and a scope's tag versions.

        It costs one round trip, or two side by side where the limits have a Redis of their own.
        """

    async def read_fast_in_loop(
        self, key: str, stamped: StampedHit, size: int | None = None, scope: str = ""
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

    def overview(self, server: str, *keys: str) -> Overview:
        """Read values, all reports and the failures of a Plex server, in one round trip."""

    def facts(self) -> Mapping[str, Facts | None]:
        """Return what each Redis says about itself, by its name in the settings."""


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
        self.reports = LocalReports()
        self.recent_entries = LocalRecentEntries()

    def read(self, *keys: str, hit: Hit | None = None, scope: str = "") -> Reading:
        verdict = self.rate_windows.hit(hit) if hit else None
        pairs = zip(keys, self.values.read(keys), strict=True)
        found = [self.load_locks.value(key) if value is None else value for key, value in pairs]
        return Reading(verdict, found, self.values.tag_versions(scope), True, scope)

    def read_fast(
        self, key: str, stamped: StampedHit, size: int | None = None, scope: str = ""
    ) -> FastReading:
        stamp, versions = self.stamps.get(stamped.user_id), self.values.tag_versions(scope)
        if stamp is None or stamp.text != stamped.stamp:
            counting = Counting.UNKNOWN_USER if stamp is None else Counting.OTHER_STAMP
            counted = StampedVerdict(counting, stamp=stamp)
            return FastReading(counted, None, versions, True)
        counted = StampedVerdict(Counting.COUNTED, self.rate_windows.hit(stamped.hit), stamp)
        return FastReading(counted, self.read_value(key), versions, True)

    async def read_fast_in_loop(
        self, key: str, stamped: StampedHit, size: int | None = None, scope: str = ""
    ) -> FastReading:
        return self.read_fast(key, stamped, size, scope)

    def read_value(self, key: str) -> bytes | None:
        return self.values.read([key])[0]

    async def read_value_in_loop(self, key: str) -> bytes | None:
        return self.read_value(key)

    async def close_loop(self) -> None:
        return

    def condition(self) -> Condition:
        return Condition.OK

    def overview(self, server: str, *keys: str) -> Overview:
        values, reports = self.values.read(keys), self.reports.read()
        return Overview(Condition.OK, values, reports, self.breaker.failures(server))

    def facts(self) -> Mapping[str, Facts | None]:
        return {}


_WORST_FIRST = (Condition.UNAVAILABLE, Condition.FULL, Condition.OK)


class RedisStore:
    """The store of all workers and machines."""

    def __init__(self) -> None:
        availability = Availability()
        self._cache = _server("default", availability)
        self._limits = _server("limits", availability) if settings.REDIS_LIMITS_URL else self._cache
        self.values = RedisValues(self._cache)
        self.rate_windows = RedisRateWindows(self._limits)
        self.stamps = RedisStamps(self._limits)
        self.load_locks = RedisLocks(self._cache, values.PREFIX)
        self.records = RedisRecords(self._limits)
        self.breaker = RedisBreaker(self._cache)
        self.counters = RedisCounters(self._cache)
        self.reports = RedisReports(self._cache)
        self.recent_entries = RedisRecentEntries(self._cache)

    def read(self, *keys: str, hit: Hit | None = None, scope: str = "") -> Reading:
        commands = self.values.read_commands(keys, scope)
        if hit is None:
            return _reading(None, keys, scope, self._cache.send(*commands))
        if self._limits is not self._cache:
            return _reading(self.rate_windows.hit(hit), keys, scope, self._cache.send(*commands))
        replies = self._cache.send(self.rate_windows.hit_command(hit), *commands)
        verdict = self.rate_windows.verdict(hit, replies[0] if replies else None)
        return _reading(verdict, keys, scope, replies[1:] if replies else None)

    def read_fast(
        self, key: str, stamped: StampedHit, size: int | None = None, scope: str = ""
    ) -> FastReading:
        count = self.rate_windows.stamped_hit_command(stamped)
        commands = self.values.fast_read_commands(key, size, scope)
        if self._limits is self._cache:
            counts, cached = _divided(self._cache.send(count, *commands))
        else:
            counts, cached = self._limits.send(count), self._cache.send(*commands)
        if counts and isinstance(counts[0], NoScriptError):
            count = self.rate_windows.stamped_hit_command(stamped, is_unknown=True)
            counts = self._limits.send(count)
        return _fast_reading(self.rate_windows.stamped_verdict(stamped, counts), cached)

    async def read_fast_in_loop(
        self, key: str, stamped: StampedHit, size: int | None = None, scope: str = ""
    ) -> FastReading:
        count = self.rate_windows.stamped_hit_command(stamped)
        commands = self.values.fast_read_commands(key, size, scope)
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

    def overview(self, server: str, *keys: str) -> Overview:
        began = time.time()
        replies = self._cache.execute(
            PROBE,
            self.reports.read_command(),
            ("TIME",),  # in a cluster, of the node that also dates the reports
            self.breaker.failures_command(server),
            *(self.values.value_command(key) for key in keys),
        )
        ended = time.time()
        if replies is None or isinstance(replies[2], Exception):
            failures = self.breaker.found_failures(server, None)
            return Overview(Condition.UNAVAILABLE, [None] * len(keys), {}, failures)
        _, reports, (seconds, microseconds), *others = replies
        now = seconds + microseconds / MICROSECONDS
        return Overview(
            condition_of(replies),
            [value if isinstance(value, bytes) else None for value in others[1:]],
            self.reports.found(reports, now),
            self.breaker.found_failures(server, others),
            seconds_ahead(now, began, ended),
        )

    def facts(self) -> Mapping[str, Facts | None]:
        return {
            server.alias: server.facts() for server in dict.fromkeys([self._cache, self._limits])
        }


_SERVERS = {
    Kind.SERVER: RedisServer,
    Kind.SENTINEL: SentinelServer,
    Kind.CLUSTER: ClusterServer,
}


def _server(alias: str, availability: Availability) -> RedisServer:
    address = RedisAddress.parse(settings.CACHES[alias]["LOCATION"])
    return _SERVERS[address.kind](alias, availability)


def _divided(replies: list[Any] | None) -> tuple[list[Any] | None, list[Any] | None]:
    """Divide the replies of one Redis: that about the hit, and those about the cached values."""
    return (None, None) if replies is None else (replies[:1], replies[1:])


def _fast_reading(counted: StampedVerdict, replies: list[Any] | None) -> FastReading:
    if not replies or any(isinstance(reply, Exception) for reply in replies):
        return FastReading(counted, None, TagVersions.parse(None), is_available=False)
    value, *versions = replies
    return FastReading(counted, value, TagVersions.found(versions), is_available=True)


def _value(replies: list[Any] | None) -> bytes | None:
    return replies[0] if replies and isinstance(replies[0], bytes) else None


def _reading(
    verdict: Verdict | None, keys: Sequence[str], scope: str, replies: list[Any] | None
) -> Reading:
    if replies is None or any(isinstance(reply, Exception) for reply in replies):
        return Reading(verdict, [None] * len(keys), TagVersions.parse(None), False, scope)
    found, versions = replies[: len(keys)], replies[len(keys) :]
    return Reading(verdict, found, TagVersions.found(versions), True, scope)
