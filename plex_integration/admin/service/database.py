"""What the database says about itself, and which migrations it has not received."""

import os
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from cachetools.func import ttl_cache
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from medianest.clocks import seconds_ahead

MIGRATIONS_SECONDS = 10
"""For how long a process remembers which migrations are pending."""

_SQLITE_FILES = ("", "-wal", "-shm")
_FACTS = "SELECT pg_database_size(current_database()), extract(epoch FROM clock_timestamp())"


@dataclass(frozen=True)
class DatabaseFacts:
    """The database's kind and version, its bytes, and the seconds that a query took.

    `clock` is how many seconds its clock is ahead of this machine's, at least; None if it has no
    clock.
    """

    kind: str
    size: int
    seconds: float
    clock: float | None = None


def facts() -> DatabaseFacts:
    """Return what the database says about itself. Raises DatabaseError."""
    began = time.perf_counter()
    # Of a table: SQLite answers everything else also while its file is locked.
    get_user_model().objects.exists()
    seconds = time.perf_counter() - began
    return _sqlite(seconds) if connection.vendor == "sqlite" else _postgresql(seconds)


@ttl_cache(maxsize=1, ttl=MIGRATIONS_SECONDS)
def pending_migrations() -> list[str]:
    """Return the migrations that the database has not received. Raises DatabaseError."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in _migrations() if (app, name) not in applied)


@cache
def _migrations() -> list[tuple[str, str]]:
    return list(MigrationLoader(None).disk_migrations)


def _sqlite(seconds: float) -> DatabaseFacts:
    name, size = str(connection.settings_dict["NAME"]), 0
    for suffix in _SQLITE_FILES:
        with suppress(OSError):
            size += os.stat(name + suffix).st_size
    return DatabaseFacts(f"SQLite {sqlite3.sqlite_version}", size, seconds)


def _postgresql(seconds: float) -> DatabaseFacts:
    with connection.cursor() as cursor:
        began = time.time()
        cursor.execute(_FACTS)
        size, clock = cursor.fetchone()
        ended = time.time()
        version = connection.connection.info.parameter_status("server_version")
    ahead = seconds_ahead(float(clock), began, ended)
    return DatabaseFacts(f"PostgreSQL {version}", size, seconds, ahead)
