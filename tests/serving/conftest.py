"""Two workers in front of a slow Plex, and the requests that wait for it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from medianest.serving.threads import Threads
from plex_simulator import Simulator
from tests.service import Answer, House, Person, Service, Valkey, at_once, until

ITEMS = "/api/v1/plex/libraries/1/items?details=summary"
SLOW = r"^/library/sections/1/all"
"""The path of Plex that every cold request for items waits for."""
PER_PERSON = 30
"""How many cold requests one person sends: less than the limit."""
MANY = 100_000


class Flood:
    """Cold requests, each for another page, which one thread sends at once."""

    def __init__(
        self, service: Service, plex: Simulator, people: Sequence[Person], size: int
    ) -> None:
        self._plex = plex
        wanted = [
            (f"{ITEMS}&size=3&start={number}", people[number // PER_PERSON].headers)
            for number in range(size)
        ]
        with_thread = ThreadPoolExecutor(1)
        self._answers: Future[list[Answer]] = with_thread.submit(at_once, service.url, wanted)
        with_thread.shutdown(wait=False)

    def in_flight(self) -> int:
        """Return how many requests have reached a Plex that is slow `MANY` times."""
        return MANY - int(self._plex.faults[0]["left"])

    def is_over(self) -> bool:
        return self._answers.done()

    def answers(self) -> list[Answer]:
        """Wait for the answers and return them."""
        return self._answers.result(120)


class PromptThreads(Threads):
    """Threads that begin each job before its patience counts: a busy machine may be late."""

    def _submit(self, *job: Any) -> "Future[Any]":
        submitted = super()._submit(*job)
        until(lambda: submitted.running() or submitted.done(), 10, "the job has begun")
        return submitted


def p99(answers: Sequence[Answer]) -> float:
    ordered = sorted(answer.seconds for answer in answers)
    return ordered[len(ordered) * 99 // 100]


@pytest.fixture(scope="session")
def isolated(house: House, _valkey: Valkey, _simulator: Simulator) -> Iterator[Service]:
    """Two workers that wait for Plex as long as a test needs to look at them."""
    service = house.service(_valkey, workers=2, DATABASE_URL=house.copied(), PLEX_TIMEOUT="120")
    yield service
    service.close()


@pytest.fixture(scope="session")
def hurried(house: House, _valkey: Valkey, _simulator: Simulator) -> Iterator[Service]:
    """Two workers that wait for Plex for 6 seconds, and for a thread for half as long."""
    service = house.service(_valkey, workers=2, DATABASE_URL=house.copied(), PLEX_TIMEOUT="6")
    yield service
    service.close()
