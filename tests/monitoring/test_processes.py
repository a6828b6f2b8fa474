"""Each process reports itself: with Redis all workers and the listener are known."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from medianest import store
from medianest.monitoring import processes
from medianest.monitoring.processes import MAX_AGE, WORKER, Process, running
from medianest.monitoring.version import VERSION
from medianest.store import Report
from tests.service import House, Service, Valkey, WsgiService, ask, until


@pytest.fixture
def begun() -> Iterator[None]:
    processes.begin(WORKER, lambda: 7)
    yield
    processes.end()


def known() -> list[Process]:
    return running(store.current().overview("plex").reports)


def test_a_process_knows_itself_without_redis() -> None:
    (mine,) = known()
    assert (mine.role, mine.pid, mine.version) == (WORKER, os.getpid(), VERSION)


def test_a_process_reports_itself_until_it_ends(shared: Any, begun: None) -> None:
    processes._report()
    (name,) = store.current().overview("plex").reports
    assert name == f"process:worker:{processes.this().host}:{os.getpid()}"
    assert [each.requests for each in known()] == [7]
    processes.end()
    processes._report()
    assert store.current().overview("plex").reports == {}


def test_a_process_that_reports_no_more_does_not_run() -> None:
    text = (
        '{"role": "worker", "host": "a", "pid": 1, "started": 1.0, "version": "1", "requests": 3}'
    )

    def pids(age: float) -> set[int]:
        return {each.pid for each in running({"process:worker:a:1": Report(text, age)})}

    assert 1 in pids(MAX_AGE - 1)
    assert 1 not in pids(MAX_AGE + 1)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"role": "worker"}', '{"other": 1}'])
def test_a_report_of_another_version_is_left_out(text: str) -> None:
    assert len(running({"process:worker:a:1": Report(text, 0)})) == 1


@pytest.fixture(scope="module")
def two_workers(house: House, _valkey: Valkey) -> Iterator[Service]:
    service = house.service(_valkey, workers=2, DATABASE_URL=house.copied())
    yield service
    service.close()


def reported(workers: set[int]) -> dict[int, Process]:
    """Return those of the workers that Redis knows, by their process ids.

    Workers of other tests may use the same Redis.
    """
    shared = store.current().overview("plex")
    return {each.pid: each for each in running(shared.reports) if each.pid in workers}


def test_all_workers_report_themselves_and_their_requests_and_say_when_they_end(
    two_workers: Service, shared: Any, valkey: Valkey
) -> None:
    workers = set(two_workers.workers())
    until(lambda: set(reported(workers)) == workers, 20, "all workers are known")
    before = sum(each.requests for each in reported(workers).values())
    for _ in range(10):
        ask(two_workers.url, "/api/v1/health/live")
    until(
        lambda: sum(each.requests for each in reported(workers).values()) >= before + 10,
        20,
        "the requests are known",
    )
    two_workers.terminate()
    until(lambda: reported(workers) == {}, 20, "no worker is known any more")


@pytest.fixture(scope="module")
def under_wsgi(house: House, _valkey: Valkey) -> Iterator[Service]:
    service = house.service(_valkey, workers=1, kind=WsgiService, DATABASE_URL=house.copied())
    yield service
    service.close()


def test_a_worker_under_wsgi_reports_itself_and_its_requests(
    under_wsgi: Service, shared: Any, valkey: Valkey
) -> None:
    workers = set(under_wsgi.workers())
    until(lambda: set(reported(workers)) == workers, 20, "the worker is known")
    for _ in range(5):
        ask(under_wsgi.url, "/api/v1/health/live")
    until(
        lambda: sum(each.requests for each in reported(workers).values()) >= 5,
        20,
        "the requests are known",
    )
