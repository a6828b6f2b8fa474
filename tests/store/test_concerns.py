"""What every concern promises, whether Redis or this process stores it."""

import signal
import time
from typing import Any

import pytest

from medianest.store import Attempt, Hit, ScannedValue, TagVersions, failure_of, redis_server
from tests.pace import Stopwatch
from tests.service import Valkey, until

HIT = Hit("server:1", 3, 60, expires=False)


def test_a_value_is_read_until_it_is_deleted(each_store: Any) -> None:
    assert each_store.values.set("answer", b"cached", 60)
    assert each_store.read("answer", "other").values == [b"cached", None]
    each_store.values.delete("answer")
    assert each_store.read("answer", "other").values == [None, None]


def test_a_read_counts_a_hit_only_where_there_is_one(each_store: Any) -> None:
    assert each_store.read("answer").verdict is None
    watch = Stopwatch()
    verdicts = [each_store.read("answer", hit=HIT).verdict for _ in range(2)]
    verdicts += [each_store.rate_windows.hit(HIT) for _ in range(2)]
    assert [verdict.is_allowed for verdict in verdicts] == [True, True, True, False]
    assert [verdict.remaining for verdict in verdicts] == [2, 1, 0, 0]
    assert {verdict.limit for verdict in verdicts} == {3}
    assert 60 - watch.seconds <= verdicts[-1].retry_after <= 60


def test_a_scan_returns_the_beginnings_of_some_values(each_store: Any) -> None:
    for number in range(5):
        each_store.values.set(f"2:{number}", f"{number}".encode() * 50, 60)
    each_store.values.set("3:0", b"other", 60)
    found = sorted(each_store.values.scan("2:", 100, 3), key=lambda value: value.key)
    assert found == [ScannedValue(f"2:{n}", f"{n}".encode() * 3, 50) for n in range(5)]
    assert len(each_store.values.scan("2:", 2, 3)) == 2
    assert each_store.values.scan("4:", 100, 3) == []


def test_a_lock_belongs_to_its_holder_alone(each_store: Any) -> None:
    locks = each_store.load_locks
    assert locks.lock("lease:x", "first", 60_000)
    assert not locks.lock("lease:x", "second", 60_000)
    assert locks.lock("lease:y", "second", 60_000)
    locks.unlock("lease:x", "second")
    locks.unlock("lease:x", "second", b"PLEX_API_ERROR")
    assert not locks.lock("lease:x", "second", 60_000)
    locks.unlock("lease:x", "first")
    assert locks.lock("lease:x", "second", 60_000)


def test_a_lock_expires_unless_its_holder_extends_it(each_store: Any) -> None:
    locks = each_store.load_locks
    extended = next(name for name in map("lease:{}".format, range(100)) if is_extended(locks, name))
    assert locks.lock("lease:y", "first", 100)
    locks.extend("lease:y", "second", 60_000)
    until(lambda: locks.lock("lease:y", "second", 60_000), 5, "the lock expires")
    locks.extend("lease:y", "first", 1)
    assert not locks.lock("lease:y", "third", 60_000)
    assert not locks.lock(extended, "second", 60_000)


def is_extended(locks: Any, name: str) -> bool:
    """Acquire a lock and extend it; tell whether that was done before it could expire."""
    began = time.monotonic()
    assert locks.lock(name, "first", 100)
    locks.extend(name, "first", 60_000)
    return time.monotonic() - began < 0.1


