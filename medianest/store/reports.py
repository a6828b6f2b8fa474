"""Reports: what processes say about themselves and what they have seen, for the operator's pages.

A report has a name and is replaced by the next one of this name. One that nobody renews is deleted,
so a process that died is forgotten.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cachetools import TTLCache

from medianest.store.loop_connection import Command
from medianest.store.redis_server import RedisServer, Script

SECONDS = 300
"""How long a report is stored that nobody renews."""

MAX_REPORTS = 1000
"""How many reports a process stores."""

KEY = "medianest:reports"

_REPORT = Script("report")


@dataclass(frozen=True)
class Report:
    """A report's text, and how many seconds ago it was written."""

    text: str
    age: float


class Reports(Protocol):
    """Short texts by name that say what is so now. `Store.overview` reads all of them."""

    def write(self, name: str, text: str) -> None:
        """Store a report in place of the last one of this name."""

    def delete(self, name: str) -> None:
        """Delete a report."""


class LocalReports(Reports):
    """Reports of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reports: TTLCache[str, tuple[float, str]] = TTLCache(MAX_REPORTS, SECONDS)

    def write(self, name: str, text: str) -> None:
        with self._lock:
            self._reports[name] = time.monotonic(), text

    def delete(self, name: str) -> None:
        with self._lock:
            self._reports.pop(name, None)

    def read(self) -> Mapping[str, Report]:
        """Return all reports by name."""
        now = time.monotonic()
        with self._lock:
            return {name: Report(text, now - at) for name, (at, text) in self._reports.items()}


class RedisReports(Reports):
    """Reports of all processes and machines, under `medianest:reports`."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    @staticmethod
    def read_command() -> Command:
        """Return the command whose reply `found` takes."""
        return ("HGETALL", KEY)

    @staticmethod
    def found(reply: Any, now: float) -> Mapping[str, Report]:
        """Return the reports in Redis's reply; `now` is the time of Redis."""
        if not isinstance(reply, dict):
            return {}
        return {name.decode(): _parsed(value, now) for name, value in reply.items()}

    def write(self, name: str, text: str) -> None:
        self._server.run(_REPORT, KEY, name, text, SECONDS)

    def delete(self, name: str) -> None:
        self._server.execute(("HDEL", KEY, name))


def _parsed(value: bytes, now: float) -> Report:
    written, _, text = value.decode().partition(" ")
    # Written in whole seconds.
    return Report(text, max(0.0, now - int(written)))
