"""The last check of Plex: it runs in a thread of its own, and all workers learn of its result."""

import json
import time
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

from medianest import store
from medianest.monitoring.background_check import BackgroundCheck
from medianest.store import Overview
from plex_integration.configuration.connection import Connection
from plex_integration.plex import diagnose

EVERY_SECONDS = 5.0
PATIENCE_SECONDS = 0.5
"""How long a page waits for a check that has just begun."""
MAX_SECONDS = 2.0


@dataclass(frozen=True)
class PlexCheck:
    """What a check found, and since when it is so, in epoch seconds."""

    is_connected: bool
    message: str
    since: float
    age: float = 0.0


def refresh(connection: Connection) -> PlexCheck | None:
    """Check Plex if the last check of this process is old; return its result, or None."""
    check = _check_of(connection)
    return check.latest(connection, every=EVERY_SECONDS, patience=PATIENCE_SECONDS)


def forget() -> None:
    """Forget the checks of this process."""
    _check_of.cache_clear()


def known(connection: Connection, overview: Overview) -> PlexCheck | None:
    """Return what the last check of any worker found, without checking."""
    report = overview.reports.get(_name(connection))
    try:
        return replace(PlexCheck(**json.loads(report.text)), age=report.age) if report else None
    except (ValueError, TypeError):
        return None  # of a version that reports something else


def _checked(connection: Connection) -> PlexCheck:
    shared = store.current()
    before = known(connection, shared.overview(connection.server))
    diagnosis = diagnose(connection, MAX_SECONDS)
    found = PlexCheck(diagnosis.is_connected, diagnosis.message, time.time())
    if before and before.is_connected == found.is_connected:
        found = replace(found, since=before.since)
    shared.reports.write(_name(connection), json.dumps(asdict(found)))
    return found


def _name(connection: Connection) -> str:
    return f"plex:{connection.server}"


@lru_cache(maxsize=8)
def _check_of(connection: Connection) -> BackgroundCheck[PlexCheck]:
    # A changed token has a check of its own, so that the operator sees at once whether it works.
    return BackgroundCheck("plex-status", _checked)
