"""Every kind of Redis over TLS: each server, and each Sentinel, accepts nothing else."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode

import pytest

from tests.certificates import certificates
from tests.redis_topologies.test_users import WHO, user_of_the_loop
from tests.service import HOST, Stores, Tls, Valkey, until
from tests.topologies import USER, Cluster, Topology, Watched, add_user, query_of, signed


class Servers(Protocol):
    """What REDIS_URL leads to."""

    url: str

    def close(self) -> None:
        """End the servers."""


class Single(Servers):
    """One server."""

    def __init__(self, folder: Path, tls: Tls) -> None:
        self._server = Valkey(folder, tls=tls)
        add_user(self._server.client, USER)
        place = f"{signed(USER)}@{HOST}:{self._server.port}/0"
        self.url = f"rediss://{place}?{urlencode(query_of(tls))}"

    def close(self) -> None:
        self._server.close()


KINDS: dict[str, Callable[[Path, Tls], Servers]] = {
    "server": Single,
    "Sentinel": Watched,
    "cluster": Cluster,
}


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(*certificates(tmp_path, HOST, 30))


def users(store: Any) -> list[list[Any] | None]:
    """Return who this process is over each kind of connection; None over one that failed."""
    return [
        store._cache.send(WHO),
        store._cache.execute(WHO),
        asyncio.run(user_of_the_loop(store)),
    ]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_all_connections_are_encrypted_and_require_a_certificate_of_the_authority(
    kind: Callable[[Path, Tls], Servers], stores: Stores, tmp_path: Path, tls: Tls
) -> None:
    (tmp_path / "another").mkdir()
    another, _ = certificates(tmp_path / "another", HOST, 30)
    with closing(kind(tmp_path, tls)) as servers:
        assert users(stores.use(servers.url)) == [[USER[0].encode()]] * 3
        foreign = servers.url.replace(quote_plus(str(tls.authority)), quote_plus(str(another)))
        plain = servers.url.partition("?")[0].replace("rediss", "redis")
        for url in (foreign, plain):
            assert stores.use(url)._cache.send(WHO) is None
            assert stores.use(url)._cache.execute(WHO) is None
            assert asyncio.run(user_of_the_loop(stores.use(url))) is None


@pytest.fixture(params=[Watched, Cluster])
def replaceable(request: pytest.FixtureRequest, tmp_path: Path, tls: Tls) -> Iterator[Topology]:
    """Servers that use TLS among themselves as well, and replace one another."""
    with closing(request.param(tmp_path, tls)) as servers:
        yield servers


def test_after_a_failover_the_new_master_is_used_over_tls(
    replaceable: Topology, stores: Stores
) -> None:
    store = stores.use(replaceable.url)
    assert store.values.set("answer", b"cached", 60)
    replaceable.failovers()[-1]()
    until(replaceable.is_promoted, 90, "the replica is the master")
    until(lambda: store.values.set("answer", b"cached again", 60), 60, "it is used")
    # Nodes wait half a second for one another: a busy cluster may be down for a moment.
    until(lambda: store.read("answer").values == [b"cached again"], 60, "it is read")
