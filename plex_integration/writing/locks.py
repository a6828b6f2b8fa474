"""Locks of writes, in the database: no other write to the same list runs at the same time.

All workers and machines share the database, and no write can do without it: it holds the users and
their rights. Redis can be unavailable for one worker and not for another, and each would then get a
lock of its own. A lock is one row that expires, so that a worker that dies releases its locks.
"""

import logging

from django.db import DatabaseError, connection, models

log = logging.getLogger(__name__)

# The database's own clock, in seconds: the machines' clocks may differ.
_NOW = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400)",
    "postgresql": "extract(epoch FROM clock_timestamp())",
}
_LOCK = """
    INSERT INTO plex_integration_writelock AS held (name, holder, expires)
    VALUES (%s, %s, {now} + %s)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
    WHERE held.expires <= {now}
"""
_DELETE_EXPIRED = "DELETE FROM plex_integration_writelock WHERE expires <= {now}"


class WriteLock(models.Model):
    """A lock that is held, or was until `expires`, in seconds since the epoch."""

    name = models.CharField(max_length=255, primary_key=True)
    holder = models.CharField(max_length=32)
    expires = models.FloatField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


def lock(name: str, holder: str, seconds: float) -> bool:
    """Acquire a lock that nobody holds, for so long; tell whether it is acquired.

    Raises DatabaseError.
    """
    with connection.cursor() as cursor:
        cursor.execute(_with_clock(_LOCK), [name, holder, seconds])
        acquired: int = cursor.rowcount
    return acquired == 1


def unlock(name: str, holder: str) -> None:
    """Release a lock, if this holder still has it. It expires by itself if that is impossible."""
    try:
        WriteLock.objects.filter(name=name, holder=holder).delete()
    except DatabaseError as error:
        # The write has been carried out, and its response must say so.
        log.warning("a lock is not released before it expires: %s", type(error).__name__)


def delete_expired() -> None:
    """Delete the locks of workers that died. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(_with_clock(_DELETE_EXPIRED))


def _with_clock(statement: str) -> str:
    return statement.format(now=_NOW[connection.vendor])
