"""The service on an SQLite file that another process locks, replaces, or has not migrated."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from plex_simulator import Simulator
from tests.admin.test_workers import Operator
from tests.pace import Stopwatch
from tests.service import OPERATOR, PASSWORD, House, Person, Service, Valkey, ask, until

LOCK_SECONDS = 1.0
"""How long a request waits for a lock."""
MARGIN_SECONDS = 0.5
ITEMS = "/api/v1/plex/libraries/1/items?size=2"
LOGIN = "/admin/login/?next=/admin/"
CREDENTIALS = {"username": OPERATOR, "password": PASSWORD}


@dataclass
class Site:
    """A service with two workers on an SQLite file of its own."""

    service: Service
    file: Path

    def send(self, wanted: "Wanted") -> "Answered":
        """Send one request over a connection of its own."""
        watch = Stopwatch()
        answer = requests.request(
            wanted.method,
            self.service.url + wanted.path,
            timeout=60,
            allow_redirects=False,
            **wanted.options,
        )
        return Answered(answer, watch)

    def send_all(self, wanted: "Sequence[Wanted]") -> "list[Answered]":
        """Send requests at the same moment: none profits from what another has found out."""
        with ThreadPoolExecutor(len(wanted)) as pool:
            return list(pool.map(self.send, wanted))

    def replace(self, restored: Path) -> None:
        """Let another file take the place of the database."""
        for suffix in ("-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink()
        os.replace(restored, self.file)


@dataclass
class Wanted:
    """A request as `requests` sends it."""

    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Answered:
    """A response, and the time that it took."""

    response: requests.Response
    watch: Stopwatch


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def site(house: House, valkey: Valkey, plex: Simulator) -> Iterator[Site]:
    """Two workers that have read their database."""
    database = house.copied()
    service = house.service(valkey, workers=2, DATABASE_URL=database)
    yield Site(service, file_of(database))
    service.close()


@contextlib.contextmanager
def locked(file: Path, *statements: str) -> Iterator[None]:
    """Hold a lock of an SQLite file, by a connection that is not the service's."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        for statement in statements:
            other.execute(statement)
        yield
        other.execute("ROLLBACK")


def login_form(site: Site) -> tuple[dict[str, str], str]:
    """Return the fields of the form that signs an operator in, and the cookie that it needs."""
    page = requests.get(site.service.url + LOGIN, timeout=20)
    cookie = page.cookies["csrftoken"]
    return CREDENTIALS | {"csrfmiddlewaretoken": cookie}, cookie


def assert_unavailable(answered: Sequence[Answered]) -> None:
    """Assert that each is a 503 of a database that could not be used, in time."""
    for each in answered:
        response, allowed = each.response, LOCK_SECONDS + MARGIN_SECONDS
        assert response.status_code == 503, (response.url, response.status_code, response.text)
        assert response.headers["Retry-After"] == "5"
        assert response.headers["Cache-Control"] == "no-store"
        if "/api/" in response.url:
            assert response.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert each.watch.allows(response.elapsed.total_seconds(), allowed), (response.url, each)


def test_what_writes_gets_503_after_a_second_while_another_process_holds_the_write_lock(
    site: Site, people: Sequence[Person]
) -> None:
    first = requests.post(
        f"{site.service.url}/api/v1/auth/token", json=CREDENTIALS, timeout=20
    ).json()["data"]
    operator = Operator(site.service.url)
    policies = "/admin/plex_integration/policychange/"
    operator.submit(policies, {"ttl-library-items": "77"})
    form, cookie = login_form(site)
    session = {
        "data": {"csrfmiddlewaretoken": operator.cookies["csrftoken"], "reset": "all"},
        "cookies": operator.cookies.get_dict(),
    }
    writes = [
        Wanted("POST", "/api/v1/auth/token", {"json": CREDENTIALS}),
        Wanted("POST", "/api/v1/auth/token/refresh", {"json": {"refresh": first["refresh"]}}),
        Wanted("POST", "/api/v1/auth/logout", {"json": {"refresh": first["refresh"]}}),
        Wanted("POST", LOGIN, {"data": form, "cookies": {"csrftoken": cookie}}),
        Wanted("POST", "/admin/logout/", session),
        Wanted("POST", policies, session),
    ]
    reads = [Wanted("GET", ITEMS, {"headers": person.headers}) for person in people[:4]]
    with locked(site.file, "BEGIN IMMEDIATE"):
        answered = site.send_all([*writes, *reads])
    assert_unavailable(answered[: len(writes)])
    assert [each.response.status_code for each in answered[len(writes) :]] == [200] * len(reads)
    until(lambda: site.send(writes[0]).response.status_code == 200, 5, "it writes again")