def test_the_failure_of_a_holder_is_read_while_the_lock_is_free(
    each_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.store.locks.FAILURE_MILLISECONDS", 60_000)
    locks = each_store.load_locks
    assert locks.lock("lease:x", "first", 60_000)
    (held,) = each_store.read("lease:x").values
    assert held == b"first"
    assert failure_of(held) is None
    locks.unlock("lease:x", "first", b"PLEX_API_ERROR")
    assert failure_of(each_store.read("lease:x").values[0]) == b"PLEX_API_ERROR"
    assert locks.lock("lease:x", "second", 60_000)
    assert failure_of(each_store.read("lease:x").values[0]) is None


def test_a_failure_is_readable_for_one_second(each_store: Any) -> None:
    assert each_store.load_locks.lock("lease:x", "first", 60_000)
    each_store.load_locks.unlock("lease:x", "first", b"PLEX_API_ERROR")
    until(lambda: each_store.read("lease:x").values == [None], 3, "the failure expires")


def test_a_lock_that_was_released_is_free_and_has_no_failure(each_store: Any) -> None:
    assert each_store.load_locks.lock("lease:x", "first", 60_000)
    each_store.load_locks.unlock("lease:x", "first")
    assert each_store.read("lease:x").values == [None]


@pytest.mark.parametrize(
    ("value", "failure"),
    [(None, None), (b"", None), (b"holder", None), (b"failed:X", b"X"), (b"failed:", b"")],
)
def test_only_a_failure_is_read_as_one(value: bytes | None, failure: bytes | None) -> None:
    assert failure_of(value) == failure


def test_a_record_is_read_until_it_is_deleted_or_expires(each_store: Any) -> None:
    records = each_store.records
    records.set("once:1", b"first", 60)
    records.set("once:1", b"second", 60)
    records.set("once:2", b"other", 60)
    assert [records.get(f"once:{n}") for n in range(3)] == [None, b"second", b"other"]
    records.delete("once:1")
    assert records.get("once:1") is None
    records.set("once:2", b"short", 1)
    until(lambda: records.get("once:2") is None, 5, "the record expires")


def test_a_record_survives_when_the_cache_is_cleared(shared: Any, valkey: Valkey) -> None:
    from django.core.cache import caches

    shared.records.set("once:1", b"written", 60)
    shared.rate_windows.hit(HIT)
    shared.values.set("answer", b"cached", 60)
    caches["default"].clear()
    assert shared.read("answer").values == [None]
    assert shared.records.get("once:1") == b"written"
    assert shared.rate_windows.hit(HIT).remaining == 1


def test_counters_add_up_under_their_name(each_store: Any) -> None:
    counters = each_store.counters
    assert counters.add("slice:1", {"HIT": 2, "MISS": 1}, 60)
    assert counters.add("slice:1", {"HIT": 3}, 60)
    assert counters.add("slice:2", {"MISS": 1}, 60)
    assert counters.read(["slice:0", "slice:1", "slice:2"]) == [
        {}, {"HIT": 5, "MISS": 1}, {"MISS": 1}
    ]  # fmt: skip
    assert counters.read([]) == []


def test_counters_expire_some_time_after_the_last_addition(each_store: Any) -> None:
    each_store.counters.add("slice:1", {"HIT": 2}, 1)
    until(lambda: each_store.counters.read(["slice:1"]) == [{}], 5, "the counters expire")


def test_a_breaker_opens_after_failures_in_a_row_and_allows_one_call_per_pause(
    each_store: Any,
) -> None:
    breaker = each_store.breaker
    for number in range(4):
        breaker.record_failure("a", 5)
        assert breaker.failures("a") == number + 1
        assert breaker.seconds_until_allowed("a", 5, 60.0) == 0
    breaker.record_failure("a", 5)
    assert 50 < breaker.seconds_until_allowed("a", 5, 60.0) <= 60
    until(lambda: breaker.seconds_until_allowed("a", 5, 0.2) == 0, 5, "one call is allowed")
    assert breaker.seconds_until_allowed("a", 5, 60.0) > 50
    breaker.record_success("a")
    assert breaker.failures("a") == 0
    assert breaker.seconds_until_allowed("a", 5, 60.0) == 0


def test_each_server_has_a_breaker_of_its_own(each_store: Any) -> None:
    for _ in range(5):
        each_store.breaker.record_failure("a", 5)
    assert each_store.breaker.seconds_until_allowed("a", 5, 60.0) > 50
    assert each_store.breaker.failures("b") == 0
    assert each_store.breaker.seconds_until_allowed("b", 5, 60.0) == 0


def test_attempts_count_only_if_they_fail(each_store: Any) -> None:
    windows, watch = each_store.rate_windows, Stopwatch()
    assert windows.begin_attempt("sign-in:x", 2, 60, "a")[0] is Attempt.BEGUN
    assert windows.begin_attempt("sign-in:x", 2, 60, "b")[0] is Attempt.BEGUN
    assert windows.begin_attempt("sign-in:x", 2, 60, "c")[0] is Attempt.WAIT
    windows.end_attempt("sign-in:x", "a", failed=False)
    assert windows.begin_attempt("sign-in:x", 2, 60, "c")[0] is Attempt.BEGUN
    for each in ("b", "c"):
        windows.end_attempt("sign-in:x", each, failed=True)
    outcome, wait = windows.begin_attempt("sign-in:x", 2, 60, "d")
    assert outcome is Attempt.REFUSED
    assert 60 - watch.seconds <= wait <= 60


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The round trips to Redis, by either kind of connection."""
    trips: list[str] = []
    for name in ("send", "execute"):
        original = getattr(redis_server.RedisServer, name)

        def counted(*given: Any, name: str = name, original: Any = original) -> Any:
            trips.append(name)
            return original(*given)

        monkeypatch.setattr(redis_server.RedisServer, name, counted)
    return trips


def test_a_read_costs_one_round_trip_where_limits_and_values_share_a_redis(
    shared: Any, round_trips: list[str]
) -> None:
    shared.read("answer", hit=HIT)  # makes the script known
    round_trips.clear()
    shared.read("answer", "other", hit=HIT)
    assert round_trips == ["send"]


def test_a_read_costs_two_round_trips_where_the_limits_have_a_redis_of_their_own(
    stores: Any, valkey: Valkey, round_trips: list[str]
) -> None:
    store = stores.use(valkey.url, valkey.url)
    store.read("answer", hit=HIT)
    round_trips.clear()
    store.read("answer", "other", hit=HIT)
    store.read("answer")
    assert round_trips == ["send"] * 3


def test_while_redis_is_unavailable_this_process_goes_on_alone(stores: Any) -> None:
    store = stores.use("redis://127.0.0.1:9/0")
    assert store.read("answer").tags == TagVersions.parse(None)
    assert store.values.tag_versions() is None
    assert not store.values.set("answer", b"x", 60)
    locks = store.load_locks
    assert locks.lock("x", "first", 60_000)
    assert not locks.lock("x", "second", 60_000)
    locks.unlock("x", "first")
    assert locks.lock("x", "second", 60_000)
    store.records.set("once:1", b"written", 60)
    assert store.records.get("once:1") == b"written"
    store.records.delete("once:1")
    assert store.records.get("once:1") is None
    for _ in range(5):
        store.breaker.record_failure("a", 5)
    assert store.breaker.failures("a") == 5
    assert store.breaker.seconds_until_allowed("a", 5, 60.0) > 50
    assert not store.counters.add("slice:1", {"HIT": 1}, 60)
    assert store.counters.read(["slice:1"]) == [{}]
    assert store.values.scan("", 10, 10) == []


def test_invalidations_that_redis_missed_are_delivered_before_it_is_used_again(
    stores: Any, valkey: Valkey
) -> None:
    here, there = stores.use(valkey.url, is_patient=False), stores.another()
    until(lambda: here.values.invalidate_tags(["collection:1"]), 20, "Redis is used")
    valkey.send(signal.SIGSTOP)
    try:
        assert here.values.invalidate_tags(["collection:2"]) is False
        assert here.values.invalidate_tags(["collection:3"]) is False
    finally:
        valkey.send(signal.SIGCONT)
    until(lambda: here.values.tag_versions() is not None, 5, "this process uses Redis again")
    versions = until(there.values.tag_versions, 20, "another one as well")
    assert all(versions.get(f"collection:{number}") for number in (1, 2, 3))
