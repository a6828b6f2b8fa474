"""The response cache: one load for all who want a response, and the old one while Plex fails.

`get_or_load` is all of it. A key names a policy, the scope that may see the response and the
canonical query; tags name what the response depends on, and their versions make it a miss when
that changes. Knows no DRF and no Plex: it is given the load and what it must know of errors.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal, Protocol

from medianest import store
from medianest.serving import upstream
from medianest.store import Reading, TagVersions, failure_of
from plex_integration import cache_layout
from plex_integration.caching import entry, metrics, tags
from plex_integration.caching.entry import Entry
from plex_integration.caching.load_lock import LoadLock
from plex_integration.caching.single_flight import SingleFlight
from plex_integration.configuration.connection import Scope
from plex_integration.policies import PARTIAL_FOR, STALE_FOR

log = logging.getLogger(__name__)

PREFIX = f"responses-{cache_layout.VERSION}:"
# How often to check whether the worker that loads is done, in seconds.
POLL_SECONDS = 0.03

Status = Literal["HIT", "MISS", "STALE", "BYPASS"]


class Failures(Protocol):
    """What the cache must know of the errors that a load raises."""

    def should_serve_stale(self, error: Exception) -> bool:
        """Tell whether an expired response is better than this error."""

    def should_delete(self, error: Exception) -> bool:
        """Tell whether the cached response must never be served again."""

    def code(self, error: Exception) -> str:
        """Return the error's code."""

    def timed_out(self) -> Exception:
        """Return the error of a request whose time is over before another one has loaded."""

    def busy(self) -> Exception:
        """Return the error of a request that must not wait: too many others do."""

    def dump(self, error: Exception) -> bytes:
        """Write an error for other workers."""

    def load(self, written: bytes) -> Exception:
        """Read an error that another worker wrote."""


@dataclass(frozen=True)
class CacheKey:
    """What a cached response is: of which policy, for whom, and to which query.

    `query` is JSON-able and canonical: equal for equal queries. `shape` identifies the structure
    of the payload, so that releases with different ones do not meet.
    """

    policy: str
    scope: Scope
    query: Any
    shape: str = ""

    @cached_property
    def name(self) -> str:
        """The key in the store. The query is hashed, so nothing in it can reach another key."""
        text = json.dumps([self.shape, self.query], sort_keys=True, separators=(",", ":"))
        digest = blake2b(text.encode(), digest_size=16).hexdigest()
        return f"{PREFIX}{self.policy}:{self.scope.name}:{digest}"

    def read(self, *others: str) -> Reading:
        """Read what the store has under this key and others, and the tag versions of the scope."""
        return store.current().read(self.name, *others, scope=self.scope.versions)


@dataclass(frozen=True)
class Loaded:
    """What a load returns: the payload as JSON, its tags, and whether Plex failed a part of it.

    `page` is how many rows the whole list has, -1 for what is no page, and whether more follow.
    """

    payload: bytes
    tags: frozenset[str]
    is_partial: bool = False
    page: tuple[int, bool] = (-1, False)


@dataclass(slots=True)
class CachedResponse:
    """A response: its entry, how it came, its age and its time to live in seconds.

    `reason` is the code of the error because of which an expired response is served. `forwarded`
    says why Plex was asked, in the words of RFC 9211, and `plex_ms` how long that took.
    """

    entry: Entry
    status: Status
    age: int
    ttl: int
    reason: str | None = None
    forwarded: str = "miss"
    plex_ms: int | None = None

    @property
    def is_fresh(self) -> bool:
        """Tell whether it may be served without asking Plex."""
        return self.age < self.ttl

    @property
    def may_be_stale(self) -> bool:
        """Tell whether it may be served while Plex fails."""
        return self.age < self.ttl + STALE_FOR


Load = Callable[[float], Loaded]


def policy_tag(policy: str) -> str:
    """Return the tag of every response of a policy."""
    return f"policy:{policy}"


def found_in(reading: Reading, ttl: int) -> CachedResponse | None:
    """Return the response that a reading of its key found, fresh or not."""
    found = entry.read(reading.values[0], reading.tags)
    return None if found is None else response_of(found, ttl)


class ResponseCache:
    """The responses of all workers."""

    def __init__(self, failures: Failures) -> None:
        self.failures = failures
        self.flights: SingleFlight[CachedResponse] = SingleFlight()

    def get_or_load(
        self,
        key: CacheKey,
        *,
        ttl: int,
        load: Load,
        deadline: float,
        renew: bool = False,
        as_of: Reading | None = None,
    ) -> CachedResponse:
        """Return the response of a key: from the cache, or loaded once for all who want it now.

        `deadline`, a moment of `time.monotonic()`, bounds the whole; `load` is given the seconds
        that are left. `renew` loads even where the cached response is fresh. `as_of` is the reading
        at which the request's own inputs were current: a change after it makes the response a miss.
        Raises what the load raises, unless an expired response can be served instead; and
        UpstreamNeeded where the request must not wait.
        """
        reading = key.read()
        cached = found_in(reading, ttl)
        if cached and cached.is_fresh and not renew:
            return cached
        # With a TTL of 0, never serve an expired entry to other requests.
        accepts_expired = ttl > 0 and not renew
        request = _Request(
            cache=self,
            key=key,
            ttl=ttl,
            load=load,
            deadline=deadline,
            as_of=as_of or reading,
            cached=cached,
            accepts_expired=accepts_expired,
            forwarded=_reason_to_forward(cached, renew),
        )
        try:
            if not upstream.may_wait():
                raise self.failures.busy()
            return request.response()
        except Exception as error:
            is_usable = cached is not None and cached.may_be_stale and reading.is_available
            if cached and is_usable and self.failures.should_serve_stale(error):
                code = self.failures.code(error)
                log.warning("serving %s stale: %s", key.policy, code)
                return replace(cached, status="STALE", reason=code)
            raise


