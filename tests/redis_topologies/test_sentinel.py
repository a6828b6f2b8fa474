"""The store behind Sentinel: a master that has become a replica, and Sentinels that do not run."""

import asyncio
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from medianest.store import Condition, Hit, redis_server
from tests.service import HOST, Stores, free_port, until
from tests.topologies import MASTER, QUORUM, Watched


async def read_in_loop(store: Any) -> Any:
    try:
        return await store._cache.send_in_loop(("SET", "medianest:cache:x", "y"))
    finally:
        await store.close_loop()


@pytest.fixture
def demoted(watched: Watched) -> Iterator[Watched]:
    """Servers whose master has become a replica, which Sentinel has not noticed."""
    watched.master.client.replicaof(HOST, free_port())
    yield watched
    watched.master.client.replicaof("NO", "ONE")


def test_a_master_that_is_a_replica_now_is_an_unavailable_redis_until_it_is_one_again(
    stores: Stores, demoted: Watched
) -> None:
    for attempt in (
        lambda store: store.values.set("answer", b"cached", 60),
        write,
        lambda store: asyncio.run(read_in_loop(store)),
    ):
        store = stores.use(demoted.url)
        assert not attempt(store)
        assert not store._cache.availability.is_available()
    demoted.master.client.replicaof("NO", "ONE")
    until(lambda: store.condition() is Condition.OK, 20, "it is used again")
    assert attempt(store) == [b"OK"]


@pytest.fixture
def replaced(tmp_path: Path) -> Iterator[Watched]:
    """Servers of this test's own."""
    with closing(Watched(tmp_path)) as servers:
        yield servers


def write(store: Any) -> list[Any] | None:
    written: list[Any] | None = store._cache.send(("SET", "medianest:cache:x", "y"))
    return written


def test_a_master_that_returns_after_it_was_replaced_is_not_used_over_an_open_connection(
    stores: Stores, replaced: Watched
) -> None:
    store, old = stores.use(replaced.url, is_patient=False), replaced.master
    until(lambda: write(store) == [b"OK"], 20, "this thread has a connection")
    with asyncio.Runner() as runner, ThreadPoolExecutor(1) as executor:
        command = ("SET", "medianest:cache:in a loop", "y")
        until(lambda: runner.run(store._cache.send_in_loop(command)), 20, "and so has a loop")
        replaced.hang_master()
        until(lambda: executor.submit(write, store).result() is None, 20, "another thread fails")
        until(replaced.is_promoted, 90, "the replica is the master")
        until(store._cache.availability.is_available, 20, "the new master is used")
        old.send(signal.SIGCONT)
        assert old.client.info("replication")["role"] == "master"
        replaced.master.client.flushall()
        until(lambda: write(store) == [b"OK"], 20, "this thread writes")
        until(lambda: runner.run(store._cache.send_in_loop(command)), 20, "and so does the loop")
        assert replaced.master.client.dbsize() == 2
        runner.run(store.close_loop())


def test_two_of_three_sentinels_elect_who_replaces_a_master_that_has_failed(
    stores: Stores, replaced: Watched
) -> None:
    store, (first, second) = stores.use(replaced.url), replaced.sentinels
    known = first.client.sentinel_master(MASTER)
    assert (known["quorum"], known["num-other-sentinels"]) == (QUORUM, 2)
    assert write(store) == [b"OK"]
    replaced.lose_master()
    until(replaced.is_promoted, 90, "the replica is the master")
    until(lambda: write(store) == [b"OK"], 20, "it is used")
    logs = first.log.read_text() + second.log.read_text()
    assert f"#quorum {QUORUM}/{QUORUM}" in logs
    assert "+elected-leader" in logs


def test_without_a_sentinel_redis_is_unavailable(stores: Stores) -> None:
    store = stores.use("redis+sentinel://127.0.0.1:9,127.0.0.1:10/mymaster")
    assert not store.read("answer").is_available
    store = stores.use("redis+sentinel://127.0.0.1:9,127.0.0.1:10/mymaster")
    assert asyncio.run(read_in_loop(store)) is None


def test_a_master_that_the_sentinels_do_not_know_is_unavailable(
    stores: Stores, watched: Watched
) -> None:
    store = stores.use(watched.url.replace("mymaster", "another"))
    assert not store.read("answer").is_available


def test_a_read_that_counts_a_hit_costs_one_round_trip(
    stores: Stores, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stores.use(watched.url)
    hit = Hit("server:1", 3, 60, expires=False)
    store.read("answer", hit=hit)  # connects, and makes the script known
    trips: list[int] = []
    exchange = redis_server.exchange

    def counted(connection: Any, commands: Any, replies: Any, *, expected: int) -> None:
        trips.append(expected)
        exchange(connection, commands, replies, expected=expected)

    monkeypatch.setattr(redis_server, "exchange", counted)
    assert store.read("answer", hit=hit).verdict.remaining == 1
    assert trips == [3]
