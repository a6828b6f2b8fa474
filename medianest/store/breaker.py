"""A circuit breaker: a server that fails repeatedly is called once per pause, not by everybody.

It guards Plex; whether Redis itself is available is `redis_server`'s business.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from medianest.store.loop_connection import Command
from medianest.store.redis_server import MICROSECONDS, RedisServer, Script

PREFIX = "medianest:cache:breaker:"

FORGET_SECONDS = 3600
"""A breaker that nobody uses closes by itself after this long."""

_TIME_UNTIL_ALLOWED, _RECORD_FAILURE = Script("time_until_allowed"), Script("record_failure")


class Breaker(Protocol):
    """Counts each server's failures in a row; `failures` of them open its breaker."""

    def seconds_until_allowed(self, server: str, failures: int, pause: float) -> float:
        """Return how long to wait before a call; 0 allows one call, and once per pause while open.

        `failures` in a row open the breaker.
        """

    def record_failure(self, server: str, failures: int) -> None:
        """Count a failure. `failures` in a row open the breaker."""

    def record_success(self, server: str) -> None:
        """Close the breaker."""

    def failures(self, server: str) -> int:
        """Return how many failures there were in a row."""


@dataclass(slots=True)
class _Failures:
    """A server's failures in a row, and when it was last called while its breaker was open."""

    count: int = 0
    last_call: float = float("-inf")


class LocalBreaker(Breaker):
    """The breakers of this process: the same rules as the Lua scripts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[str, _Failures] = defaultdict(_Failures)

    def seconds_until_allowed(self, server: str, failures: int, pause: float) -> float:
        with self._lock:
            found = self._servers[server]
            if found.count < failures:
                return 0.0
            now = time.monotonic()
            wait = found.last_call + pause - now
            if wait > 0:
                return wait
            found.last_call = now
            return 0.0

    def record_failure(self, server: str, failures: int) -> None:
        with self._lock:
            found = self._servers[server]
            found.count += 1
            if found.count == failures:
                found.last_call = time.monotonic()

    def record_success(self, server: str) -> None:
        with self._lock:
            self._servers[server].count = 0

    def failures(self, server: str) -> int:
        return self._servers[server].count


class RedisBreaker(Breaker):
    """The breakers of all workers and machines; of this process while Redis is unavailable."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._local = LocalBreaker()

    def seconds_until_allowed(self, server: str, failures: int, pause: float) -> float:
        microseconds = round(pause * MICROSECONDS)
        wait = self._server.run(_TIME_UNTIL_ALLOWED, PREFIX + server, failures, microseconds)
        if wait is None:
            return self._local.seconds_until_allowed(server, failures, pause)
        return int(wait) / MICROSECONDS

    def record_failure(self, server: str, failures: int) -> None:
        self._local.record_failure(server, failures)
        self._server.run(_RECORD_FAILURE, PREFIX + server, failures, FORGET_SECONDS)

    def record_success(self, server: str) -> None:
        self._local.record_success(server)
        self._server.send(("DEL", PREFIX + server))

    def failures(self, server: str) -> int:
        return self.found_failures(server, self._server.execute(self.failures_command(server)))

    @staticmethod
    def failures_command(server: str) -> Command:
        """Return the command whose reply `found_failures` takes."""
        return ("HGET", PREFIX + server, "failures")

    def found_failures(self, server: str, replies: Sequence[Any] | None) -> int:
        """Return the failures in the first of Redis's replies; without any, this process's own."""
        if replies is None:
            return self._local.failures(server)
        return int(replies[0]) if isinstance(replies[0], bytes) else 0
