"""`manage.py plex_listen` as a process, between a Plex whose catalogue changes and a service."""

import contextlib
import json
import signal
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from io import StringIO
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from medianest.store.reports import KEY
from plex_simulator import Simulator
from plex_simulator.notifications import REFRESH_STEPS
from tests.databases import Execute
from tests.invalidation.conftest import TOKEN, VERSIONS, Freshness, Listening
from tests.service import House, Valkey, until

MOVIES, SHOWS = "/libraries/1/items?size=3", "/libraries/2/items?size=3"
EVENTS = "/:/eventsource"
Listen = Callable[..., Listening]


def test_a_changed_title_is_seen_within_2_seconds_and_no_other_library_is_dropped(
    listening: Listening, freshness: Freshness, changing: Simulator
) -> None:
    everywhere = ("/libraries", "/server", "/recently-added", "/search?query=ca")
    freshness.cache(MOVIES, SHOWS, "/libraries/2/collections", *everywhere)
    key = freshness.data(MOVIES)["items"][0]["ratingKey"]

    def change() -> None:
        path, body = f"/simulator/items/{key}", {"title": "Told by Plex", "title_sort": "0"}
        assert requests.put(changing.url + path, json=body, timeout=5).status_code == HTTPStatus.OK

    freshness.within_2_seconds("library:1", change)
    answer = freshness.ask(MOVIES)
    assert answer.headers["x-plex-cache-status"] == "MISS"
    assert answer.json()["data"]["items"][0]["title"] == "Told by Plex"
    assert freshness.status(SHOWS) == "HIT"
    assert freshness.status("/libraries/2/collections") == "HIT"
    # What shows all libraries shows this one.
    assert {freshness.status(path) for path in everywhere} == {"MISS"}
    assert freshness.status(MOVIES) == "HIT"


def test_opening_a_title_in_a_plex_app_clears_nothing(
    listening: Listening, freshness: Freshness, changing: Simulator
) -> None:
    freshness.cache(MOVIES, SHOWS)
    key = freshness.data(MOVIES)["items"][0]["ratingKey"]
    steps = "&".join(f"{name}=1" for name in REFRESH_STEPS)
    for _ in range(3):
        opened = requests.get(
            f"{changing.url}/library/metadata/{key}?{steps}",
            headers={"X-Plex-Token": changing.owner_token},
            timeout=5,
        )
        assert opened.status_code == HTTPStatus.OK
    # The stream has an order: when this change has come, the others have as well.
    show = changing.catalogue.items("2", "show")[0].rating_key
    change = partial(changing.catalogue.change, show, summary="Changed")
    freshness.within_2_seconds("library:2", change)
    assert freshness.status(MOVIES) == "HIT"


def test_a_deleted_item_is_gone_within_2_seconds(
    listening: Listening, freshness: Freshness, changing: Simulator
) -> None:
    freshness.cache(MOVIES, SHOWS)
    before = freshness.data(MOVIES)
    key = before["items"][0]["ratingKey"]
    freshness.within_2_seconds("library:1", lambda: changing.catalogue.remove(key))
    after = freshness.data(MOVIES)
    assert after["pagination"]["total"] == before["pagination"]["total"] - 1
    assert after["items"][0]["ratingKey"] == before["items"][1]["ratingKey"]
    assert freshness.status(SHOWS) == "HIT"


def test_what_was_watched_is_not_listed_as_unwatched_after_the_next_change(
    listening: Listening, freshness: Freshness, changing: Simulator
) -> None:
    """Plex reports no mark of its own: the recorded events are a refresh that changed nothing."""
    unwatched = "/libraries/1/items?unwatched=1&size=2"
    freshness.cache(unwatched)
    before = freshness.data(unwatched)
    key = before["items"][0]["ratingKey"]
    changing.catalogue.mark_watched(key)
    change = partial(changing.catalogue.change, key, summary="Changed")
    freshness.within_2_seconds("library:1", change)
    after = freshness.data(unwatched)
    assert after["pagination"]["total"] == before["pagination"]["total"] - 1
    assert after["items"][0]["ratingKey"] == before["items"][1]["ratingKey"]


