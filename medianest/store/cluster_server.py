"""A Redis Cluster: each command goes to the node that has its key.

redis-py's client knows the nodes and their slots. Commands for several nodes are sent to all of
them before the first reply is read, so together they take the time of one round trip.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import redis
from django.conf import settings
from redis.cluster import ClusterNode
from redis.crc import key_slot

from medianest.redis_address import RedisAddress
from medianest.store.loop_connection import Command, LoopConnection
from medianest.store.redis_server import (
    FAILURES,
    PROBE,
    Availability,
    Facts,
    RedisServer,
    condition_of,
    exchange,
)

MAX_REDIRECTIONS = 3
"""How often a command follows a slot that is moved to another node. More is no moving slot."""

_SUMS = ("used_memory", "maxmemory")
"""The numbers of INFO that are those of all nodes together."""

_SCRIPTS = {"EVALSHA", "EVAL"}


class _Routed(NamedTuple):
    """A command, its place among those that were given, and where it is sent after what."""

    place: int
    command: Command
    node: ClusterNode
    before: tuple[Command, ...] = ()


Parts = Mapping[ClusterNode, Sequence[Command]]
Found = Mapping[ClusterNode, Sequence[Any]]


class _Line:
    """A thread's own connection to a node."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._connection: Any = None
        self._is_new = False

    def write(self, commands: Sequence[Command]) -> None:
        """Send commands; `read` then returns their replies."""
        self._is_new = self._connection is None
        if self._is_new:
            self._connection = self._pool.connection_class(**self._pool.connection_kwargs)
        try:
            exchange(self._connection, commands, [], expected=0)
        except redis.exceptions.ConnectionError as error:
            self._begin_anew(error)
            exchange(self._connection, commands, [], expected=0)

    def read(self, commands: Sequence[Command]) -> list[Any]:
        """Return the replies to what was written."""
        replies: list[Any] = []
        try:
            exchange(self._connection, (), replies, expected=len(commands))
        except redis.exceptions.ConnectionError as error:
            self._begin_anew(error)
            # A command that has its reply is not sent again: it may have counted a request.
            rest = commands[len(replies) :]
            exchange(self._connection, rest, replies, expected=len(rest))
        return replies

    def disconnect(self) -> None:
        """Close the connection; the next command opens another one."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def _begin_anew(self, error: Exception) -> None:
        """Connect again: the node may have closed a connection that was idle."""
        if self._is_new:
            raise error
        self._is_new = True
        self._connection.disconnect()


class _Loop:
    """The connections of one event loop, one to each node."""

    def __init__(self, address: RedisAddress, options: Mapping[str, Any]) -> None:
        self._address, self._options = address, options
        self._connections: dict[str, LoopConnection] = {}

    async def send(self, parts: Parts) -> Found:
        """Send each node its commands, to all of them side by side."""
        sending = (self._connection(node).send(*commands) for node, commands in parts.items())
        return dict(zip(parts, await asyncio.gather(*sending), strict=True))

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            connection.close()

    def _connection(self, node: ClusterNode) -> LoopConnection:
        connection = self._connections.get(node.name)
        if connection is None:
            url = self._address.url_of(node.host, node.port)
            connection = self._connections[node.name] = LoopConnection(url, self._options)
        return connection


class ClusterServer(RedisServer):
    """One cluster of the settings, in place of one Redis.

    If a node does not respond, nothing is sent to the others either: what is read together is
    stored on several nodes.
    """

    def __init__(self, alias: str, availability: Availability) -> None:
        super().__init__(alias, availability)
        about = settings.CACHES[alias]
        self._options = about["OPTIONS"]
        self._address = RedisAddress.parse(about["LOCATION"])

    def send(self, *commands: Command) -> list[Any] | None:
        return self._sent(commands, self._send_over_lines)

    def execute(self, *commands: Command) -> list[Any] | None:
        return self._sent(commands, self._send_over_pools)

    async def send_in_loop(self, *commands: Command) -> list[Any] | None:
        if not self.availability.is_available():
            return None
        loop = asyncio.get_running_loop()
        connections: _Loop | None = self._loop_connections.get(loop)
        try:
            if connections is None:
                # It reads the slots, and must not do that in the event loop.
                await loop.run_in_executor(None, lambda: self.client)
                made = _Loop(self._address, self._options)
                connections = self._loop_connections.setdefault(loop, made)
            replies: list[Any] = [None] * len(commands)
            routed = self._routed(commands)
            for _ in range(MAX_REDIRECTIONS):
                found = await connections.send(_parts(routed))
                routed = self._accepted(routed, found, replies)
                if not routed:
                    return replies
            raise redis.exceptions.ClusterError("a slot is on no node")
        except FAILURES as error:
            # It may wait for a lock that is held during a round trip to Redis.
            await loop.run_in_executor(None, self.availability.report_failure, error)
            return None

    def check(self) -> None:
        """Read the slots again, and require each node to respond and to see a whole cluster."""
        # Those of the settings as well: all nodes that were known may have got other addresses.
        self.client.nodes_manager.initialize(additional_startup_nodes_info=self._address.nodes)
        for node in self.client.get_primaries():
            about = self.client.get_redis_connection(node).cluster("INFO")
            if about["cluster_state"] != "ok":
                raise redis.exceptions.ClusterDownError(about["cluster_state"])

    def scan(self, pattern: str) -> Iterator[list[bytes]]:
        for node in self._primaries():
            yield from self._scan(pattern, partial(self._ask, node))

    def facts(self) -> Facts | None:
        """Return what the nodes say: the sum of their memory and keys, the rest of one of them."""
        began = time.perf_counter()
        probe = self.execute(PROBE)
        found = [self._ask(node, ("INFO",), ("DBSIZE",)) for node in self._primaries()]
        if not found or None in found:
            return None
        seconds = (time.perf_counter() - began) / (1 + len(found))
        infos, keys = zip(*found, strict=True)
        sums = {name: sum(each.get(name, 0) for each in infos) for name in _SUMS}
        return Facts(condition_of(probe), seconds, {**infos[0], **sums}, sum(keys))

    def _sent(
        self, commands: Sequence[Command], transport: Callable[[Parts], Found]
    ) -> list[Any] | None:
        if not self.availability.is_available():
            return None
        try:
            replies: list[Any] = [None] * len(commands)
            routed = self._routed(commands)
            for _ in range(MAX_REDIRECTIONS):
                routed = self._accepted(routed, transport(_parts(routed)), replies)
                if not routed:
                    return replies
            raise redis.exceptions.ClusterError("a slot is on no node")
        except FAILURES as error:
            self.availability.report_failure(error)
            return None

    def _send_over_lines(self, parts: Parts) -> Found:
        """Send over this thread's own connections, and return raw replies."""
        lines = {node: self._line(node) for node in parts}
        try:
            for node, commands in parts.items():
                lines[node].write(commands)
            return {node: lines[node].read(commands) for node, commands in parts.items()}
        except BaseException:
            # Replies that were not read must not be those of the next commands.
            for line in lines.values():
                line.disconnect()
            raise

    def _send_over_pools(self, parts: Parts) -> Found:
        """Send over pooled connections, to one node after the other; return parsed replies."""
        return {
            node: self._executed(self.client.get_redis_connection(node), commands)
            for node, commands in parts.items()
        }

    def _line(self, node: ClusterNode) -> _Line:
        lines = self._connections.__dict__  # that of this thread
        if node.name not in lines:
            pool = self.client.get_redis_connection(node).connection_pool
            lines[node.name] = _Line(pool)
        line: _Line = lines[node.name]
        return line

    def _primaries(self) -> Sequence[ClusterNode]:
        """Return the nodes that have slots; none while the cluster is unavailable."""
        if not self.availability.is_available():
            return ()
        try:
            nodes: Sequence[ClusterNode] = self.client.get_primaries()
        except FAILURES as error:
            self.availability.report_failure(error)
            return ()
        return nodes

    def _ask(self, node: ClusterNode, *commands: Command) -> list[Any] | None:
        """Send commands to one node, whichever keys they have."""
        if not self.availability.is_available():
            return None
        try:
            return self._executed(self.client.get_redis_connection(node), commands)
        except FAILURES as error:
            self.availability.report_failure(error)
            return None

    def _routed(self, commands: Sequence[Command]) -> list[_Routed]:
        """Return where each command is sent; one without a key, where the one before it is."""
        slots, node, routed = self.client.nodes_manager.slots_cache, None, []
        for place, command in enumerate(commands):
            key = _key(command)
            if key is not None:
                nodes = slots.get(key_slot(key))
                if not nodes:
                    raise redis.exceptions.SlotNotCoveredError("a slot is on no node")
                node = nodes[0]
            routed.append(_Routed(place, command, node or self.client.get_default_node()))
        return routed

    def _accepted(
        self, routed: Iterable[_Routed], found: Found, replies: list[Any]
    ) -> list[_Routed]:
        """Fill in the replies; return what must be sent again, to the node that has the slot now.

        Such a command was not run.
        """
        again = []
        rest = {node: iter(each) for node, each in found.items()}
        for each in routed:
            for _ in each.before:
                next(rest[each.node])
            reply = next(rest[each.node])
            if isinstance(reply, redis.exceptions.ClusterDownError):
                raise reply
            if isinstance(reply, redis.exceptions.MovedError):
                manager = self.client.nodes_manager
                manager.move_slot(reply)
                again.append(each._replace(node=manager.slots_cache[reply.slot_id][0], before=()))
            elif isinstance(reply, redis.exceptions.AskError):
                node = self.client.get_node(reply.host, reply.port)
                again.append(each._replace(node=node, before=(("ASKING",),)))
            else:
                replies[each.place] = reply
        return again


def _parts(routed: Iterable[_Routed]) -> Parts:
    parts: dict[ClusterNode, list[Command]] = defaultdict(list)
    for each in routed:
        parts[each.node] += (*each.before, each.command)
    return parts


def _key(command: Command) -> bytes | None:
    """Return the first key of a command; all keys of a command are in one slot."""
    if len(command) == 1:
        return None
    key = command[3] if command[0] in _SCRIPTS else command[1]
    return key if isinstance(key, bytes) else str(key).encode()
