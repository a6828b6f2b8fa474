"""Which processes of the service run: each reports itself every two seconds.

With Redis all of them are known. Without it a process knows itself alone.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from medianest import store
from medianest.monitoring import background
from medianest.monitoring.version import VERSION
from medianest.store import Report

MAX_AGE = 15.0
"""A process that has reported nothing for so many seconds does not run any more."""

PREFIX = "process:"

WORKER, LISTENER = "worker", "listener"


@dataclass(frozen=True)
class Process:
    """A process as it reported itself. `started` is in epoch seconds."""

    role: str
    host: str
    pid: int
    started: float
    version: str
    requests: int = 0
    age: float = 0.0
    """How many seconds ago it reported this."""

    @property
    def name(self) -> str:
        """The name of its report."""
        return f"{PREFIX}{self.role}:{self.host}:{self.pid}"


_lock = threading.Lock()
"""Held during a report, so that none is written after the last one was deleted."""
_started = time.time()
_role = ""
_requests: Callable[[], int] = int


def begin(role: str, requests: Callable[[], int] = int) -> None:
    """Report this process from now on; `requests` returns how many it has received."""
    global _role, _requests
    _role, _requests = role, requests
    background.repeat(_report)


def end() -> None:
    """Report this process no more."""
    global _role
    with _lock:
        if _role:
            name, _role = this().name, ""
            store.current().reports.delete(name)


def this() -> Process:
    """Return this process."""
    requests = _requests()
    return Process(_role or WORKER, socket.gethostname(), os.getpid(), _started, VERSION, requests)


def running(reports: Mapping[str, Report]) -> list[Process]:
    """Return the processes that run, by what the store's overview says, and this one."""
    found = {each.name: each for each in _reported(reports) if each.age < MAX_AGE}
    mine = this()
    return sorted({**found, mine.name: mine}.values(), key=lambda each: each.name)


def _report() -> None:
    with _lock:
        if _role:
            mine = this()
            store.current().reports.write(mine.name, json.dumps(asdict(mine)))


def _reported(reports: Mapping[str, Report]) -> Iterable[Process]:
    for name, report in reports.items():
        if name.startswith(PREFIX):
            try:
                yield replace(Process(**json.loads(report.text)), age=report.age)
            except (ValueError, TypeError):
                continue  # of a version that reports something else
