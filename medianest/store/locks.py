"""Locks with a time to live: who loads a value.

The holder of a lock proves itself by a token, so that a lock that expired and was acquired by
another is never released or extended by mistake. A holder that failed can leave the reason.
"""

import threading
from dataclasses import dataclass
from typing import Protocol

from cachetools import TLRUCache

from medianest.store.redis_server import RedisServer, Script

MAX_LOCKS = 10_000
"""How many locks a process holds at once: far more than it has threads that could hold one."""

FAILURE_MILLISECONDS = 1000
"""How long the reason of a failure stays readable for those who wait for the lock."""

_FAILED = b"failed:"

_LOCK, _EXTEND, _UNLOCK = Script("lock"), Script("extend"), Script("unlock")


def failure_of(value: bytes | None) -> bytes | None:
    """Return the failure that a lock's last holder left in it; `Store.read` reads the value."""
    if value is None or not value.startswith(_FAILED):
        return None
    return value.removeprefix(_FAILED)


class Locks(Protocol):
    """Locks that expire. `holder` is a token that nobody else uses."""

    def lock(self, name: str, holder: str, milliseconds: int) -> bool:
        """Acquire a lock that nobody holds; tell whether it is acquired."""

    def extend(self, name: str, holder: str, milliseconds: int) -> None:
        """Let a lock expire later, if this holder still has it."""

    def unlock(self, name: str, holder: str, failure: bytes = b"") -> None:
        """Release a lock, if this holder still has it.

        A failure that is not empty stays readable in it for one second; the lock is free all the
        same.
        """


@dataclass(frozen=True)
class _Value:
    value: bytes
    milliseconds: int


class LocalLocks(Locks):
    """Locks of this process: the same rules as the Lua scripts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: TLRUCache[str, _Value] = TLRUCache(
            MAX_LOCKS, ttu=lambda _name, value, now: now + value.milliseconds / 1000
        )

    def value(self, name: str) -> bytes | None:
        """Return a lock's holder or failure; None for a lock that is free."""
        with self._lock:
            held = self._values.get(name)
        return held.value if held else None

    def lock(self, name: str, holder: str, milliseconds: int) -> bool:
        with self._lock:
            held = self._values.get(name)
            if held and failure_of(held.value) is None:
                return False
            self._values[name] = _Value(holder.encode(), milliseconds)
            return True

    def extend(self, name: str, holder: str, milliseconds: int) -> None:
        with self._lock:
            if self._is_held(name, holder):
                self._values[name] = _Value(holder.encode(), milliseconds)

    def unlock(self, name: str, holder: str, failure: bytes = b"") -> None:
        with self._lock:
            if not self._is_held(name, holder):
                return
            if failure:
                self._values[name] = _Value(_FAILED + failure, FAILURE_MILLISECONDS)
            else:
                self._values.pop(name, None)

    def _is_held(self, name: str, holder: str) -> bool:
        held = self._values.get(name)
        return held is not None and held.value == holder.encode()


class RedisLocks(Locks):
    """Locks of all workers and machines; of this process alone while Redis is unavailable."""

    def __init__(self, server: RedisServer, prefix: str) -> None:
        self._server, self._prefix = server, prefix
        self._local = LocalLocks()

    def lock(self, name: str, holder: str, milliseconds: int) -> bool:
        reply = self._server.run(_LOCK, self._prefix + name, holder, milliseconds)
        if reply is None:
            return self._local.lock(name, holder, milliseconds)
        return bool(reply)

    def extend(self, name: str, holder: str, milliseconds: int) -> None:
        self._local.extend(name, holder, milliseconds)
        self._server.run(_EXTEND, self._prefix + name, holder, milliseconds)

    def unlock(self, name: str, holder: str, failure: bytes = b"") -> None:
        self._local.unlock(name, holder, failure)
        arguments = (holder, failure, FAILURE_MILLISECONDS)
        self._server.run(_UNLOCK, self._prefix + name, *arguments)
