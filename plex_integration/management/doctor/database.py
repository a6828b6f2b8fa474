"""Whether the database can be read and written, is up to date, and has room for all workers."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from plex_integration.admin.labels import counted
from plex_integration.admin.service import dependencies, machine
from plex_integration.admin.service.database import facts, pending_migrations
from plex_integration.admin.service.lines import Line, State
from plex_integration.management.doctor import services

MOUNTS = Path("/proc/self/mounts")
_NETWORK_FILE_SYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "ceph",
    "gluster",
    "fuse.sshfs",
    "lustre",
    "afs",
)
_OTHER_THREADS = 3
"""Those of a worker that may hold a connection besides: two check passwords, one polls plex.tv."""
_OTHER_CONNECTIONS = 3
"""Those of the listener, of a command such as this one, and of a sign-in to the shell."""
_CONNECTIONS = """
SELECT LEAST(
    current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - COALESCE(current_setting('reserved_connections', true), '0')::int,
    NULLIF(datconnlimit, -1),
    NULLIF(rolconnlimit, -1)
), pg_is_in_recovery()
FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user
"""
"""How many connections the service's user may have, and whether the server is a standby."""


def lines() -> Iterator[Line]:
    """Return the lines about the database."""
    try:
        pending = pending_migrations()
    except DatabaseError as error:
        yield _unavailable(error)
        return
    yield dependencies.migrations(pending)
    if not pending:
        yield from _usable()


def _usable() -> Iterator[Line]:
    try:
        about = facts()
        yield dependencies.database(about)
        if clocks := machine.clocks(database=about.clock):
            yield clocks
        wrong = list(_sqlite() if connection.vendor == "sqlite" else _postgresql())
    except DatabaseError as error:
        yield _unavailable(error)
        return
    if wrong:
        yield Line("Database", State.ATTENTION, wrong)


def _unavailable(error: DatabaseError) -> Line:
    """Return the line of a database that cannot be used, without PostgreSQL's own message."""
    about = settings.DATABASES["default"]
    if connection.vendor == "sqlite":
        file = about["NAME"]
        text = (
            f"{file} cannot be used ({_reason(error)}). The user of the service needs the right to "
            "write the file and its folder, and no other process may hold a lock."
        )
    else:
        place = f"{about['HOST'] or 'localhost'}:{about['PORT'] or 5432}"
        text = (
            f"PostgreSQL at {place} cannot be used ({type(error).__name__}). Check that it runs, "
            "and user, password and name in DATABASE_URL."
        )
    return Line("Database", State.PROBLEM, [text])


def _reason(error: DatabaseError) -> str:
    """Return SQLite's own words, which hold no value."""
    return str(error).partition("\n")[0]


def _sqlite() -> Iterator[str]:
    _write()
    kind = _file_system(Path(str(connection.settings_dict["NAME"])).resolve())
    if kind.startswith(_NETWORK_FILE_SYSTEMS):
        yield (
            f"The SQLite file is on a network file system ({kind}), where its locks do not work. "
            "Move it to a local disk, or use PostgreSQL."
        )


def _write() -> None:
    """Write what is there already, and take it back. Raises DatabaseError."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("PRAGMA user_version")
        cursor.execute(f"PRAGMA user_version = {cursor.fetchone()[0]:d}")
        transaction.set_rollback(True)


def _file_system(path: Path) -> str:
    """Return the type of the file system that holds a file; "" where the system does not say."""
    if not MOUNTS.is_file():
        return ""
    mounts = [line.split() for line in MOUNTS.read_text().splitlines()]
    holding = [each for each in mounts if path.is_relative_to(each[1].replace("\\040", " "))]
    return max(holding, key=lambda each: len(each[1]))[2] if holding else ""


def _postgresql() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        allowed, is_standby = cursor.fetchone()
    if is_standby:
        yield "PostgreSQL is a standby server, which cannot be written. Name the primary server."
    workers = services.number_of_workers()
    each = settings.GENERAL_THREADS + settings.WAITING_THREADS + _OTHER_THREADS
    needed = workers * each + _OTHER_CONNECTIONS
    if allowed < needed:
        yield (
            f"PostgreSQL accepts {allowed} connections of this user, but "
            f"{counted(workers, 'worker')} may need {needed}. Raise max_connections, or the limit "
            "of the user or database, or set fewer GENERAL_THREADS and WAITING_THREADS."
        )