@dataclass(frozen=True)
class _Request:
    """A request that the cache could not answer at once.

    `cached` is what it found, which it may be given while another request loads if it
    `accepts_expired` responses. It loads under the tag versions of `as_of`.
    """

    cache: ResponseCache
    key: CacheKey
    ttl: int
    load: Load
    deadline: float
    as_of: Reading
    cached: CachedResponse | None
    accepts_expired: bool
    forwarded: str

    @property
    def expired(self) -> CachedResponse | None:
        """The expired response that this request may be given."""
        return self.cached if self.accepts_expired else None

    def response(self) -> CachedResponse:
        """Load, or share another request's load."""
        # A response loaded before a change must not answer a request that came after it: the tag
        # versions are part of the flight's key.
        flight = (self.key.name, self.as_of.tags.raw)
        while True:
            try:
                response = self.cache.flights.run(
                    flight, self._load_once, deadline=self.deadline, meanwhile=self.expired
                )
            except TimeoutError:
                raise self.cache.failures.timed_out() from None
            # The leader may have been given an expired response. This request must not be.
            if response.status != "HIT" or self.accepts_expired:
                return response
            time.sleep(POLL_SECONDS)

    def _load_once(self) -> CachedResponse:
        """Load in one worker of all; the others wait for its result."""
        versions = self._versions()
        if versions is None:
            return self._load(None)
        digest = blake2b(versions.raw or b"", digest_size=8).hexdigest()
        lock = LoadLock(f"lease:{self.key.name}:{digest}")
        while not lock.acquire():
            if self.expired:
                return self.expired
            if other := self._wait_for_other(lock.name):
                return other
        failure = b""
        try:
            # Another worker may have stored its response between the reading and the lock.
            return self._newer(self.key.read()) or self._load(versions)
        except Exception as error:
            failure = self.cache.failures.dump(error)
            raise
        finally:
            lock.release(failure)

    def _versions(self) -> TagVersions | None:
        """Return the tag versions to load under; None where nothing can be cached now."""
        if not self.as_of.is_available:
            return None
        if self.as_of.tags.raw is not None:
            return self.as_of.tags
        return store.current().values.tag_versions(self.key.scope.versions)

    def _wait_for_other(self, lock: str) -> CachedResponse | None:
        """Wait for the response of the lock's holder; None when it is gone without one."""
        while time.monotonic() < self.deadline:
            time.sleep(POLL_SECONDS)
            reading = self.key.read(lock)
            if newer := self._newer(reading):
                return newer
            held = reading.values[1]
            if held is None:
                return None
            if failure := failure_of(held):
                raise self.cache.failures.load(failure)
        raise self.cache.failures.timed_out()

    def _newer(self, reading: Reading) -> CachedResponse | None:
        """Return the response that another request has stored since this one read the cache."""
        found = found_in(reading, self.ttl)
        if found and (self.cached is None or found.entry.head.at > self.cached.entry.head.at):
            return replace(found, status="MISS", age=0, forwarded=self.forwarded)
        return None

    def _load(self, versions: TagVersions | None) -> CachedResponse:
        """Load, and store the response where there are versions to store it under."""
        began = time.monotonic()
        try:
            loaded = self.load(self.deadline - began)
        except Exception as error:
            if versions is not None and self.cache.failures.should_delete(error):
                store.current().values.delete(self.key.name)
            raise
        seconds = time.monotonic() - began
        metrics.record_load(self.key.policy, seconds)
        packed = self._packed(loaded, versions or TagVersions.parse(None))
        is_stored = versions is not None and store.current().values.set(
            self.key.name, packed.to_bytes(), self.ttl + STALE_FOR
        )
        response = response_of(packed, self.ttl, "MISS" if is_stored else "BYPASS")
        return replace(response, forwarded=self.forwarded, plex_ms=round(seconds * 1000))

    def _packed(self, loaded: Loaded, versions: TagVersions) -> Entry:
        return entry.pack(
            loaded.payload,
            at=time.time(),
            partial=loaded.is_partial,
            page=loaded.page,
            versions=versions,
            tags=self._tags(loaded),
        )

    def _tags(self, loaded: Loaded) -> frozenset[str]:
        of_server = tags.of_server(self.key.scope.server, {tags.SERVER, *loaded.tags})
        return frozenset({policy_tag(self.key.policy), *of_server})


def _reason_to_forward(cached: CachedResponse | None, renew: bool) -> str:
    if renew:
        return "request"
    return "miss" if cached is None else "stale"


def response_of(found: Entry, ttl: int, status: Status = "HIT") -> CachedResponse:
    """Return the response of an entry, fresh or not."""
    seconds = min(ttl, PARTIAL_FOR) if found.head.partial else ttl
    return CachedResponse(found, status, _age(found), seconds)


def _age(found: Entry) -> int:
    # The machines' clocks may differ a little: nothing is younger than now.
    return max(0, int(time.time() - found.head.at))
