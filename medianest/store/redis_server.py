"""The connection to Redis or Valkey: commands, scripts, and what happens while it is unavailable.

No request waits for a Redis that is unavailable: after the first timeout or refused connection
nothing is sent any more, and a background thread, not a request, notices when Redis is back.
Knows nothing of what is stored.
"""

import asyncio
import enum
import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import redis
from django.conf import settings
from django_redis import get_redis_connection

from medianest.store.loop_connection import Command, LoopConnection

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 0.5
"""How often the background thread tries a Redis that is unavailable."""

RECENT_SECONDS = 10.0
"""How long before a failure was noticed something may have been written that was not replicated."""

MAX_RECENT = 10_000

MICROSECONDS = 1_000_000
"""The scripts count time in microseconds."""


FAILURES = (redis.exceptions.RedisError, redis.exceptions.RedisClusterException, OSError)
"""What redis-py raises when Redis is unavailable."""

PROBE: Command = ("SET", "medianest:probe", b"", "EX", 60)
"""A write whose reply shows whether Redis can be written."""


class Condition(enum.Enum):
    """What can be done with a Redis."""

    OK = "ok"
    FULL = "full"
    """It responds, but its memory is full and it refuses writes."""
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Facts:
    """What a Redis says about itself, and in how many seconds it said so.

    `about` is the reply to INFO and `keys` the number of keys in the service's database; they are
    empty and None where Redis does not tell.
    """

    condition: Condition
    seconds: float
    about: Mapping[str, Any]
    keys: int | None


class Script:
    """A Lua script beside this module. Its keys are all in one slot of a cluster."""

    def __init__(self, name: str) -> None:
        self.text = (Path(__file__).parent / "lua" / f"{name}.lua").read_text()
        self.sha = hashlib.sha1(self.text.encode()).hexdigest()  # noqa: S324 - Redis's own name

    def command(self, keys: Sequence[str], *arguments: Any) -> Command:
        """Return the command that runs this script."""
        return ("EVALSHA", self.sha, len(keys), *keys, *arguments)

    def unknown_command(self, keys: Sequence[str], *arguments: Any) -> Command:
        """Return the command that runs this script where Redis does not know it yet."""
        return ("EVAL", self.text, len(keys), *keys, *arguments)


class Availability:
    """Whether Redis can be used now. All Redis servers of one store share it.

    Before Redis is used again, all checks and then all deliveries must succeed: they raise what
    redis-py raises.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Held while Redis becomes available or unavailable."""
        self.failed_at = float("-inf")
        """When it became unavailable last, by the monotonic clock."""
        self._unavailable = threading.Event()
        self._checks: list[Callable[[], object]] = []
        self._deliveries: list[Callable[[], object]] = []

    def is_available(self) -> bool:
        """Tell whether commands are sent to Redis now."""
        return not self._unavailable.is_set()

    def add_check(self, check: Callable[[], object]) -> None:
        """Require a check to succeed before Redis is used again."""
        self._checks.append(check)

    def add_delivery(self, deliver: Callable[[], object]) -> None:
        """Deliver what Redis missed before it is used again; `lock` is held meanwhile."""
        self._deliveries.append(deliver)

    def report_failure(self, error: Exception) -> None:
        """Stop using Redis until the background thread finds that it works again."""
        with self.lock:
            if self._unavailable.is_set():
                return
            self.failed_at = time.monotonic()
            self._unavailable.set()
        log.warning(
            "Redis is unavailable (%s): responses are not cached, limits count per process",
            type(error).__name__,
        )
        threading.Thread(target=self._wait_for_return, name="redis-return", daemon=True).start()

    def _wait_for_return(self) -> None:
        while True:
            time.sleep(RETRY_SECONDS)
            try:
                self._return()
            except FAILURES:
                continue
            except Exception:
                log.exception("Redis cannot be used again yet")
                continue
            return

    def _return(self) -> None:
        for check in self._checks:
            check()
        with self.lock:
            for deliver in self._deliveries:
                deliver()
            self._unavailable.clear()
        log.warning("Redis is available again")


class RecentWrites(Generic[T]):
    """What was written in the last seconds.

    Redis replicates asynchronously: a server that takes the place of a failed one may not have it.
    """

    def __init__(self, availability: Availability) -> None:
        self._availability = availability
        self._writes: deque[tuple[float, T]] = deque(maxlen=MAX_RECENT)

    def add(self, written: T) -> None:
        """Note what was written just now."""
        self._writes.append((time.monotonic(), written))

    def take(self) -> list[T]:
        """Return what was written shortly before Redis failed, and forget it."""
        begin = self._availability.failed_at - RECENT_SECONDS
        writes, self._writes = self._writes, deque(maxlen=MAX_RECENT)
        return [written for at, written in writes if at > begin]


