"""Redis servers that replace one another: behind Sentinel, and in a cluster."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlencode

import pytest
import redis

from medianest.store.rate_windows import PREFIX as LIMITS
from tests.service import HOST, Process, Tls, Valkey, free_port, redis_program, until

MASTER = "mymaster"
CREDENTIALS = ("sentinel_username", "sentinel_password")
USER, WATCHER = ("service", "pass/word"), ("watcher", "an&other")
"""Names and passwords of the service, at Redis and at Sentinel."""

SENTINELS, QUORUM = 3, 2

UP_SECONDS = 600
"""Sentinel replaces no master that is merely slow on a busy machine, unless a test wants it."""


class Topology(Protocol):
    """Redis servers of which one takes the place of another."""

    url: str

    def clear(self) -> None:
        """Delete everything."""

    def failovers(self) -> Sequence[Callable[[], None]]:
        """Return what makes another server the master, in this order."""

    def is_promoted(self) -> bool:
        """Tell whether another server than before the failover is the master."""

    def forget_limits(self) -> None:
        """Delete what users are counted for."""

    def limits(self) -> list[bytes]:
        """Return the keys of limits on the server that was promoted."""

    def close(self) -> None:
        """End the servers."""


class Sentinel(Process):
    """A Sentinel of a master."""

    def __init__(self, folder: Path, master: Valkey, tls: Tls | None) -> None:
        self.port = free_port()
        self.client = redis.Redis(
            HOST, self.port, socket_timeout=5, **(tls.client() if tls else {})
        )
        of_port = tls.options(self.port) if tls else {"port": str(self.port)}
        of_master = {
            "monitor": f"{HOST} {master.port} {QUORUM}",
            "down-after-milliseconds": f"{UP_SECONDS * 1000}",
            "failover-timeout": "2000",
        }
        configuration = folder / f"sentinel-{self.port}.conf"
        configuration.write_text(
            "".join(f"{name} {text}\n" for name, text in of_port.items())
            + f"bind {HOST}\ndir {folder}\n"
            + "".join(f"sentinel {key} {MASTER} {text}\n" for key, text in of_master.items())
        )
        argv = [redis_program(tls), str(configuration), "--sentinel"]
        super().__init__(argv, folder / f"sentinel-{self.port}.log", dict(os.environ))

    def knows_all(self) -> bool:
        """Tell whether it knows the replica and the other Sentinels."""
        try:
            known = self.client.sentinel_master(MASTER)
        except redis.exceptions.RedisError:
            return False
        return (known["num-slaves"], known["num-other-sentinels"]) == (1, SENTINELS - 1)

    def close(self) -> None:
        self.client.close()
        self.kill()


class Watched(Topology):
    """A master with a replica, and three Sentinels, of which the one that is named first has died.

    The two others are as many as must agree that the master has failed, and elect who replaces it.
    """

    def __init__(self, folder: Path, tls: Tls | None = None) -> None:
        self.master = Valkey(folder, tls=tls)
        master = ("--replicaof", HOST, str(self.master.port))
        self.replica = Valkey(folder, *master, "--repl-diskless-sync-delay", "0", tls=tls)
        sentinels = [Sentinel(folder, self.master, tls) for _ in range(SENTINELS)]
        named = ",".join(f"{HOST}:{each.port}" for each in sentinels)
        query = dict(zip(CREDENTIALS, WATCHER, strict=True)) | query_of(tls)
        self.url = f"{scheme(tls)}+sentinel://{signed(USER)}@{named}/{MASTER}/0?{urlencode(query)}"
        until(lambda: all(each.knows_all() for each in sentinels), 60, "they know each other")
        until(lambda: is_linked(self.replica), 30, "the replica has all data")
        dead, *self.sentinels = sentinels
        dead.close()
        for node in (self.master, self.replica, *self.sentinels):
            add_user(node.client, USER if isinstance(node, Valkey) else WATCHER)

    def clear(self) -> None:
        self.master.client.flushall()
        self.master.client.script_flush()

    def failovers(self) -> Sequence[Callable[[], None]]:
        return (self.hand_over, self.lose_master)

    def hand_over(self) -> None:
        """Make the replica the master, as an operator does; the master becomes the replica."""
        self.sentinels[0].client.execute_command("SENTINEL", "FAILOVER", MASTER)
        self._exchange()

    def lose_master(self) -> None:
        """Kill the master; the Sentinels notice it soon, and the replica becomes the master."""
        until(lambda: is_linked(self.replica), 60, "the replica has all data")
        self._watch_closely()
        self.master.kill()
        self._exchange()

    def hang_master(self) -> None:
        """Stop the master without its end; the Sentinels replace it soon."""
        self._watch_closely()
        self.master.send(signal.SIGSTOP)
        self._exchange()

    def is_promoted(self) -> bool:
        of_master = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        named = [each.client.execute_command(*of_master) for each in self.sentinels]
        is_master = self.master.client.info("replication")["role"] == "master"
        return is_master and {int(port) for _, port in named} == {self.master.port}

    def forget_limits(self) -> None:
        if keys := self.limits():
            self.master.client.delete(*keys)

    def limits(self) -> list[bytes]:
        return self.master.client.keys(f"{LIMITS}*")

    def _watch_closely(self) -> None:
        for each in self.sentinels:
            each.client.sentinel_set(MASTER, "down-after-milliseconds", 1000)

    def _exchange(self) -> None:
        self.master, self.replica = self.replica, self.master

    def close(self) -> None:
        for each in (*self.sentinels, self.replica, self.master):
            each.close()


class Cluster(Topology):
    """Three masters, of which the first has a replica."""

    def __init__(self, folder: Path, tls: Tls | None = None) -> None:
        nodes = [self._node(folder, tls) for _ in range(4)]
        self.masters, self.replica = nodes[:3], nodes[3]
        named = ",".join(f"{HOST}:{node.port}" for node in nodes[:2])
        self.url = f"{scheme(tls)}+cluster://{signed(USER)}@{named}?{urlencode(query_of(tls))}"
        for number, node in enumerate(nodes):
            add_user(node.client, USER)
            node.client.cluster("SET-CONFIG-EPOCH", number + 1)
            bus = node.client.config_get("cluster-port")["cluster-port"]
            nodes[0].client.execute_command("CLUSTER MEET", HOST, node.port, bus)
        until(lambda: all(known(node) == len(nodes) for node in nodes), 60, "they have met")
        bounds = (0, 5461, 10923, 16384)
        for node, first, end in zip(self.masters, bounds, bounds[1:], strict=False):
            node.client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
        master = nodes[0].client.execute_command("CLUSTER MYID")
        self.replica.client.execute_command("CLUSTER REPLICATE", master)
        until(lambda: is_linked(self.replica), 60, "the replica has all data")
        until(self.is_whole, 60, "every node sees a whole cluster")

    def add_node(self, folder: Path) -> Valkey:
        """Start a master that has no slots yet."""
        node = self._node(folder, None)
        add_user(node.client, USER)
        # Else it becomes a replica when its last slot is moved to another node.
        node.client.config_set("cluster-allow-replica-migration", "no")
        bus = node.client.config_get("cluster-port")["cluster-port"]
        self.masters[0].client.execute_command("CLUSTER MEET", HOST, node.port, bus)
        self.masters.append(node)
        nodes = (*self.masters, self.replica)
        until(lambda: all(known(each) == len(nodes) for each in nodes), 60, "they have met")
        until(self.is_whole, 60, "every node sees a whole cluster")
        return node

    def is_whole(self) -> bool:
        """Tell whether each node sees all slots."""
        nodes = (*self.masters, self.replica)
        return all(node.client.cluster("INFO")["cluster_state"] == "ok" for node in nodes)

    def clear(self) -> None:
        for node in self.masters:
            node.client.flushall()
            node.client.script_flush()

    def failovers(self) -> Sequence[Callable[[], None]]:
        return (self.hand_over, self.lose_master)

    def hand_over(self) -> None:
        """Let the replica take the place of its master."""
        self.replica.client.execute_command("CLUSTER FAILOVER")
        self._exchange()

    def lose_master(self) -> None:
        """Kill the first master; its replica takes its place soon."""
        until(lambda: is_linked(self.replica), 60, "the replica has all data")
        for node in (*self.masters, self.replica):
            node.client.config_set("cluster-node-timeout", 500)
        self.masters[0].kill()
        self._exchange()

    def is_promoted(self) -> bool:
        is_master = self.masters[0].client.info("replication")["role"] == "master"
        states = [node.client.cluster("INFO")["cluster_state"] for node in self.masters]
        return is_master and set(states) == {"ok"}

    def forget_limits(self) -> None:
        for key in self.limits():
            self.masters[0].client.delete(key)

    def limits(self) -> list[bytes]:
        return self.masters[0].client.keys(f"{LIMITS}*")

    def close(self) -> None:
        for node in (*self.masters, self.replica):
            node.close()

    def _exchange(self) -> None:
        self.masters[0], self.replica = self.replica, self.masters[0]

    @staticmethod
    def _node(folder: Path, tls: Tls | None) -> Valkey:
        own = Path(tempfile.mkdtemp(dir=folder))
        timeout = ("--cluster-node-timeout", str(UP_SECONDS * 1000))
        bus = ("--cluster-port", str(free_port()), "--repl-diskless-sync-delay", "0")
        encryption = ("--tls-cluster", "yes") if tls else ()
        return Valkey(own, "--cluster-enabled", "yes", *timeout, *bus, *encryption, tls=tls)


class Migration:
    """A slot on its way from one node to another, key by key, as redis-cli moves it."""

    def __init__(self, slot: int, source: Valkey, target: Valkey) -> None:
        self._slot, self._source, self._target = slot, source, target
        target.client.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", identity(source))
        source.client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", identity(target))

    def rest(self) -> list[str]:
        """Return the keys that have not been moved yet."""
        keys: list[str] = self._source.client.execute_command(
            "CLUSTER GETKEYSINSLOT", self._slot, 1000
        )
        return keys

    def move(self, *keys: str) -> None:
        """Move some of the keys."""
        where = (HOST, self._target.port, "", 0, 5000)
        self._source.client.execute_command("MIGRATE", *where, "KEYS", *keys)

    def finish(self, *others: Valkey) -> None:
        """Move the other keys, and let all nodes know who has the slot."""
        while keys := self.rest():
            self.move(*keys)
        for node in (self._target, self._source, *others):
            node.client.execute_command(
                "CLUSTER SETSLOT", self._slot, "NODE", identity(self._target)
            )


def identity(node: Valkey) -> bytes:
    """Return the name that a node has in its cluster."""
    found: bytes = node.client.execute_command("CLUSTER MYID")
    return found


def add_user(client: redis.Redis, user: tuple[str, str]) -> None:
    """Let a user with a password do everything."""
    name, password = user
    rules = ("on", f">{password}", "~*", "&*", "+@all")
    client.execute_command("ACL SETUSER", name, *rules)


def scheme(tls: Tls | None) -> str:
    return "rediss" if tls else "redis"


def query_of(tls: Tls | None) -> dict[str, str]:
    """Return the parameters of a URL: which CA has signed the servers' certificates."""
    return {"ssl_ca_certs": str(tls.authority)} if tls else {}


