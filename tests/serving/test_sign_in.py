"""Signing in takes long, by design of the password's hash: nobody else waits for it."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from django.test import RequestFactory
from django.urls import reverse

from accounts.throttling import FAILED_SIGN_INS, SignInAttempt
from medianest.api.exceptions import RateLimitExceeded
from medianest.asgi import SIGN_IN_PATHS, SIGN_IN_QUEUE, SIGN_IN_THREADS
from plex_simulator import Simulator
from tests.hashers import SlowHasher
from tests.pace import Stopwatch
from tests.service import Answer, House, Person, Service, Valkey, at_once, until

TOKEN = "/api/v1/auth/token"
READS = ("/api/v1/auth/session", "/api/v1/plex/libraries", "/api/v1/plex/nothing")
"""What needs a general thread: each is answered by Django, and the second one reads Plex first."""
PLACES = SIGN_IN_THREADS + SIGN_IN_QUEUE
"""How many sign-ins a worker accepts at once."""
MANY = PLACES + 14


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a file: while it is there, no password check ends."""
    return tmp_path_factory.mktemp("passwords") / "held"


@pytest.fixture(scope="module")
def hashing(house: House, _valkey: Valkey, _simulator: Simulator, held: Path) -> Iterator[Service]:
    """One worker whose password checks can be held."""
    service = house.service(
        _valkey,
        workers=1,
        DATABASE_URL=house.copied(),
        PROXY_COUNT="1",
        PASSWORD_HASHER=f"{SlowHasher.__module__}.{SlowHasher.__name__}",
        PASSWORDS_HELD=str(held),
    )
    yield service
    service.close()


def sign_in(service: Service, number: int) -> Answer:
    """Sign in with a name and from an address that nobody else has."""
    credentials = {"username": f"guess-{number}", "password": "wrong"}
    headers = {"X-Forwarded-For": f"10.0.0.{number}"}
    return at_once(service.url, [(TOKEN, headers)], credentials)[0]


def test_many_sign_ins_at_once_delay_no_other_request(
    hashing: Service, valkey: Valkey, plex: Simulator, people: Sequence[Person], held: Path
) -> None:
    held.touch()
    with ThreadPoolExecutor(MANY) as pool:
        attempts = [pool.submit(sign_in, hashing, number) for number in range(MANY)]
        try:
            until(lambda: ended(attempts) >= MANY - PLACES, 20, "all places are taken")
            for path in READS * 3:
                watch = Stopwatch()
                answer = at_once(hashing.url, [(path, people[0].headers)])[0]
                assert answer.status in (200, 404)
                assert watch.allows(answer.seconds, 0.25), (path, answer.seconds, watch)
            assert ended(attempts) < MANY
        finally:
            held.unlink()
        assert_each_checked_or_refused(attempts)


def ended(attempts: Sequence[Future[Answer]]) -> int:
    return sum(each.done() for each in attempts)


def assert_each_checked_or_refused(attempts: Sequence[Future[Answer]]) -> None:
    answers = [each.result(60) for each in attempts]
    assert {answer.status for answer in answers} == {401, 503}
    for answer in answers:
        if answer.status == 503:
            assert json.loads(answer.body)["error"]["code"] == "SERVICE_UNAVAILABLE"
            assert answer.headers["retry-after"] == "1"


def test_an_attempt_beside_as_many_open_ones_as_are_allowed_is_refused_at_once() -> None:
    request = RequestFactory().post(TOKEN)
    open_attempts = [SignInAttempt(request, f"name-{each}") for each in range(10)]
    assert len(open_attempts) == FAILED_SIGN_INS.requests
    for each in open_attempts:
        each.begin()
    watch, late = Stopwatch(), SignInAttempt(request, "late")
    with pytest.raises(RateLimitExceeded) as refused:
        late.begin()
    assert watch.keeps(0.5), watch
    assert refused.value.headers["Retry-After"] == "1"
    open_attempts[0].end(failed=False)
    late.begin()


def test_the_paths_that_sign_in_are_those_of_the_url_map() -> None:
    names = ("auth-token", "auth-sign-in", "admin:login")
    assert set(map(reverse, names)) == SIGN_IN_PATHS
