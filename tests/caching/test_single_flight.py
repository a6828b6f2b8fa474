"""Equal misses ask Plex once: over threads, workers and machines, and whoever dies meanwhile."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlencode

import pytest

from medianest.api.exceptions import Problem
from plex_integration import policies
from plex_integration.caching import failures, load_lock, response_cache, single_flight, tags
from plex_integration.caching.load_lock import LoadLock
from plex_integration.caching.response_cache import CacheKey, Loaded, ResponseCache
from plex_integration.caching.single_flight import SingleFlight
from plex_integration.configuration.connection import Scope
from plex_integration.errors import LibraryNotFound, PlexApiError, PlexServerUnavailable
from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import House, Person, Service, Valkey, ask, at_once, until

ITEMS = "/api/v1/plex/libraries/1/items"
EXPIRED = 2 * policies.LIBRARY_ITEMS.ttl


def request_counts(plex: Simulator) -> dict[str, int]:
    """Count Plex's requests by path and query."""
    counted = Counter(f"{each.path}?{urlencode(each.query)}" for each in plex.requests)
    return dict(counted)


@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_200_equal_misses_over_four_workers_ask_plex_once(
    service: Service, people: Sequence[Person], plex: Simulator, delay: float
) -> None:
    if delay:
        plex.fault("slow", delay=delay)
    for start in range(5):
        plex.reset_requests()
        path = f"{ITEMS}?size=3&start={start * 3}"
        answers = at_once(service.url, [(path, people[turn % 40].headers) for turn in range(200)])
        assert {answer.status for answer in answers} == {200}
        assert len({answer.json()["data"]["items"][0]["ratingKey"] for answer in answers}) == 1
        assert set(request_counts(plex).values()) == {1}, request_counts(plex)
        statuses = Counter(answer.headers["x-plex-cache-status"] for answer in answers)
        assert statuses["MISS"] >= 1
        assert statuses["MISS"] + statuses["HIT"] == 200


def test_equal_questions_in_other_words_ask_plex_once(
    service: Service, people: Sequence[Person], plex: Simulator
) -> None:
    genre = plex.catalogue.items("1", "movie")[0].genres[0]
    wordings = [
        f"unwatched={flag}&sort={sort}&genre={name}{more}"
        for flag in ("1", "true")
        for sort in ("titleSort", "titleSort:asc")
        for name in (genre.tag, genre.tag.upper(), genre.tag.lower(), str(genre.id))
        for more in ("", "&size=50", "&start=0", "&type=movie&foo=bar", "&details=full")
    ]
    plex.fault("slow", delay=0.2)
    answers = at_once(
        service.url,
        [(f"{ITEMS}?{each}", people[turn % 10].headers) for turn, each in enumerate(wordings)],
    )
    assert {answer.status for answer in answers} == {200}
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert set(request_counts(plex).values()) == {1}, request_counts(plex)


def test_a_holder_that_is_killed_frees_its_lease_within_three_seconds(
    house: House, valkey: Valkey, service: Service, people: Sequence[Person], plex: Simulator
) -> None:
    # Another question first, so that the one lease there is will be that of the answer.
    assert ask(service.url, f"{ITEMS}?size=3", people[0].headers).status == 200
    path = f"{ITEMS}?size=4"
    doomed = house.service(valkey, workers=1)
    try:
        plex.fault("silent", path="/library/sections/1/all", times=1)
        holder = threading.Thread(target=_expect_no_answer, args=(doomed, path, people[0]))
        holder.start()
        until(lambda: valkey.client.keys("medianest:cache:lease:*"), 10, "the lease is held")
        until(lambda: plex.faults[0]["left"] == 0, 10, "Plex has the request")
        waiting: list[Any] = []
        waiter = threading.Thread(
            target=lambda: waiting.append(ask(service.url, path, people[1].headers))
        )
        waiter.start()
    finally:
        watch = Stopwatch()
        doomed.close()
    waiter.join(20)
    # The lease's three seconds, and two for the answer.
    assert watch.keeps(3 + 2), watch
    holder.join(10)
    assert [answer.status for answer in waiting] == [200]


def _expect_no_answer(service: Service, path: str, person: Person) -> None:
    try:
        ask(service.url, path, person.headers)
    except (OSError, IndexError):
        pass
    else:
        raise AssertionError("the killed worker answered")


