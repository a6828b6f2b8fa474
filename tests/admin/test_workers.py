"""Changes in the admin, by its own forms over HTTP, and two workers that obey them."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle

import pytest
import requests

from plex_simulator import Simulator
from tests.service import PASSWORD, ROOT, House, Person, Service, Valkey, ask, until

ROOTS = f"""
from accounts.models import User
User.objects.create_superuser("root", password={PASSWORD!r})
"""


class Operator(requests.Session):
    """A superuser who fills in forms."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.trust_env = False
        self.root = root
        self.fill_in("/admin/login/?next=/admin/", {"username": "root", "password": PASSWORD})

    def fill_in(self, path: str, changes: dict[str, str]) -> requests.Response:
        """Send the form of a page with the values that it shows, but for these."""
        page = self.get(self.root + path, timeout=20)
        assert page.status_code == 200, page.status_code
        given = dict(
            re.findall(r'<input type="(?:number|text)" name="([\w-]+)" value="([^"]*)"', page.text)
        )
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        given |= {"csrfmiddlewaretoken": token[1]} | changes
        saved = self.post(page.url, data=given, allow_redirects=False, timeout=20)
        assert saved.status_code == 302, re.findall(r"errorlist.*", saved.text)
        return saved


@pytest.fixture(scope="module")
def two_workers(house: House, _valkey: Valkey, _simulator: Simulator) -> Iterator[Service]:
    database = house.copied()
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", ROOTS],
        cwd=ROOT,
        env=house.environment | {"DATABASE_URL": database},
        check=True,
        timeout=60,
    )
    service = house.service(_valkey, workers=2, DATABASE_URL=database)
    yield service
    service.close()


@pytest.fixture
def operator(two_workers: Service, valkey: Valkey, plex: Simulator) -> Iterator[Operator]:
    signed_in = Operator(two_workers.url)
    yield signed_in
    signed_in.close()


def _all(service: Service, person: Person, path: str, header: str) -> set[str]:
    """Ask often enough, each time over a new connection, that every worker answers."""
    answers = [ask(service.url, path, person.headers) for _ in range(12)]
    return {each.headers.get(header, str(each.status)) for each in answers}


def test_two_workers_obey_a_changed_time_and_rate_within_5_seconds(
    operator: Operator, two_workers: Service, people: list[Person]
) -> None:
    path = "/api/v1/plex/libraries/1/items?size=2"
    assert _all(two_workers, people[0], path, "cache-control") == {"max-age=600, private"}
    operator.fill_in(
        "/admin/plex_integration/policychange/", {"ttl-library-items": "77", "rate-library": "500"}
    )

    others = cycle(people[10:])

    def obeyed() -> bool:
        headers = next(others).headers
        answers = [ask(two_workers.url, path, headers) for _ in range(12)]
        seen = {
            (each.headers["cache-control"], each.headers["x-ratelimit-limit"]) for each in answers
        }
        return seen == {("max-age=77, private", "500")}

    until(obeyed, 5, "both workers obey")
    operator.fill_in("/admin/plex_integration/policychange/", {"back": "all"})
    until(
        lambda: _all(two_workers, people[2], path, "x-ratelimit-limit") == {"60"},
        5,
        "both workers obey again",
    )


def test_two_workers_ask_the_new_server_within_2_seconds(
    operator: Operator, two_workers: Service, people: list[Person]
) -> None:
    path = "/api/v1/plex/libraries"
    assert _all(two_workers, people[3], path, "x-plex-cache-status") <= {"HIT", "MISS"}
    page = "/admin/plex_integration/plexconnection/1/change/"
    with Simulator(seed=3, movies=5, shows=1, artists=1) as other:
        changes = {
            "url": other.url,
            "token": other.owner_token,
            "tls": "verify",
            "show_file_paths": "on",
        }
        operator.fill_in(page, changes)
        name = "/api/v1/plex/libraries/1/items?size=1&details=summary"

        def is_new() -> bool:
            # One user may ask 60 times a minute.
            headers = next(others).headers
            bodies = [ask(two_workers.url, name, headers).json() for _ in range(12)]
            return {each["data"]["pagination"]["total"] for each in bodies} == {5}

        others = cycle(people[10:])
        until(is_new, 2, "both workers ask the new one")


def test_a_change_is_in_force_while_redis_is_away(
    two_workers: Service, operator: Operator, people: list[Person], valkey: Valkey
) -> None:
    path = "/api/v1/plex/on-deck"
    valkey.kill()
    try:
        until(
            lambda: _all(two_workers, people[5], path, "x-plex-cache-status") <= {"BYPASS", "429"},
            10,
            "Redis is away",
        )
        operator.fill_in("/admin/plex_integration/policychange/", {"ttl-on-deck": "33"})
        until(
            lambda: (
                _all(two_workers, people[6], path, "cache-control")
                <= {"max-age=33, private", "no-store"}
            ),
            5,
            "both workers obey",
        )
    finally:
        valkey.start()
