"""How many requests a hit sends to the nodes of a cluster, as docs/deployment.md says."""

import re
import statistics
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from accounts import tokens
from accounts.models import User
from medianest.store.loop_connection import LoopConnection
from medianest.store.stamps import stamp_key
from medianest.store.values import PREFIX, VERSIONS_KEY
from plex_simulator import Simulator
from tests.benchmarks.calls import ROOT
from tests.conftest import Client
from tests.redis_topologies.test_cluster import owner
from tests.server import Server
from tests.service import Stores, Valkey
from tests.topologies import Cluster

PAGE = (ROOT / "docs" / "deployment.md").read_text()
DOCUMENTED = r"requests to Redis: (\d\.\d) if .* on different nodes, otherwise (\d\.\d) "


@pytest.fixture
def clients(
    stores: Stores, cluster: Cluster, plex: Simulator, server: Server
) -> Iterator[list[Client]]:
    """Clients of three users, each with limits and stamp on another node of the cluster."""
    stores.use(cluster.url)
    users: dict[int, User] = {}
    for number in count():
        user = User.objects.create(username=f"user-{number}", password="!")
        users.setdefault(owner(stamp_key(str(user.pk))), user)
        if len(users) == len(cluster.masters):
            break
    made = [Client(server.url, tokens.issue(user).access) for user in users.values()]
    yield made
    for client in made:
        client.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record the commands of each request that the event loop sends to a node."""
    recorded: list[Any] = []
    send = LoopConnection.send

    async def recorded_send(self: Any, *commands: Any) -> Any:
        recorded.append(commands)
        return await send(self, *commands)

    monkeypatch.setattr(LoopConnection, "send", recorded_send)
    return recorded


def responses(node: Valkey) -> int:
    """Return how many pages of items a node stores."""
    return len(node.client.keys(f"{PREFIX}responses-*:library-items:*"))


def cached_path(client: Client, cluster: Cluster, *, is_beside_versions: bool) -> str:
    """Load a response that is stored on the node with the tags' versions, or on another one."""
    node = cluster.masters[owner(VERSIONS_KEY)]
    for size in count(1):
        path, before = f"/plex/libraries/1/items?size={size}&details=summary", responses(node)
        assert client.get(path).headers["X-Plex-Cache-Status"] == "MISS"
        if (responses(node) > before) is is_beside_versions:
            return path
    raise AssertionError


@pytest.mark.parametrize(
    ("is_beside_versions", "expected"), [(False, [2, 2, 3]), (True, [1, 2, 2])]
)
def test_a_hit_sends_as_many_requests_as_the_page_on_deployment_says(
    clients: list[Client],
    cluster: Cluster,
    sent: list[Any],
    *,
    is_beside_versions: bool,
    expected: list[int],
) -> None:
    path = cached_path(clients[0], cluster, is_beside_versions=is_beside_versions)
    counts = []
    for client in clients:
        for _ in range(2):  # this process knows the user then, and has the response
            client.get(path)
        sent.clear()
        assert client.get(path).headers["X-Plex-Cache-Status"] == "HIT"
        assert sorted(each[0] for request in sent for each in request) == [
            "EVALSHA",
            "GET",
            "GETRANGE",
        ]
        counts.append(len(sent))
    assert sorted(counts) == expected
    [documented] = re.findall(DOCUMENTED, PAGE)
    assert f"{statistics.mean(counts):.1f}" == documented[is_beside_versions]
