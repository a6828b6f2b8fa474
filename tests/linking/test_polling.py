"""Which PIN is requested from plex.tv, when, and by which worker."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from medianest.database import schema
from plex_integration.linking import pins
from plex_integration.linking.pins import Failure, PlexPin, PollSchedule
from plex_integration.linking.polling import _attempt as attempt
from plex_integration.plex.plextv.pins import Pin
from plex_simulator import Simulator
from tests.conftest import Client
from tests.linking.conftest import PINS
from tests.service import House, Person, Service, WsgiService, until

AT_PLEX_TV = "/api/v2/pins/"


def waiting(asked_ago: float = 0.0, due_ago: float = 0.0, **values: Any) -> PlexPin:
    """Store a PIN that is due, whose client asked so many seconds ago."""
    now = pins.time.time()
    row = pins.create(Pin(1, "abc", 900), None).row
    changes = {"asked_at": now - asked_ago, "next_poll_at": now - due_ago} | values
    PlexPin.objects.filter(pk=row.pk).update(**changes)
    return PlexPin.objects.get(pk=row.pk)


def at_once(function: Callable[[], Any], times: int = 4) -> list[Any]:
    """Run a function in several threads at the same moment; return their results."""
    barrier, results = threading.Barrier(times), []

    def run() -> None:
        barrier.wait()
        results.append(function())
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the PINs: a busy machine may take seconds between two queries."""
    now = time.time()
    monkeypatch.setattr(pins, "time", SimpleNamespace(time=lambda: now))


def test_a_pin_that_is_due_is_taken_by_one_worker(
    transactional_db: None, stopped_clock: None
) -> None:
    pin = waiting()
    assert sorted(map(str, at_once(pins.take_next))) == ["None", "None", "None", f"PIN {pin.pk}"]
    assert pins.take_next() is None
    pins.release(pin)
    assert pins.take_next() is None
    assert pins.seconds_until_due() == pytest.approx(2.5)


def test_a_pin_of_a_worker_that_died_is_taken_again(transactional_db: None) -> None:
    pin = waiting()
    assert pins.take_next() == pin
    PlexPin.objects.update(next_poll_at=time.time() - 0.001)  # its time is over
    assert pins.take_next() == pin


def test_the_pin_whose_client_waits_comes_first(transactional_db: None) -> None:
    waiting(asked_ago=100, due_ago=5)
    watched = waiting(asked_ago=1, due_ago=1)
    assert pins.take_next() == watched


def test_a_pin_that_nobody_asks_for_is_not_forgotten(transactional_db: None) -> None:
    abandoned = waiting(asked_ago=100, due_ago=31)
    waiting(asked_ago=1, due_ago=1)
    assert pins.take_next() == abandoned


@pytest.mark.parametrize(
    "values",
    [
        {"state": "complete"},
        {"state": "failed"},
        {"state": "used"},
        {"expires_at": 0.0},
        {"state": "claimed", "expires_at": 0.0},
    ],
)
def test_a_pin_at_its_end_is_not_polled(transactional_db: None, values: dict[str, Any]) -> None:
    waiting(**values)
    assert pins.take_next() is None
    assert pins.seconds_until_due() is None


def test_a_claimed_pin_is_finished_after_it_expired(transactional_db: None) -> None:
    pin = waiting(state="claimed", expires_at=time.time() - 60)
    assert pins.take_next() == pin


def test_all_workers_together_ask_once_a_second(
    transactional_db: None, stopped_clock: None
) -> None:
    PollSchedule.objects.create(pk=1)
    assert sorted(at_once(pins.seconds_until_reserved)) == pytest.approx([0, 1, 1, 1])
    assert pins.seconds_until_reserved() == pytest.approx(1)


def test_pauses_double_up_to_half_a_minute_until_plextv_answers(
    transactional_db: None, stopped_clock: None
) -> None:
    seconds = []
    for _ in range(7):
        pins.pause(None)
        seconds.append(round(pins.seconds_until_reserved()))
    assert seconds == [1, 2, 4, 8, 16, 30, 30]
    pins.resume()
    pins.pause(None)
    assert pins.seconds_until_reserved() == pytest.approx(1)


