"""Token stamps: which tokens of a user are valid now, so that a repeated request needs no database.

A change first invalidates the stored stamp, and then every process sees that at once. A stamp that
was loaded from the database is stored only where nothing was invalidated meanwhile.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from cachetools import TLRUCache
from redis.exceptions import NoScriptError, ResponseError

from medianest.store.redis_server import RecentWrites, RedisServer, Script

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
    def parse(cls, written: bytes) -> "Stamp | None":
        """Read a stamp as the store has it; None for what this release did not write."""
        try:
            text, checked_at, scope = written.decode().split(" ", 2)
            return cls(text, int(checked_at), scope)
        except ValueError:
            return None

    @classmethod
    def invalid(cls) -> "Stamp":
        """Return a stamp that no token has, that is due to be checked, and that is unique."""
        return cls(f"invalid-{uuid4().hex}", 0)

    def to_bytes(self) -> bytes:
        """Return the stamp as it is stored."""
        return f"{self.text} {self.checked_at} {self.scope}".encode()


Change = tuple[str, Stamp, Stamp | None]
"""A user's id, the stamp that was loaded, and the one that was stored before."""


class Stamps(Protocol):
    """The stamps of users, by their ids."""

    def invalidate(self, user_ids: Sequence[str]) -> Stamp | None:
        """Make every process load the stamps of users again before it accepts their tokens.

        Returns what is stored now in their place, for `renew`; None where nothing is.
        """

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

    def invalidate(self, user_ids: Sequence[str]) -> Stamp:
        invalid = Stamp.invalid()
        with self._lock:
            for user_id in user_ids:
                self._stamps[user_id] = invalid
        return invalid

    def renew(self, changes: Sequence[Change]) -> None:
        with self._lock:
            for user_id, stamp, seen in changes:
                if self._stamps.get(user_id) == seen:
                    self._stamps[user_id] = stamp


class RedisStamps(Stamps):
    """The stamps that all workers and machines share, under `medianest:user:`.

    What Redis did not receive, or not long before it failed, is delivered before this process uses
    Redis again.
    """

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._owed: set[str] = set()
        self._recent = RecentWrites[Sequence[str]](server.availability)
        server.availability.add_delivery(self._deliver_owed)

    def invalidate(self, user_ids: Sequence[str]) -> Stamp | None:
        invalid = Stamp.invalid()
        if self._set(user_ids, invalid):
            self._recent.add(user_ids)
            return invalid
        with self._server.availability.lock:
            if not self._server.availability.is_available():
                self._owed.update(user_ids)
                return None
        if self._set(user_ids, invalid):  # it is available again since
            return invalid
        self._delete(user_ids)
        return None

    def renew(self, changes: Sequence[Change]) -> None:
        replies = self._server.execute(*(_RENEW.command(*each) for each in _renewals(changes)))
        # In a cluster only some of the nodes may know the script; it may well run twice.
        if any(isinstance(reply, NoScriptError) for reply in replies or ()):
            self._server.execute(*(_RENEW.unknown_command(*each) for each in _renewals(changes)))

    def _set(self, user_ids: Sequence[str], stamp: Stamp) -> bool:
        replies = self._server.execute(
            *(("SET", stamp_key(each), stamp.to_bytes(), "EX", STORED_SECONDS) for each in user_ids)
        )
        return replies is not None and all(reply is True for reply in replies)

    def _delete(self, user_ids: Sequence[str]) -> None:
        """Delete the stamps: a full Redis still does that. Without one, the next request loads it.

        A Redis that refuses that, too, is read-only. It is not used until it can be written again.
        """
        replies = self._server.execute(*(("UNLINK", stamp_key(each)) for each in user_ids))
        refusals = [reply for reply in replies or () if isinstance(reply, Exception)]
        if replies is not None and not refusals:
            return
        with self._server.availability.lock:
            self._owed.update(user_ids)
        for refusal in refusals[:1]:
            self._server.availability.report_failure(refusal)

    def _deliver_owed(self) -> None:
        for recent in self._recent.take():
            self._owed.update(recent)
        for user_id in list(self._owed):
            key, invalid = stamp_key(user_id), Stamp.invalid()
            try:
                self._server.client.set(key, invalid.to_bytes(), ex=STORED_SECONDS)
            except ResponseError:
                self._server.client.unlink(key)
            self._owed.remove(user_id)


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
