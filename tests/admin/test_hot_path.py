"""What settings and metrics cost a cache hit: no query, and no round trip of their own."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError

from plex_integration.caching import fast_path_layers
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection, PolicyChange
from plex_simulator import Simulator
from tests import counting
from tests.conftest import Client
from tests.service import until

PATH = "/plex/libraries/1/items?size=2"


@pytest.fixture
def hit(shared: Any, quick: Client) -> Any:
    """A repeated request to the server of this process, whose response is cached."""

    def get() -> Any:
        return quick.get(PATH)

    assert get().headers["X-Plex-Cache-Status"] == "MISS"
    # The first request of a process creates the tag versions, so the settings are read again.
    runtime.reload()
    assert get().headers["X-Plex-Cache-Status"] == "HIT"
    return get


@pytest.mark.parametrize("checked_until", [float("inf"), 0.0], ids=["checked", "due"])
def test_a_hit_needs_one_round_trip_to_redis_and_no_query(
    hit: Any, monkeypatch: pytest.MonkeyPatch, checked_until: float
) -> None:
    """Also where the settings are due to be compared: their version comes with every hit."""
    monkeypatch.setattr(runtime, "_checked_until", checked_until)
    trips, queries = counting.round_trips(monkeypatch), counting.queries(monkeypatch)
    assert hit().headers["X-Plex-Cache-Status"] == "HIT"
    assert trips == [("EVALSHA", "GETRANGE", "GET")]
    assert queries == []


def test_a_change_that_was_not_announced_is_found_within_a_minute(
    hit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read in the background, so that no hit waits for the database."""
    PolicyChange.objects.bulk_create([PolicyChange(kind="ttl", name="library-items", value=7)])
    assert hit().headers["Cache-Control"] == "max-age=600, private"
    monkeypatch.setattr(fast_path_layers, "BATCH_SECONDS", 0.01)
    monkeypatch.setattr(runtime, "READ_AGAIN_SECONDS", 0)
    runtime._checked_until = 0
    until(lambda: hit().headers["Cache-Control"] == "max-age=7, private", 10, "it is found")


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
