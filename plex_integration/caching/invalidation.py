"""Follow Plex's notifications and invalidate what they change, before its time to live is over.

The calling thread listens and reconnects forever. A second thread invalidates, so that a Redis
that is unavailable stops nobody from listening. Whatever happened before the start, or while the
stream was interrupted, may have changed anything: every new stream clears the cache once. The end
of a stream does not, because expired responses are served while Plex is unavailable. Without a
listener the times to live still hold.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import NoReturn

from django.db import Error, close_old_connections

from medianest import store
from medianest.api.exceptions import Problem
from plex_integration.caching import tags
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.plex import (
    IDS_PER_CALL,
    AnythingChanged,
    Change,
    CollectionChanged,
    ItemChanged,
    LibraryChanged,
    PlexClient,
    listen,
)

log = logging.getLogger(__name__)

# A change takes effect within 2 seconds. Plex sends most changes several times, and thousands of
# them during a scan: they are collected and invalidated together, not more often than this.
COLLECT_SECONDS = 0.3
MIN_INTERVAL = 1.0
# The most seconds to ask Plex for the libraries of items; after that everything is invalidated.
LOOKUP_SECONDS = 0.6
# More changes than this at once invalidate everything.
MAX_CHANGES = IDS_PER_CALL
# How often an invalidation that the store did not receive is repeated.
RETRY_SECONDS = 0.5

FIRST_DELAY, MAX_DELAY = 0.5, 30.0
# After a stream that lasted this long the delays start again at the first.
STABLE_SECONDS = 10.0
# How often the configured connection is checked.
CHECK_SECONDS = 5.0

KEY = "listener"
"""The value in the store that holds the state of the listener."""
_HEARTBEAT, _HEARTBEAT_TTL = 5.0, 15


@dataclass(frozen=True)
class Status:
    """The listener's state: since when (epoch seconds), and when it last received a change.

    `problem` says why it is not listening; it is empty while it listens.
    """

    problem: str
    since: float
    changed: float | None = None


def status() -> Status | None:
    """Return the listener's state; None where none has been running for 15 seconds."""
    (written,) = store.current().read(KEY).values
    return parsed(written)


def parsed(written: bytes | None) -> Status | None:
    """Return the state that is written in the store; None where there is none."""
    try:
        return Status(**json.loads(written)) if written else None
    except (ValueError, TypeError):
        return None


class Listener:
    """Listens to the configured server, forever."""

    def __init__(self) -> None:
        self._invalidator = Invalidator()
        self._failures = 0

    def run(self) -> NoReturn:
        """Listen; when the stream ends, listen again."""
        self._invalidator.start()
        while True:
            began = time.monotonic()
            delay = self._listen()
            if time.monotonic() - began >= STABLE_SECONDS:
                self._failures = 0
            if delay is None:
                # All listeners lose Plex at the same moment; they must not all reconnect at once.
                longest = min(MAX_DELAY, FIRST_DELAY * 2 ** min(self._failures, 10))
                delay = longest * random.uniform(0.5, 1)  # noqa: S311 - no secret
                self._failures += 1
            time.sleep(delay)

    def _listen(self) -> float | None:
        """Listen until the stream ends; return the seconds to wait, or None for the next delay."""
        try:
            connection = _configured()
            if connection is None:
                self._report("no Plex server is configured")
                return CHECK_SECONDS
            read = time.monotonic()
            with closing(listen(connection)) as stream:
                for changes in stream:
                    self._report("")
                    self._invalidator.add(connection, changes)
                    if time.monotonic() - read >= CHECK_SECONDS:
                        read = time.monotonic()
                        if _configured() != connection:
                            self._report("the connection was changed")
                            return 0.0
            self._report("Plex ended the stream")
        except Problem as problem:
            # The text of the cause may hold anything that was sent.
            why = type(problem.__cause__ or problem).__name__
            self._report(f"{problem.detail} ({why})")
        except Error:
            self._report("the database is unavailable")
        except Exception:
            log.exception("listening failed")
            self._report("an internal error, see the log")
        return None

    def _report(self, problem: str) -> None:
        if not self._invalidator.set_problem(problem):
            return
        if problem:
            log.warning("not listening to Plex: %s", problem)
        else:
            log.info("listening to Plex")