def test_a_scan_of_1000_items_is_a_handful_of_drops_and_its_last_change_is_seen(
    listening: Listening, freshness: Freshness, changing: Simulator, valkey: Valkey
) -> None:
    freshness.cache(MOVIES)
    movies = [movie.rating_key for movie in changing.catalogue.items("1", "movie")]
    first = freshness.data(MOVIES)["items"][0]["ratingKey"]
    began = time.monotonic()
    with valkey.client.monitor() as monitor:
        for number in range(1000):
            changing.catalogue.change(movies[number % len(movies)], summary=f"Scan {number}")
        freshness.within_2_seconds(
            "library:1", lambda: changing.catalogue.change(first, summary="The last one")
        )
        valkey.client.echo("scanned")
        commands = iter(lambda: monitor.next_command()["command"], "ECHO scanned")
        # Not all scripts: services of other tests may still run, and their processes report.
        drops = [each for each in commands if each.startswith("EVALSHA") and VERSIONS in each]
    seconds = time.monotonic() - began
    assert 1 <= len(drops) <= 2 + seconds, (seconds, drops)
    until(lambda: freshness.data(MOVIES)["items"][0]["summary"] == "The last one", 2, "it is seen")


@pytest.mark.parametrize("fault", ["hung up", "down"])
def test_what_changed_while_nobody_listened_is_dropped_when_plex_is_back(
    listening: Listening, freshness: Freshness, changing: Simulator, fault: str
) -> None:
    freshness.cache(MOVIES, SHOWS)
    before = freshness.dropped()
    if fault == "down":
        changing.fault("refused")
    else:
        changing.fault("status", path=EVENTS, status=503)
        assert changing.drop_listeners() == 1
    until(lambda: listening.says("not listening to Plex: Plex"), 5, "it is noticed")
    key = changing.catalogue.items("2", "show")[0].rating_key
    changing.catalogue.change(key, title="Changed unheard", title_sort="0")
    until(lambda: listening.says("not accessible") or listening.says("starting up"), 5, "why")
    # While Plex is unavailable, no cached response is invalidated.
    assert freshness.dropped() == before
    assert freshness.status(SHOWS) == "HIT"
    changing.heal()
    until(lambda: freshness.dropped() != before, 10, "what may have changed is dropped")
    assert freshness.data(SHOWS)["items"][0]["title"] == "Changed unheard"
    assert freshness.status(MOVIES) == "MISS"
    assert listening.says(" listening to Plex") == 2 + listening.says("not listening to Plex")
    freshness.cache(MOVIES)
    movie = changing.catalogue.items("1", "movie")[0].rating_key
    freshness.within_2_seconds(
        "library:1", lambda: changing.catalogue.change(movie, title="Heard again")
    )


@pytest.mark.parametrize(
    "listening", [{"IS_PATIENT_WITH_REDIS": ""}], ids=["not patient"], indirect=True
)
def test_what_changed_while_redis_was_unavailable_is_invalidated_when_it_is_back(
    listening: Listening, freshness: Freshness, changing: Simulator, valkey: Valkey
) -> None:
    freshness.cache(SHOWS)
    key = freshness.data(SHOWS)["items"][0]["ratingKey"]
    before = freshness.dropped()
    valkey.send(signal.SIGSTOP)
    try:
        changing.catalogue.change(key, title="Kept for Redis", title_sort="0")
        until(
            lambda: listening.says("Redis cannot receive invalidations"), 5, "the listener notices"
        )
    finally:
        valkey.send(signal.SIGCONT)
    until(
        lambda: freshness.dropped().get("library:2") != before.get("library:2"),
        5,
        "the library is dropped",
    )
    until(lambda: listening.says("Redis has received the pending"), 2, "the log says so")
    assert freshness.data(SHOWS)["items"][0]["title"] == "Kept for Redis"


def test_a_restarted_redis_learns_of_changes_too(
    listening: Listening, freshness: Freshness, changing: Simulator, valkey: Valkey
) -> None:
    valkey.restart()
    key = changing.catalogue.items("2", "show")[0].rating_key

    def change_again() -> bool:
        changing.catalogue.change(key, title="After the restart")
        return "library:2" in freshness.dropped()

    until(change_again, 5, "the new Redis receives the change")
    assert listening.is_running()


