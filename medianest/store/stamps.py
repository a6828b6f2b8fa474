"""Token stamps: which tokens of a user are valid now, so that a repeated request needs no database.

A stamp is published when it changes, and then every process sees it at once. One that was loaded
from the database never replaces one that was published meanwhile.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from cachetools import TLRUCache
from redis.exceptions import NoScriptError

from medianest.store.redis_server import RedisServer, Script

PREFIX = "medianest:user:"

STORED_SECONDS = 3600
"""How long Redis stores a stamp: longer than any access token lives."""

LOCAL_SECONDS = 20
"""How long one process alone uses a stamp: nothing tells it what another process publishes."""

MAX_USERS = 20_000

REFUSED = "refused"
"""The stamp of a user who may not sign in. No token has it."""

_RENEW = Script("renew_stamp")


class Stamp(NamedTuple):
    """A user's stamp, when it was compared with the database (epoch seconds), and the user's scope.

    `scope` is for whom the user's responses are cached; the empty one is the service's own.
    """

    text: str
    checked_at: int
    scope: str = ""

    @classmethod
    def parse(cls, written: bytes) -> "Stamp":
        """Read a stamp as the store has it."""
        text, checked_at, scope = written.decode().split(" ", 2)
        return cls(text, int(checked_at), scope)

    def to_bytes(self) -> bytes:
        """Return the stamp as it is stored."""
        return f"{self.text} {self.checked_at} {self.scope}".encode()


Change = tuple[str, Stamp, Stamp | None]
"""A user's id, the stamp that was loaded, and the one that was stored before."""


class Stamps(Protocol):
    """The stamps of users, by their ids."""

    def publish(self, user_id: str, stamp: Stamp) -> None:
        """Make a changed stamp the valid one, in every process."""

    def renew(self, changes: Sequence[Change]) -> None:
        """Store stamps that were loaded from the database.

        One that has changed since then in the store is not replaced.
        """


class LocalStamps(Stamps):
    """The stamps that this process alone knows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamps: TLRUCache[str, Stamp] = TLRUCache(
            MAX_USERS, ttu=lambda _user, _stamp, now: now + LOCAL_SECONDS
        )

    def get(self, user_id: str) -> Stamp | None:
        """Return a user's stamp."""
        with self._lock:
            return self._stamps.get(user_id)

    def publish(self, user_id: str, stamp: Stamp) -> None:
        with self._lock:
            self._stamps[user_id] = stamp

    def renew(self, changes: Sequence[Change]) -> None:
        with self._lock:
            for user_id, stamp, seen in changes:
                if self._stamps.get(user_id) == seen:
                    self._stamps[user_id] = stamp


class RedisStamps(Stamps):
    """The stamps that all workers and machines share, under `medianest:user:`.

    One that Redis did not receive is delivered before this process uses Redis again.
    """

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._owed: dict[str, Stamp] = {}
        server.availability.add_delivery(self._deliver_owed)

    def publish(self, user_id: str, stamp: Stamp) -> None:
        if self._publish(user_id, stamp):
            return
        with self._server.availability.lock:
            if not self._server.availability.is_available():
                self._owed[user_id] = stamp
                return
        if not self._publish(user_id, stamp):  # it is available again since, or it refuses
            # A full Redis still deletes. Without a stamp the next request loads it.
            self._server.execute(("UNLINK", stamp_key(user_id)))

    def renew(self, changes: Sequence[Change]) -> None:
        replies = self._server.execute(*(_RENEW.command(*each) for each in _renewals(changes)))
        if replies and isinstance(replies[0], NoScriptError):
            self._server.execute(*(_RENEW.unknown_command(*each) for each in _renewals(changes)))

    def _publish(self, user_id: str, stamp: Stamp) -> bool:
        command = ("SET", stamp_key(user_id), stamp.to_bytes(), "EX", STORED_SECONDS)
        replies = self._server.execute(command)
        return bool(replies and replies[0] is True)

    def _deliver_owed(self) -> None:
        for user_id, stamp in list(self._owed.items()):
            self._server.client.set(stamp_key(user_id), stamp.to_bytes(), ex=STORED_SECONDS)
            del self._owed[user_id]


def _renewals(changes: Sequence[Change]) -> Iterator[tuple[Any, ...]]:
    for user_id, stamp, seen in changes:
        before = seen.to_bytes() if seen else b""
        yield (stamp_key(user_id),), stamp.to_bytes(), before, STORED_SECONDS


def stamp_key(user_id: str) -> str:
    """Return the key of a user's stamp, in the cluster slot of the user's rate windows."""
    return f"{PREFIX}{{{user_id}}}"


def now() -> int:
    """Return the epoch second."""
    return int(time.time())
