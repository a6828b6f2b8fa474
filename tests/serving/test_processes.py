"""The service ends in order, survives the death of a worker, and runs under another server."""

import os
import re
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import (
    House,
    Person,
    Service,
    UvicornService,
    Valkey,
    WsgiService,
    ask,
    at_once,
    until,
)

from .conftest import ITEMS, MANY, SLOW, Flood

CACHED = f"{ITEMS}&size=2"
SERVERS = [Service, UvicornService]
STATIC = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


@pytest.fixture(params=SERVERS, ids=["granian", "uvicorn"])
def ending(request: pytest.FixtureRequest, house: House, valkey: Valkey) -> Iterator[Service]:
    """A service that the test ends."""
    service = house.service(
        valkey, workers=2, kind=request.param, DATABASE_URL=house.copied(), PLEX_TIMEOUT="30"
    )
    yield service
    service.close()


@pytest.fixture(scope="module")
def _uvicorn(house: House, _valkey: Valkey, _simulator: Simulator) -> Iterator[Service]:
    service = house.service(_valkey, workers=2, kind=UvicornService, DATABASE_URL=house.copied())
    yield service
    service.close()


@pytest.fixture
def uvicorn(_uvicorn: Service, valkey: Valkey) -> Service:
    """Two workers behind uvicorn; nothing cached, nobody counted."""
    return _uvicorn


def test_requests_in_flight_are_answered_after_sigterm(
    ending: Service, plex: Simulator, people: Sequence[Person]
) -> None:
    assert ask(ending.url, CACHED, people[-1].headers).status == 200
    plex.fault("slow", path=SLOW, times=MANY, delay=3.0)
    flood = Flood(ending, plex, people, 20)
    until(lambda: flood.in_flight() == 20, 10, "the requests wait for Plex")
    watch = Stopwatch()
    ending.terminate()
    assert [answer.status for answer in flood.answers()] == [200] * 20
    assert watch.keeps(4), watch
    after = Stopwatch()
    until(lambda: not ending.is_running(), 2, "the process has ended")
    assert after.keeps(2), ending.log


@pytest.mark.parametrize("kind", [Service, WsgiService])
def test_a_worker_that_still_loads_the_service_ends_at_sigterm(
    kind: type[Service], house: House, valkey: Valkey, tmp_path: Path
) -> None:
    # Nobody writes the secret, so the worker loads the service until it ends.
    secret = tmp_path / "secret"
    os.mkfifo(secret)
    environment = house.environment | {"REDIS_URL": valkey.url, "DATABASE_URL": house.copied()}
    environment |= {"SECRET_KEY": "", "SECRET_KEY_FILE": str(secret)}
    service = kind(house.folder, environment, workers=1)
    try:
        until(lambda: any(map(ends_at_sigterm, service.workers())), 60, "it loads the service")
        service.terminate()
        until(lambda: not service.is_running(), 20, "the process has ended")
    finally:
        service.close()


def ends_at_sigterm(pid: int) -> bool:
    """Tell whether a process has no handler for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(re.findall(r"^SigCgt:\s+(\w+)$", status, re.MULTILINE)[0], 16)
    return not caught >> signal.SIGTERM - 1 & 1


def test_uvicorn_serves_the_same_application(
    uvicorn: Service, plex: Simulator, people: Sequence[Person]
) -> None:
    headers = people[0].headers
    miss = ask(uvicorn.url, CACHED, headers)
    assert (miss.status, miss.headers["x-plex-cache-status"]) == (200, "MISS")
    hits = at_once(uvicorn.url, [(CACHED, headers)] * 8)
    assert {(hit.status, hit.headers["x-plex-cache-status"]) for hit in hits} == {(200, "HIT")}
    assert {hit.json()["data"] == miss.json()["data"] for hit in hits} == {True}
    known = ask(uvicorn.url, CACHED, headers | {"If-None-Match": miss.headers["etag"]})
    assert (known.status, known.body) == (304, b"")
    script = ask(uvicorn.url, STATIC)
    assert script.status == 200
    assert len(script.body) == int(script.headers["content-length"]) > 1_000_000
    too_large = at_once(uvicorn.url, [("/api/v1/auth/token", {})], {"x": "x" * 100_000})[0]
    assert (too_large.status, too_large.headers["connection"]) == (413, "close")


def test_uvicorn_believes_no_client_about_its_address(uvicorn: Service) -> None:
    guess = {"username": "nobody", "password": "wrong"}
    for number in range(40):
        headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        answer = at_once(uvicorn.url, [("/api/v1/auth/token", headers)], guess)[0]
    assert answer.status == 429


def test_a_worker_that_is_killed_fails_its_own_requests_only(
    house: House, valkey: Valkey, plex: Simulator, people: Sequence[Person]
) -> None:
    service = house.service(valkey, workers=2, DATABASE_URL=house.copied(), PLEX_TIMEOUT="30")
    try:
        kill_one(service, plex, people)
    finally:
        service.close()


def kill_one(service: Service, plex: Simulator, people: Sequence[Person]) -> None:
    assert ask(service.url, CACHED, people[-1].headers).status == 200
    plex.fault("slow", path=SLOW, times=MANY, delay=20.0)
    with ThreadPoolExecutor(24) as pool:
        waiting = [
            pool.submit(status, service, f"{CACHED}&start={number}", person)
            for number, person in enumerate(people[:24], 1)
        ]
        until(lambda: MANY - plex.faults[0]["left"] == 24, 10, "the requests wait for Plex")
        victim, survivor = service.workers()
        os.kill(victim, signal.SIGKILL)
        until(lambda: any(each.done() for each in waiting), 5, "its connections are closed")
        until(lambda: victim not in service.workers(), 20, "it is gone")
        assert survivor in service.workers()
        plex.heal()
        statuses = [each.result(60) for each in waiting]
    assert set(statuses) == {0, 200}
    until(service.is_whole, 60, "another worker has taken its place")
    for number in range(12):
        assert status(service, f"{CACHED}&start={100 + number}", people[30]) == 200


def status(service: Service, path: str, person: Person) -> int:
    """Return the status of a response; 0 if the connection ends without one."""
    try:
        return ask(service.url, path, person.headers).status
    except (OSError, IndexError):
        return 0
