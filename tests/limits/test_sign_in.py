"""Guessing passwords and tokens: stopped per address and per name, before anything is hashed."""

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from accounts.models import User
from tests.conftest import Client
from tests.service import Person, Service, at_once

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(params=["one process", "Redis"])
def each_store(request: Any) -> None:
    """Both kinds of store: the rules are the same."""
    if request.param == "Redis":
        request.getfixturevalue("shared")


@pytest.fixture
def hashed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was hashed, by a hasher that is quick."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: Any, password: str, salt: str) -> str:
        seen.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return seen


@pytest.fixture
def door(each_store: None, hashed: list[str], transactional_db: None, server: Any) -> "Door":
    User.objects.create_user("ada", "ada@example.com", PASSWORD)
    User.objects.create_user("grace", "grace@example.com", PASSWORD)
    hashed.clear()
    return Door(server.url, hashed)


class Door:
    """Where one signs in, and what it cost."""

    def __init__(self, url: str, hashed: list[str]) -> None:
        self.url, self.hashed = url, hashed

    def knock(self, name: str, password: str, **headers: str) -> Any:
        with Client(self.url) as client:
            body = {"username": name, "password": password}
            return client.post("/auth/token", json=body, headers=headers)

    def fail(self, times: int, name: str = "ada", **headers: str) -> None:
        for number in range(times):
            assert self.knock(name, f"wrong {number}", **headers).status_code == 401

    def refuses(self, name: str, password: str = PASSWORD, **headers: str) -> bool:
        """Tell whether 429 is answered, and hold that answer to its promises."""
        before = len(self.hashed)
        answer = self.knock(name, password, **headers)
        if answer.status_code != 429:
            return False
        assert len(self.hashed) == before, "a password was hashed"
        assert answer.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        assert answer.json()["error"]["details"]["limit"] == 10
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        return True


def test_the_eleventh_attempt_is_refused_before_a_password_is_hashed(door: Door) -> None:
    door.fail(10)
    assert len(door.hashed) >= 10
    assert door.refuses("ada", "wrong")
    assert door.refuses("ada", PASSWORD), "the right password is refused too"


def test_an_address_may_not_go_on_with_other_names(door: Door) -> None:
    for number in range(10):
        door.fail(1, name=f"nobody-{number}")
    assert door.refuses("grace")


def test_a_name_may_not_be_tried_from_other_addresses(door: Door, settings: Any) -> None:
    settings.PROXY_COUNT = 1
    for number in range(10):
        name = "ada" if number % 2 else "ADA"
        door.fail(1, name=name, **{"X-Forwarded-For": f"192.0.2.{number}"})
    assert door.refuses("Ada", **{"X-Forwarded-For": "192.0.2.99"})
    assert not door.refuses("grace", **{"X-Forwarded-For": "192.0.2.99"})


def test_who_signs_in_well_is_never_counted(door: Door) -> None:
    door.fail(9)
    for _ in range(13):
        assert door.knock("ada", PASSWORD).status_code == 200
    door.fail(1)
    assert door.refuses("ada")


def test_a_body_that_is_none_is_not_counted(door: Door) -> None:
    for _ in range(12):
        assert door.knock("ada", "").status_code == 400
    assert door.knock("ada", PASSWORD).status_code == 200
    assert len(door.hashed) >= 1


def test_of_many_guesses_at_once_over_four_workers_ten_are_looked_at(
    service: Service, people: Sequence[Person]
) -> None:
    guess = {"username": people[0].name, "password": "wrong"}
    answers = at_once(service.url, [("/api/v1/auth/token", {})] * 50, guess)
    assert Counter(answer.status for answer in answers) == {401: 10, 429: 40}


@pytest.mark.parametrize(
    ("proxies", "header"),
    [
        (0, "198.51.100.{}"),
        (1, "198.51.100.{}, 192.0.2.1"),
        (2, "198.51.100.{}, 192.0.2.1, 10.0.0.1"),
    ],
)
def test_an_address_that_the_client_wrote_itself_is_not_believed(
    door: Door, settings: Any, proxies: int, header: str
) -> None:
    settings.PROXY_COUNT = proxies
    for number in range(10):
        door.fail(1, name=f"n{number}", **{"X-Forwarded-For": header.format(number)})
    assert door.refuses("grace", **{"X-Forwarded-For": header.format(99)})


def test_bad_tokens_are_counted_per_address_and_good_ones_go_on(
    quick: Client, each_store: None, server: Any, settings: Any
) -> None:
    settings.PROXY_COUNT = 1
    here, elsewhere = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}

    def tried(where: dict[str, str]) -> Any:
        with Client(server.url, f"not.a.token-{uuid.uuid4()}") as stranger:
            return stranger.get("/plex/server", headers=where)

    for _ in range(30):
        refused = tried(here)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    refused = tried(here)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert quick.get("/plex/server", headers=here).status_code == 200
    assert tried(elsewhere).status_code == 401
    with Client(server.url) as nobody:  # no token is not a bad one
        assert nobody.get("/plex/server", headers=here).status_code == 401
