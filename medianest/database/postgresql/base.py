"""Connections to PostgreSQL that do not wait for ever for a server that says nothing.

A server whose processes hang (stopped, a frozen disk, a suspended machine) still has a kernel that
acknowledges what it receives. So libpq's `tcp_user_timeout` and keepalives notice nothing, and the
server's own `statement_timeout` does not run. (It would also need `options`, which PgBouncer
refuses.) A request would wait until the server goes on, and hold a thread.

Therefore each wait for a response ends after `response_timeout` seconds (in `OPTIONS`), and the
connection is closed. That also covers a machine or a network that is gone.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.errors import _WaitTimeout

from medianest.database.postgresql.availability import Availability

availability = Availability()


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed if the server does not respond in time."""

    response_timeout: float

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Wait as psycopg does, which does everything after connecting by this method."""
        try:
            return super().wait(gen, *arguments, **{"timeout": self.response_timeout, **options})
        except _WaitTimeout:
            availability.failed()
            self.close()
            raise psycopg.OperationalError("the database did not respond in time") from None


class _Psycopg:
    """psycopg as Django's backend uses it, but for the function that connects."""

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)

    def connect(self, *, response_timeout: str | float, **parameters: Any) -> BoundedConnection:
        """Connect, unless the server is known to be unavailable. Raises OperationalError."""
        if not availability.may_connect():
            raise psycopg.OperationalError("the database did not respond a moment ago")
        try:
            connection = BoundedConnection.connect(**parameters)
        except psycopg.OperationalError:
            availability.failed()
            raise
        availability.succeeded()
        connection.response_timeout = float(response_timeout)
        return connection


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's PostgreSQL backend with bounded connections."""

    Database = _Psycopg()  # type: ignore[assignment]
