"""A slow or silent Plex delays nothing that needs no Plex."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import Answer, House, Person, Service, Valkey, ask, at_once, until

from .conftest import ITEMS, MANY, SLOW, Flood, p99

CACHED, OTHER = f"{ITEMS}&size=2", f"{ITEMS}&size=4"
PAGE = {"Accept": "text/html"}
NEGOTIATED = {"Accept": "application/json;q=0.9"}
"""DRF negotiates this one: it does not take the fast path."""
PREFLIGHT = {"Origin": "https://client.example", "Access-Control-Request-Method": "GET"}
AT_PLEX = 32
"""Of 48 requests at least so many wait for Plex, however the kernel deals them to two workers."""
UNTIL_HEALED = 100.0
"""Seconds that Plex takes to answer: longer than any machine needs to look at what waits for it."""


@dataclass(frozen=True)
class Case:
    """Requests that need no Plex, each sent so many times, and how soon they are answered."""

    wanted: Sequence[tuple[str, dict[str, str]]]
    status: int = 200
    bound: float = 0.25
    method: str = "GET"
    times: int = 3

    def answers(self, service: Service) -> list[Answer]:
        return [
            answer
            for _ in range(self.times)
            for answer in at_once(service.url, self.wanted, method=self.method)
        ]


def cases(service: Service, people: Sequence[Person]) -> dict[str, Case]:
    """Let the service cache what the cases request; return them."""
    first, readers, others, exhausted = people[20], people[21:29], people[29:37], people[37]
    item = ask(service.url, CACHED, first.headers).json()["data"]["items"][0]
    link = item["thumbUrl"]
    image = link.partition("?")[0]
    for path, person in ((OTHER, first), (image, first), (link, first)):
        assert ask(service.url, path, person.headers).status == 200
    at_once(service.url, [(CACHED, exhausted.headers)] * 60)
    return {
        "hits": Case([(CACHED, person.headers) for person in readers], times=15),
        "hits that one worker has not seen": Case([(OTHER, each.headers) for each in others]),
        "HEAD": Case([(CACHED, each.headers) for each in others], method="HEAD"),
        "pages": Case([(CACHED, each.headers | PAGE) for each in others], bound=1, times=1),
        "negotiated": Case([(CACHED, each.headers | NEGOTIATED) for each in others]),
        "pictures by link": Case([(link, {})] * 8),
        "pictures by token": Case([(image, each.headers) for each in others]),
        "preflights": Case([(CACHED, PREFLIGHT)] * 8, method="OPTIONS"),
        "401": Case([(CACHED, {})] * 8, status=401),
        "401 of a write": Case([("/api/v1/plex/playlists", {})] * 8, method="POST", status=401),
        "404": Case([("/api/v1/plex/nothing", first.headers)] * 8, status=404),
        "404 of an item": Case([("/api/v1/plex/items/abc", first.headers)] * 8, status=404),
        "400": Case([(f"{ITEMS}&size=x", people[38].headers)] * 8, status=400),
        "429": Case([(CACHED, exhausted.headers)] * 8, status=429),
        "live": Case([("/api/v1/health/live", {})] * 8, bound=0.5),
        "health": Case([("/api/v1/health", {})] * 8, bound=1),
    }


def assert_none_waits(service: Service, prepared: dict[str, Case]) -> None:
    for name, case in prepared.items():
        watch = Stopwatch()
        answers = case.answers(service)
        assert {answer.status for answer in answers} == {case.status}, name
        assert watch.allows(p99(answers), case.bound), f"{name}: {p99(answers):.3f} s; {watch}"


def assert_answered_or_refused(answers: Sequence[Answer]) -> None:
    for answer in answers:
        if answer.status != 200:
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["error"]["code"] in (
                "PLEX_SERVER_UNAVAILABLE",
                "SERVICE_UNAVAILABLE",
            )


def test_with_48_requests_waiting_for_plex_nothing_else_waits(
    isolated: Service, valkey: Valkey, plex: Simulator, people: Sequence[Person]
) -> None:
    prepared = cases(isolated, people)
    plex.fault("slow", path="/identity", delay=UNTIL_HEALED)
    plex.fault("slow", path=SLOW, times=MANY, delay=UNTIL_HEALED)
    flood = Flood(isolated, plex, people, 48)
    until(lambda: flood.in_flight() >= AT_PLEX, 10, "the cold requests wait for Plex")
    assert_none_waits(isolated, prepared)
    assert not flood.is_over()
    healed = Stopwatch()
    plex.heal()
    answers = flood.answers()
    assert healed.keeps(5), healed
    assert_answered_or_refused(answers)


@pytest.mark.parametrize("size", [48, 300])
def test_with_a_silent_plex_nothing_else_waits_and_what_needs_it_is_refused(
    hurried: Service, valkey: Valkey, plex: Simulator, people: Sequence[Person], size: int
) -> None:
    prepared = cases(hurried, people)
    plex.fault("silent")
    watch = Stopwatch()
    flood = Flood(hurried, plex, people, size)
    assert_none_waits(hurried, prepared)
    answers = flood.answers()
    assert {answer.status for answer in answers} == {503}
    assert_answered_or_refused(answers)
    slowest = max(answer.seconds for answer in answers)
    assert watch.allows(slowest, 9), f"{slowest:.2f} s; {watch}"


def test_requests_that_plex_answers_after_2_seconds_are_answered_in_turn(
    isolated: Service, valkey: Valkey, plex: Simulator, people: Sequence[Person]
) -> None:
    cases(isolated, people)
    plex.fault("slow", path=SLOW, delay=2.0)
    watch = Stopwatch()
    answers = Flood(isolated, plex, people, 48).answers()
    assert {answer.status for answer in answers} == {200}
    assert watch.allows(max(answer.seconds for answer in answers), 5), watch


def test_a_crowd_gets_one_page_of_a_slow_plex_from_one_load(
    isolated: Service, valkey: Valkey, plex: Simulator, people: Sequence[Person]
) -> None:
    cases(isolated, people)
    plex.fault("slow", path=SLOW, delay=3.0)
    plex.reset_requests()
    page = f"{ITEMS}&size=3"
    answers = at_once(isolated.url, [(page, each.headers) for each in people[:20]] * 40)
    assert Counter(answer.status for answer in answers) == {200: 800}
    assert [each.path for each in plex.requests].count("/library/sections/1/all") == 1


def test_a_repeated_write_is_answered_while_all_threads_wait_for_plex(
    isolated: Service, valkey: Valkey, plex: Simulator, house: House, people: Sequence[Person]
) -> None:
    cases(isolated, people)
    movies = [movie.rating_key for movie in plex.catalogue.items("1", "movie")[:2]]
    body: Any = {"title": "Once", "items": movies}
    headers = house.writers[0].headers | {"Idempotency-Key": "isolated"}
    write = [("/api/v1/plex/libraries/1/collections", headers)]
    first = at_once(isolated.url, write, body)[0]
    assert first.status == 201, first.body
    made = first.json()["data"]["collection"]["ratingKey"]
    try:
        plex.fault("slow", path=SLOW, times=MANY, delay=UNTIL_HEALED)
        flood = Flood(isolated, plex, people, 48)
        until(lambda: flood.in_flight() >= AT_PLEX, 10, "the cold requests wait for Plex")
        watch = Stopwatch()
        again = at_once(isolated.url, write * 8, body)
        assert {each.status for each in again} == {201}
        assert {each.headers["idempotency-replayed"] for each in again} == {"true"}
        assert watch.allows(max(each.seconds for each in again), 0.5), watch
        plex.heal()
        flood.answers()
    finally:
        plex.catalogue.remove_collection(made)
