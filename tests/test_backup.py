"""The commands for backup and restore that the documentation shows, while the service is used."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import requests

from plex_simulator import Simulator
from tests.admin.test_workers import Operator
from tests.docs.pages import ROOT, blocks
from tests.postgresql import DATABASE, PostgreSQL, started
from tests.service import HOST, OPERATOR, PASSWORD, House, Service

POLICIES = "/admin/plex_integration/policychange/"
CONNECTION = "/admin/plex_integration/plexconnection/"
CREDENTIALS = {"username": OPERATOR, "password": PASSWORD}
NO_PLEX = {"PLEX_URL": "", "PLEX_TOKEN": ""}


def documented(first_word: str) -> str:
    """Return the block of commands on the page that begins with this word."""
    page = ROOT / "docs" / "deployment.md"
    (text,) = [each.text for each in blocks(page) if each.text.startswith(first_word)]
    return text


@pytest.fixture
def server(_postgresql: PostgreSQL) -> PostgreSQL:
    return _postgresql


@dataclass
class Place:
    """A folder in which a reader runs the commands of the documentation."""

    folder: Path
    environment: dict[str, str]

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / "manage.py").symlink_to(ROOT / "manage.py")

    def run(self, command: str) -> None:
        script = f"set -e\n{command}"
        subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.environment, check=True)


@contextmanager
def used(service: Service) -> Iterator[None]:
    """Sign in again and again, which writes to the database; every sign-in must work."""
    over, statuses = threading.Event(), set[int]()

    def use() -> None:
        while not over.is_set():
            statuses.add(sign_in(service).status_code)

    thread = threading.Thread(target=use)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert statuses == {200}


def sign_in(service: Service) -> requests.Response:
    return requests.post(f"{service.url}/api/v1/auth/token", json=CREDENTIALS, timeout=30)


def read(service: Service) -> requests.Response:
    """Request a page of items as a user who has just signed in."""
    access = sign_in(service).json()["data"]["access"]
    return requests.get(
        f"{service.url}/api/v1/plex/libraries/1/items?size=2",
        headers={"Authorization": f"Bearer {access}"},
        timeout=30,
    )


def back_up(house: House, database: str, command: Callable[[], None]) -> None:
    """Change a setting and connect to Plex in a service, and back up while it is used."""
    service = house.service(None, workers=1, DATABASE_URL=database)
    try:
        Operator(service.url).submit(POLICIES, {"ttl-library-items": "77"})
        assert read(service).status_code == 200
        with used(service):
            command()
    finally:
        service.close()


def assert_restored(house: House, database: str) -> None:
    """Assert that users, settings and the connection with its token are there again."""
    service = house.service(None, workers=1, DATABASE_URL=database, **NO_PLEX)
    try:
        answer = read(service)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"].startswith("max-age=77, private")
    finally:
        service.close()


def test_an_sqlite_backup_that_was_made_in_use_is_restored(
    house: House, tmp_path: Path, plex: Simulator
) -> None:
    folder = tmp_path / "place"
    database = f"sqlite:///{folder}/db.sqlite3"
    place = Place(folder, house.environment | {"DATABASE_URL": database})
    os.rename(house.copied().removeprefix("sqlite:///"), folder / "db.sqlite3")
    backup = documented('.venv/bin/python -c "import sqlite3')
    back_up(house, database, lambda: place.run(backup))
    with pytest.raises(subprocess.CalledProcessError):
        place.run(backup)  # it overwrites no backup
    for file in folder.glob("db.sqlite3*"):
        file.unlink()
    place.run(documented("rm -f db.sqlite3-wal"))
    assert_restored(house, database)
    service = house.service(
        None, workers=1, DATABASE_URL=database, **NO_PLEX, ENCRYPTION_KEY="another-key" * 4
    )
    try:
        assert read(service).json()["error"]["code"] == "PLEX_SERVER_UNAVAILABLE"
        page = Operator(service.url).get(f"{service.url}{CONNECTION}", timeout=30)
        assert "The stored token cannot be decrypted" in page.text
    finally:
        service.close()


def test_a_postgresql_backup_that_was_made_in_use_is_restored_and_replaces_what_is_there(
    house: House, tmp_path: Path, plex: Simulator, server: PostgreSQL
) -> None:
    names = ("before", "after")
    for name in names:
        create_database(server, name)
    before, after = (f"{server.url.rpartition('/')[0]}/{name}" for name in names)
    place = Place(tmp_path / "place", house.environment | {"DATABASE_URL": before})
    place.run(".venv/bin/python manage.py migrate")
    place.run(CREATE_OPERATOR)
    back_up(house, before, lambda: place.run(documented("pg_dump")))
    place.environment["DATABASE_URL"] = after
    for _ in range(2):  # into an empty database, and over its tables
        place.run(documented("pg_restore"))
        assert_restored(house, after)
        with psycopg.connect(after.replace("postgres://", "postgresql://")) as connection:
            connection.execute("UPDATE plex_integration_policychange SET value = 5")


CREATE_OPERATOR = f"""
DJANGO_SUPERUSER_PASSWORD={PASSWORD} .venv/bin/python manage.py createsuperuser --noinput \\
  --username {OPERATOR} --email root@example.org
"""


def create_database(server: PostgreSQL, name: str) -> None:
    with server.connect() as connection:
        with suppress(psycopg.errors.InvalidCatalogName):
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")


# `docker compose exec -T postgres …`, where PostgreSQL is on this machine.
DOCKER = """#!/bin/sh
[ "$2" = exec ] || exit 0
shift 4
exec "$@"
"""


def test_the_commands_for_compose_bring_back_the_tables_that_were_there_and_no_others(
    tmp_path: Path,
) -> None:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    with started() as server:
        path = f"{tmp_path}:{os.environ['PATH']}"
        place = Place(
            tmp_path / "place", {"PATH": path, "PGHOST": HOST, "PGPORT": str(server.port)}
        )
        with server.connect(DATABASE) as connection:
            connection.execute("CREATE ROLE medianest SUPERUSER LOGIN")
            connection.execute("CREATE TABLE of_old_release AS SELECT 1 AS value")
        place.run(documented("docker compose exec -T postgres pg_dump"))
        with server.connect(DATABASE) as connection:
            connection.execute("CREATE TABLE of_new_release (value int)")
            connection.execute("DROP TABLE of_old_release")
        place.run(documented("docker compose stop app listen"))
        with server.connect(DATABASE) as connection:
            tables = connection.execute("SELECT relname FROM pg_stat_user_tables").fetchall()
            assert tables == [("of_old_release",)]
            assert connection.execute("SELECT * FROM of_old_release").fetchall() == [(1,)]