class Invalidator(threading.Thread):
    """Invalidates what changed, a little later and together, until the store has received it."""

    def __init__(self) -> None:
        super().__init__(name="invalidator", daemon=True)
        self._woken = threading.Condition()
        self._pending: set[Change] = set()
        self._connection: Connection | None = None
        self._due = 0.0
        self._not_before = 0.0
        self._status = Status("starting", time.time())
        self._heartbeat_at = 0.0
        self._was_received = True

    def add(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Add what changed at a server."""
        with self._woken:
            self._connection = connection
            if set(changes) - {AnythingChanged()}:
                self._status = replace(self._status, changed=time.time())
            self._add(changes, COLLECT_SECONDS)

    def set_problem(self, problem: str) -> bool:
        """Set why the listener is not listening, "" while it is; tell whether that is new."""
        with self._woken:
            if problem == self._status.problem:
                return False
            self._status = replace(self._status, problem=problem, since=time.time())
            self._heartbeat_at = 0.0
            self._woken.notify()
            return True

    def run(self) -> NoReturn:
        """Invalidate what is due, and write the heartbeat."""
        while True:
            try:
                self._step()
            except Exception:
                log.exception("invalidating failed")
                self._add_again({AnythingChanged()})

    def _step(self) -> None:
        with self._woken:
            now = time.monotonic()
            due = self._due if self._pending else self._heartbeat_at
            self._woken.wait(max(0.0, min(due, self._heartbeat_at) - now))
            now = time.monotonic()
            changes: set[Change] = set()
            if self._pending and self._due <= now:
                changes, self._pending = self._pending, set()
            is_heartbeat = self._heartbeat_at <= now
            if is_heartbeat:
                self._heartbeat_at = now + _HEARTBEAT
            status, connection = self._status, self._connection
        if changes and connection:
            self._invalidate(connection, changes)
        if is_heartbeat:
            written = json.dumps(asdict(status)).encode()
            store.current().values.set(KEY, written, _HEARTBEAT_TTL)

    def _invalidate(self, connection: Connection, changes: set[Change]) -> None:
        was_received = self._invalidated(connection, changes)
        if was_received:
            self._not_before = time.monotonic() + MIN_INTERVAL
        else:
            self._add_again(changes)
        if was_received != self._was_received:
            self._was_received = was_received
            log.warning(
                "Redis has received the pending invalidations"
                if was_received
                else "Redis cannot receive invalidations: they are repeated until it can"
            )

    def _invalidated(self, connection: Connection, changes: set[Change]) -> bool:
        """Invalidate what these changes touch; tell whether the store received all of it."""
        libraries = {each.library for each in changes if isinstance(each, LibraryChanged)}
        server = connection.server
        was_received = _invalidate_libraries(server, libraries)
        if AnythingChanged() in changes:
            return tags.invalidate(server, [tags.SERVER])
        items = sorted(each.item for each in changes if isinstance(each, ItemChanged))
        collections = sorted(
            each.collection for each in changes if isinstance(each, CollectionChanged)
        )
        found = _libraries_of(connection, items + collections)
        if found is None:
            return tags.invalidate(server, [tags.SERVER])
        changed = {found[key] for key in items} - libraries
        was_received = _invalidate_libraries(server, changed) and was_received
        return _invalidate_collections(server, collections, found) and was_received

    def _add_again(self, changes: Iterable[Change]) -> None:
        with self._woken:
            self._add(changes, RETRY_SECONDS)

    def _add(self, changes: Iterable[Change], wait: float) -> None:
        pending = self._pending.union(changes)
        if pending and not self._pending:
            self._due = max(time.monotonic() + wait, self._not_before)
        self._pending = pending if len(pending) <= MAX_CHANGES else {AnythingChanged()}
        self._woken.notify()


def _invalidate_libraries(server: str, keys: Iterable[str]) -> bool:
    # All of them, also where the store did not receive one.
    received = [tags.invalidate_library(server, key) for key in sorted(keys)]
    return all(received)


def _invalidate_collections(server: str, keys: Iterable[str], libraries: Mapping[str, str]) -> bool:
    received = [
        tags.invalidate(server, tags.Written(collection=key, library=libraries[key]).tags())
        for key in keys
    ]
    return all(received)


def _configured() -> Connection | None:
    # No request ends here, so nothing else would close a broken database connection.
    close_old_connections()
    return runtime.current().connection


def _libraries_of(connection: Connection, keys: Sequence[str]) -> Mapping[str, str] | None:
    """Return the library of each item or collection, or None if that of any is unknown."""
    if not keys:
        return {}
    try:
        seconds = min(LOOKUP_SECONDS, connection.seconds)
        found = PlexClient(connection, seconds).libraries_of(keys)
    except Problem:
        return None
    return found if found.keys() == set(keys) else None
