"""Follows what Plex tells, and drops what a change touches: fresh before the times are over.

The calling thread listens, and connects again for ever; a second one drops, so that a Redis that is
away keeps nobody from listening. Whatever was not heard, before the start or while the stream was
cut, may have changed anything: with every stream that begins all is dropped once. Not when it ends,
for while Plex is away the old answers stand in. Where nobody listens the times to live still hold.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import NoReturn

from django.db import Error, close_old_connections

from plex_integration.caching import response_cache
from plex_integration.configuration import connection
from medianest import store
from plex_integration.configuration.connection import Connection
from medianest.api.exceptions import Problem
from plex_integration.plex import (
    IDS_PER_CALL,
    Change,
    ItemChanged,
    LibraryChanged,
    Missed,
    Plex,
    follow,
)

log = logging.getLogger(__name__)

# A change is in force within 2 seconds. It is told several times, and a scan tells thousands of
# them: they are gathered, and what they touch is dropped together, not more often than this.
GATHERED = 0.3
APART = 1.0
# The most seconds that Plex is asked for the libraries of items; then all of them are dropped.
LOOKED_UP = 0.6
# More than this at once, and everything is dropped.
MOST = IDS_PER_CALL
# How often the store is told what it did not hear.
TOLD_AGAIN = 0.5

FIRST_DELAY, MOST_DELAY = 0.5, 30.0
# A stream that lasted this long was a success: the delays begin anew after it.
STEADY = 10.0
# How often the connection is read again, while it is followed or while there is none.
READ_AGAIN = 5.0

_KEY = "listener"
_BEAT, _BEAT_KEPT = 5.0, 15


@dataclass(frozen=True)
class Status:
    """Where the listener stands: `since` when (epoch seconds), and when it last heard of a change.

    `problem` says why it hears nothing; it is empty while it listens.
    """

    problem: str
    since: float
    changed: float | None = None


def status() -> Status | None:
    """Return where the listener stands; None where none has been running for 15 seconds."""
    (written,) = store.current().look(None, _KEY).values
    try:
        return Status(**json.loads(written)) if written else None
    except (ValueError, TypeError):
        return None


class Listener:
    """Listens to whatever server is configured, for ever."""

    def __init__(self) -> None:
        self._drops = Drops()
        self._failures = 0

    def run(self) -> NoReturn:
        """Listen; when it ends, listen again."""
        self._drops.start()
        while True:
            began = time.monotonic()
            delay = self._listen()
            if time.monotonic() - began >= STEADY:
                self._failures = 0
            if delay is None:
                # All listeners lose a Plex at the same moment, and should not all return at once.
                longest = min(MOST_DELAY, FIRST_DELAY * 2 ** min(self._failures, 10))
                delay = longest * random.uniform(0.5, 1)  # noqa: S311 - no secret
                self._failures += 1
            time.sleep(delay)

    def _listen(self) -> float | None:
        """Listen until that ends; return the seconds to wait, None for the next longer delay."""
        try:
            to = _configured()
            if to is None:
                self._say("no Plex server is configured")
                return READ_AGAIN
            read = time.monotonic()
            with closing(follow(to)) as heard:
                for changes in heard:
                    self._say("")
                    self._drops.tell(to, changes)
                    if time.monotonic() - read >= READ_AGAIN:
                        read = time.monotonic()
                        if _configured() != to:
                            self._say("the connection was changed")
                            return 0.0
            self._say("Plex ended the stream")
        except Problem as problem:
            # The cause's own text may hold anything that was sent.
            why = type(problem.__cause__ or problem).__name__
            self._say(f"{problem.detail} ({why})")
        except Error:
            self._say("the database is away")
        except Exception:
            log.exception("listening failed")
            self._say("the listener made a mistake")
        return None

    def _say(self, problem: str) -> None:
        if not self._drops.stand(problem):
            return
        if problem:
            log.warning("not listening to Plex: %s", problem)
        else:
            log.info("listening to Plex")


class Drops(threading.Thread):
    """Drops what changed, a little later and together, until the store has heard it."""

    def __init__(self) -> None:
        super().__init__(name="drops", daemon=True)
        self._woken = threading.Condition()
        self._told: set[Change] = set()
        self._to: Connection | None = None
        self._due = 0.0
        self._not_before = 0.0
        self._status = Status("starting", time.time())
        self._beat_at = 0.0
        self._is_heard = True

    def tell(self, to: Connection, changes: Sequence[Change]) -> None:
        """Note what changed at a server."""
        with self._woken:
            self._to = to
            if set(changes) - {Missed()}:
                self._status = replace(self._status, changed=time.time())
            self._note(changes, GATHERED)

    def stand(self, problem: str) -> bool:
        """Note where the listener stands; tell whether that is news."""
        with self._woken:
            if problem == self._status.problem:
                return False
            self._status = replace(self._status, problem=problem, since=time.time())
            self._beat_at = 0.0
            self._woken.notify()
            return True

    def run(self) -> NoReturn:
        """Drop what is due, and say that the listener lives."""
        while True:
            try:
                self._step()
            except Exception:
                log.exception("dropping failed")
                self._note_again({Missed()})

    def _step(self) -> None:
        with self._woken:
            now = time.monotonic()
            due = self._due if self._told else self._beat_at
            self._woken.wait(max(0.0, min(due, self._beat_at) - now))
            now = time.monotonic()
            changes: set[Change] = set()
            if self._told and self._due <= now:
                changes, self._told = self._told, set()
            is_beat = self._beat_at <= now
            if is_beat:
                self._beat_at = now + _BEAT
            stands, to = self._status, self._to
        if changes and to:
            self._drop(to, changes)
        if is_beat:
            store.current().put(_KEY, json.dumps(asdict(stands)).encode(), _BEAT_KEPT)

    def _drop(self, to: Connection, changes: set[Change]) -> None:
        libraries = {each.library for each in changes if isinstance(each, LibraryChanged)}
        items = sorted(each.item for each in changes if isinstance(each, ItemChanged))
        is_heard = all(map(response_cache.library_changed, sorted(libraries)))
        if items and Missed() not in changes:
            found = _libraries_of(to, items)
            if found is None:
                changes = {Missed()}
            else:
                is_heard = all(map(response_cache.library_changed, sorted(found - libraries))) and is_heard
        if Missed() in changes:
            is_heard = response_cache.drop([response_cache.EVERYTHING])
        if is_heard:
            self._not_before = time.monotonic() + APART
        else:
            self._note_again(changes)
        if is_heard != self._is_heard:
            self._is_heard = is_heard
            log.warning(
                "Redis has been told what changed"
                if is_heard
                else "Redis cannot be told what changed: it is kept until it can"
            )

    def _note_again(self, changes: Iterable[Change]) -> None:
        with self._woken:
            self._note(changes, TOLD_AGAIN)

    def _note(self, changes: Iterable[Change], wait: float) -> None:
        noted = self._told.union(changes)
        if noted and not self._told:
            self._due = max(time.monotonic() + wait, self._not_before)
        self._told = noted if len(noted) <= MOST else {Missed()}
        self._woken.notify()


def _configured() -> Connection | None:
    # No request ends here, so nobody else would close a database connection that broke.
    close_old_connections()
    return connection.current()


def _libraries_of(to: Connection, items: list[str]) -> set[str] | None:
    try:
        return Plex(to, min(LOOKED_UP, to.seconds)).libraries_of(items)
    except Problem:
        return None
