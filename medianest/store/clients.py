"""redis-py's clients of a master that Sentinel names, and of a cluster."""

from collections.abc import Mapping
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as RetryInLoop
from redis.backoff import NoBackoff
from redis.cluster import PRIMARY, ClusterNode
from redis.retry import Retry

from medianest.redis_address import RedisAddress

# Without it redis-py reads its own version from a file, in the event loop, for every connection.
DRIVER = redis.DriverInfo()


def master(address: RedisAddress, options: Mapping[str, Any]) -> Any:
    """Return the client of the master that Sentinel names; each new connection asks for it."""
    timeouts = _timeouts(options)
    # Without a retry: redis-py waits for seconds before it connects to a Sentinel again.
    about = _sentinel_options(address) | timeouts | {"retry": Retry(NoBackoff(), 0)}
    sentinels: Any = redis.Sentinel(  # type: ignore[no-untyped-call]
        address.nodes, sentinel_kwargs=about, **(address.options() | timeouts)
    )
    return sentinels.master_for(address.master)


async def master_in_loop(address: RedisAddress, options: Mapping[str, Any]) -> tuple[str, int]:
    """Return where the master is, without blocking the event loop."""
    about = _sentinel_options(address) | _timeouts(options)
    about |= {"retry": RetryInLoop(NoBackoff(), 0), "driver_info": DRIVER}
    sentinels = redis.asyncio.Sentinel(  # type: ignore[no-untyped-call]
        address.nodes, sentinel_kwargs=about
    )
    try:
        found: tuple[str, int] = await sentinels.discover_master(address.master)
        return found
    finally:
        await sentinels.aclose()


def cluster(address: RedisAddress, options: Mapping[str, Any]) -> Any:
    """Return the client of a cluster, which has read its slots."""
    about = address.options() | _timeouts(options)
    nodes = [ClusterNode(*each) for each in address.nodes]  # type: ignore[no-untyped-call]
    return _Cluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 0), **about)


class _Cluster(redis.RedisCluster):
    """redis-py's client of a cluster, which can follow a slot to a node that has none yet."""

    def get_node(
        self, host: str | None = None, port: int | None = None, node_name: str | None = None
    ) -> Any:
        """Return the node of an address, or the one that is named by an address.

        redis-py knows the nodes that have slots. It asks here for the one that a slot is being
        moved to, and cannot go on without it.
        """
        if node_name:
            host, _, of_node = node_name.rpartition(":")
            port = int(of_node)
        node = ClusterNode(host, port, PRIMARY)  # type: ignore[no-untyped-call]
        return self.nodes_manager.nodes_cache.setdefault(node.name, node)


def _sentinel_options(address: RedisAddress) -> dict[str, Any]:
    """Return what redis-py needs for a connection to a Sentinel, which has no databases."""
    of_master = {"username", "password", "db"}
    others = {name: each for name, each in address.options().items() if name not in of_master}
    return {**others, **address.sentinel_credentials}


def _timeouts(options: Mapping[str, Any]) -> dict[str, float]:
    """Return redis-py's names of django-redis's timeouts."""
    return {name.lower(): options[name] for name in ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT")}
