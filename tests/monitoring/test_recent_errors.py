"""Errors are counted by code, with the ids of the last requests, for all workers together."""

import threading
import time
from typing import Any

import pytest

from medianest.monitoring import recent_errors
from medianest.monitoring.recent_errors import ErrorCount
from medianest.store.redis_server import RedisServer
from plex_integration.policies import LIBRARY_OPERATIONS
from plex_simulator import Simulator
from tests.conftest import Client
from tests.service import Valkey


@pytest.fixture(params=["in this process", "Redis"], autouse=True)
def _each_store(request: Any) -> None:
    if request.param == "Redis":
        request.getfixturevalue("shared")


def found() -> dict[str, ErrorCount]:
    return {error.code: error for error in recent_errors.summary()}


def ids(code: str) -> list[str]:
    return [each.request_id for each in found()[code].last]


def test_errors_are_counted_by_code_with_the_ids_of_their_requests(
    api: Client, plex: Simulator
) -> None:
    plex.fault("status", status=500)
    failed = api.get("/plex/server")
    assert failed.status_code == 502
    missing = [api.get("/plex/libraries/x/items") for _ in range(2)]
    assert {code: (error.hour, error.day) for code, error in found().items()} == {
        "PLEX_API_ERROR": (1, 1),
        "LIBRARY_NOT_FOUND": (2, 2),
    }
    assert ids("PLEX_API_ERROR") == [failed.headers["X-Request-ID"]]
    assert ids("LIBRARY_NOT_FOUND") == [each.headers["X-Request-ID"] for each in reversed(missing)]
    assert abs(found()["PLEX_API_ERROR"].last[0].at.timestamp() - time.time()) < 60


def test_errors_that_reach_no_view_are_counted(api: Client, anonymous: Client) -> None:
    unknown = api.get("/nothing")
    refused = anonymous.get("/plex/server")
    foreign = api.get("/plex/server", headers={"Host": "foreign.example"})
    long = api.get("/plex/search?query=" + "x" * 9000)
    for code, response in (
        ("NOT_FOUND", unknown),
        ("UNAUTHORIZED", refused),
        ("VALIDATION_ERROR", foreign),
        ("URI_TOO_LONG", long),
    ):
        assert ids(code) == [response.headers["X-Request-ID"]], code


def test_refused_requests_are_counted_by_either_path(api: Client) -> None:
    for _ in range(LIBRARY_OPERATIONS.requests):
        api.get("/plex/libraries")
    fast = api.get("/plex/libraries")
    full = api.get("/plex/libraries", headers={"Cache-Control": "no-cache"})
    assert (fast.status_code, full.status_code) == (429, 429)
    assert found()["RATE_LIMIT_EXCEEDED"].day == 2
    assert ids("RATE_LIMIT_EXCEEDED") == [
        full.headers["X-Request-ID"],
        fast.headers["X-Request-ID"],
    ]


def test_a_request_that_is_run_again_where_it_may_wait_is_no_error(
    api: Client, plex: Simulator
) -> None:
    assert api.get("/plex/server").headers["X-Plex-Cache-Status"] == "MISS"
    assert found() == {}


def test_only_the_last_requests_are_remembered_and_all_are_counted() -> None:
    for number in range(12):
        recent_errors.record("NOT_FOUND", f"request-{number}")
        recent_errors.flush()
    assert found()["NOT_FOUND"].day == 12
    assert ids("NOT_FOUND") == [f"request-{number}" for number in (11, 10, 9, 8, 7)]


def test_the_code_of_the_last_error_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = time.time() - 5
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: earlier)
        recent_errors.record("INTERNAL_ERROR", "request-1")
    recent_errors.record("NOT_FOUND", "request-2")
    assert [error.code for error in recent_errors.summary()] == ["NOT_FOUND", "INTERNAL_ERROR"]


def test_older_errors_count_for_the_day_and_not_for_the_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now - 2 * recent_errors.HOUR)
        recent_errors.record("NOT_FOUND", "request-1")
        recent_errors.flush()
    assert (found()["NOT_FOUND"].hour, found()["NOT_FOUND"].day) == (0, 1)


def test_errors_that_redis_did_not_receive_are_added_later(
    stores: Any, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.use(valkey.url)
    recent_errors.record("NOT_FOUND", "request-1")
    with monkeypatch.context() as patch:
        patch.setattr(RedisServer, "execute", lambda *_: None)
        recent_errors.flush()
    recent_errors.record("NOT_FOUND", "request-2")
    assert found()["NOT_FOUND"].day == 2
    assert ids("NOT_FOUND") == ["request-2", "request-1"]


def test_errors_that_a_thread_is_adding_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    add, is_adding = recent_errors._add, threading.Event()

    def add_slowly(*errors: Any) -> bool:
        is_adding.set()
        time.sleep(0.5)  # as a slow Redis does
        return add(*errors)

    monkeypatch.setattr(recent_errors, "_add", add_slowly)
    recent_errors.record("NOT_FOUND", "request-1")
    thread = threading.Thread(target=recent_errors.flush)
    thread.start()
    assert is_adding.wait(20)
    assert ids("NOT_FOUND") == ["request-1"]
    thread.join()


def test_nothing_is_stored_of_a_request_but_its_id(
    stores: Any, valkey: Valkey, api: Client
) -> None:
    stores.use(valkey.url)
    api.get("/plex/libraries/not-an-id/items?query=something-private")
    recent_errors.flush()
    stored = [valkey.client.lrange(key, 0, -1) for key in valkey.client.keys("medianest:recent:*")]
    assert len(stored) == 1
    assert b"private" not in b"".join(stored[0])
