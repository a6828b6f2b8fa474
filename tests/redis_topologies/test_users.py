"""Every kind of connection signs in as the user of the URL, to all kinds of Redis."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from tests.service import Stores
from tests.topologies import USER, WATCHER, Topology, Watched

WHO = ("ACL", "WHOAMI")


async def user_of_the_loop(store: Any) -> list[Any] | None:
    try:
        found: list[Any] | None = await store._cache.send_in_loop(WHO)
        return found
    finally:
        await store.close_loop()


@pytest.mark.parametrize("name", ["watched", "cluster"])
def test_all_connections_are_those_of_the_user(
    name: str, stores: Stores, request: pytest.FixtureRequest
) -> None:
    topology: Topology = request.getfixturevalue(name)
    store = stores.use(topology.url)
    found = [
        store._cache.send(WHO),
        store._cache.execute(WHO),
        asyncio.run(user_of_the_loop(store)),
    ]
    assert found == [[USER[0].encode()]] * 3


def test_sentinel_has_a_user_of_its_own(stores: Stores, watched: Watched) -> None:
    assert stores.use(watched.url)._cache.send(WHO)
    clients = [each for sentinel in watched.sentinels for each in sentinel.client.client_list()]
    assert WATCHER[0] in {each["user"] for each in clients}
    refused = stores.use(watched.url.replace(quote(WATCHER[1]), "wrong"))
    assert refused._cache.send(WHO) is None
