"""What the store holds for the operator's pages: reports, recent entries, and facts on Redis."""

import time
from typing import Any

import pytest

from medianest.store import Condition
from medianest.store.reports import KEY, SECONDS, Report
from tests import counting
from tests.service import Valkey


def test_a_report_replaces_the_last_one_of_its_name_until_it_is_deleted(each_store: Any) -> None:
    reports = each_store.reports
    reports.write("worker:a:1", "first")
    reports.write("worker:a:1", "second of two words")
    reports.write("worker:b:2", "other")
    reports.delete("worker:b:2")
    found = each_store.overview("plex").reports
    assert {name: report.text for name, report in found.items()} == {
        "worker:a:1": "second of two words"
    }
    assert 0 <= found["worker:a:1"].age < 30


def test_a_report_that_nobody_renews_is_deleted_with_the_next_one(
    shared: Any, valkey: Valkey
) -> None:
    old = int(time.time()) - SECONDS - 5
    valkey.client.hset(KEY, "worker:gone:1", f"{old} dead")
    valkey.client.hset(KEY, "worker:odd:1", "not a report")
    shared.reports.write("worker:a:1", "alive")
    assert valkey.client.hkeys(KEY) == [b"worker:a:1"]
    assert 0 < valkey.client.ttl(KEY) <= SECONDS


def test_the_age_of_a_report_is_by_the_clock_of_redis(shared: Any, valkey: Valkey) -> None:
    shared.reports.write("worker:a:1", "alive")
    seconds, _ = valkey.client.time()
    valkey.client.hset(KEY, "worker:a:1", f"{seconds - 100} alive")
    report = shared.overview("plex").reports["worker:a:1"]
    assert report == Report("alive", pytest.approx(100, abs=30))


def test_an_overview_has_everything_in_one_round_trip(
    shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.values.set("listener", b"{}", 15)
    for _ in range(2):
        shared.breaker.record_failure("plex", 5)
    trips = counting.round_trips(monkeypatch)
    found = shared.overview("plex", "listener", "nothing")
    assert len(trips) == 1
    assert found.condition is Condition.OK
    assert found.values == [b"{}", None]
    assert found.failures == 2
    assert found.clock is not None
    assert abs(found.clock) < 5


def test_an_overview_of_a_redis_that_is_unavailable_is_empty_and_not_waited_for(
    stores: Any, valkey: Valkey
) -> None:
    shared = stores.use(valkey.url)
    shared._cache.availability._unavailable.set()
    found = shared.overview("plex", "listener")
    assert (found.condition, found.values, found.reports) == (Condition.UNAVAILABLE, [None], {})
    assert found.clock is None
    assert shared.facts() == {"default": None}


def test_an_overview_says_that_redis_is_full(shared: Any, valkey: Valkey) -> None:
    valkey.client.config_set("maxmemory", "1")
    try:
        assert shared.overview("plex").condition is Condition.FULL
        assert shared.facts()["default"].condition is Condition.FULL
    finally:
        valkey.client.config_set("maxmemory", "0")


def test_the_last_entries_under_a_name_are_stored_newest_first(each_store: Any) -> None:
    recent = each_store.recent_entries
    assert recent.add("errors", ["1", "2"], 3, 60)
    assert recent.add("errors", ["3", "4"], 3, 60)
    assert recent.read(["errors", "nothing"]) == [["4", "3", "2"], []]
    assert recent.read([]) == []


def test_recent_entries_in_redis_expire(shared: Any, valkey: Valkey) -> None:
    shared.recent_entries.add("errors", ["1"], 3, 60)
    assert 0 < valkey.client.ttl("medianest:recent:errors") <= 60


def test_redis_says_what_it_is_and_what_it_holds(shared: Any, valkey: Valkey) -> None:
    shared.values.set("a", b"1", 60)
    facts = shared.facts()["default"]
    assert facts.condition is Condition.OK
    assert facts.about["used_memory"] > 0
    assert facts.keys >= 1
    assert 0 < facts.seconds < 30


def test_a_redis_that_refuses_to_say_what_it_is_has_no_facts(stores: Any, valkey: Valkey) -> None:
    rights = ("on", ">secret", "~*", "+@all", "-info")
    valkey.client.execute_command("ACL", "SETUSER", "plain", *rights)
    try:
        shared = stores.use(valkey.url.replace("//", "//plain:secret@"))
        facts = shared.facts()["default"]
    finally:
        valkey.client.acl_deluser("plain")
    assert facts.condition is Condition.OK
    assert facts.about == {}


def test_each_redis_of_the_settings_has_its_facts(stores: Any, valkey: Valkey) -> None:
    shared = stores.use(valkey.url, valkey.url.rpartition("/")[0] + "/1")
    assert list(shared.facts()) == ["default", "limits"]