def test_one_worker_killed_of_four_is_replaced_and_nothing_stays_locked(
    service: Service, people: Sequence[Person], plex: Simulator
) -> None:
    assert ask(service.url, "/api/v1/plex/libraries", people[0].headers).status == 200
    before = service.workers()
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(set(service.workers()) - set(before)) == 1, 30, "a new worker")
    answer = ask(service.url, f"{ITEMS}?size=5", people[0].headers)
    assert answer.status == 200
    until(service.is_whole, 60, "the new worker started")


# --- The same in one process, where the test chooses what is loaded and how long it takes ---------


class Load:
    """A load that counts its runs, and that ends once `ended` is set."""

    def __init__(self, payload: bytes = b'"new"', problem: Problem | None = None) -> None:
        self.begun = threading.Semaphore(0)
        self.ended = threading.Event()
        self.times = 0
        self._payload, self._problem = payload, problem

    def __call__(self, seconds: float) -> Loaded:
        self.times += 1
        self.begun.release()
        assert self.ended.wait(20)
        if self._problem:
            raise self._problem
        return Loaded(self._payload, frozenset({"library:1"}))


KEY = CacheKey(policies.LIBRARY_ITEMS.name, Scope("scope", "server"), "query")


def fetch(cache: ResponseCache, load: Any, *, renew: bool = False, wait: float = 8) -> Any:
    deadline = time.monotonic() + wait
    ttl = policies.LIBRARY_ITEMS.ttl
    return cache.get_or_load(KEY, ttl=ttl, load=load, deadline=deadline, renew=renew)


def loaded(payload: bytes = b'"new"') -> Load:
    load = Load(payload)
    load.ended.set()
    return load


class Threads:
    """Calls side by side: their results, or what they raised."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self.results: list[Any] = []

    def start(self, call: Any, *args: Any, **kwargs: Any) -> None:
        def run() -> None:
            try:
                self.results.append(call(*args, **kwargs))
            except Problem as problem:
                self.results.append(problem)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def join(self) -> list[Any]:
        for thread in self._threads:
            thread.join(20)
        return self.results


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make entries old: move the clock that ages them."""

    def age(seconds: float) -> None:
        now = time.time
        moved = type("Clock", (), {name: staticmethod(getattr(time, name)) for name in NAMES})
        moved.time = staticmethod(lambda: now() + seconds)
        monkeypatch.setattr(response_cache, "time", moved)

    return age


NAMES = ("monotonic", "sleep")


class Separate(SingleFlight[Any]):
    """Lets every caller load, as in a process of its own: only the store joins them."""

    def run(self, key: Any, load: Any, **_: Any) -> Any:
        return load()


def separate() -> ResponseCache:
    """Return a cache whose callers are each in a process of their own."""
    cache = ResponseCache(failures)
    cache.flights = Separate()
    return cache


@pytest.fixture(params=["one process", "many"])
def flights(request: Any, shared: Any) -> ResponseCache:
    """A cache on the shared store; its callers are of one process, or each of its own."""
    return separate() if request.param == "many" else ResponseCache(failures)


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The threads that load, or that wait for another one's load."""
    found: set[int] = set()
    acquire = LoadLock.acquire
    # A waiting thread may get no processor for longer than a failure is readable.
    monkeypatch.setattr("medianest.store.locks.FAILURE_MILLISECONDS", 60_000)

    class Noted(Future[Any]):
        def result(self, timeout: float | None = None) -> Any:
            found.add(threading.get_ident())
            return super().result(timeout)

    def noted_acquire(lock: LoadLock) -> bool:
        is_mine = acquire(lock)
        found.add(threading.get_ident())
        return is_mine

    monkeypatch.setattr(single_flight, "Future", Noted)  # where those of one process meet
    monkeypatch.setattr(LoadLock, "acquire", noted_acquire)  # where all others meet
    return found


def test_all_who_miss_wait_for_one_load_and_get_it(flights: Any) -> None:
    load, threads = Load(), Threads()
    for _ in range(12):
        threads.start(fetch, flights, load)
    assert load.begun.acquire(timeout=5)
    load.ended.set()
    results = threads.join()
    assert load.times == 1
    assert {each.entry.payload() for each in results} == {b'"new"'}


def test_all_who_wait_get_the_error_of_the_one_load(flights: Any, callers: set[int]) -> None:
    load, threads = Load(problem=PlexApiError()), Threads()
    threads.start(fetch, flights, load)
    assert load.begun.acquire(timeout=5)
    for _ in range(6):
        threads.start(fetch, flights, load)
    until(lambda: len(callers) == 7, 5, "all others wait")
    load.ended.set()
    results = threads.join()
    assert load.times == 1
    assert [type(each) for each in results] == [PlexApiError] * 7