def test_the_listener_tells_where_it_stands(
    listening: Listening, freshness: Freshness, changing: Simulator, valkey: Valkey
) -> None:
    def reported() -> dict[str, object]:
        written = valkey.client.get("medianest:cache:listener") or b'{"problem": "none yet"}'
        found: dict[str, object] = json.loads(written)
        return found

    until(lambda: reported()["problem"] == "", 5, "it listens")
    assert 0 < valkey.client.ttl("medianest:cache:listener") <= 15
    changing.fault("status", path=EVENTS, status=401)
    changing.drop_listeners()
    until(lambda: "refuses the credentials" in str(reported()["problem"]), 5, "it is reported")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_listener_at_once(listening: Listening, number: signal.Signals) -> None:
    assert listening.end(number) == (0, True)
    assert listening.lines[-1].endswith("stopped")


@pytest.mark.parametrize("fault", ["silent", "drip_headers"])
def test_a_signal_ends_a_listener_that_waits_for_plex(
    listen: Listen, changing: Simulator, fault: str
) -> None:
    changing.fault(fault, path=EVENTS, times=1)
    process = listen()
    until(lambda: changing.faults[0]["left"] == 0, 10, "Plex has received its request")
    assert process.end(signal.SIGTERM) == (0, True)


def test_a_refused_token_is_reported_once_and_tried_again(
    listen: Listen, changing: Simulator
) -> None:
    changing.reset_requests()
    process = listen(PLEX_TOKEN=f"not-{TOKEN}")
    until(lambda: changing.count(EVENTS) >= 3, 10, "it is tried again")
    assert process.says("refuses the credentials") == 1
    assert len(process.lines) == 1
    assert process.end(signal.SIGTERM)[0] == 0


def test_without_a_plex_server_the_listener_waits(listen: Listen) -> None:
    process = listen(PLEX_URL="", PLEX_TOKEN="")
    until(lambda: process.says("no Plex server is configured"), 10, "it says so")
    assert process.end(signal.SIGTERM)[0] == 0


def test_without_redis_the_listener_says_why_it_cannot_work(listen: Listen) -> None:
    process = listen(REDIS_URL="")
    assert process.code() == 1
    assert process.says("REDIS_URL is not set: every process of the service has a cache of its own")


def test_the_listener_deletes_expired_sessions_and_tokens(listen: Listen, house: House) -> None:
    database = house.copied()
    with house.databases.rows(database) as execute:
        execute("INSERT INTO django_session VALUES ('valid', '', '2999-01-01 00:00:00')")
        execute("INSERT INTO django_session VALUES ('old', '', '2020-01-01 00:00:00')")
        execute("UPDATE token_blacklist_outstandingtoken SET expires_at = '2020-01-01 00:00:00'")
        assert count(execute, TOKENS) > 0
        process = listen(DATABASE_URL=database)
        until(lambda: process.lines, 30, "it has logged whether it listens")
        until(lambda: count(execute, TOKENS) == 0, 30, "the tokens are gone")
        until(lambda: count(execute, OLD_SESSIONS) == 0, 30, "the sessions are gone")
        assert count(execute, "django_session WHERE session_key = 'valid'") == 1


def test_the_listener_reports_itself_as_a_process(listening: Listening, valkey: Valkey) -> None:
    until(
        lambda: any(name.startswith(b"process:listener:") for name in valkey.client.hkeys(KEY)),
        20,
        "its process is known",
    )


TOKENS = "token_blacklist_outstandingtoken"
OLD_SESSIONS = "django_session WHERE session_key = 'old'"


def count(execute: Execute, rows: str) -> int:
    ((found,),) = execute(f"SELECT count(*) FROM {rows}")
    return int(found)


def test_the_health_check_finds_a_listener_that_runs(listening: Listening, shared: Any) -> None:
    def is_healthy() -> bool:
        output = StringIO()
        with contextlib.suppress(CommandError):
            call_command("listener_health", stdout=output)
        return output.getvalue().startswith("The listener runs")

    until(is_healthy, 20, "the listener has reported itself")