def signed(user: tuple[str, str]) -> str:
    """Return a name and a password as they are written in a URL."""
    return ":".join(quote(each, safe="") for each in user)


def known(node: Valkey) -> int:
    """Return how many nodes of its cluster a node knows."""
    return int(node.client.cluster("INFO")["cluster_known_nodes"])


def is_linked(replica: Valkey) -> bool:
    """Tell whether a replica has the data of its master."""
    about = replica.client.info("replication")
    return about["role"] == "slave" and about["master_link_status"] == "up"


TOPOLOGIES: dict[str, Callable[[Path], Topology]] = {"Sentinel": Watched, "cluster": Cluster}


@pytest.fixture(scope="session")
def _watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with closing(Watched(tmp_path_factory.mktemp("sentinel"))) as servers:
        yield servers


@pytest.fixture
def watched(_watched: Watched) -> Watched:
    """A master that Sentinel names, healthy and empty, for tests that do not replace it."""
    _watched.clear()
    return _watched


@pytest.fixture(scope="session")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with closing(Cluster(tmp_path_factory.mktemp("cluster"))) as nodes:
        yield nodes


@pytest.fixture
def cluster(_cluster: Cluster) -> Cluster:
    """A cluster, healthy and empty, for tests that do not change its nodes."""
    _cluster.clear()
    return _cluster
