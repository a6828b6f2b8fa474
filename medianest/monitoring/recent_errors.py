"""The errors that the service answered in the last day: how many, when, and to which requests.

A request only adds to numbers and short lists of this process. A thread adds these to the store
every two seconds, where those of all workers come together. Nothing is stored of a request but its
id, by which its line in the log is found. A process that is killed loses what it has not added.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from medianest import store
from medianest.monitoring import background

SLICE = 300
"""Errors are counted in slices of so many seconds."""
HOUR, DAY = 3600, 24 * 3600
LAST = 5
"""How many requests are remembered for each code."""

_adding = threading.Lock()
"""Held while errors are added to the store, so that `summary` finds them there."""
_lock = threading.Lock()
_counts: dict[str, int] = {}
_last: dict[str, deque[str]] = {}
_is_flushed = False


@dataclass(frozen=True)
class Occurrence:
    """A request that was answered with an error, and when."""

    at: datetime
    request_id: str


@dataclass(frozen=True)
class ErrorCount:
    """How often a code was answered in the last hour and day, and to which requests last."""

    code: str
    hour: int
    day: int
    last: Sequence[Occurrence]


def record(code: str, request_id: str) -> None:
    """Count an error that is answered to a request."""
    global _is_flushed
    entry = f"{time.time():.0f} {request_id}"
    with _lock:
        _counts[code] = _counts.get(code, 0) + 1
        _last.setdefault(code, deque(maxlen=LAST)).append(entry)
        is_first, _is_flushed = not _is_flushed, True
    if is_first:
        background.repeat(flush)


def flush() -> None:
    """Add the errors to the store; what it cannot take now is added the next time."""
    with _adding:
        with _lock:
            counts, last = dict(_counts), {code: list(entries) for code, entries in _last.items()}
            _counts.clear()
            _last.clear()
        if counts and not _add(counts, last):
            _put_back(counts, last)


def discard() -> None:
    """Discard what was not added to the store."""
    with _lock:
        _counts.clear()
        _last.clear()


def summary() -> list[ErrorCount]:
    """Return the errors of the last day by code, the last one first."""
    flush()
    now = int(time.time()) // SLICE
    slices = store.current().counters.read([_name(now - age) for age in range(DAY // SLICE)])
    hour, day = _total(slices[: HOUR // SLICE]), _total(slices)
    codes = sorted(day)
    last = store.current().recent_entries.read([f"errors:{code}" for code in codes])
    found = [
        ErrorCount(code, hour.get(code, 0), day[code], [_occurrence(entry) for entry in entries])
        for code, entries in zip(codes, last, strict=True)
    ]
    return sorted(found, key=_last_time, reverse=True)


def _add(counts: Mapping[str, int], last: Mapping[str, Sequence[str]]) -> bool:
    current = store.current()
    if not current.counters.add(_name(int(time.time()) // SLICE), counts, DAY + SLICE):
        return False
    for code, entries in last.items():
        current.recent_entries.add(f"errors:{code}", entries, LAST, DAY)
    return True


def _put_back(counts: Mapping[str, int], last: Mapping[str, Sequence[str]]) -> None:
    with _lock:
        for code, number in counts.items():
            _counts[code] = _counts.get(code, 0) + number
            newer = _last.get(code, ())
            _last[code] = deque([*last[code], *newer], maxlen=LAST)


def _name(slice_number: int) -> str:
    return f"errors:{slice_number}"


def _total(slices: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in slices:
        for code, number in counts.items():
            total[code] = total.get(code, 0) + number
    return total


def _occurrence(entry: str) -> Occurrence:
    seconds, _, request_id = entry.partition(" ")
    return Occurrence(datetime.fromtimestamp(int(seconds), UTC), request_id)


def _last_time(error: ErrorCount) -> float:
    return error.last[0].at.timestamp() if error.last else 0.0
