"""Delete what has expired: tokens, sessions, PINs, locks, and old entries of the audit."""

import logging
import time
from typing import NoReturn

from django.core.management import call_command
from django.db import DatabaseError, connection

from accounts import audit
from plex_integration.linking import pins
from plex_integration.writing import locks

log = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600.0
RETRY_SECONDS = 600.0
"""How soon the deletion is tried again after the database failed."""


def delete_expired() -> None:
    """Delete expired tokens, sessions, PINs, locks of workers that died, and audit entries."""
    call_command("flushexpiredtokens")
    call_command("clearsessions")
    locks.delete_expired()
    pins.delete_expired()
    audit.delete_expired()


def delete_daily(first_in: float) -> NoReturn:
    """Delete what has expired after so many seconds, and once a day from then on."""
    time.sleep(first_in)
    while True:
        time.sleep(attempt())


def attempt() -> float:
    """Delete what has expired; return after how many seconds to do it again."""
    try:
        delete_expired()
    except DatabaseError as error:
        log.warning("expired tokens and sessions are not deleted: %s", type(error).__name__)
        return RETRY_SECONDS
    finally:
        connection.close()
    return DAY_SECONDS
