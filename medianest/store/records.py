"""Records: what must survive when the cache is cleared, such as responses to idempotent requests.

They are stored beside the limits, in the Redis that evicts nothing of them.
"""

import threading
from dataclasses import dataclass
from typing import Protocol

from cachetools import TLRUCache

from medianest.store.redis_server import RedisServer

MAX_RECORDS = 100_000
"""How many records a process stores; beyond this, the one used least recently is evicted. A user
who writes 30 times a minute leaves half of that in a day."""

PREFIX = "medianest:note:"


class Records(Protocol):
    """Values with a time to live that nothing but that removes."""

    def set(self, key: str, value: bytes, seconds: int) -> None:
        """Store a record; in this process alone while Redis is unavailable."""

    def get(self, key: str) -> bytes | None:
        """Return a record."""

    def delete(self, key: str) -> None:
        """Delete a record."""


@dataclass(frozen=True)
class _Record:
    value: bytes
    seconds: int


class LocalRecords(Records):
    """Records of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: TLRUCache[str, _Record] = TLRUCache(
            MAX_RECORDS, ttu=lambda _key, record, now: now + record.seconds
        )

    def set(self, key: str, value: bytes, seconds: int) -> None:
        with self._lock:
            self._records[key] = _Record(value, seconds)

    def get(self, key: str) -> bytes | None:
        with self._lock:
            record = self._records.get(key)
        return record.value if record else None

    def delete(self, key: str) -> None:
        with self._lock:
            self._records.pop(key, None)


class RedisRecords(Records):
    """Records of all workers and machines, under `medianest:note:`."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._local = LocalRecords()

    def set(self, key: str, value: bytes, seconds: int) -> None:
        replies = self._server.execute(("SET", PREFIX + key, value, "EX", seconds))
        if not replies or replies[0] is not True:
            self._local.set(key, value, seconds)

    def get(self, key: str) -> bytes | None:
        replies = self._server.execute(("GET", PREFIX + key))
        if replies and isinstance(replies[0], bytes):
            return replies[0]
        return self._local.get(key)

    def delete(self, key: str) -> None:
        self._local.delete(key)
        self._server.execute(("UNLINK", PREFIX + key))
