"""A Redis for the limits alone, either one slow or broken; and a service without any Redis."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import cycle

import pytest

from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.proxy import SlowProxy
from tests.service import House, Person, Service, Valkey, ask, at_once, until
from tests.store.test_faults import ITEMS, PATHS, SLOW, hits, normal_within_5_seconds, statuses

SERVER = PATHS[0]
REPLY_SECONDS = 0.25
"""How long the service waits for a reply of Redis (docs/architecture.md)."""


@dataclass(frozen=True)
class Divided:
    """A service of two workers with two Redis servers, each behind a proxy."""

    service: Service
    valkeys: dict[str, Valkey]
    proxies: dict[str, SlowProxy]


@pytest.fixture(scope="module")
def _divided(house: House) -> Iterator[Divided]:
    with ExitStack() as stack:
        valkeys = {
            name: stack.enter_context(closing(Valkey(house.folder))) for name in ("cache", "limits")
        }
        proxies = {
            name: stack.enter_context(closing(SlowProxy(valkey.port)))
            for name, valkey in valkeys.items()
        }
        service = house.service(
            None,
            workers=2,
            is_patient=False,
            REDIS_URL=proxies["cache"].url,
            REDIS_LIMITS_URL=proxies["limits"].url,
        )
        yield Divided(stack.enter_context(closing(service)), valkeys, proxies)


@pytest.fixture(scope="module")
def _patient(house: House, _divided: Divided) -> Iterator[Service]:
    cache, limits = (_divided.valkeys[name].url for name in ("cache", "limits"))
    service = house.service(None, workers=2, REDIS_URL=cache, REDIS_LIMITS_URL=limits)
    yield service
    service.close()


@pytest.fixture
def patient(_patient: Service, divided: Divided) -> Service:
    """A service with the same Redis servers, for which it waits on a busy machine."""
    return _patient


@pytest.fixture
def divided(_divided: Divided, plex: Simulator, people: Sequence[Person]) -> Iterator[Divided]:
    """A service whose workers serve hits of ITEMS."""
    for valkey in _divided.valkeys.values():
        valkey.client.flushall()
    normal_within_5_seconds(_divided.service, people)
    yield _divided
    for proxy in _divided.proxies.values():
        proxy.delay = 0.0


@pytest.mark.parametrize(
    ("delay", "slow"),
    [
        (0.05, ("cache", "limits")),
        (0.2, ("cache",)),
        (0.2, ("limits",)),
        # So late that a worker that gets no processor for a while finds no reply either.
        (5.0, ("cache",)),
        (5.0, ("limits",)),
    ],
)
def test_answers_go_on_while_redis_is_slow(
    delay: float, slow: tuple[str, ...], divided: Divided, people: Sequence[Person]
) -> None:
    for name in slow:
        divided.proxies[name].delay = delay
    watch = Stopwatch()
    answers = [
        answer
        for turn in range(3)
        for answer in at_once(
            divided.service.url, [(ITEMS, person.headers) for person in people[turn * 4 :][:4]]
        )
    ]
    answers.append(ask(divided.service.url, f"{ITEMS}&x={time.time_ns()}", people[20].headers))
    found = {statuses(answer) for answer in answers}
    slowest = max(answer.seconds for answer in answers)
    assert watch.allows(slowest, SLOW), (slowest, watch)
    if delay > 0.3:
        assert found == {"BYPASS"}
    for name in slow:
        divided.proxies[name].delay = 0.0
    normal_within_5_seconds(divided.service, people[21:38])


def test_a_redis_that_is_slow_but_replies_in_time_is_used(
    divided: Divided, people: Sequence[Person]
) -> None:
    for proxy in divided.proxies.values():
        proxy.delay = 0.05
    turns = cycle(people)

    def is_used() -> bool:
        watch = Stopwatch()
        found = {
            status
            for _ in range(3)
            for status in hits(divided.service, [next(turns) for _ in range(4)])
        }
        new = f"{ITEMS}&x={time.time_ns()}"
        found.add(statuses(ask(divided.service.url, new, next(turns).headers)))
        # A reply is also late where the proxy or Valkey has to wait for a processor.
        assert found <= {"HIT", "MISS"} or 0.05 + watch.busy > REPLY_SECONDS, (found, watch)
        return found <= {"HIT", "MISS"}

    until(is_used, 5, "all requests of a round use Redis")


BREAKS: dict[str, Callable[[Valkey], None]] = {
    "refused": lambda valkey: valkey.kill(),
    "hung": lambda valkey: valkey.send(signal.SIGSTOP),
}
MENDS: dict[str, Callable[[Valkey], None]] = {
    "refused": lambda valkey: valkey.start(),
    "hung": lambda valkey: valkey.send(signal.SIGCONT),
}


@pytest.mark.parametrize("broken", ["cache", "limits"])
@pytest.mark.parametrize("fault", BREAKS)
def test_answers_go_on_and_limits_hold_per_process_while_either_redis_is(
    fault: str, broken: str, divided: Divided, people: Sequence[Person]
) -> None:
    number = 2 * list(BREAKS).index(fault) + (broken == "limits")
    reader, eager = people[2 * number : 2 * number + 2]
    valkey = divided.valkeys[broken]
    BREAKS[fault](valkey)
    try:
        watch = Stopwatch()
        answers = [ask(divided.service.url, path, reader.headers) for path in PATHS for _ in "ab"]
        assert {statuses(answer) for answer in answers} == {"BYPASS"}
        slowest = max(answer.seconds for answer in answers)
        assert watch.allows(slowest, SLOW), (slowest, watch)
        counted = Counter(
            answer.status
            for answer in at_once(divided.service.url, [(SERVER, eager.headers)] * 100)
        )
        assert set(counted) == {200, 429}
        assert 20 <= counted[200] <= 40
    finally:
        MENDS[fault](valkey)
    normal_within_5_seconds(divided.service, people[8:38])


def test_limits_are_exact_over_both_workers_where_they_have_a_redis_of_their_own(
    patient: Service, people: Sequence[Person]
) -> None:
    ask(patient.url, SERVER, people[39].headers)
    for person in people[9:12]:
        answers = at_once(patient.url, [(SERVER, person.headers)] * 60)
        assert Counter(answer.status for answer in answers) == {200: 20, 429: 40}


def test_a_flush_of_either_redis_is_noticed_by_nobody_but_the_cache(
    patient: Service, divided: Divided, people: Sequence[Person]
) -> None:
    for valkey, expected in (("limits", {"HIT"}), ("cache", {"MISS", "HIT"})):
        divided.valkeys[valkey].client.flushall()
        divided.valkeys[valkey].client.script_flush()
        assert set(hits(patient, [people[12]] * 4)) <= expected


@pytest.fixture
def alone(house: House, plex: Simulator) -> Iterator[Service]:
    with closing(house.service(None, workers=1)) as service:
        yield service


def test_a_service_without_redis_serves_hits_and_exact_limits(
    alone: Service, people: Sequence[Person]
) -> None:
    ask(alone.url, SERVER, people[39].headers)
    until(lambda: hits(alone, [people[39]]) == ["HIT"], 10, "the response is cached")
    for person in people[:3]:
        answers = at_once(alone.url, [(SERVER, person.headers)] * 60)
        assert Counter(statuses(answer) for answer in answers) == {"HIT": 20, "429": 40}
        rests = [int(a.headers["x-ratelimit-remaining"]) for a in answers if a.status == 200]
        assert sorted(rests) == list(range(20))
