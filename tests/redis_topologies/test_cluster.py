"""The store in a cluster: what a read costs, slots that move, and a node that is unavailable."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import caches
from redis.crc import key_slot

from medianest.store import Counting, Hit, Stamp, StampedHit, cluster_server, redis_server
from medianest.store.loop_connection import LoopConnection
from medianest.store.stamps import now, stamp_key
from medianest.store.values import PREFIX, VERSIONS_KEY
from tests.pace import Stopwatch
from tests.service import Stores, Valkey, until
from tests.topologies import USER, Cluster, Migration, add_user

BOUNDS = (5461, 10923)


@pytest.fixture
def store(stores: Stores, cluster: Cluster) -> Any:
    """This process's own store in the cluster, which is healthy and empty."""
    return stores.use(cluster.url)


def owner(key: str) -> int:
    """Return which of the masters has a key."""
    return sum(key_slot(key.encode()) >= bound for bound in BOUNDS)


def named(beginning: str, node: int) -> str:
    """Return the first name after a beginning whose key one of the masters has."""
    names = (f"{each}" for each in count())
    return next(name for name in names if owner(beginning.format(name)) == node)


def spread() -> tuple[str, StampedHit]:
    """Return a key and a user's hit that are on other masters than the tags, and their stamps."""
    others = [node for node in range(3) if node != owner(VERSIONS_KEY)]
    key, user = named(PREFIX + "{}", others[0]), named("{}", others[1])
    return key, StampedHit(Hit(f"server:{{{user}}}", 3, 60, expires=False), user, "valid")


def renew(store: Any, hit: StampedHit) -> None:
    store.stamps.renew([(hit.user_id, Stamp("valid", now()), None)])


READS: dict[str, Callable[..., Any]] = {
    "threads": lambda store, *given: store.read_fast(*given),
    "a loop": lambda store, *given: asyncio.run(in_loop(store, *given)),
}


