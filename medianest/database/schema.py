"""Recognize the errors of a database that is not migrated, and say once what to do."""

import logging
from functools import cache

from django.db import OperationalError, ProgrammingError
from psycopg.errors import UndefinedColumn, UndefinedTable

log = logging.getLogger(__name__)

_SQLITE_MESSAGES = ("no such table", "no such column", "has no column")


def is_outdated(error: BaseException | None) -> bool:
    """Tell whether an error of the database says that a table or a column is missing."""
    if isinstance(error, ProgrammingError):
        return isinstance(error.__cause__, UndefinedTable | UndefinedColumn)
    is_sqlite = isinstance(error, OperationalError)
    return is_sqlite and any(each in str(error) for each in _SQLITE_MESSAGES)


@cache
def report_outdated() -> None:
    """Log what to do; only the first call in this process does anything."""
    log.error("The database lacks a table or a column. Run manage.py migrate.")
