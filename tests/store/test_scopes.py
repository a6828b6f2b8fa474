"""A scope's own tag versions: what changes for one viewer is a miss for nobody else."""

import signal
from typing import Any

from medianest.store import EVERYTHING, Hit, StampedHit
from medianest.store.values import MAX_TAGS, versions_key
from tests.service import Valkey, until


def test_a_tag_of_one_scope_changes_for_no_other(each_store: Any) -> None:
    values = each_store.values
    mine, other, shared = (values.tag_versions(scope) for scope in ("mine", "other", ""))
    assert values.invalidate_tags(["item:1"], "mine")
    assert values.tag_versions("mine").get("item:1") != mine.get("item:1")
    assert values.tag_versions("mine").get("item:2") == mine.get("item:2")
    assert values.tag_versions("other") == other
    assert values.tag_versions() == shared


def test_a_tag_of_all_scopes_changes_for_each(each_store: Any) -> None:
    values = each_store.values
    before = values.tag_versions("mine")
    assert values.invalidate_tags(["item:1"], "mine")
    own = values.tag_versions("mine")
    assert values.invalidate_tags(["item:1"])
    both = values.tag_versions("mine")
    versions = {each.get("item:1") for each in (before, own, both)}
    assert len(versions) == 3
    assert both.shared == values.tag_versions()


def test_a_read_returns_the_versions_of_its_scope(each_store: Any) -> None:
    versions = each_store.values.tag_versions("mine")
    reading = each_store.read("answer", scope="mine")
    assert (reading.tags, reading.scope) == (versions, "mine")
    stamped = StampedHit(Hit("search:{1}", 5, 60, expires=False), "1", "stamp")
    assert each_store.read_fast("answer", stamped, scope="mine").tags == versions
    assert each_store.read("answer").tags == versions.shared


def test_everything_of_a_scope_can_be_invalidated(each_store: Any) -> None:
    before, other = (each_store.values.tag_versions(scope) for scope in ("mine", "other"))
    assert each_store.values.invalidate_tags([EVERYTHING], "mine")
    after = each_store.values.tag_versions("mine")
    assert after.get(EVERYTHING) != before.get(EVERYTHING)
    assert each_store.values.tag_versions("other") == other


def test_too_many_tags_of_a_scope_make_only_its_own_values_misses(each_store: Any) -> None:
    before, shared = each_store.values.tag_versions("mine"), each_store.values.tag_versions()
    for number in range(12):
        tags = [f"item:{number}-{each}" for each in range(MAX_TAGS // 10)]
        assert each_store.values.invalidate_tags(tags, "mine")
    after = each_store.values.tag_versions("mine")
    assert after.get(EVERYTHING) != before.get(EVERYTHING)
    assert each_store.values.tag_versions() == shared


def test_the_moment_of_a_change_is_read_from_the_version(each_store: Any) -> None:
    values = each_store.values
    assert values.tag_versions("mine").changed_at("checked") is None
    assert values.invalidate_tags(["checked"], "mine")
    first = values.tag_versions("mine").changed_at("checked")
    assert first is not None
    assert values.invalidate_tags(["checked"], "mine")
    assert values.tag_versions("mine").changed_at("checked") >= first


def test_lost_versions_of_a_scope_never_make_old_values_current(
    shared: Any, valkey: Valkey
) -> None:
    shared.values.invalidate_tags(["item:1"], "mine")
    before = shared.values.tag_versions("mine")
    valkey.client.delete(versions_key("mine"))
    assert shared.read("answer", scope="mine").tags.raw is None
    assert shared.values.tag_versions("mine").get(EVERYTHING) != before.get(EVERYTHING)


def test_the_versions_of_a_scope_expire_when_nobody_has_the_view(
    shared: Any, valkey: Valkey
) -> None:
    shared.values.invalidate_tags(["item:1"], "mine")
    shared.values.invalidate_tags(["item:1"])
    assert valkey.client.ttl(versions_key("mine")) > 0
    assert valkey.client.ttl(versions_key("")) == -1


def versions_of_two(store: Any) -> list[Any] | None:
    """Return the versions of two scopes; None if Redis was too slow to be used."""
    found = [store.values.tag_versions(scope) for scope in ("mine", "other")]
    return None if None in found else found


def test_what_redis_missed_of_a_scope_is_delivered_to_it(stores: Any, valkey: Valkey) -> None:
    here, there = stores.use(valkey.url, is_patient=False), stores.another()
    before, other = until(lambda: versions_of_two(there), 20, "Redis is used")
    valkey.send(signal.SIGSTOP)
    try:
        assert here.values.invalidate_tags(["item:1"], "mine") is False
    finally:
        valkey.send(signal.SIGCONT)
    until(lambda: here.values.tag_versions() is not None, 5, "this process uses Redis again")
    after, still = until(lambda: versions_of_two(there), 20, "another one as well")
    assert after.get("item:1") != before.get("item:1")
    assert still == other