async def in_loop(store: Any, *given: Any) -> Any:
    """Read twice: the first connects."""
    try:
        await store.read_value_in_loop(given[0])
        return await store.read_fast_in_loop(*given)
    finally:
        await store.close_loop()


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_hit_is_counted_and_read_on_three_nodes(store: Any, read: Callable[..., Any]) -> None:
    key, hit = spread()
    renew(store, hit)
    assert store.values.invalidate_tags(["item:1"])
    assert store.values.set(key, b"cached", 60)
    first, second = read(store, key, hit), read(store, key, hit)
    assert [first.value, second.value] == [b"cached"] * 2
    assert first.counted.counting is second.counted.counting is Counting.COUNTED
    assert [first.counted.verdict.remaining, second.counted.verdict.remaining] == [2, 1]
    assert first.is_available
    assert first.tags.get("item:1") == store.values.tag_versions().get("item:1") != ""


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record when commands are sent to a node and when its replies are there."""
    recorded: list[str] = []
    write, read, send = cluster_server._Line.write, cluster_server._Line.read, LoopConnection.send

    def recorded_write(self: Any, commands: Any) -> None:
        recorded.append("sent")
        write(self, commands)

    def recorded_read(self: Any, commands: Any) -> Any:
        replies = read(self, commands)
        recorded.append("replied")
        return replies

    async def recorded_send(self: Any, *commands: Any) -> Any:
        recorded.append("sent")
        replies = await send(self, *commands)
        recorded.append("replied")
        return replies

    monkeypatch.setattr(cluster_server._Line, "write", recorded_write)
    monkeypatch.setattr(cluster_server._Line, "read", recorded_read)
    monkeypatch.setattr(LoopConnection, "send", recorded_send)
    return recorded


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_hit_asks_each_node_once_and_all_of_them_before_the_first_replies(
    store: Any, read: Callable[..., Any], exchanges: list[str]
) -> None:
    key, hit = spread()
    renew(store, hit)
    read(store, key, hit)  # makes the script known
    exchanges.clear()
    read(store, key, hit)
    assert exchanges[-6:] == ["sent"] * 3 + ["replied"] * 3
    assert len(exchanges) == 6 + (2 if exchanges[1] == "replied" else 0)


def test_a_read_on_one_node_asks_no_other(store: Any, exchanges: list[str]) -> None:
    key = named(PREFIX + "{}", owner(VERSIONS_KEY))
    store.read(key)
    assert exchanges == ["sent", "replied"]


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_slot_that_was_moved_is_followed(store: Any, read: Callable[..., Any]) -> None:
    key, hit = spread()
    renew(store, hit)
    store.values.set(key, b"cached", 60)
    slots = store._cache.client.nodes_manager.slots_cache
    of_value, of_user = key_slot((PREFIX + key).encode()), key_slot(hit.user_id.encode())
    slots[of_value], slots[of_user] = slots[of_user], slots[of_value]
    found = read(store, key, hit)
    assert (found.value, found.counted.verdict.remaining) == (b"cached", 2)
    # A command whose reply names another node was not run there: nothing counted twice.
    assert read(store, key, hit).counted.verdict.remaining == 1
    slots[of_value] = slots[of_user]
    assert store.values.set(key, b"written", 60)
    assert store.read(key).values == [b"written"]


@pytest.fixture
def moving(cluster: Cluster) -> Iterator[str]:
    """A key whose slot is on its way from one node to another, which has it already."""
    key = named(PREFIX + "{}", 1)
    slot, source, target = key_slot((PREFIX + key).encode()), cluster.masters[1], cluster.masters[2]
    identities = [node.client.execute_command("CLUSTER MYID") for node in (source, target)]
    target.client.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", identities[0])
    source.client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", identities[1])
    yield key
    for node in (source, target):
        node.client.execute_command("CLUSTER SETSLOT", slot, "STABLE")
    target.client.flushall()


def test_a_key_whose_slot_is_being_moved_is_found_at_its_new_node(
    store: Any, cluster: Cluster, moving: str
) -> None:
    assert store.values.set(moving, b"cached", 60)
    assert cluster.masters[2].client.keys() == [(PREFIX + moving).encode()]
    assert store.read(moving).values == [b"cached"]
    assert asyncio.run(value_in_loop(store, moving)) == b"cached"


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_while_a_user_is_split_over_two_nodes_requests_are_counted_by_the_window_alone(
    store: Any, cluster: Cluster, read: Callable[..., Any]
) -> None:
    user = named("{}", 1)
    hit = StampedHit(Hit(f"server:{{{user}}}", 3, 60, expires=False), user, "valid")
    renew(store, hit)
    store.values.set("answer", b"cached", 60)
    assert read(store, "answer", hit).counted.verdict.remaining == 2
    source, target = cluster.masters[1:]
    slot = key_slot(user.encode())
    migration = Migration(slot, source, target)
    try:
        try:
            migration.move(stamp_key(user))
            found = read(store, "answer", hit)
            # Neither node runs a script with keys on both: nothing was counted.
            assert (found.counted.counting, found.value) == (Counting.UNAVAILABLE, b"cached")
            assert store.read(hit=hit.hit).verdict.remaining == 1
        finally:
            migration.finish(*cluster.masters)
        assert read(store, "answer", hit).counted.verdict.remaining == 0
    finally:
        Migration(slot, target, source).finish(*cluster.masters)


def test_a_node_without_slots_to_which_a_slot_is_moved_is_used_as_any_other(
    stores: Stores, tmp_path: Path
) -> None:
    with closing(Cluster(tmp_path)) as cluster:
        store, added = stores.use(cluster.url), cluster.add_node(tmp_path)
        assert store.values.invalidate_tags(["item:1"])
        slot = key_slot(VERSIONS_KEY.encode())
        migration = Migration(slot, cluster.masters[owner(VERSIONS_KEY)], added)
        migration.move(VERSIONS_KEY)
        before = added.client.info("stats")["total_connections_received"]
        assert all(store.values.invalidate_tags(["item:1"]) for _ in range(9))
        assert added.client.info("stats")["total_connections_received"] == before + 1
        # What was invalidated last is delivered again, by redis-py's own client.
        last = store.values.tag_versions()
        store._cache.availability.report_failure(redis.exceptions.ConnectionError("it has failed"))
        until(store._cache.availability.is_available, 20, "the cluster is used again")
        assert store.values.tag_versions().get("item:1") > last.get("item:1")


async def value_in_loop(store: Any, key: str) -> Any:
    try:
        return await store.read_value_in_loop(key)
    finally:
        await store.close_loop()


def test_stamps_of_users_are_renewed_where_only_some_nodes_know_the_script(
    store: Any, cluster: Cluster
) -> None:
    users = [named("{}", node) for node in range(3)]
    store.stamps.renew([("x" + named("x{}", 0), Stamp("valid", now()), None)])
    store.stamps.renew([(user, Stamp("valid", now()), None) for user in users])
    stored = [cluster.masters[n].client.get(stamp_key(user)) for n, user in enumerate(users)]
    assert all(stamp and stamp.startswith(b"valid ") for stamp in stored)


def test_clearing_the_cache_deletes_the_values_of_all_nodes_and_nothing_else(store: Any) -> None:
    keys = [named(PREFIX + "{}", node) for node in range(3)]
    for key in keys:
        store.values.set(key, b"cached", 60)
    store.records.set("once", b"written", 60)
    assert len(store.values.scan("", 100, 3)) == 3
    caches["default"].set("of Django", 1)
    assert store.facts()["default"].keys == 6  # with the record and the probe
    caches["default"].clear()
    assert caches["default"].get("of Django") == 1
    assert store.read(*keys).values == [None] * 3
    assert store.records.get("once") == b"written"


@pytest.fixture
def hung(cluster: Cluster) -> Iterator[Valkey]:
    """The master with the versions of tags, which the test stops."""
    node = cluster.masters[owner(VERSIONS_KEY)]
    yield node
    node.send(signal.SIGCONT)


def test_while_a_node_hangs_nobody_waits_and_what_was_invalidated_is_delivered_to_it(
    stores: Stores, hung: Valkey, cluster: Cluster
) -> None:
    here, there = stores.use(cluster.url, is_patient=False), stores.another()
    until(lambda: here.values.invalidate_tags(["collection:1"]), 20, "the cluster is used")
    hung.send(signal.SIGSTOP)
    watch = Stopwatch()
    assert here.values.invalidate_tags(["collection:2"]) is False
    assert not here.read("answer").is_available
    assert watch.keeps(2)
    hung.send(signal.SIGCONT)
    until(lambda: here.values.tag_versions() is not None, 20, "this process uses it again")
    until(lambda: there.values.tag_versions() is not None, 20, "another one as well")
    versions = there.values.tag_versions()
    assert all(versions.get(f"collection:{number}") for number in (1, 2))


@pytest.mark.parametrize("full_coverage", ["yes", "no"])
def test_without_a_replica_a_node_that_has_failed_makes_all_unavailable_until_it_is_back(
    stores: Stores, tmp_path: Path, full_coverage: str
) -> None:
    with closing(Cluster(tmp_path)) as cluster:
        others, lost = [cluster.masters[0], cluster.masters[2]], cluster.masters[1]
        for node in (*others, cluster.replica):
            node.client.config_set("cluster-require-full-coverage", full_coverage)
            node.client.config_set("cluster-node-timeout", 1000)
        store = stores.use(cluster.url)
        keys = [named(PREFIX + "{}", node) for node in range(3)]
        assert all(store.values.set(key, b"cached", 60) for key in keys)
        lost.kill()
        assert store.values.set(keys[1], b"cached", 60) is False
        until(lambda: all(has_lost_slots(node) for node in others), 60, "they have noticed it")
        with pytest.raises(redis_server.FAILURES):
            store._cache.check()
        assert not store.read(keys[0]).is_available
        lost.start()
        add_user(lost.client, USER)
        until(lambda: store.values.set(keys[1], b"cached", 60), 60, "it is used again")


def has_lost_slots(node: Valkey) -> bool:
    """Tell whether a node knows that slots are on no node that responds."""
    return int(node.client.cluster("INFO")["cluster_slots_fail"]) > 0


def test_a_cluster_that_cannot_be_reached_is_an_unavailable_redis(stores: Stores) -> None:
    store = stores.use("redis+cluster://127.0.0.1:9,127.0.0.1:10")
    _, hit = spread()
    assert not store.read("answer").is_available
    assert asyncio.run(in_loop(store, "answer", hit)).counted.counting is Counting.UNAVAILABLE
    assert store.values.scan("", 10, 10) == []
    assert store.facts() == {"default": None}
