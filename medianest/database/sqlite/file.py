"""Which file has a database's name now."""

import os

from django.db import connection

Identity = tuple[int, int] | None


def file_identity(name: str) -> Identity:
    """Return what identifies a file; None for one that is missing, and for a database in memory."""
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def database_identity() -> Identity:
    """Return what identifies the file of the database; None where it is not SQLite's."""
    if connection.vendor != "sqlite":
        return None
    return file_identity(str(connection.settings_dict["NAME"]))
