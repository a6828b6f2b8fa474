"""Counters: numbers under a name that all workers add to, for the operator's pages."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cachetools import TLRUCache

from medianest.store.redis_server import RedisServer

MAX_NAMES = 700
"""How many names a process stores: more than two sets of the 288 slices of 5 minutes of a day."""

PREFIX = "medianest:count:"


class Counters(Protocol):
    """Numbers by name and, under each name, by what they count."""

    def add(self, name: str, counts: Mapping[str, int], seconds: int) -> bool:
        """Add to the numbers under a name, which expire; tell whether they were added."""

    def read(self, names: Sequence[str]) -> list[dict[str, int]]:
        """Return the numbers under each name; none while Redis is unavailable."""


@dataclass(frozen=True)
class _Counts:
    numbers: Mapping[str, int]
    seconds: int


class LocalCounters(Counters):
    """Counters of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: TLRUCache[str, _Counts] = TLRUCache(
            MAX_NAMES, ttu=lambda _name, counts, now: now + counts.seconds
        )

    def add(self, name: str, counts: Mapping[str, int], seconds: int) -> bool:
        with self._lock:
            numbers = self._numbers(name)
            for each, number in counts.items():
                numbers[each] = numbers.get(each, 0) + number
            self._counts[name] = _Counts(numbers, seconds)
        return True

    def read(self, names: Sequence[str]) -> list[dict[str, int]]:
        with self._lock:
            return [self._numbers(name) for name in names]

    def _numbers(self, name: str) -> dict[str, int]:
        found = self._counts.get(name)
        return dict(found.numbers) if found else {}


class RedisCounters(Counters):
    """Counters of all workers and machines, under `medianest:count:`."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def add(self, name: str, counts: Mapping[str, int], seconds: int) -> bool:
        key = PREFIX + name
        commands = [("HINCRBY", key, each, number) for each, number in counts.items()]
        return self._server.execute(*commands, ("EXPIRE", key, seconds)) is not None

    def read(self, names: Sequence[str]) -> list[dict[str, int]]:
        replies = self._server.execute(*(("HGETALL", PREFIX + name) for name in names))
        return [_numbers(reply) for reply in replies or [None] * len(names)]


def _numbers(reply: Any) -> dict[str, int]:
    if not isinstance(reply, dict):
        return {}
    return {key.decode(): int(number) for key, number in reply.items()}
