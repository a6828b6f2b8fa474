"""Token stamps in either store: what was loaded before a change is never stored after it."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medianest.store import Condition, Counting, Hit, Stamp, StampedHit
from medianest.store.stamps import stamp_key
from tests.service import HOST, Valkey, free_port, until

OLD, NEW = Stamp("old", 100), Stamp("new", 101)
HIT = Hit("server:{7}", 20, 60, expires=False)


def count(store: Any, text: str) -> Any:
    """Count a request of a token with this stamp."""
    return store.read_fast("answer", StampedHit(HIT, "7", text)).counted


def accepts(store: Any, text: str) -> bool:
    counted = count(store, text)
    assert (counted.counting is Counting.COUNTED) is (counted.verdict is not None)
    return counted.verdict is not None


def is_renewed(store: Any) -> bool:
    """Renew the stamps of two users; tell whether Redis was fast enough to be used."""
    store.stamps.renew([("7", OLD, None), ("8", OLD, None)])
    return accepts(store, "old")


@pytest.fixture
def frail(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    yield server
    server.close()


def test_a_token_counts_while_its_stamp_is_the_stored_one(each_store: Any) -> None:
    assert count(each_store, "old") == (Counting.UNKNOWN_USER, None, None)
    each_store.stamps.renew([("7", OLD, None)])
    counted = count(each_store, "old")
    assert (counted.verdict.remaining, counted.stamp) == (19, OLD)
    for other in ("new", "ol", "old ", "", "old 100"):
        assert count(each_store, other) == (Counting.OTHER_STAMP, None, OLD)
    assert count(each_store, "old").verdict.remaining == 18, "the others did not count"


def test_an_invalidated_stamp_refuses_every_token_until_one_is_loaded(each_store: Any) -> None:
    each_store.stamps.renew([("7", OLD, None)])
    seen = each_store.stamps.invalidate(["7", "8"])
    assert not accepts(each_store, "old")
    assert count(each_store, "old").stamp == seen
    each_store.stamps.renew([("7", NEW, seen)])
    assert [accepts(each_store, text) for text in ("old", "new")] == [False, True]


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize("is_before", [True, False], ids=["renewed before", "renewed after"])
def test_a_stamp_that_was_loaded_before_a_change_is_not_stored_after_it(
    each_store: Any, is_stored: bool, is_before: bool
) -> None:
    if is_stored:
        each_store.stamps.renew([("7", OLD, None)])
    loaded = ("7", Stamp("old", 120), OLD if is_stored else None)
    if is_before:
        each_store.stamps.renew([loaded])
        assert accepts(each_store, "old")
    seen = each_store.stamps.invalidate(["7"])
    if not is_before:
        each_store.stamps.renew([loaded])
    assert not accepts(each_store, "old")
    each_store.stamps.renew([("7", NEW, seen)])
    each_store.stamps.renew([loaded])
    assert [accepts(each_store, text) for text in ("old", "new")] == [False, True]


def test_of_two_changes_the_stamp_that_was_loaded_first_is_not_stored_last(
    each_store: Any,
) -> None:
    first = each_store.stamps.invalidate(["7"])
    loaded_first = ("7", OLD, first)
    second = each_store.stamps.invalidate(["7"])
    each_store.stamps.renew([("7", NEW, second)])
    each_store.stamps.renew([loaded_first])
    assert [accepts(each_store, text) for text in ("old", "new")] == [False, True]


def test_a_change_is_seen_by_every_process_and_the_scripts_may_be_unknown(
    stores: Any, valkey: Valkey
) -> None:
    here, there = stores.use(valkey.url), stores.another()
    for turn in range(3):
        here.stamps.renew([("7", OLD, None)])
        assert accepts(there, "old"), turn
        valkey.client.script_flush()
        seen = here.stamps.invalidate(["7"])
        assert not accepts(there, "old")
        valkey.client.script_flush()
        there.stamps.renew([("7", NEW, seen)])
        assert accepts(here, "new")
        valkey.client.delete(stamp_key("7"))


def test_a_change_while_redis_is_unavailable_is_delivered_before_it_is_used_again(
    stores: Any, frail: Valkey
) -> None:
    store = stores.use(frail.url, is_patient=False)
    until(lambda: is_renewed(store), 20, "Redis is used")
    frail.send(signal.SIGSTOP)
    try:
        assert store.stamps.invalidate(["7"]) is None
        assert store.stamps.invalidate(["8"]) is None
    finally:
        frail.send(signal.SIGCONT)
    until(lambda: count(store, "old").counting is not Counting.UNAVAILABLE, 5, "it is used again")
    assert not accepts(store, "old")
    for user in ("7", "8"):
        assert b"invalid" in frail.client.get(stamp_key(user))


def test_a_full_redis_keeps_no_old_stamp(shared: Any, valkey: Valkey) -> None:
    shared.stamps.renew([("7", OLD, None)])
    valkey.client.config_set("maxmemory", "1")
    try:
        assert shared.stamps.invalidate(["7"]) is None
        assert shared.condition() is Condition.FULL
        assert count(shared, "old").counting is Counting.UNKNOWN_USER
        shared.stamps.renew([("7", NEW, None)])
    finally:
        valkey.client.config_set("maxmemory", "0")
    assert not accepts(shared, "old")
    shared.stamps.renew([("7", NEW, None)])
    assert accepts(shared, "new")


def test_a_full_redis_that_returns_keeps_no_old_stamp(stores: Any, frail: Valkey) -> None:
    store = stores.use(frail.url, is_patient=False)
    until(lambda: is_renewed(store), 20, "Redis is used")
    frail.client.config_set("maxmemory", "1")
    frail.send(signal.SIGSTOP)
    try:
        assert store.stamps.invalidate(["7"]) is None
    finally:
        frail.send(signal.SIGCONT)
    until(lambda: store.condition() is Condition.FULL, 5, "it is used again")
    until(lambda: count(store, "old").counting is Counting.UNKNOWN_USER, 5, "nothing is stored")


def test_a_redis_that_cannot_be_written_is_not_used_until_it_has_the_change(
    stores: Any, frail: Valkey
) -> None:
    store = stores.use(frail.url)
    store.stamps.renew([("7", OLD, None)])
    frail.client.config_set("repl-diskless-load", "swapdb")
    frail.client.replicaof(HOST, free_port())  # a master that is not there: the data stays
    assert store.stamps.invalidate(["7"]) is None
    assert count(store, "old").counting is Counting.UNAVAILABLE
    frail.client.replicaof("NO", "ONE")
    until(lambda: store.condition() is Condition.OK, 5, "it is used again")
    assert not accepts(store, "old")


@pytest.mark.parametrize("foreign", [b"", b"x", b"old", b"old ", b"old soon ", b"\xff 1 "])
def test_what_others_wrote_in_place_of_a_stamp_accepts_no_token_or_has_no_time(
    foreign: bytes, shared: Any, valkey: Valkey
) -> None:
    valkey.client.set(stamp_key("7"), foreign)
    assert count(shared, "old").stamp is None
    assert count(shared, "new").counting is Counting.OTHER_STAMP
    valkey.client.delete(stamp_key("7"))
    valkey.client.lpush(stamp_key("7"), "old 100 ")
    assert count(shared, "old").counting is Counting.UNAVAILABLE
