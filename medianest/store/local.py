"""The store of one process, and what every process falls back to while Redis is away."""

import json
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.core.cache import caches

from medianest.store.values import MICROSECONDS, MOST_TAGS, Attempt, Look, Take, Verdict

# Windows remembered before the empty ones are cleared away.
_MANY = 10_000
# Slices of time that numbers are kept of.
_SLICES = 300


class LocalLimits:
    """Sliding windows in this process: the same rules as take.lua and attempt.lua."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[str, deque[int]] = {}
        self._attempts: dict[str, dict[str, tuple[int, bool]]] = {}

    def take(self, take: Take) -> Verdict:
        """Take a place, or say when one is free."""
        now = time.time_ns() // 1000
        window = take.window * MICROSECONDS
        with self._lock:
            moments = self._window(take, now)
            taken = len(moments) < take.places
            if taken:
                moments.append(now)
            oldest = moments[0] if moments else now
            left = max(0, take.places - len(moments))
        return Verdict.of(take.places, taken=taken, left=left, wait=oldest + window - now, now=now)

    def mirror(self, take: Take, used: int) -> None:
        """Count what all workers together have used, so that a fallback begins where they were."""
        now = time.time_ns() // 1000
        with self._lock:
            moments = self._window(take, now)
            moments.extend([now] * (used - len(moments)))

    def attempt(self, key: str, places: int, window: int, identity: str) -> tuple[Attempt, int]:
        """Begin an attempt that counts only if it fails; tell the seconds to wait if refused."""
        now = time.time_ns() // 1000
        span = window * MICROSECONDS
        with self._lock:
            if len(self._attempts) > _MANY:
                self._attempts = {
                    key: kept
                    for key, kept in self._attempts.items()
                    if any(moment > now - span for moment, _ in kept.values())
                }
            kept = self._attempts.setdefault(key, {})
            for name in [name for name, (moment, _) in kept.items() if moment <= now - span]:
                del kept[name]
            if len(kept) < places:
                kept[identity] = (now, True)
                return Attempt.BEGUN, 0
            if any(is_open for _, is_open in kept.values()):
                return Attempt.WAIT, 0
            oldest = min(moment for moment, _ in kept.values())
        return Attempt.REFUSED, max(1, -(-(oldest + span - now) // MICROSECONDS))

    def end_attempt(self, key: str, identity: str, *, failed: bool) -> None:
        """Count the attempt if it failed, forget it if not."""
        with self._lock:
            kept = self._attempts.get(key, {})
            moment, _ = kept.pop(identity, (time.time_ns() // 1000, True))
            if failed:
                kept[identity] = (moment, False)

    def _window(self, take: Take, now: int) -> "deque[int]":
        begin = now - take.window * MICROSECONDS
        if len(self._taken) > _MANY:
            self._forget(begin)
        moments = self._taken.setdefault(take.key, deque())
        while moments and moments[0] <= begin:
            moments.popleft()
        return moments

    def _forget(self, before: int) -> None:
        self._taken = {
            key: moments for key, moments in self._taken.items() if moments and moments[-1] > before
        }


class LocalBreaker:
    """Whether Plex may be asked: the same rules as may_ask.lua and failed.lua."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.failures = 0
        self._probed = float("-inf")

    def wait_to_ask(self, failures: int, pause: float) -> float:
        """Return the seconds to wait before Plex may be asked; 0: now."""
        with self._lock:
            if self.failures < failures:
                return 0.0
            now = time.monotonic()
            wait = self._probed + pause - now
            if wait > 0:
                return wait
            self._probed = now
            return 0.0

    def failed(self, failures: int) -> None:
        """Note that Plex failed."""
        with self._lock:
            self.failures += 1
            if self.failures == failures:
                self._probed = time.monotonic()

    def answered(self) -> None:
        """Note that Plex answered."""
        with self._lock:
            self.failures = 0


