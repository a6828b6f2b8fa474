"""`/health` checks Plex in a thread of its own, and waits for it half a second at most."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from medianest import health
from plex_simulator import Simulator
from tests.conftest import Client
from tests.pace import Stopwatch
from tests.service import until


@pytest.fixture(autouse=True)
def _not_checked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: checks_that_run() == 0, 5, "the checks of other tests have ended")
    monkeypatch.setattr(health, "_plex_watch", health._PlexWatch())


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request is due to check Plex again."""
    monkeypatch.setattr(health, "PLEX_CHECK_SECONDS", 0.0)


@pytest.fixture
def patient(plex: Simulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check waits for Plex until the test ends the fault."""
    monkeypatch.setattr(health, "PLEX_TIMEOUT_SECONDS", 60.0)
    settings.PLEX_TIMEOUT = 60


def reported(client: Client) -> str:
    checks: dict[str, str] = client.data("/health")["checks"]
    return checks["plex"]


def checks_that_run() -> int:
    return sum(thread.name == "plex-check" for thread in threading.enumerate())


def test_a_plex_that_responds_is_ok_with_the_first_request(
    anonymous: Client, plex: Simulator
) -> None:
    assert anonymous.data("/health")["status"] == "healthy"
    assert reported(anonymous) == "ok"
    assert plex.count("/identity") == 1


def test_a_plex_that_refuses_connections_is_unavailable_at_once(
    anonymous: Client, plex: Simulator
) -> None:
    plex.fault("refused")
    watch = Stopwatch()
    assert anonymous.data("/health")["status"] == "degraded"
    assert watch.keeps(0.5)


def test_a_slow_plex_is_unavailable_until_its_first_response_has_come(
    anonymous: Client, plex: Simulator, patient: None
) -> None:
    plex.fault("slow", path="/identity", delay=60.0)
    watch = Stopwatch()
    assert reported(anonymous) == "unavailable"
    assert watch.keeps(1)
    plex.heal()
    until(lambda: reported(anonymous) == "ok", 3, "the response has come")
    assert plex.count("/identity") == 1


def test_a_slow_check_does_not_change_what_was_known(
    anonymous: Client,
    plex: Simulator,
    patient: None,
    always_due: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert reported(anonymous) == "ok"
    plex.fault("silent", path="/identity")
    watch = Stopwatch()
    assert reported(anonymous) == "ok"
    assert watch.keeps(1)
    monkeypatch.setattr(health, "PLEX_CHECK_SECONDS", 60.0)  # no check follows that one
    plex.fault("refused")  # also ends its connection
    until(lambda: reported(anonymous) == "unavailable", 4, "the check has failed")


def test_only_one_check_runs_and_only_the_requests_of_its_first_half_second_wait(
    anonymous: Client, plex: Simulator, patient: None, always_due: None
) -> None:
    plex.fault("silent", path="/identity")
    reported(anonymous)  # waits for the half second
    watch = Stopwatch()
    with ThreadPoolExecutor(8) as pool:
        clients = [Client(anonymous.root) for _ in range(8)]
        assert set(pool.map(reported, clients)) == {"unavailable"}
    assert watch.keeps(0.4)
    assert checks_that_run() <= 1
    plex.heal()
    until(lambda: checks_that_run() == 0, 5, "the check has ended")


def test_a_service_without_a_plex_is_degraded_at_once(
    anonymous: Client, plex: Simulator, settings: object
) -> None:
    settings.PLEX_URL = ""  # type: ignore[attr-defined]
    watch = Stopwatch()
    assert anonymous.data("/health")["checks"]["plex"] == "unavailable"
    assert watch.keeps(0.5)
