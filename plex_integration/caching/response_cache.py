"""Answers that are asked for once: single flight, old ones while Plex fails, a breaker for Plex.

`fetch` is the whole of it. An entry belongs to a payload's shape, a policy, a viewer and a
canonical query, which make its key; and to versions of what it depends on, which make it a miss
when they change. Knows no HTTP and no Plex: what to load is given, what it raises is a Problem.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal
from uuid import uuid4

from plex_integration.caching import metrics, entry
from plex_integration.configuration import runtime
from medianest import store
from plex_integration.caching.entry import Entry, Head
from plex_integration.errors import TABLE, PlexApiError, PlexServerUnavailable, PlexUnauthorized
from medianest.api.exceptions import Problem
from plex_integration.policies import PARTIAL_FOR, STALE_FOR, Policy
from medianest.store import Look

log = logging.getLogger(__name__)

# Raise this with any change of a payload's shape: entries of the old shape are then misses.
SHAPE = 2

# A lease is kept while its holder lives, and ends this soon after it died.
LEASE_MS = 3000
EXTENDED_EVERY = 1.0
WAIT_STEP = 0.03

# Plex is left in peace after this many failures in a row, but for one question per pause.
FAILURES = 5
PAUSE = 5.0

EVERYTHING = "everything"
# The tag of what depends on every library: a change of any is a change of it.
LIBRARIES = "libraries"

Status = Literal["HIT", "MISS", "STALE", "BYPASS"]


@dataclass(frozen=True)
class Loaded:
    """What a load gives: the payload as JSON, what it depends on, whether Plex failed a part."""

    payload: bytes
    tags: frozenset[str]
    partial: bool


@dataclass(frozen=True)
class Fetched:
    """An answer: the entry, how it came, its age in seconds, and why it is old if it is STALE."""

    entry: Entry
    status: Status
    age: int
    reason: str | None = None


def key(policy: str, viewer: str, canonical: Any) -> str:
    """Return an entry's key: equal for equal queries of one viewer, and for no others.

    `canonical` is JSON-able; its JSON is hashed whole, so that nothing in it can reach across.
    """
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
    return f"{SHAPE}:{policy}:{viewer}:{blake2b(text.encode(), digest_size=16).hexdigest()}"


def library_tag(library_key: str) -> str:
    """Return the tag of everything that shows a library's items."""
    return f"library:{library_key}"


def policy_tag(policy: str) -> str:
    """Return the tag of everything a policy keeps."""
    return f"policy:{policy}"


def library_changed(library_key: str) -> bool:
    """Drop what a library's change touches: what shows that library, and what shows them all."""
    return drop([library_tag(library_key), LIBRARIES])


def drop(tags: Iterable[str]) -> bool:
    """Make every entry that depends on one of these a miss; tell whether the store heard it."""
    return store.current().bump(sorted(tags))


@lru_cache(maxsize=4)
def parsed(versions: bytes | None) -> Mapping[str, str]:
    """Read the versions of the tags; the same text is read once."""
    if versions is None:
        return {}
    try:
        found = json.loads(versions)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {tag: version for tag, version in found.items() if isinstance(version, str)}


def fresh(policy: Policy, looked: Look, written: bytes | None) -> Fetched | None:
    """Return what a look found, if it is an entry that is still good for its policy."""
    found = entry.read(written, parsed(looked.versions))
    if found and _age(found) < ttl(policy, found):
        return Fetched(found, "HIT", _age(found))
    return None


def are_current(heads: Iterable[Head], looked: Look) -> bool:
    """Tell whether other entries still hold, by the versions that a look found."""
    versions = parsed(looked.versions)
    return not looked.is_usable or all(entry.is_current(head, versions) for head in heads)


def fetch(
    policy: Policy,
    name: str,
    looked: Look,
    written: bytes | None,
    load: Callable[[float], Loaded],
    *,
    deadline: float,
    renew: bool = False,
) -> Fetched:
    """Return the answer under a key: kept, or loaded once for all who want it now.

    `looked` is the look that found `written`; `deadline`, of `time.monotonic()`, bounds the whole,
    and the seconds left are given to `load`; `renew` asks Plex even where the entry is fresh.
    Raises what the load raises, unless an old answer can stand in.
    """
    found = entry.read(written, parsed(looked.versions))
    if found and not renew and _age(found) < ttl(policy, found):
        return Fetched(found, "HIT", _age(found))
    flight = _Flight(policy, name, looked, found, load, deadline)
    try:
        # What is not kept at all is for nobody but those who wait for it.
        may_be_old = not renew and runtime.ttl(policy) > 0
        return flight.result(may_be_old=may_be_old)
    except (PlexServerUnavailable, PlexApiError) as problem:
        if found and _age(found) < ttl(policy, found) + STALE_FOR and looked.is_usable:
            log.warning("answering %s stale: %s", policy.name, problem.code)
            return Fetched(found, "STALE", _age(found), problem.code)
        raise


