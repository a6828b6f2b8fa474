"""An unavailable Redis: answers go on, limits hold per process, nobody waits for it."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any

import pytest

from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import (
    HOST,
    Answer,
    House,
    Person,
    Service,
    Valkey,
    ask,
    at_once,
    free_port,
    until,
)

PATHS = [
    "/api/v1/plex/server",
    "/api/v1/plex/libraries",
    "/api/v1/plex/libraries/1/items?size=2",
    "/api/v1/plex/search?query=the&limit=2",
    "/api/v1/plex/recently-added?limit=2",
    "/api/v1/plex/libraries/1/collections?size=2",
]
ITEMS = PATHS[2]
# What an answer may cost with Redis unavailable and Plex at hand, on a busy machine: 0.3 seconds
# for Redis, and the rest for the work. The store's own tests measure the 0.3 alone.
SLOW = 2.0
OTHERS = slice(16, 38)
"""The users who send nothing but the requests that show whether the service is normal."""


@pytest.fixture(scope="module")
def _frail(house: House) -> Iterator[Valkey]:
    server = Valkey(house.folder)
    yield server
    server.close()


@pytest.fixture(scope="module")
def _exposed(house: House, _frail: Valkey) -> Iterator[Service]:
    service = house.service(_frail, workers=2, is_patient=False)
    yield service
    service.close()


@pytest.fixture
def frail(_frail: Valkey) -> Iterator[Valkey]:
    """A Valkey that the test may break; whole again afterwards."""
    _frail.client.flushall()
    yield _frail
    _frail.restart()


@pytest.fixture
def exposed(_exposed: Service, frail: Valkey, plex: Simulator, people: Sequence[Person]) -> Service:
    """A service on that Valkey, with the response of every path cached."""
    normal_within_5_seconds(_exposed, people[OTHERS])
    for path in PATHS:
        assert ask(_exposed.url, path, people[39].headers).status == 200
    return _exposed


@pytest.fixture
def warm(service: Service, people: Sequence[Person]) -> Service:
    """The service that all tests share, with the response of every path cached."""
    for path in PATHS:
        assert ask(service.url, path, people[39].headers).status == 200
    return service


def normal_within_5_seconds(service: Service, people: Sequence[Person]) -> None:
    """Wait until all workers use Redis: of many requests at once each is a HIT.

    Many users send them: one alone would soon get 429, with Redis or without.
    """
    turns = cycle(people)
    until(lambda: hits(service, [next(turns) for _ in range(6)]) == ["HIT"] * 6, 5, "it is normal")


def hits(service: Service, people: Sequence[Person]) -> list[str]:
    """Send requests for ITEMS at once and return how each was answered."""
    answers = at_once(service.url, [(ITEMS, person.headers) for person in people])
    return [statuses(answer) for answer in answers]


def statuses(answer: Answer) -> str:
    """Return how an answer came: its cache status, or the number of an error."""
    return answer.headers["x-plex-cache-status"] if answer.status == 200 else str(answer.status)


def is_hit(service: Service, path: str, person: Person) -> bool:
    time.sleep(0.3)  # fewer requests than the user's limit allows
    answer = ask(service.url, path, person.headers)
    assert answer.status == 200
    return answer.headers["x-plex-cache-status"] == "HIT"


def refuse(valkey: Valkey) -> None:
    valkey.kill()


def hang(valkey: Valkey) -> None:
    valkey.send(signal.SIGSTOP)


def fill(valkey: Valkey) -> None:
    valkey.client.config_set("maxmemory-policy", "noeviction")
    valkey.client.config_set("maxmemory", "1")


def make_read_only(valkey: Valkey) -> None:
    valkey.client.config_set("repl-diskless-load", "swapdb")
    valkey.client.replicaof(HOST, free_port())  # a master that is not there: the data stays


FAULTS: dict[str, tuple[Callable[[Valkey], None], Callable[[Valkey], None]]] = {
    "refused": (refuse, lambda valkey: valkey.start()),
    "hung": (hang, lambda valkey: valkey.send(signal.SIGCONT)),
    "full": (fill, lambda valkey: valkey.client.config_set("maxmemory", "0")),
    "read-only": (make_read_only, lambda valkey: valkey.client.replicaof("NO", "ONE")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_answers_go_on_and_limits_hold_per_process_while_redis_is(
    fault: str, exposed: Service, frail: Valkey, people: Sequence[Person], plex: Simulator
) -> None:
    breaks, mends = FAULTS[fault]
    # Each fault its own users: what a process counted while Redis was unavailable it still knows.
    first = 3 * list(FAULTS).index(fault)
    reader, eager, last = people[first : first + 3]
    logged = len(exposed.log)
    breaks(frail)
    whole = Stopwatch()
    try:
        watch = Stopwatch()
        answers = [
            ask(exposed.url, f"{path}{'&' if '?' in path else '?'}x={turn}", reader.headers)
            for turn in range(2)
            for path in PATHS
        ]
        assert {answer.status for answer in answers} == {200}
        slowest = max(answer.seconds for answer in answers)
        assert watch.allows(slowest, SLOW), (slowest, watch)
        if fault in ("refused", "hung"):
            assert {answer.headers["x-plex-cache-status"] for answer in answers} == {"BYPASS"}
            assert all(answer.json()["metadata"]["cached"] is False for answer in answers)
        else:
            # Redis can still be read: what was cached is given, what is new is not cached.
            assert {a.headers["x-plex-cache-status"] for a in answers} <= {"HIT", "BYPASS"}
        new = ask(exposed.url, f"{ITEMS}&start=8", reader.headers)
        assert (new.status, new.headers["x-plex-cache-status"]) == (200, "BYPASS")

        # 200 at once: each of the two workers counts for itself, and neither lets more through.
        requests = [(PATHS[0], eager.headers)] * 200
        counted = Counter(answer.status for answer in at_once(exposed.url, requests))
        assert set(counted) == {200, 429}
        assert 20 <= counted[200] <= 40
        refused = ask(exposed.url, PATHS[0], eager.headers)
        assert "x-ratelimit-limit" in refused.headers
    finally:
        mends(frail)
    normal_within_5_seconds(exposed, people[OTHERS])
    until(lambda: is_hit(exposed, f"{ITEMS}&start=8", last), 5, "answers are cached again")
    warned = exposed.log[logged:]
    assert "WARNING" in warned
    assert "Redis" in warned
    assert "Traceback" not in warned
    assert whole.keeps(60), whole


def test_a_redis_that_is_flushed_only_makes_misses(
    exposed: Service, frail: Valkey, people: Sequence[Person]
) -> None:
    for flush in (frail.client.flushall, frail.client.script_flush, frail.restart):
        flush()
        statuses = [
            ask(exposed.url, path, people[0].headers).headers["x-plex-cache-status"]
            for path in PATHS
        ]
        assert set(statuses) <= {"MISS", "HIT", "BYPASS"}
        normal_within_5_seconds(exposed, people[OTHERS])
        until(lambda: is_hit(exposed, ITEMS, people[0]), 5, "answers are cached again")


def test_a_flush_of_the_scripts_is_noticed_by_nobody(
    warm: Service, valkey: Valkey, people: Sequence[Person]
) -> None:
    before = ask(warm.url, ITEMS, people[0].headers)
    valkey.client.script_flush()
    after = ask(warm.url, ITEMS, people[0].headers)
    assert after.headers["x-plex-cache-status"] == "HIT"
    rests = [int(answer.headers["x-ratelimit-remaining"]) for answer in (before, after)]
    assert rests == [59, 58]


def test_pressure_that_evicts_answers_evicts_no_limit(
    warm: Service, valkey: Valkey, people: Sequence[Person]
) -> None:
    for _ in range(20):
        ask(warm.url, PATHS[0], people[0].headers)
    assert ask(warm.url, PATHS[0], people[0].headers).status == 429
    used = valkey.client.info("memory")["used_memory"]
    valkey.client.config_set("maxmemory-policy", "volatile-lru")
    valkey.client.config_set("maxmemory", str(used + 2_000_000))
    try:
        for number in range(400):
            valkey.client.set(f"medianest:cache:filler-{number}", b"x" * 20_000, ex=1000)
        assert valkey.client.info("stats")["evicted_keys"] > 100
        assert ask(warm.url, PATHS[0], people[0].headers).status == 429
        assert ask(warm.url, ITEMS, people[0].headers).status == 200
    finally:
        valkey.client.config_set("maxmemory", "0")
        valkey.client.config_set("maxmemory-policy", "noeviction")


def test_clearing_the_cache_forgets_no_limit(
    warm: Service, valkey: Valkey, people: Sequence[Person], stores: Any
) -> None:
    from django.core.cache import caches

    for _ in range(21):
        answer = ask(warm.url, PATHS[0], people[0].headers)
    assert answer.status == 429
    stores.use(valkey.url)
    caches["default"].clear()
    assert valkey.client.keys("medianest:cache:*") == []
    assert ask(warm.url, PATHS[0], people[0].headers).status == 429
    other = ask(warm.url, PATHS[0], people[1].headers)
    assert (other.status, other.headers["x-plex-cache-status"]) == (200, "MISS")