class RedisServer:
    """One Redis of the settings. No method raises: None stands for an unavailable Redis."""

    def __init__(self, alias: str, availability: Availability) -> None:
        self.availability = availability
        self.alias = alias
        self._connections = threading.local()
        self._loop_connections: dict[asyncio.AbstractEventLoop, Any] = {}
        availability.add_check(lambda: self.check())

    @cached_property
    def client(self) -> Any:
        """Return redis-py's client, whose methods do raise."""
        return get_redis_connection(self.alias)

    def check(self) -> None:
        """Raise what redis-py raises, unless Redis responds."""
        self.client.ping()

    def send(self, *commands: Command) -> list[Any] | None:
        """Send commands in one round trip over this thread's own connection; return raw replies.

        For what every request does: a pipeline from the pool costs more than Redis itself.
        """
        if not self.availability.is_available():
            return None
        connection, is_new = self._own_connection()
        replies: list[Any] = []
        try:
            if is_new:
                connection.connect()  # by itself it would not look for the master
            exchange(connection, commands, replies, expected=len(commands))
        except FAILURES as error:
            del self._connections.connection
            connection.disconnect()
            # Redis may have closed a connection that was idle, and be available all the same.
            if not is_new and isinstance(error, redis.exceptions.ConnectionError):
                # A command that has its reply is not sent again: it may have counted a request.
                rest = self.send(*commands[len(replies) :])
                return None if rest is None else [*replies, *rest]
            self.availability.report_failure(error)
            return None
        return replies

    async def send_in_loop(self, *commands: Command) -> list[Any] | None:
        """Send commands in one round trip without blocking the event loop; return raw replies."""
        if not self.availability.is_available():
            return None
        loop = asyncio.get_running_loop()
        try:
            return await self._loop_connection(loop).send(*commands)
        except FAILURES as error:
            # It may wait for a lock that is held during a round trip to Redis.
            await loop.run_in_executor(None, self.availability.report_failure, error)
            return None

    def close_loop_connection(self) -> None:
        """Close the connection of the running event loop."""
        if connection := self._loop_connections.pop(asyncio.get_running_loop(), None):
            connection.close()

    def execute(self, *commands: Command) -> list[Any] | None:
        """Send commands in one round trip over a pooled connection; return parsed replies.

        A command that Redis refuses has its error as its reply.
        """
        if not self.availability.is_available():
            return None
        try:
            return self._executed(self.client, commands)
        except FAILURES as error:
            self.availability.report_failure(error)
            return None

    def run(self, script: Script, key: str, *arguments: Any) -> Any:
        """Run a script; None where Redis is unavailable or refuses."""
        replies = self.send(script.command((key,), *arguments))
        if replies and isinstance(replies[0], redis.exceptions.NoScriptError):
            return self.run_unknown(script, key, *arguments)
        return _successful(replies)

    def run_unknown(self, script: Script, key: str, *arguments: Any) -> Any:
        """Run a script that Redis does not know yet, which also makes it known."""
        return _successful(self.send(script.unknown_command((key,), *arguments)))

    def scan(self, pattern: str) -> Iterator[list[bytes]]:
        """Return the names of all keys like this, in batches; it ends where Redis fails."""
        yield from self._scan(pattern, self.execute)

    def condition(self) -> Condition:
        """Try to write, and return what that shows."""
        return condition_of(self.execute(PROBE))

    def facts(self) -> Facts | None:
        """Return what Redis says about itself; None while it is unavailable."""
        began = time.perf_counter()
        replies = self.execute(PROBE, ("INFO",), ("DBSIZE",))
        if replies is None:
            return None
        seconds = time.perf_counter() - began
        about, keys = (None if isinstance(each, Exception) else each for each in replies[1:])
        return Facts(condition_of(replies), seconds, about or {}, keys)

    def _loop_connection(self, loop: asyncio.AbstractEventLoop) -> LoopConnection:
        connection: LoopConnection | None = self._loop_connections.get(loop)
        if connection is None:
            about = settings.CACHES[self.alias]
            connection = LoopConnection(about["LOCATION"], about["OPTIONS"])
            self._loop_connections[loop] = connection
        return connection

    def _scan(
        self, pattern: str, execute: Callable[..., list[Any] | None]
    ) -> Iterator[list[bytes]]:
        cursor = None
        while cursor != 0:
            replies = execute(("SCAN", cursor or 0, "MATCH", pattern, "COUNT", 500))
            if not replies or isinstance(replies[0], Exception):
                return
            cursor, names = replies[0]
            yield names

    @staticmethod
    def _executed(client: Any, commands: Sequence[Command]) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        replies: list[Any] = pipeline.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, redis.exceptions.ConnectionError):  # it is loading its data
                raise reply
        return replies

    def _own_connection(self) -> tuple[Any, bool]:
        """Return this thread's connection, and whether it is a new one."""
        existing = getattr(self._connections, "connection", None)
        if existing is not None:
            return existing, False
        # Not the pool's `make_connection`: the pool would count this connection for ever, also
        # after its thread has ended.
        pool = self.client.connection_pool
        self._connections.connection = pool.connection_class(**pool.connection_kwargs)
        return self._connections.connection, True


def exchange(
    connection: Any, commands: Sequence[Command], replies: list[Any], *, expected: int
) -> None:
    """Send commands, and add each of so many replies as it comes."""
    if commands:
        connection.send_packed_command(connection.pack_commands(commands), check_health=False)
    for _ in range(expected):
        replies.append(_reply(connection))


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except redis.exceptions.ConnectionError:
        raise
    except redis.exceptions.ResponseError as error:
        return error


def condition_of(replies: Sequence[Any] | None) -> Condition:
    """Return what the reply to `PROBE`, the first one, shows."""
    if replies and isinstance(replies[0], redis.exceptions.OutOfMemoryError):
        return Condition.FULL
    return Condition.UNAVAILABLE if _successful(replies) is None else Condition.OK


def _successful(replies: Sequence[Any] | None) -> Any:
    return None if not replies or isinstance(replies[0], Exception) else replies[0]
