"""What settings and counters cost a hit: no query, and no round trip but for one a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts import tokens
from accounts.models import User
from medianest.store import redis as room
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection, PolicyChange
from plex_simulator import Simulator

PATH = "/api/v1/plex/libraries/1/items?size=2"


@pytest.fixture
def hit(shared: Any, plex: Simulator, transactional_db: None) -> Any:
    """A repeated question, in this thread, whose first answer is kept."""
    user = User.objects.create(username="ada", password="!")
    headers = {"Authorization": f"Bearer {tokens.issue(user).access}"}
    browser = Browser()

    def ask() -> Any:
        return browser.get(PATH, headers=headers)

    assert ask().headers["X-Plex-Cache-Status"] == "MISS"
    # The request that ends begins the keeping of the versions: looked at once more.
    runtime.forget()
    assert ask().headers["X-Plex-Cache-Status"] == "HIT"
    return ask


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Count the round trips to Redis, by either way to it."""
    trips: list[str] = []
    asked, run = room._asked, room.RedisStore._run

    def look(*given: Any) -> Any:
        trips.append("look")
        return asked(*given)

    def others(*given: Any) -> Any:
        trips.append("run")
        return run(*given)

    with monkeypatch.context() as patch, CaptureQueriesContext(database) as queries:
        patch.setattr(room, "_asked", look)
        patch.setattr(room.RedisStore, "_run", others)
        yield trips
    assert [each["sql"] for each in queries.captured_queries] == []


def test_a_hit_asks_no_database_and_redis_once(hit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "GOOD_FOR", 3600)
    runtime._good_until = float("inf")
    with counted(monkeypatch) as trips:
        assert hit().headers["X-Plex-Cache-Status"] == "HIT"
    assert trips == ["look"]


def test_a_hit_that_looks_for_changes_asks_redis_twice_and_no_database(
    hit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime._good_until = 0
    with counted(monkeypatch) as trips:
        assert hit().headers["X-Plex-Cache-Status"] == "HIT"
    assert trips == ["look", "look"]


def test_a_change_that_nobody_told_of_is_found_within_a_minute(
    hit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    PolicyChange.objects.bulk_create([PolicyChange(kind="ttl", name="library-items", value=7)])
    runtime._good_until = 0
    assert hit().headers["Cache-Control"] == "max-age=600, private"
    monkeypatch.setattr(runtime, "READ_AGAIN", 0)
    runtime._good_until = 0
    assert hit().headers["Cache-Control"] == "max-age=7, private"


def test_a_redis_that_began_anew_makes_the_rows_be_read_again(
    hit: Any, valkey: Any, plex: Simulator
) -> None:
    PlexConnection.objects.update(seconds=3)
    runtime._good_until = 0
    found = runtime.current().connection
    assert found
    assert found.seconds == 10
    valkey.client.flushall()
    runtime._good_until = 0
    found = runtime.current().connection
    assert found
    assert found.seconds == 3


def test_a_database_that_is_away_leaves_what_was_in_force(
    hit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def away(version: str | None) -> Any:
        raise OperationalError

    known = runtime.current()
    monkeypatch.setattr(runtime, "_picture", replace(known, version="older"))
    monkeypatch.setattr(runtime, "_good_until", 0.0)
    monkeypatch.setattr(runtime, "_read", away)
    assert hit().headers["X-Plex-Cache-Status"] == "HIT"
