"""The current settings: the connection, the changed policy values and the rules for viewers.

A process holds one frozen snapshot of the operator's rows, and requests read that. All workers
share the versions of the cache tags; saving a row gives the tag `SETTINGS` a new version
(`changes`). A process compares its snapshot with that version at most once in `CHECK_SECONDS`, and
only while requests come in: one small read of Redis a second, and no database query until
something changed. So a change takes effect everywhere within `CHECK_SECONDS`. Without Redis, or
while it is unavailable, the rows are read that often instead.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from medianest import store
from medianest.api import limits
from medianest.api.limits import Limit
from medianest.database.sqlite.file import Identity, database_identity
from medianest.store import EVERYTHING, TagVersions
from plex_integration.configuration.connection import Connection
from plex_integration.configuration.models import PlexConnection, PolicyChange, ViewerSettings
from plex_integration.configuration.viewer_rules import ViewerRules
from plex_integration.errors import PlexServerUnavailable
from plex_integration.policies import Policy

log = logging.getLogger(__name__)

SETTINGS = "settings"

CHECK_SECONDS = 1.0
# Finds changes that were not announced: made by hand, or by a process that died.
READ_AGAIN_SECONDS = 60.0


@dataclass(frozen=True)
class Snapshot:
    """The rows as they were read at a moment of `time.monotonic()`, and the version they had.

    `database` is the SQLite file that they were read from.
    """

    version: str | None = None
    at: float = 0.0
    database: Identity = None
    connection: Connection | None = None
    ttls: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    viewers: ViewerRules = field(default_factory=ViewerRules)


_lock = threading.Lock()
_snapshot: Snapshot | None = None
_checked_until = 0.0


def ttl(policy: Policy) -> int:
    """Return for how many seconds a policy's responses are fresh now."""
    return current().ttls.get(policy.name, policy.ttl)


def requests_allowed(limit: Limit) -> int:
    """Return how many requests a limit allows in its window now."""
    return current().requests.get(limit.scope, limit.requests)


limits.use_requests(requests_allowed)


def required_connection() -> Connection:
    """Return the configured Plex server. Raises PlexServerUnavailable where there is none."""
    connection = current().connection
    if connection is None:
        raise PlexServerUnavailable("No Plex server is configured.")
    return connection


def current() -> Snapshot:
    """Return the current snapshot.

    Raises DatabaseError where there is none yet and the rows cannot be read.
    """
    snapshot = _snapshot
    if snapshot is not None and time.monotonic() < _checked_until:
        return snapshot
    return _checked()


def held() -> Snapshot | None:
    """Return the snapshot that this process holds, without reading anything."""
    return _snapshot


def must_read(snapshot: Snapshot) -> bool:
    """Tell whether a snapshot may be out of date and nothing but reading the rows would show it."""
    return snapshot.version is None and time.monotonic() >= _checked_until


def should_read(snapshot: Snapshot) -> bool:
    """Tell whether the rows should be read again to find changes that were not announced."""
    return time.monotonic() - snapshot.at >= READ_AGAIN_SECONDS


def is_current(snapshot: Snapshot, versions: TagVersions) -> bool:
    """Tell whether a snapshot has the version that the store names; if not, `current` reads it."""
    global _checked_until
    if snapshot.version is None or snapshot.version == _version(versions):
        return True
    # Without the lock, which may be held during a query: this must not block.
    _checked_until = 0.0
    return False


def queue_seconds() -> float:
    """Return how long a request may wait for a thread: half of the time that it has for Plex."""
    connection = _snapshot.connection if _snapshot else None
    return (connection.seconds if connection else settings.PLEX_TIMEOUT) / 2


def reload() -> None:
    """Discard the snapshot: the next use reads the rows."""
    global _snapshot, _checked_until
    with _lock:
        _snapshot, _checked_until = None, 0.0


def _checked() -> Snapshot:
    """Return the snapshot after comparing its version with the store's."""
    global _snapshot, _checked_until
    snapshot = _snapshot
    # While one thread checks, the others use the snapshot they have, if there is one.
    if not _lock.acquire(blocking=snapshot is None):
        assert snapshot is not None  # noqa: S101 - the acquire would have blocked
        return snapshot
    try:
        snapshot, now = _snapshot, time.monotonic()
        if snapshot is None or now >= _checked_until:
            _snapshot = snapshot = _renewed(snapshot, now)
            _checked_until = now + CHECK_SECONDS
        return snapshot
    finally:
        _lock.release()


def _renewed(snapshot: Snapshot | None, now: float) -> Snapshot:
    # The version is read first: rows that are read after it are as new as it says, or newer.
    version = _shared_version()
    is_recent = snapshot is not None and _is_recent(snapshot, now)
    if snapshot and is_recent and version is not None and version == snapshot.version:
        return snapshot
    try:
        return _read(version)
    except DatabaseError as error:
        if snapshot is None:
            raise
        log.warning("the settings cannot be read again: %s", type(error).__name__)
        return snapshot


def _is_recent(snapshot: Snapshot, now: float) -> bool:
    # A restored backup announces no change.
    is_same_file = snapshot.database == database_identity()
    return is_same_file and now - snapshot.at < READ_AGAIN_SECONDS


def _shared_version() -> str | None:
    """Return what changes with every change of the rows; None where no store says so."""
    if not settings.REDIS_URL:
        return None
    versions = store.current().read().tags
    if versions.raw is None:
        return None
    return _version(versions)


def _version(versions: TagVersions) -> str:
    # A restarted Redis has another base: it has lost what it knew about changes.
    shared = versions.shared
    return f"{shared.get(EVERYTHING)} {shared.get(SETTINGS)}"


def _read(version: str | None) -> Snapshot:
    database, at = database_identity(), time.monotonic()
    values: dict[str, dict[str, int]] = {"ttl": {}, "rate": {}}
    for kind, name, value in PolicyChange.objects.values_list("kind", "name", "value"):
        values.setdefault(kind, {})[name] = value
    row = ViewerSettings.objects.first()
    viewers = row.rules() if row else ViewerRules()
    return Snapshot(version, at, database, _connection(), values["ttl"], values["rate"], viewers)


def _connection() -> Connection | None:
    rows = PlexConnection.objects
    row = rows.first()
    if row is None and settings.PLEX_URL:
        # The first start: from now on the row is used. Another process may create it first. An
        # address without a token waits there for the operator.
        rows.bulk_create([connection_from_environment()], ignore_conflicts=True)
        row = rows.first()
    return row.connection() if row else None


def connection_from_environment() -> PlexConnection:
    """Return the row that the environment describes, not saved."""
    row = PlexConnection(
        pk=1,
        url=settings.PLEX_URL,
        seconds=settings.PLEX_TIMEOUT,
        show_file_paths=settings.PLEX_SHOW_FILE_PATHS,
        tls=PlexConnection.Tls.VERIFY if settings.PLEX_VERIFY_TLS else PlexConnection.Tls.ACCEPT,
    )
    if isinstance(settings.PLEX_VERIFY_TLS, str):
        row.tls = PlexConnection.Tls.OWN_CA
        row.authority = Path(settings.PLEX_VERIFY_TLS).read_text()
    row.token = settings.PLEX_TOKEN
    return row
