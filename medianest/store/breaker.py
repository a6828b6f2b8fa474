"""A circuit breaker: a server that fails repeatedly is called once per pause, not by everybody.

It guards Plex; whether Redis itself is available is `redis_server`'s business.
"""

import threading
import time
from typing import Protocol

from medianest.store.redis_server import MICROSECONDS, RedisServer, Script

KEY = "medianest:cache:breaker"

FORGET_SECONDS = 3600
"""A breaker that nobody uses closes by itself after this long."""

_TIME_UNTIL_ALLOWED, _RECORD_FAILURE = Script("time_until_allowed"), Script("record_failure")


class Breaker(Protocol):
    """Counts failures in a row; `failures` of them open it."""

    def seconds_until_allowed(self, failures: int, pause: float) -> float:
        """Return how long to wait before a call; 0 allows one call, and once per pause while open.

        `failures` in a row open the breaker.
        """

    def record_failure(self, failures: int) -> None:
        """Count a failure. `failures` in a row open the breaker."""

    def record_success(self) -> None:
        """Close the breaker."""

    def failures(self) -> int:
        """Return how many failures there were in a row."""


class LocalBreaker(Breaker):
    """The breaker of this process: the same rules as the Lua scripts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._last_call = float("-inf")

    def seconds_until_allowed(self, failures: int, pause: float) -> float:
        with self._lock:
            if self._failures < failures:
                return 0.0
            now = time.monotonic()
            wait = self._last_call + pause - now
            if wait > 0:
                return wait
            self._last_call = now
            return 0.0

    def record_failure(self, failures: int) -> None:
        with self._lock:
            self._failures += 1
            if self._failures == failures:
                self._last_call = time.monotonic()

    def record_success(self) -> None:
        with self._lock:
            self._failures = 0

    def failures(self) -> int:
        return self._failures


class RedisBreaker(Breaker):
    """The breaker of all workers and machines; of this process while Redis is unavailable."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._local = LocalBreaker()

    def seconds_until_allowed(self, failures: int, pause: float) -> float:
        microseconds = round(pause * MICROSECONDS)
        wait = self._server.run(_TIME_UNTIL_ALLOWED, KEY, failures, microseconds)
        if wait is None:
            return self._local.seconds_until_allowed(failures, pause)
        return int(wait) / MICROSECONDS

    def record_failure(self, failures: int) -> None:
        self._local.record_failure(failures)
        self._server.run(_RECORD_FAILURE, KEY, failures, FORGET_SECONDS)

    def record_success(self) -> None:
        self._local.record_success()
        self._server.execute(("DEL", KEY))

    def failures(self) -> int:
        replies = self._server.execute(("HGET", KEY, "failures"))
        if replies is None:
            return self._local.failures()
        return int(replies[0]) if isinstance(replies[0], bytes) else 0
