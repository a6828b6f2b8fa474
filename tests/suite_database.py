"""The database that the whole suite uses: SQLite, or with TEST_DATABASE=postgresql PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase

from tests.databases import Databases, Execute, SqliteDatabases
from tests.environment import IS_POSTGRESQL
from tests.postgresql import PostgreSQL, started


class PostgresDatabases(Databases):
    """Databases of a server that runs for all tests of this process."""

    def __init__(self, server: PostgreSQL) -> None:
        self._server, self._numbers = server, count(1)
        self._reset = ""

    def prepare(self, settings: dict[str, Any]) -> None:
        settings["PORT"] = str(self._server.port)

    def begin(self) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            tables = [name for (name,) in cursor.fetchall()]
            filled = [each for each in tables if _has_rows(cursor, each)]
            cursor.execute("CREATE SCHEMA first")
            for each in filled:
                cursor.execute(f"CREATE TABLE first.{each} AS TABLE {each}")
        empty = ", ".join(sorted({*tables} - {*filled}))
        # Tests delete rows that came with the migrations, but change and add none.
        restored = [
            f"INSERT INTO {each} SELECT * FROM first.{each} ON CONFLICT DO NOTHING"
            for each in filled
        ]
        self._reset = ";".join([f"TRUNCATE {empty} RESTART IDENTITY", *restored])

    def reset(self) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute(self._reset)

    def save(self) -> str:
        copy = self._create()
        self._server.dump(connections["default"].settings_dict["NAME"], copy)
        return self._server.address(copy)

    def copy(self, address: str) -> str:
        return self._server.address(self._create(f"TEMPLATE {_name(address)}"))

    @contextmanager
    def rows(self, address: str) -> Iterator[Execute]:
        with closing(self._server.connect(_name(address))) as connection:

            def execute(statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
                cursor = connection.execute(statement.encode(), values)
                return cursor.fetchall() if cursor.description else []

            yield execute

    def _create(self, options: str = "") -> str:
        name = f"copy_{next(self._numbers)}"
        with closing(self._server.connect()) as connection:
            connection.execute(f"CREATE DATABASE {name} {options}".encode())
        return name


def _has_rows(cursor: Any, table: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")
    return bool(cursor.fetchone()[0])


def _name(address: str) -> str:
    return address.rpartition("/")[2]


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    if IS_POSTGRESQL:
        with started() as server:
            yield PostgresDatabases(server)
    else:
        yield SqliteDatabases(tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Do not drop the database at the end: it goes with its folder or server."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(databases: Databases) -> None:
    databases.prepare(connections["default"].settings_dict)


@pytest.fixture(scope="session", autouse=True)
def database_first(
    databases: Databases, django_db_setup: None, django_db_blocker: Any
) -> Iterator[None]:
    """Create the database before the server starts, and reset it quickly after a test.

    A server that starts earlier shares one connection among its threads, as it does for a database
    in memory.
    """
    with pytest.MonkeyPatch.context() as at:
        with django_db_blocker.unblock():
            call_command("migrate", verbosity=0)  # where no test of this run needs the database
            databases.begin()
        at.setattr(TransactionTestCase, "_fixture_teardown", lambda _: databases.reset())
        yield