class LocalNotes:
    """Claims and notes of this process: what a write must not do twice, and what it did."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[str, tuple[str, float]] = {}
        self._notes: dict[str, tuple[bytes, float]] = {}

    def claim(self, name: str, holder: str, milliseconds: int) -> bool:
        """Take what nobody holds, for so long at most."""
        now = time.monotonic()
        with self._lock:
            if self._claims.get(name, ("", 0.0))[1] > now:
                return False
            self._claims[name] = (holder, now + milliseconds / 1000)
            return True

    def give_up(self, name: str, holder: str) -> None:
        """Give back what this holder has."""
        with self._lock:
            if self._claims.get(name, ("", 0.0))[0] == holder:
                del self._claims[name]

    def note(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value for so long."""
        now = time.monotonic()
        with self._lock:
            if len(self._notes) > _MANY:
                self._notes = {key: kept for key, kept in self._notes.items() if kept[1] > now}
            self._notes[name] = (value, now + seconds)

    def noted(self, name: str) -> bytes | None:
        """Return a kept value."""
        with self._lock:
            value, until = self._notes.get(name, (None, 0.0))
        return value if until > time.monotonic() else None

    def unnote(self, name: str) -> None:
        """Forget a value."""
        with self._lock:
            self._notes.pop(name, None)


class LocalStore(LocalNotes):
    """Answers, limits, notes and the breaker of this process; leases are not needed."""

    def __init__(self) -> None:
        super().__init__()
        self._limits = LocalLimits()
        self._breaker = LocalBreaker()
        self._bumping = threading.Lock()
        self._versions: dict[str, str] = {"base": uuid4().hex}
        self._counted: dict[str, dict[str, int]] = {}

    def look(self, take: Take | None, *keys: str) -> Look:
        """Take a place and read values in one go."""
        found = caches["default"].get_many(keys)
        return Look(
            verdict=self._limits.take(take) if take else None,
            values=[found.get(key) for key in keys],
            versions=self.versions(),
            is_usable=True,
        )

    def versions(self) -> bytes:
        """Return the JSON of the tags' versions."""
        return json.dumps(self._versions).encode()

    def put(self, key: str, value: bytes, seconds: int) -> bool:
        """Keep a value; tell whether it was kept."""
        caches["default"].set(key, value, seconds)
        return True

    def delete(self, key: str) -> None:
        """Forget a value."""
        caches["default"].delete(key)

    def bump(self, tags: Sequence[str]) -> bool:
        """Make every entry under these tags a miss."""
        with self._bumping:
            version = f"{time.time_ns() // 1000}"
            bumped = self._versions | dict.fromkeys(tags, version)
            self._versions = bumped if len(bumped) <= MOST_TAGS else {"base": uuid4().hex}
        return True

    def acquire(self, lease: str, holder: str, milliseconds: int) -> bool:
        """Take a lease: one process's own single flight is enough."""
        return True

    def extend(self, lease: str, holder: str, milliseconds: int) -> None:
        """Keep a lease: it does not end."""

    def release(self, lease: str, holder: str, failure: str) -> None:
        """Give a lease back: nobody waits for it."""

    def attempt(self, key: str, places: int, window: int, identity: str) -> tuple[Attempt, int]:
        """Begin an attempt that counts only if it fails."""
        return self._limits.attempt(key, places, window, identity)

    def end_attempt(self, key: str, identity: str, *, failed: bool) -> None:
        """Count the attempt if it failed."""
        self._limits.end_attempt(key, identity, failed=failed)

    def wait_to_ask(self, failures: int, pause: float) -> float:
        """Return the seconds to wait before Plex may be asked; 0: now."""
        return self._breaker.wait_to_ask(failures, pause)

    def failed(self, failures: int) -> None:
        """Note that Plex failed."""
        self._breaker.failed(failures)

    def answered(self) -> None:
        """Note that Plex answered."""
        self._breaker.answered()

    def failures(self) -> int:
        """Return how often Plex failed in a row."""
        return self._breaker.failures

    def count(self, name: str, counts: Mapping[str, int], seconds: int) -> bool:
        """Add to the numbers under a name."""
        with self._bumping:
            kept = self._counted.setdefault(name, {})
            for each, number in counts.items():
                kept[each] = kept.get(each, 0) + number
            while len(self._counted) > _SLICES:
                self._counted.pop(next(iter(self._counted)))
        return True

    def counted(self, names: Sequence[str]) -> list[dict[str, int]]:
        """Return the numbers under each name."""
        with self._bumping:
            return [dict(self._counted.get(name, {})) for name in names]

    def glance(self, prefix: str, most: int, size: int) -> list[tuple[str, bytes, int]]:
        """Return names, first bytes and sizes of kept values, of so many at most."""
        kept: Any = caches["default"]
        names = [key.split(":", 2)[2] for key in list(kept._cache)]
        found = kept.get_many([name for name in names if name.startswith(prefix)][:most])
        return [(name, value[:size], len(value)) for name, value in found.items()]

    def is_up(self) -> bool:
        """Tell whether the store can be used."""
        return True