class _Flight:
    """One load that everybody who wants the same thing at the same time shares."""

    _flights: dict[tuple[str, bytes | None], "Future[Fetched]"] = {}
    _lock = threading.Lock()

    def __init__(
        self,
        policy: Policy,
        name: str,
        looked: Look,
        found: Entry | None,
        load: Callable[[float], Loaded],
        deadline: float,
    ) -> None:
        self._policy, self._name, self._looked = policy, name, looked
        self._found, self._load, self._deadline = found, load, deadline
        self._store = store.current()

    def result(self, *, may_be_old: bool) -> Fetched:
        """Load, or wait for who loads; who may have an old answer gets that at once instead."""
        # What was loaded before a change must not answer who asked after it: the versions are
        # part of the flight's name.
        flight = (self._name, self._looked.versions)
        while True:
            with self._lock:
                future = self._flights.get(flight)
                if future is None:
                    future = self._flights[flight] = Future()
                    break
            if self._found and may_be_old:
                return Fetched(self._found, "HIT", _age(self._found))
            try:
                fetched = future.result(max(0.0, self._deadline - time.monotonic()))
            except TimeoutError:
                raise PlexServerUnavailable from None
            if may_be_old or fetched.status != "HIT":
                return fetched
            # Who flew may have an old answer, and got one; this one may not.
            time.sleep(WAIT_STEP)
        try:
            fetched = self._across_processes(may_be_old=may_be_old)
        except BaseException as error:
            future.set_exception(error)
            raise
        else:
            future.set_result(fetched)
            return fetched
        finally:
            with self._lock:
                del self._flights[flight]

    def _across_processes(self, *, may_be_old: bool) -> Fetched:
        if not self._looked.is_usable:
            return self._loaded(None, is_kept=False)
        versions = self._looked.versions or self._store.versions()
        if versions is None:
            return self._loaded(None, is_kept=False)
        lease = f"lease:{self._name}:{blake2b(versions, digest_size=8).hexdigest()}"
        holder = uuid4().hex
        while not self._store.acquire(lease, holder, LEASE_MS):
            if self._found and may_be_old:
                return Fetched(self._found, "HIT", _age(self._found))
            if other := self._from_other(lease):
                return other
        failure = ""
        _leases.keep(lease, holder)
        try:
            # Another's answer may have come between the look and the lease.
            looked = self._store.look(None, self._name)
            return self._newer(looked) or self._loaded(versions, is_kept=True)
        except Exception as error:
            failure = error.code if isinstance(error, Problem) else Problem.code
            raise
        finally:
            _leases.give_back(lease, holder)
            self._store.release(lease, holder, failure)

    def _from_other(self, lease: str) -> Fetched | None:
        """Wait for the holder's answer; None when the holder is gone without one."""
        while time.monotonic() < self._deadline:
            time.sleep(WAIT_STEP)
            looked = self._store.look(None, self._name, lease)
            if newer := self._newer(looked):
                return newer
            held = looked.values[1]
            if held is None:
                return None
            if held.startswith(b"failed:"):
                raise TABLE.get(held[7:].decode(), PlexServerUnavailable)
        raise PlexServerUnavailable

    def _newer(self, looked: Look) -> Fetched | None:
        """Return the answer that another has loaded since this one looked."""
        found = entry.read(looked.values[0], parsed(looked.versions))
        if found and (self._found is None or found.head.at > self._found.head.at):
            return Fetched(found, "MISS", 0)
        return None

    def _loaded(self, versions: bytes | None, *, is_kept: bool) -> Fetched:
        wait = self._store.wait_to_ask(FAILURES, PAUSE)
        if wait > 0:
            raise PlexServerUnavailable(headers={"Retry-After": str(max(1, round(wait + 0.5)))})
        began = time.monotonic()
        try:
            loaded = self._load(self._deadline - began)
        except PlexServerUnavailable:
            self._store.failed(FAILURES)
            raise
        except Problem as problem:
            # Plex answered, if only to refuse: it need not be left in peace.
            self._store.answered()
            if is_kept and (isinstance(problem, PlexUnauthorized) or problem.status_code == 404):
                # After a 401, 403 or 404 the old answer must never be shown again.
                self._store.delete(self._name)
            raise
        self._store.answered()
        metrics.took(self._policy.name, time.monotonic() - began)
        packed = entry.pack(
            loaded.payload,
            at=time.time(),
            partial=loaded.partial,
            versions=parsed(versions),
            tags=loaded.tags | {EVERYTHING, policy_tag(self._policy.name)},
        )
        if is_kept:
            seconds = runtime.ttl(self._policy) + STALE_FOR
            is_kept = self._store.put(self._name, packed.to_bytes(), seconds)
        return Fetched(packed, "MISS" if is_kept else "BYPASS", 0)


class _Leases:
    """The leases this process holds, kept alive by one thread while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[tuple[str, str]] = set()
        self._is_kept = False

    def keep(self, lease: str, holder: str) -> None:
        with self._lock:
            self._held.add((lease, holder))
            if not self._is_kept:
                self._is_kept = True
                threading.Thread(target=self._extend, name="leases", daemon=True).start()

    def give_back(self, lease: str, holder: str) -> None:
        with self._lock:
            self._held.discard((lease, holder))

    def _extend(self) -> None:
        while True:
            time.sleep(EXTENDED_EVERY)
            with self._lock:
                held = list(self._held)
                if not held:
                    self._is_kept = False
                    return
            for lease, holder in held:
                store.current().extend(lease, holder, LEASE_MS)


_leases = _Leases()


def _age(found: Entry) -> int:
    # The machines' clocks may differ by a little; nothing is younger than now.
    return max(0, int(time.time() - found.head.at))


def ttl(policy: Policy, found: Entry) -> int:
    """Return for how many seconds an entry is fresh: not long where Plex failed a part of it."""
    seconds = runtime.ttl(policy)
    return min(seconds, PARTIAL_FOR) if found.head.partial else seconds
