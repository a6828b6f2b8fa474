"""The databases of the tests: that of this process, and copies of it for services."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from django.db import connections

Execute = Callable[..., list[tuple[Any, ...]]]
"""Runs a statement with `%s` for each value, and returns the rows."""


class Databases(Protocol):
    """The database of this process and its copies, which have addresses like DATABASE_URL."""

    def prepare(self, settings: dict[str, Any]) -> None:
        """Complete the settings of the database before Django creates it."""

    def begin(self) -> None:
        """Remember the database of this process, which has its tables and no more."""

    def reset(self) -> None:
        """Make the database of this process as it was at the beginning."""

    def save(self) -> str:
        """Copy the database of this process; return the copy's address."""

    def copy(self, address: str) -> str:
        """Copy a database that nobody uses; return the copy's address."""

    def rows(self, address: str) -> AbstractContextManager[Execute]:
        """Open a copy, and commit each statement."""


class SqliteDatabases(Databases):
    """Files in a folder.

    Django resets a database by deleting all rows and creating every permission again, which takes
    longer than most tests. Copying an empty database over it takes a millisecond.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, count(1)
        self._empty = sqlite3.connect(":memory:")

    def prepare(self, settings: dict[str, Any]) -> None:
        # A file: the server's threads cannot share a database in memory.
        settings["TEST"]["NAME"] = str(self._folder / "test.sqlite3")

    def begin(self) -> None:
        self._current().backup(self._empty)

    def reset(self) -> None:
        self._empty.backup(self._current())

    def save(self) -> str:
        file = self._new_file()
        with contextlib.closing(sqlite3.connect(file)) as copy:
            self._current().backup(copy)
        return f"sqlite:///{file}"

    def copy(self, address: str) -> str:
        return f"sqlite:///{shutil.copy(path_of(address), self._new_file())}"

    @contextlib.contextmanager
    def rows(self, address: str) -> Iterator[Execute]:
        with contextlib.closing(sqlite3.connect(path_of(address), isolation_level=None)) as copy:

            def execute(statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
                return copy.execute(statement.replace("%s", "?"), values).fetchall()

            yield execute

    def _current(self) -> sqlite3.Connection:
        database = connections["default"]
        database.ensure_connection()
        current: sqlite3.Connection = database.connection
        return current

    def _new_file(self) -> Path:
        return self._folder / f"copy-{next(self._numbers)}.sqlite3"


def path_of(address: str) -> Path:
    """Return the file of an SQLite database."""
    return Path(address.removeprefix("sqlite:///"))
