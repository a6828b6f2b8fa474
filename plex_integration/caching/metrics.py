"""How the cache does: what was answered how, and how long Plex took, for the operator's page.

A request adds to a number in this process and nothing more. A thread of the process brings the
numbers to the store every `FLUSHED_EVERY` seconds, where those of all workers add up, in slices of
5 minutes that are kept for a day. What a process that is killed had not brought yet is lost.
"""

import atexit
import bisect
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medianest import store

log = logging.getLogger(__name__)

FLUSHED_EVERY = 2.0

SLICE = 300
SLICES = 24 * 3600 // SLICE

HIT, MISS, STALE, BYPASS = "HIT", "MISS", "STALE", "BYPASS"
ERROR, REFUSED = "ERROR", "REFUSED"
OUTCOMES = (HIT, MISS, STALE, BYPASS, ERROR, REFUSED)

# Each bound is about 1.4 times the one before: a percentile is told as exactly as that.
_BOUNDS = [round(2 ** (step / 2)) for step in range(2, 31)]
_TOOK = "plex"

_lock = threading.Lock()
_counts: dict[str, int] = {}
_is_flushed = False


@dataclass
class Counted:
    """What was counted of one policy: answers by how they came, Plex's answers by their time."""

    answers: dict[str, int] = field(default_factory=dict)
    took: dict[int, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """All answers that came from the cache or through it."""
        return sum(self.answers.get(each, 0) for each in (HIT, MISS, STALE, BYPASS))

    @property
    def hit_rate(self) -> int | None:
        """The percent of answers that needed no Plex."""
        return round(100 * self.answers.get(HIT, 0) / self.answered) if self.answered else None

    def percentile(self, percent: int) -> int | None:
        """Return the milliseconds that so many percent of Plex's answers took at most."""
        left = sum(self.took.values()) * percent / 100
        for step in sorted(self.took):
            left -= self.took[step]
            if left <= 0:
                return _BOUNDS[min(step, len(_BOUNDS) - 1)]
        return None


def count(policy: str, how: str) -> None:
    """Count an answer."""
    _add(f"{policy}:{how}")


def took(policy: str, seconds: float) -> None:
    """Count how long Plex took for one answer, all its requests together."""
    _add(f"{policy}:{_TOOK}:{bisect.bisect_left(_BOUNDS, seconds * 1000)}")


def outcome(response: Any) -> str | None:
    """Tell by a response how it came; None for what is the client's own mistake."""
    if response.status_code == 429:
        return REFUSED
    if response.status_code >= 500 or response.get("WWW-Authenticate") == "Plex":
        return ERROR
    how: str | None = response.get("X-Plex-Cache-Status")
    return how


def flush() -> None:
    """Bring what was counted to the store; what it does not take is kept for the next time."""
    global _counts
    with _lock:
        brought, _counts = _counts, {}
    if brought and not store.current().count(_slice(_now()), brought, SLICE * SLICES):
        with _lock:
            for name, number in brought.items():
                _counts[name] = _counts.get(name, 0) + number


def forget() -> None:
    """Forget what was not brought to the store."""
    with _lock:
        _counts.clear()


def slices(number: int) -> Sequence[Mapping[str, Counted]]:
    """Return what was counted in the last slices, oldest first; nothing while Redis is away."""
    flush()
    now = _now()
    names = [_slice(now - age) for age in reversed(range(number))]
    return [_by_policy(each) for each in store.current().counted(names)]


def together(counted: Sequence[Mapping[str, Counted]]) -> Mapping[str, Counted]:
    """Add slices up."""
    total: dict[str, Counted] = {}
    for each in counted:
        for policy, one in each.items():
            into = total.setdefault(policy, Counted())
            for how, number in one.answers.items():
                into.answers[how] = into.answers.get(how, 0) + number
            for step, number in one.took.items():
                into.took[step] = into.took.get(step, 0) + number
    return total


def _add(name: str) -> None:
    global _is_flushed
    with _lock:
        _counts[name] = _counts.get(name, 0) + 1
        is_first, _is_flushed = not _is_flushed, True
    if is_first:
        atexit.register(_last)
        threading.Thread(target=_flush_for_ever, name="counters", daemon=True).start()


def _flush_for_ever() -> None:
    while True:
        time.sleep(FLUSHED_EVERY)
        _last()


def _last() -> None:
    try:
        flush()
    except Exception:
        # Nobody's answer may suffer from counting.
        log.exception("counting failed")


def _now() -> int:
    return int(time.time()) // SLICE


def _slice(number: int) -> str:
    return f"{SLICE}:{number}"


def _by_policy(counts: Mapping[str, int]) -> Mapping[str, Counted]:
    found: dict[str, Counted] = {}
    for name, number in counts.items():
        policy, how, *step = name.split(":")
        into = found.setdefault(policy, Counted())
        if how == _TOOK:
            into.took[int(step[0])] = number
        else:
            into.answers[how] = number
    return found
