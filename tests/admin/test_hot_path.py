"""What settings and metrics cost a cache hit: no query, and one more round trip a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts import tokens
from accounts.models import User
from medianest.store.redis_server import RedisServer
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection, PolicyChange
from plex_simulator import Simulator

PATH = "/api/v1/plex/libraries/1/items?size=2"


@pytest.fixture
def hit(shared: Any, plex: Simulator, transactional_db: None) -> Any:
    """A repeated request, in this thread, whose response is cached."""
    user = User.objects.create(username="ada", password="!")
    headers = {"Authorization": f"Bearer {tokens.issue(user).access}"}
    browser = Browser()

    def get() -> Any:
        return browser.get(PATH, headers=headers)

    assert get().headers["X-Plex-Cache-Status"] == "MISS"
    # The first request of a process creates the tag versions, so the settings are read again.
    runtime.reload()
    assert get().headers["X-Plex-Cache-Status"] == "HIT"
    return get


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Count the round trips to Redis, and require that there is no query of the database."""
    trips: list[str] = []
    send, execute = RedisServer.send, RedisServer.execute

    def counted_send(*arguments: Any) -> Any:
        trips.append("send")
        return send(*arguments)

    def counted_execute(*arguments: Any) -> Any:
        trips.append("execute")
        return execute(*arguments)

    with monkeypatch.context() as patch, CaptureQueriesContext(database) as queries:
        patch.setattr(RedisServer, "send", counted_send)
        patch.setattr(RedisServer, "execute", counted_execute)
        yield trips
    assert [each["sql"] for each in queries.captured_queries] == []


def test_a_hit_needs_one_round_trip_to_redis_and_no_query(
    hit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "CHECK_SECONDS", 3600)
    runtime._checked_until = float("inf")
    with counted(monkeypatch) as trips:
        assert hit().headers["X-Plex-Cache-Status"] == "HIT"
    assert trips == ["send"]


def test_a_hit_that_checks_the_settings_needs_two_round_trips_and_no_query(
    hit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime._checked_until = 0
    with counted(monkeypatch) as trips:
        assert hit().headers["X-Plex-Cache-Status"] == "HIT"
    assert trips == ["send", "send"]


def test_a_change_that_was_not_announced_is_found_within_a_minute(
    hit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    PolicyChange.objects.bulk_create([PolicyChange(kind="ttl", name="library-items", value=7)])
    runtime._checked_until = 0
    assert hit().headers["Cache-Control"] == "max-age=600, private"
    monkeypatch.setattr(runtime, "READ_AGAIN_SECONDS", 0)
    runtime._checked_until = 0
    assert hit().headers["Cache-Control"] == "max-age=7, private"


def test_the_rows_are_read_again_after_redis_lost_its_data(
    hit: Any, valkey: Any, plex: Simulator
) -> None:
    PlexConnection.objects.update(seconds=3)
    runtime._checked_until = 0
    connection = runtime.current().connection
    assert connection
    assert connection.seconds == 10
    valkey.client.flushall()
    runtime._checked_until = 0
    connection = runtime.current().connection
    assert connection
    assert connection.seconds == 3


def test_the_settings_stay_in_force_while_the_database_is_unavailable(
    hit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = runtime.current()
    monkeypatch.setattr(runtime, "_snapshot", replace(known, version="older"))
    monkeypatch.setattr(runtime, "_checked_until", 0.0)
    monkeypatch.setattr(runtime, "_read", _fail)
    assert hit().headers["X-Plex-Cache-Status"] == "HIT"


def _fail(version: str | None) -> Any:
    raise OperationalError
