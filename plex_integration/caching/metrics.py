"""Metrics of the cache: responses by cache status, and how long Plex took, for the operator.

A request only increments a number in this process. A thread adds the numbers to the store every
two seconds, where those of all workers add up, in slices of 5 minutes that are stored for a day. A
process that is killed loses what it has not flushed.
"""

import bisect
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medianest import store
from medianest.monitoring import background

SLICE = 300
SLICES = 24 * 3600 // SLICE

HIT, MISS, STALE, BYPASS = "HIT", "MISS", "STALE", "BYPASS"
ERROR, CLIENT_ERROR, REFUSED = "ERROR", "CLIENT_ERROR", "REFUSED"
OUTCOMES = (HIT, MISS, STALE, BYPASS, ERROR, CLIENT_ERROR, REFUSED)

# Each bound is about 1.4 times the one before: percentiles are that exact (±40 %).
_BOUNDS = [round(2 ** (step / 2)) for step in range(2, 31)]
_LOADS = "plex"

_adding = threading.Lock()
"""Held while numbers are added to the store, so that `slices` finds them there."""
_lock = threading.Lock()
_counts: dict[str, int] = {}
_is_running = False


@dataclass
class Counted:
    """The numbers of one policy: responses by outcome, and loads by the step of their duration."""

    responses: dict[str, int] = field(default_factory=dict)
    loads: dict[int, int] = field(default_factory=dict)

    def add(self, other: "Counted") -> None:
        """Add other numbers to these."""
        for outcome, number in other.responses.items():
            self.responses[outcome] = self.responses.get(outcome, 0) + number
        for step, number in other.loads.items():
            self.loads[step] = self.loads.get(step, 0) + number

    @property
    def served(self) -> int:
        """The number of responses that came from the cache or through it."""
        return sum(self.responses.get(each, 0) for each in (HIT, MISS, STALE, BYPASS))

    @property
    def hit_rate(self) -> int | None:
        """The percentage of responses that needed no request to Plex."""
        return round(100 * self.responses.get(HIT, 0) / self.served) if self.served else None

    def percentile(self, percent: int) -> int | None:
        """Return the milliseconds within which this percentage of the loads ended."""
        left = sum(self.loads.values()) * percent / 100
        for step in sorted(self.loads):
            left -= self.loads[step]
            if left <= 0:
                return _BOUNDS[min(step, len(_BOUNDS) - 1)]
        return None


def record_response(policy: str, outcome: str) -> None:
    """Count a response of a policy."""
    _add(f"{policy}:{outcome}")


def record_load(policy: str, seconds: float) -> None:
    """Count how long Plex took for one response, all its requests together."""
    _add(f"{policy}:{_LOADS}:{bisect.bisect_left(_BOUNDS, seconds * 1000)}")


def outcome(response: Any) -> str | None:
    """Return how a response is counted; None for one that has nothing to do with the cache."""
    if response.status_code == 429:
        return REFUSED
    if response.status_code >= 500 or response.get("WWW-Authenticate") == "Plex":
        return ERROR
    if response.status_code >= 400:
        return CLIENT_ERROR
    status: str | None = response.get("X-Plex-Cache-Status")
    return status


def flush() -> None:
    """Add the numbers to the store; what it cannot take is added the next time."""
    global _counts
    with _adding:
        with _lock:
            flushed, _counts = _counts, {}
        if flushed and not store.current().counters.add(_slice(_now()), flushed, SLICE * SLICES):
            with _lock:
                for name, number in flushed.items():
                    _counts[name] = _counts.get(name, 0) + number


def discard() -> None:
    """Discard what was not flushed to the store."""
    with _lock:
        _counts.clear()


def slices(number: int) -> Sequence[Mapping[str, Counted]]:
    """Return the last slices, oldest first; they are empty while Redis is unavailable."""
    flush()
    now = _now()
    names = [_slice(now - age) for age in reversed(range(number))]
    return [_by_policy(each) for each in store.current().counters.read(names)]


def end_of_last_slice() -> float:
    """Return when the current slice ends, in epoch seconds."""
    return float((_now() + 1) * SLICE)


def total(counted: Sequence[Mapping[str, Counted]]) -> Mapping[str, Counted]:
    """Add slices up."""
    sums: dict[str, Counted] = {}
    for each in counted:
        for policy, one in each.items():
            sums.setdefault(policy, Counted()).add(one)
    return sums


def _add(name: str) -> None:
    global _is_running
    with _lock:
        _counts[name] = _counts.get(name, 0) + 1
        is_first, _is_running = not _is_running, True
    if is_first:
        background.repeat(flush)


def _now() -> int:
    return int(time.time()) // SLICE


def _slice(number: int) -> str:
    return f"{SLICE}:{number}"


def _by_policy(counts: Mapping[str, int]) -> Mapping[str, Counted]:
    found: dict[str, Counted] = {}
    for name, number in counts.items():
        policy, outcome, *step = name.split(":")
        into = found.setdefault(policy, Counted())
        if outcome == _LOADS:
            into.loads[int(step[0])] = number
        else:
            into.responses[outcome] = number
    return found
