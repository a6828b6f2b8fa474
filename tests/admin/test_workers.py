"""Changes in the admin, by its forms over HTTP, that take effect on two workers."""

import re
from collections.abc import Iterator
from itertools import cycle

import pytest
import requests

from plex_simulator import Simulator
from tests.service import OPERATOR, PASSWORD, House, Person, Service, Valkey, ask, until


class Operator(requests.Session):
    """A superuser who submits forms."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.trust_env = False
        self.root = root
        self.submit("/admin/login/?next=/admin/", {"username": OPERATOR, "password": PASSWORD})

    def submit(self, path: str, changes: dict[str, str]) -> requests.Response:
        """Submit the form of a page with the values that it shows, and these changes."""
        page = self.get(self.root + path, timeout=20)
        assert page.status_code == 200, page.status_code
        values = dict(
            re.findall(r'<input type="(?:number|text)" name="([\w-]+)" value="([^"]*)"', page.text)
        )
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        values |= {"csrfmiddlewaretoken": token[1]} | changes
        saved = self.post(page.url, data=values, allow_redirects=False, timeout=20)
        assert saved.status_code == 302, re.findall(r"errorlist.*", saved.text)
        return saved


@pytest.fixture(scope="module")
def two_workers(house: House, _valkey: Valkey, _simulator: Simulator) -> Iterator[Service]:
    service = house.service(_valkey, workers=2, DATABASE_URL=house.copied())
    yield service
    service.close()


@pytest.fixture
def operator(two_workers: Service, valkey: Valkey, plex: Simulator) -> Iterator[Operator]:
    signed_in = Operator(two_workers.url)
    yield signed_in
    signed_in.close()


def _all(service: Service, person: Person, path: str, header: str) -> set[str]:
    """Send enough requests, each over a new connection, to reach every worker."""
    answers = [ask(service.url, path, person.headers) for _ in range(12)]
    return {each.headers.get(header, str(each.status)) for each in answers}


def test_changed_settings_take_effect_on_two_workers_within_5_seconds(
    operator: Operator, two_workers: Service, people: list[Person]
) -> None:
    path = "/api/v1/plex/libraries/1/items?size=2"
    assert _all(two_workers, people[0], path, "cache-control") == {"max-age=600, private"}
    operator.submit(
        "/admin/plex_integration/policychange/", {"ttl-library-items": "77", "rate-library": "500"}
    )

    others = cycle(people[10:])

    def is_in_effect() -> bool:
        headers = next(others).headers
        answers = [ask(two_workers.url, path, headers) for _ in range(12)]
        seen = {
            (each.headers["cache-control"], each.headers["x-ratelimit-limit"]) for each in answers
        }
        return seen == {("max-age=77, private", "500")}

    until(is_in_effect, 5, "both workers use the new settings")
    operator.submit("/admin/plex_integration/policychange/", {"reset": "all"})
    until(
        lambda: _all(two_workers, people[2], path, "x-ratelimit-limit") == {"60"},
        5,
        "both workers use the documented settings",
    )


def test_two_workers_use_the_new_server_within_2_seconds(
    operator: Operator, two_workers: Service, people: list[Person], plex: Simulator
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
        operator.submit(page, changes)
        name = "/api/v1/plex/libraries/1/items?size=1&details=summary"

        def is_new() -> bool:
            # One user may send 60 requests a minute.
            headers = next(others).headers
            bodies = [ask(two_workers.url, name, headers).json() for _ in range(12)]
            return {each["data"]["pagination"]["total"] for each in bodies} == {5}

        others = cycle(people[10:])
        try:
            until(is_new, 2, "both workers use the new server")
        finally:
            before = {"url": plex.url, "token": plex.accounts.owner.server_token}
            operator.submit(page, changes | before)


def test_a_change_takes_effect_while_redis_is_unavailable(
    two_workers: Service, operator: Operator, people: list[Person], valkey: Valkey
) -> None:
    path, others = "/api/v1/plex/on-deck", cycle(people[10:])
    valkey.kill()
    try:
        until(
            lambda: _all(two_workers, next(others), path, "x-plex-cache-status") == {"BYPASS"},
            10,
            "Redis is unavailable",
        )
        operator.submit("/admin/plex_integration/policychange/", {"ttl-on-deck": "33"})
        until(
            lambda: (
                _all(two_workers, next(others), path, "cache-control") == {"max-age=33, private"}
            ),
            5,
            "both workers use the new cache time",
        )
    finally:
        valkey.start()