@pytest.mark.parametrize(("after", "seconds"), [(7, 7), (0, 1), (99999, 3600)])
def test_plextv_says_how_long_the_pause_is(
    transactional_db: None, stopped_clock: None, after: int, seconds: int
) -> None:
    pins.pause(after)
    assert pins.seconds_until_reserved() == pytest.approx(seconds)


def test_old_pins_are_deleted_daily(transactional_db: None) -> None:
    recent = waiting(state="claimed", expires_at=time.time() - 60)
    waiting(state="used", expires_at=time.time() - 3700)
    call_command("delete_expired")
    assert list(PlexPin.objects.all()) == [recent]


@pytest.fixture
def isolated_service(house: House, plex: Simulator, request: Any) -> Iterator[Service]:
    """Two workers with a database of their own, in front of the simulated plex.tv."""
    kind = getattr(request, "param", Service)
    database = house.copied()
    service = house.service(None, workers=2, kind=kind, DATABASE_URL=database, PLEX_TV_URL=plex.url)
    plex.reset_requests()
    yield service
    service.close()


def start(service: Service, person: Person) -> tuple[Client, dict[str, Any]]:
    client = Client(service.url, person.access)
    response = client.post(PINS, json={})
    assert response.status_code == 201, response.text
    return client, response.json()["data"]


@pytest.mark.slow
def test_two_workers_ask_for_a_pin_every_2_to_3_seconds(
    isolated_service: Service, plex: Simulator, people: list[Person]
) -> None:
    start(isolated_service, people[0])
    until(lambda: plex.count(AT_PLEX_TV) == 1, 10, "the first request")
    began = time.monotonic()
    until(lambda: plex.count(AT_PLEX_TV) >= 3, 15, "two more requests")
    assert time.monotonic() - began >= 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "isolated_service", [Service, WsgiService], ids=["ASGI", "WSGI"], indirect=True
)
def test_a_worker_that_dies_leaves_its_pin_to_others_though_nobody_asks(
    isolated_service: Service, plex: Simulator, people: list[Person]
) -> None:
    client, started = start(isolated_service, people[0])
    for worker in isolated_service.workers():
        os.kill(worker, signal.SIGKILL)
    plex.link_pin(pin_of(plex))
    until(lambda: plex.count("/api/v2/resources") >= 1, 30, "the sign-in is finished")
    secret = {"X-Pin-Secret": started["secret"]}

    def finished() -> bool:
        status = client.data(f"{PINS}/{started['id']}", headers=secret)["status"]
        return bool(status == "complete")

    until(finished, 10, "the account is linked")


def pin_of(plex: Simulator) -> int:
    """Return the number of the newest PIN at plex.tv, which only the service knows otherwise."""
    (number,) = {
        int(each.path.rpartition("/")[2])
        for each in until(lambda: of_pins(plex), 20, "the PIN is requested from plex.tv")
    }
    return number


def of_pins(plex: Simulator) -> list[Any]:
    return [each for each in plex.requests if each.path.startswith(AT_PLEX_TV)]


def test_a_pin_that_another_worker_has_finished_does_not_fail(transactional_db: None) -> None:
    pin = waiting(state="claimed")
    PlexPin.objects.update(state="complete")
    pin.fail(Failure.REVOKED)
    pin.refresh_from_db()
    assert (pin.state, pin.failure) == ("complete", "")


@pytest.fixture
def outdated(transactional_db: None) -> Iterator[None]:
    """A database that lacks a table."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE plex_integration_plexpin RENAME TO another")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE another RENAME TO plex_integration_plexpin")


def test_a_database_that_is_not_migrated_is_reported_once(
    outdated: None, caplog: pytest.LogCaptureFixture
) -> None:
    schema.report_outdated.cache_clear()
    for _ in range(3):
        assert attempt() == 60
    (line,) = [each.getMessage() for each in caplog.records]
    assert line.endswith("Run manage.py migrate.")
