"""Connections to an SQLite file that wait for a lock only once, and notice a replaced file.

A connection stays open for a minute after its last use. If another file takes the place of the
database meanwhile, such as a restored backup, the connection would go on with the old one, which
has no name any more.
"""

import sqlite3
from typing import Any

from django.db.backends.sqlite3 import base

from medianest.database.sqlite.file import Identity, file_identity
from medianest.database.sqlite.lock_wait import LockWait

lock_wait = LockWait()


class BoundedConnection(sqlite3.Connection):
    """A connection whose statements wait for locks as long as `lock_wait` lets them."""

    longest_wait: float
    current_wait: float

    def adjust_wait(self) -> None:
        """Let the next statement wait as long as it may now."""
        wait = lock_wait.seconds(self.longest_wait)
        if wait != self.current_wait:
            self.execute(f"PRAGMA busy_timeout = {round(wait * 1000)}")
            self.current_wait = wait


class BoundedCursor(base.SQLiteCursorWrapper):
    """A cursor of such a connection."""

    connection: BoundedConnection

    def execute(self, *arguments: Any) -> Any:
        self.connection.adjust_wait()
        with lock_wait.observed():
            return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        self.connection.adjust_wait()
        with lock_wait.observed():
            return super().executemany(*arguments)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite backend with bounded waits, on the file that has the database's name now."""

    _identity: Identity = None

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "factory": BoundedConnection}

    def get_new_connection(self, conn_params: dict[str, Any]) -> BoundedConnection:
        longest: float = conn_params["timeout"]
        wait = lock_wait.seconds(longest)
        # Before it is opened: a file that takes its place meanwhile differs from this one.
        identity = self._file_identity()
        with lock_wait.observed():
            connection: BoundedConnection = super().get_new_connection(
                {**conn_params, "timeout": wait}
            )
        connection.longest_wait, connection.current_wait = longest, wait
        self._identity = identity or self._file_identity()
        return connection

    def create_cursor(self, name: str | None = None) -> BoundedCursor:
        cursor: BoundedCursor = self.connection.cursor(factory=BoundedCursor)
        return cursor

    def ensure_connection(self) -> None:
        """Connect if there is no connection, or none to the file of this name."""
        self._close_if_replaced()
        super().ensure_connection()

    def close_if_unusable_or_obsolete(self) -> None:
        """Close a connection that is not used any more.

        Django would connect to the file that took the place of its own, before and after a request,
        where an error of the database has no response.
        """
        self._close_if_replaced()
        super().close_if_unusable_or_obsolete()

    def _close_if_replaced(self) -> None:
        if self.connection is not None and not self.in_atomic_block and self._is_replaced():
            self.close()

    def _is_replaced(self) -> bool:
        identity = self._file_identity()
        return identity is not None and identity != self._identity

    def _file_identity(self) -> Identity:
        return file_identity(str(self.settings_dict["NAME"]))
