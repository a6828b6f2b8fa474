"""Recent entries: the last few texts under a name, for the operator's pages."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from cachetools import TLRUCache

from medianest.store.redis_server import RedisServer

MAX_LISTS = 300
"""How many names a process stores."""

PREFIX = "medianest:recent:"


class RecentEntries(Protocol):
    """The last texts under each name."""

    def add(self, name: str, texts: Sequence[str], limit: int, seconds: int) -> bool:
        """Add texts, oldest first, and keep the last `limit`; tell whether they were added.

        They expire some time after the last addition.
        """

    def read(self, names: Sequence[str]) -> list[list[str]]:
        """Return the texts under each name, newest first; none while Redis is unavailable."""


class LocalRecentEntries(RecentEntries):
    """Recent entries of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: TLRUCache[str, tuple[int, deque[str]]] = TLRUCache(
            MAX_LISTS, ttu=lambda _name, entries, now: now + entries[0]
        )

    def add(self, name: str, texts: Sequence[str], limit: int, seconds: int) -> bool:
        with self._lock:
            _, before = self._lists.get(name, (0, deque()))
            self._lists[name] = seconds, deque([*before, *texts], maxlen=limit)
        return True

    def read(self, names: Sequence[str]) -> list[list[str]]:
        with self._lock:
            return [list(reversed(self._lists.get(name, (0, ()))[1])) for name in names]


class RedisRecentEntries(RecentEntries):
    """Recent entries of all workers and machines, under `medianest:recent:`."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def add(self, name: str, texts: Sequence[str], limit: int, seconds: int) -> bool:
        key = PREFIX + name
        replies = self._server.execute(
            ("LPUSH", key, *texts), ("LTRIM", key, 0, limit - 1), ("EXPIRE", key, seconds)
        )
        return replies is not None

    def read(self, names: Sequence[str]) -> list[list[str]]:
        replies = self._server.execute(*(("LRANGE", PREFIX + name, 0, -1) for name in names))
        return [_texts(reply) for reply in replies or [None] * len(names)]


def _texts(reply: Any) -> list[str]:
    return [text.decode() for text in reply] if isinstance(reply, list) else []