@pytest.mark.parametrize(
    "problem",
    [
        PlexApiError("Plex answered with status 418."),
        PlexServerUnavailable("Plex server is starting up.", headers={"Retry-After": "7"}),
        PlexServerUnavailable(details={"attempts": [1, 2]}),
    ],
    ids=["a message", "headers", "details"],
)
def test_all_who_wait_get_the_same_message_details_and_headers(
    flights: ResponseCache, callers: set[int], problem: Problem
) -> None:
    load, threads = Load(problem=problem), Threads()
    threads.start(fetch, flights, load)
    assert load.begun.acquire(timeout=5)
    for _ in range(3):
        threads.start(fetch, flights, load)
    until(lambda: len(callers) == 4, 5, "all others wait")
    load.ended.set()
    results = threads.join()
    assert load.times == 1
    assert len(results) == 4
    for each in results:
        assert type(each) is type(problem)
        assert (each.detail, each.details) == (problem.detail, problem.details)
        assert each.headers == problem.headers


def test_all_who_wait_get_the_error_of_a_defect_and_none_repeats_it(
    flights: Any, callers: set[int]
) -> None:
    times, gate = [], threading.Event()

    def broken(seconds: float) -> Loaded:
        times.append(1)
        assert gate.wait(20)
        raise Problem

    threads = Threads()
    for _ in range(6):
        threads.start(fetch, flights, broken)
    until(lambda: times and len(callers) == 6, 5, "one loads and all others wait")
    gate.set()
    assert [type(each) for each in threads.join()] == [Problem] * 6
    assert len(times) == 1


def test_a_defect_that_is_no_problem_is_not_repeated_by_who_waits(
    shared: Any, callers: set[int]
) -> None:
    cache = separate()
    times, gate = [], threading.Event()

    def broken(seconds: float) -> Loaded:
        times.append(1)
        assert gate.wait(20)
        raise ZeroDivisionError

    first, others = Threads(), Threads()

    def fails() -> None:
        with pytest.raises(ZeroDivisionError):
            fetch(cache, broken)

    first.start(fails)
    until(lambda: times, 5, "the load begins")
    for _ in range(4):
        others.start(fetch, cache, broken)
    until(lambda: len(callers) == 5, 5, "all others wait")
    gate.set()
    first.join()
    assert [type(each) for each in others.join()] == [Problem] * 4
    assert len(times) == 1


def test_who_looked_before_the_answer_came_does_not_load_it_again(shared: Any) -> None:
    cache = ResponseCache(failures)
    early = shared.read(KEY.name)
    fetch(cache, loaded(b'"first"'))
    load = loaded(b'"second"')
    readings, read = iter([early]), shared.read
    shared.read = lambda *keys, **given: next(readings, None) or read(*keys, **given)
    late = fetch(cache, load)
    assert load.times == 0
    assert late.entry.payload() == b'"first"'


def test_while_one_renews_an_expired_entry_the_others_get_the_old_one_at_once(
    flights: Any, aged: Any
) -> None:
    fetch(flights, loaded(b'"old"'))
    aged(EXPIRED)
    load, threads = Load(), Threads()
    threads.start(fetch, flights, load)
    assert load.begun.acquire(timeout=5)
    watch = Stopwatch()
    for _ in range(5):
        old = fetch(flights, load)
        assert old.entry.payload() == b'"old"'
        assert old.age >= EXPIRED
    assert watch.keeps(2), watch
    load.ended.set()
    (renewed,) = threads.join()
    assert (renewed.entry.payload(), renewed.is_fresh, renewed.status) == (b'"new"', True, "MISS")
    assert load.times == 1
    assert fetch(flights, load).entry.payload() == b'"new"'


def test_who_wants_it_new_waits_and_never_gets_the_old_one(flights: Any, aged: Any) -> None:
    fetch(flights, loaded(b'"old"'))
    aged(EXPIRED)
    load, threads = Load(), Threads()
    threads.start(fetch, flights, load)
    assert load.begun.acquire(timeout=5)
    for _ in range(3):
        threads.start(fetch, flights, load, renew=True)
    time.sleep(0.2)
    assert threads.results == []
    load.ended.set()
    assert {each.entry.payload() for each in threads.join()} == {b'"new"'}


