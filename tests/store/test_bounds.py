"""What a process stores by itself is bounded, and the bounds lift no limit."""

import threading
from typing import Any

import pytest

from medianest.store import (
    Attempt,
    Hit,
    counters,
    locks,
    rate_windows,
    recent_entries,
    records,
    reports,
)
from medianest.store.counters import LocalCounters
from medianest.store.locks import LocalLocks
from medianest.store.rate_windows import LocalRateWindows
from medianest.store.records import LocalRecords

USER = Hit("server:1", 2, 60, expires=False)


def address(number: int) -> Hit:
    return Hit(f"bad-token:{number}", 2, 60, expires=True)


def test_a_flood_of_addresses_evicts_no_user_and_the_oldest_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_windows, "MAX_KEYS", 100)
    windows = LocalRateWindows()
    for _ in range(2):
        assert windows.hit(USER).is_allowed
    for number in range(1_000):
        windows.hit(address(number))
        windows.hit(address(number))
    assert not windows.hit(USER).is_allowed
    assert not windows.hit(address(999)).is_allowed
    assert windows.hit(address(0)).is_allowed


def test_as_many_users_as_no_process_serves_at_once_are_all_counted() -> None:
    windows = LocalRateWindows()
    hits = [Hit(f"server:{n}", 1, 60, expires=False) for n in range(rate_windows.MAX_KEYS)]
    assert all(windows.hit(hit).is_allowed for hit in hits)
    assert not any(windows.hit(hit).is_allowed for hit in hits[::100])


def test_a_user_whose_requests_are_refused_is_never_the_one_to_be_evicted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_windows, "MAX_KEYS", 10)
    windows = LocalRateWindows()
    for _ in range(2):
        windows.hit(USER)
    for number in range(100):
        windows.hit(Hit(f"server:other-{number}", 2, 60, expires=False))
        assert not windows.hit(USER).is_allowed


def test_windows_and_attempts_are_removed_when_nothing_in_them_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_700_000_000 * 10**9]
    monkeypatch.setattr(rate_windows.time, "time_ns", lambda: now[0])
    windows = LocalRateWindows()
    windows.hit(USER)
    windows.hit(address(1))
    windows.begin_attempt("sign-in:x", 10, 60, "a")
    stored = [*windows._windows.values(), windows._attempts]
    assert [len(each) for each in stored] == [1, 1, 1]
    now[0] += 59 * 10**9
    windows.hit(USER)
    now[0] += 10**9
    assert [len(each) for each in stored] == [0, 1, 0]


def test_what_all_processes_have_used_is_noted_of_a_bounded_number_of_each_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_windows, "MAX_KEYS", 100)
    windows = LocalRateWindows()
    windows.mirror(USER, used=2)
    for number in range(1_000):
        windows.mirror(address(number), used=2)
    assert [len(noted) for noted in windows._mirrored.values()] == [100, 1]
    assert not windows.hit(USER).is_allowed
    assert not windows.hit(address(999)).is_allowed
    assert windows.hit(address(0)).is_allowed


def test_what_is_noted_of_a_busy_user_is_never_what_is_evicted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_windows, "MAX_KEYS", 10)
    windows = LocalRateWindows()
    for number in range(100):
        windows.mirror(USER, used=2)
        windows.mirror(Hit(f"server:other-{number}", 2, 60, expires=False), used=1)
    assert not windows.hit(USER).is_allowed


def test_a_flood_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_windows, "MAX_KEYS", 100)
    windows = LocalRateWindows()
    for number in range(1_000):
        assert windows.begin_attempt(f"name:{number}", 1, 60, "a")[0] is Attempt.BEGUN
        windows.end_attempt(f"name:{number}", "a", failed=True)
    assert len(windows._attempts) == 100
    assert windows.begin_attempt("name:999", 1, 60, "b")[0] is Attempt.REFUSED


def test_an_attempt_of_an_evicted_name_can_still_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_windows, "MAX_KEYS", 1)
    windows = LocalRateWindows()
    windows.begin_attempt("name:1", 1, 60, "a")
    windows.begin_attempt("name:2", 1, 60, "b")
    windows.end_attempt("name:1", "a", failed=True)
    assert windows.begin_attempt("name:2", 1, 60, "c")[0] is Attempt.WAIT


def test_reports_and_names_of_recent_entries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_REPORTS", 10)
    monkeypatch.setattr(recent_entries, "MAX_LISTS", 10)
    names = [f"{number}" for number in range(100)]
    some_reports, some_entries = reports.LocalReports(), recent_entries.LocalRecentEntries()
    for name in names:
        some_reports.write(name, "alive")
        some_entries.add(name, ["1"], 5, 60)
    assert list(some_reports.read()) == names[-10:]
    assert [name for name in names if some_entries.read([name]) != [[]]] == names[-10:]


def test_records_and_locks_and_counters_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((records, "MAX_RECORDS"), (locks, "MAX_LOCKS"), (counters, "MAX_NAMES")):
        monkeypatch.setattr(module, name, 10)
    many = range(100)
    some_records, some_locks, some_counters = LocalRecords(), LocalLocks(), LocalCounters()
    for number in many:
        some_records.set(f"{number}", b"x", 60)
        some_locks.lock(f"{number}", "holder", 60_000)
        some_counters.add(f"{number}", {"HIT": 1}, 60)
    newest = [f"{number}" for number in many][-10:]
    assert [f"{n}" for n in many if some_records.get(f"{n}")] == newest
    assert [f"{n}" for n in many if some_locks.value(f"{n}")] == newest
    assert [f"{n}" for n in many if some_counters.read([f"{n}"]) != [{}]] == newest


def test_threads_at_once_count_every_request_once() -> None:
    windows, allowed = LocalRateWindows(), []
    hits = [Hit(f"server:{number}", 50, 60, expires=False) for number in range(5)]

    def hit_all() -> None:
        for _ in range(40):
            allowed.extend(hit.key for hit in hits if windows.hit(hit).is_allowed)

    threads: list[Any] = [threading.Thread(target=hit_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key: allowed.count(key) for key in allowed} == {hit.key: 50 for hit in hits}
