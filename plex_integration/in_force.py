"""What is in force now: the connection and the values of the policies, as this process knows them.

A process keeps one frozen picture of the admin's rows, and a request reads that. Whether it still
holds is told by the versions of the cache's tags, which all workers share: saving gives the tag
`settings` a new one. They are compared at most once in `GOOD_FOR` seconds, and not while nobody
asks: one small read of Redis a second, however many requests there are, and none of the database
until something changed. So a change is in force everywhere within `GOOD_FOR` seconds, also where
nothing was asked for hours. Without Redis, or while it is away, the rows are read that often.
"""

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError

from plex_integration import store
from plex_integration.policies import Limit, Policy

if TYPE_CHECKING:
    from plex_integration.connection import Connection
    from plex_integration.models import PlexConnection

log = logging.getLogger(__name__)

SETTINGS = "settings"

GOOD_FOR = 1.0
# A change that nobody could tell of, by a hand in the database or a process that died, is found.
READ_AGAIN = 60.0


@dataclass(frozen=True)
class Picture:
    """The rows as they were read, at a moment of `time.monotonic()`, under the tags' versions."""

    version: str | None = None
    at: float = 0.0
    connection: "Connection | None" = None
    seconds: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)


_lock = threading.Lock()
_picture: Picture | None = None
_good_until = 0.0


def ttl(policy: Policy) -> int:
    """Return the seconds that a policy's answers are fresh now."""
    return current().seconds.get(policy.name, policy.ttl)


def requests(limit: Limit) -> int:
    """Return how many requests a limit allows in its window now."""
    return current().requests.get(limit.scope, limit.requests)


def current() -> Picture:
    """Return what is in force. Raises DatabaseError where it was never known and cannot be read."""
    picture = _picture
    if picture is not None and time.monotonic() < _good_until:
        return picture
    return _looked_again()


def forget() -> None:
    """Read the rows again before the next use: nobody goes on with what they were."""
    global _picture, _good_until
    with _lock:
        _picture, _good_until = None, 0.0


def _looked_again() -> Picture:
    global _picture, _good_until
    picture = _picture
    # While one thread looks the others go on with what they have, if they have anything.
    if not _lock.acquire(blocking=picture is None):
        assert picture is not None  # noqa: S101 - it would have waited
        return picture
    try:
        picture, now = _picture, time.monotonic()
        if picture is not None and now < _good_until:
            return picture
        # The version first: what is read after it is as new as it says, or newer.
        version = _version()
        is_good = picture is not None and version is not None and version == picture.version
        if picture is None or not is_good or now - picture.at >= READ_AGAIN:
            try:
                picture = _read(version)
            except DatabaseError as error:
                if picture is None:
                    raise
                log.warning("the settings cannot be read again: %s", type(error).__name__)
        _picture, _good_until = picture, now + GOOD_FOR
        return picture
    finally:
        _lock.release()


def _version() -> str | None:
    """Return what changes with every change of the rows; None where nothing tells."""
    if not settings.REDIS_URL:
        return None
    versions = store.current().look(None).versions
    try:
        found = json.loads(versions) if versions else None
    except ValueError:
        found = None
    # A Redis that began anew has another base: what it knew of changes is lost.
    return f"{found.get('base')} {found.get(SETTINGS)}" if isinstance(found, dict) else None


def _read(version: str | None) -> Picture:
    change = apps.get_model("plex_integration", "PolicyChange")
    values: dict[str, dict[str, int]] = {"ttl": {}, "rate": {}}
    for kind, name, value in change.objects.values_list("kind", "name", "value"):
        values.setdefault(kind, {})[name] = value
    return Picture(version, time.monotonic(), _connection(), values["ttl"], values["rate"])


def _connection() -> "Connection | None":
    rows = apps.get_model("plex_integration", "PlexConnection").objects
    row = rows.first()
    if row is None and settings.PLEX_URL and settings.PLEX_TOKEN:
        # The first start: from now on the row rules. Another process may have been as quick.
        rows.bulk_create([seed()], ignore_conflicts=True)
        row = rows.first()
    found: Connection | None = row.connection() if row else None
    return found


def seed() -> "PlexConnection":
    """Return the row as the environment names it, not saved."""
    model = apps.get_model("plex_integration", "PlexConnection")
    row: PlexConnection = model(
        pk=1,
        url=settings.PLEX_URL,
        seconds=settings.PLEX_TIMEOUT,
        show_file_paths=settings.PLEX_SHOW_FILE_PATHS,
        tls=model.Tls.VERIFY if settings.PLEX_VERIFY_TLS else model.Tls.ACCEPT,
    )
    if isinstance(settings.PLEX_VERIFY_TLS, str):
        row.tls, row.authority = model.Tls.OWN_CA, Path(settings.PLEX_VERIFY_TLS).read_text()
    row.token = settings.PLEX_TOKEN
    return row
