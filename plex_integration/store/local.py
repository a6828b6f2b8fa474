"""The store of one process, and what every process falls back to while Redis is away."""

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from uuid import uuid4

from django.core.cache import caches

from plex_integration.store.values import MICROSECONDS, Attempt, Look, Take, Verdict

# Windows remembered before the empty ones are cleared away.
_MANY = 10_000


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
            if len(self._taken) > _MANY:
                self._forget(now - window)
            moments = self._taken.setdefault(take.key, deque())
            while moments and moments[0] <= now - window:
                moments.popleft()
            taken = len(moments) < take.places
            if taken:
                moments.append(now)
            oldest = moments[0] if moments else now
            left = max(0, take.places - len(moments))
        return Verdict.of(take.places, taken=taken, left=left, wait=oldest + window - now, now=now)

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

    def _forget(self, before: int) -> None:
        self._taken = {
            key: moments for key, moments in self._taken.items() if moments and moments[-1] > before
        }


class LocalBreaker:
    """Whether Plex may be asked: the same rules as may_ask.lua and failed.lua."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._probed = float("-inf")

    def wait_to_ask(self, failures: int, pause: float) -> float:
        """Return the seconds to wait before Plex may be asked; 0: now."""
        with self._lock:
            if self._failures < failures:
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
            self._failures += 1
            if self._failures == failures:
                self._probed = time.monotonic()

    def answered(self) -> None:
        """Note that Plex answered."""
        with self._lock:
            self._failures = 0


class LocalStore:
    """Answers, limits and the breaker of this process; leases are not needed."""

    def __init__(self) -> None:
        self._limits = LocalLimits()
        self._breaker = LocalBreaker()
        self._lock = threading.Lock()
        self._versions: dict[str, str] = {"base": uuid4().hex}

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
        with self._lock:
            version = f"{time.time_ns() // 1000}"
            self._versions = self._versions | dict.fromkeys(tags, version)
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

    def is_up(self) -> bool:
        """Tell whether the store can be used."""
        return True