def test_everything_gets_503_after_a_second_while_another_process_holds_the_whole_file(
    house: House,
    valkey: Valkey,
    plex: Simulator,
    people: Sequence[Person],
) -> None:
    database = house.copied()
    with locked(file_of(database), "PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"):
        service = house.service(valkey, workers=2, DATABASE_URL=database)
        site = Site(service, file_of(database))
        try:
            answered = site.send_all(everything(house, people))
        except BaseException:
            service.close()
            raise
    try:
        assert_unavailable(answered)
        read = partial(ask, service.url, ITEMS, people[0].headers)
        until(lambda: read().status == 200, 10, "it reads again")
    finally:
        service.close()


def everything(house: House, people: Sequence[Person]) -> list[Wanted]:
    """Return requests of every kind that need the database."""
    writer = {"headers": house.writers[0].headers, "json": {"title": "New", "items": ["1"]}}
    session = {"cookies": {"sessionid": "anything-that-may-be-a-session"}}
    return [
        Wanted("GET", ITEMS, {"headers": people[0].headers}),
        Wanted("GET", ITEMS, {"headers": people[1].headers | {"Cache-Control": "no-cache"}}),
        Wanted("GET", "/api/v1/auth/session", {"headers": people[2].headers}),
        Wanted("GET", "/api/v1/health"),
        Wanted("POST", "/api/v1/auth/token", {"json": CREDENTIALS}),
        Wanted("POST", "/api/v1/plex/libraries/1/collections", writer),
        Wanted("GET", "/admin/", session),
        Wanted("GET", "/admin/plex_integration/cachestatus/", session),
    ]


def test_a_database_that_is_not_migrated_is_503_and_the_log_says_once_what_to_do(
    house: House, tmp_path: Path, valkey: Valkey, plex: Simulator, people: Sequence[Person]
) -> None:
    service = house.service(valkey, workers=1, DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")
    try:
        site = Site(service, tmp_path / "new.sqlite3")
        answered = [site.send(each) for each in everything(house, people)]
        log = service.log
    finally:
        service.close()
    assert_unavailable(answered)
    assert log.count("manage.py migrate") == 1, log


def test_a_file_that_replaces_the_database_is_used_within_5_seconds(
    house: House, site: Site, people: Sequence[Person]
) -> None:
    session = Wanted("GET", "/api/v1/auth/session", {"headers": people[0].headers})
    assert {site.send(session).response.status_code for _ in range(40)} == {200}
    restored = file_of(house.copied())
    with contextlib.closing(sqlite3.connect(restored)) as backup:
        backup.execute("UPDATE accounts_user SET email = 'restored@example.com'")
        backup.execute(
            "INSERT INTO plex_integration_policychange (kind, name, value)"
            " VALUES ('ttl', 'library-items', 77)"
        )
        backup.commit()
        backup.execute("PRAGMA journal_mode = DELETE")
    site.replace(restored)
    until(partial(is_restored, site, people), 5, "both workers use the new file")


def test_a_file_that_replaces_the_database_and_is_locked_is_503_after_a_second(
    house: House, site: Site, people: Sequence[Person]
) -> None:
    session = Wanted("GET", "/api/v1/auth/session", {"headers": people[0].headers})
    assert {site.send(session).response.status_code for _ in range(40)} == {200}
    restored = file_of(house.copied())
    with locked(
        restored,
        "PRAGMA journal_mode = DELETE",
        "PRAGMA locking_mode = EXCLUSIVE",
        "BEGIN EXCLUSIVE",
    ):
        site.replace(restored)
        answered = [site.send(session) for _ in range(8)]
    assert_unavailable(answered)
    until(lambda: site.send(session).response.status_code == 200, 5, "it reads again")


def is_restored(site: Site, people: Sequence[Person]) -> bool:
    """Tell whether every one of many answers is made of the restored database."""
    session = Wanted("GET", "/api/v1/auth/session", {"headers": people[0].headers})
    pages = [f"{ITEMS}&start={number}" for number in range(12)]
    users = [site.send(session).response for _ in range(12)]
    reads = [
        ask(site.service.url, page, people[number].headers) for number, page in enumerate(pages)
    ]
    if {each.status_code for each in users} != {200}:
        return False
    emails = {each.json()["data"]["user"]["email"] for each in users}
    ages = {each.headers["cache-control"] for each in reads}
    return emails == {"restored@example.com"} and ages == {"max-age=77, private"}