def test_who_wants_it_new_gets_no_old_one_from_a_neighbour_that_may_have_it(
    shared: Any, aged: Any
) -> None:
    """Another process holds the lease; here one who may have the old answer flies first."""
    cache = ResponseCache(failures)
    fetch(cache, loaded(b'"old"'))
    aged(EXPIRED)
    versions = shared.values.tag_versions().raw
    lease = f"lease:{KEY.name}:{response_cache.blake2b(versions, digest_size=8).hexdigest()}"
    locks = shared.load_locks
    assert locks.lock(lease, "another process", 60_000)
    lock, is_held = locks.lock, threading.Event()

    def slowly(*args: Any) -> bool:
        is_locked: bool = lock(*args)
        is_held.wait(5)
        return is_locked

    locks.lock = slowly
    threads, load = Threads(), loaded()
    threads.start(fetch, cache, load)
    until(lambda: cache.flights._loads, 5, "one flies")
    threads.start(fetch, cache, load, renew=True)
    time.sleep(0.2)
    is_held.set()
    until(lambda: threads.results, 5, "the old one at once")
    assert [each.entry.payload() for each in threads.results] == [b'"old"']
    locks.unlock(lease, "another process")
    assert sorted(each.entry.payload() for each in threads.join()) == [b'"new"', b'"old"']


def test_a_late_holder_cannot_free_or_keep_the_lease_of_another(
    shared: Any, valkey: Valkey
) -> None:
    locks = shared.load_locks
    assert locks.lock("lease:x", "first", 50)
    until(lambda: locks.lock("lease:x", "second", 5000), 5, "the first lease ends")
    locks.extend("lease:x", "first", 60_000)
    locks.unlock("lease:x", "first")
    locks.unlock("lease:x", "first", b"PLEX_API_ERROR")
    assert not locks.lock("lease:x", "third", 5000)
    remaining = valkey.client.pttl("medianest:cache:lease:x")
    assert 0 < remaining <= 5000
    locks.unlock("lease:x", "second")
    assert locks.lock("lease:x", "third", 5000)


def test_a_lease_lives_as_long_as_its_load_and_at_most_three_seconds_longer(
    shared: Any, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_lock.LOCK_MS <= 3000
    assert load_lock.RENEW_SECONDS * 1000 < load_lock.LOCK_MS
    # So long that it cannot expire while this process gets no processor.
    monkeypatch.setattr(load_lock, "LOCK_MS", 60_000)
    monkeypatch.setattr(load_lock, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(load_lock, "_renewals", load_lock._Renewals())
    cache = separate()
    load, threads = Load(), Threads()
    threads.start(fetch, cache, load)
    assert load.begun.acquire(timeout=5)
    threads.start(fetch, cache, load)
    (lease,) = valkey.client.keys("medianest:cache:lease:*")
    for _ in range(3):
        valkey.client.pexpire(lease, 20_000)
        until(lambda: valkey.client.pttl(lease) > 20_000, 5, "the lease is renewed")
    assert load.times == 1
    load.ended.set()
    threads.join()
    assert load.times == 1


def test_a_question_after_a_change_does_not_join_the_load_from_before(flights: Any) -> None:
    before, after, threads = Load(b'"before"'), Load(b'"after"'), Threads()
    threads.start(fetch, flights, before)
    assert before.begun.acquire(timeout=5)
    assert tags.invalidate_library("server", "1")
    threads.start(fetch, flights, after)
    assert after.begun.acquire(timeout=5)
    before.ended.set()
    after.ended.set()
    threads.join()
    assert fetch(flights, loaded(b'"later"')).entry.payload() in (b'"after"', b'"later"')


def test_who_waits_longer_than_its_time_gets_the_error_of_a_silent_plex(flights: Any) -> None:
    load, threads = Load(), Threads()
    threads.start(fetch, flights, load)
    assert load.begun.acquire(timeout=5)
    watch = Stopwatch()
    with pytest.raises(Problem) as raised:
        fetch(flights, load, wait=0.3)
    assert watch.seconds > 0.25
    assert watch.keeps(2), watch
    assert raised.value.code == "PLEX_SERVER_UNAVAILABLE"
    load.ended.set()
    threads.join()


def test_all_who_wait_get_the_error_of_a_missing_item(flights: Any, callers: set[int]) -> None:
    load, threads = Load(problem=LibraryNotFound()), Threads()
    for _ in range(4):
        threads.start(fetch, flights, load)
    until(lambda: load.times and len(callers) == 4, 5, "one loads and all others wait")
    load.ended.set()
    assert [type(each) for each in threads.join()] == [LibraryNotFound] * 4
    assert load.times == 1
