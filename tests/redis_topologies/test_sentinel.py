"""The store behind Sentinel: a master that has become a replica, and Sentinels that do not run."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from medianest.store import Condition, Hit, redis_server
from tests.service import HOST, Stores, free_port, until
from tests.topologies import Watched


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
    for write in (
        lambda store: store.values.set("answer", b"cached", 60),
        lambda store: store._cache.send(("SET", "medianest:cache:x", "y")),
        lambda store: asyncio.run(read_in_loop(store)),
    ):
        store = stores.use(demoted.url)
        assert not write(store)
        assert not store._cache.availability.is_available()
    demoted.master.client.replicaof("NO", "ONE")
    until(lambda: store.condition() is Condition.OK, 20, "it is used again")
    assert write(store) == [b"OK"]


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
