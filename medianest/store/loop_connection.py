"""One pipelined connection to Redis for all requests of an event loop.

The commands of concurrent requests share the connection; `redis.asyncio`'s own pipelines cost a
multiple of that (docs/architecture.md). redis-py reads the URL, so that the same ones work here:
TLS, sockets of Unix, passwords and databases.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import hiredis
import redis
import redis.asyncio

from medianest.redis_address import Kind, RedisAddress
from medianest.store import clients

T = TypeVar("T")
Command = tuple[Any, ...]

GRACE_SECONDS = 0.01
"""A reply that is late may be waiting in the socket of a busy process: look there once more."""

_UNAVAILABLE = {
    "LOADING": redis.exceptions.BusyLoadingError,
    "MASTERDOWN": redis.exceptions.BusyLoadingError,
    "NOAUTH": redis.exceptions.AuthenticationError,
    "WRONGPASS": redis.exceptions.AuthenticationError,
    "ERR max number of clients": redis.exceptions.MaxConnectionsError,
}
"""How errors begin that every command gets; their exceptions are ConnectionErrors."""


_OF_CLUSTERS = {
    "MOVED": redis.exceptions.MovedError,
    "ASK": redis.exceptions.AskError,
    "CLUSTERDOWN": redis.exceptions.ClusterDownError,
}
"""The errors of a node that does not have the slot of a key."""


class LoopConnection:
    """Sends commands of all tasks of one event loop; connects when it must.

    `options` are those of django-redis. A call waits for SOCKET_TIMEOUT seconds at most, also if it
    has to connect.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._timeout: float = options["SOCKET_TIMEOUT"]
        self._options = options
        self._address = RedisAddress.parse(url)
        is_master = self._address.kind is Kind.SENTINEL
        self._error = _error_of_master if is_master else _error
        self.master: tuple[str, int] | None = None
        """Where Sentinel said that the master is when this connected last."""
        self._connecting: asyncio.Task[_Pipeline] | None = None
        self._pipeline: _Pipeline | None = None

    async def send(self, *commands: Command) -> list[Any]:
        """Send commands in one round trip and return the replies; an error reply is an exception.

        Raises OSError and redis-py's exceptions when Redis is unavailable.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        replies: list[Any] = []
        pipeline = self._pipeline
        if pipeline is not None and not pipeline.is_closed:
            try:
                await pipeline.send(commands, replies)
            except redis.exceptions.ConnectionError:
                # Redis may have closed a connection that was idle, and be available all the same.
                pass
            else:
                return replies
        # A command that has its reply is not sent again: it may have counted a request.
        await self._send_anew(commands[len(replies) :], replies, deadline)
        return replies

    def close(self) -> None:
        """Close the connection; the next command opens another one."""
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None

    async def _send_anew(
        self, commands: Sequence[Command], replies: list[Any], deadline: float
    ) -> None:
        """Send commands over a new connection, which all tasks share that need one now."""
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.ensure_future(self._connect())
            self._connecting.add_done_callback(_retrieve_error)
        pipeline = await _result(self._connecting, deadline)
        sent = pipeline.send(commands, replies)
        try:
            await _result(sent, deadline)
        finally:
            sent.cancel()

    async def _connect(self) -> "_Pipeline":
        if self._pipeline is not None and not self._pipeline.is_closed:
            return self._pipeline
        # Each task waits for its own time; this ends a connection for which none waits any more.
        async with asyncio.timeout(2 * self._timeout):
            self._pipeline = await self._opened(await self._about())
        return self._pipeline

    async def _about(self) -> Any:
        """Return redis-py's description of the connection, to the master if Sentinel names one."""
        url = self._address.url
        if self._address.kind is Kind.SENTINEL:
            self.master = await clients.master_in_loop(self._address, self._options)
            url = self._address.url_of(*self.master)
        pool: Any = redis.asyncio.ConnectionPool.from_url(url, driver_info=clients.DRIVER)
        return pool.make_connection()

    async def _opened(self, about: Any) -> "_Pipeline":
        """Open the connection that redis-py describes, sign in and select the database."""
        loop, pipeline = asyncio.get_running_loop(), _Pipeline(self._timeout, self._error)
        try:
            if isinstance(about, redis.asyncio.UnixDomainSocketConnection):
                await loop.create_unix_connection(lambda: pipeline, about.path)
            else:
                arguments = about._connection_arguments()
                await loop.create_connection(lambda: pipeline, **arguments)
            if greeting := _greeting(about):
                replies: list[Any] = []
                await pipeline.send(greeting, replies)
                _require_success(replies)
        except BaseException:
            pipeline.close()
            raise
        return pipeline


class _Pipeline(asyncio.Protocol):
    """The protocol of a connection: commands out, replies in their order."""

    def __init__(self, timeout: float, error: Callable[[str], Exception]) -> None:
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._reader = hiredis.Reader(
            protocolError=redis.exceptions.InvalidResponse, replyError=error
        )
        self._unsent: list[_Waiting] = []
        self._waiting: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._late: _Waiting | None = None
        self.is_closed = False

    def send(self, commands: Sequence[Command], replies: list[Any]) -> "asyncio.Future[None]":
        """Send commands; the future is done when `replies` holds all replies."""
        if self.is_closed:
            raise redis.exceptions.ConnectionError("the connection is closed")
        # Packed first: a command that cannot be packed must not leave others without their reply.
        packed = b"".join(map(hiredis.pack_command, commands))
        waiting = _Waiting(
            self._loop.create_future(),
            packed,
            replies,
            expected=len(replies) + len(commands),
            sent_at=self._loop.time(),
        )
        if not self._unsent:
            # All commands of this iteration of the loop are one write.
            self._loop.call_soon(self._flush)
        self._unsent.append(waiting)
        self._waiting.append(waiting)
        return waiting.done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                if isinstance(reply, redis.exceptions.ConnectionError):
                    self._fail(reply)
                    return
                self._accept(reply)
        except redis.exceptions.InvalidResponse as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(redis.exceptions.ConnectionError("Redis closed the connection"))

    def close(self) -> None:
        """Close the connection; who waits for replies gets a ConnectionError."""
        self._fail(redis.exceptions.ConnectionError("the connection is closed"))

    def _accept(self, reply: Any) -> None:
        if not self._waiting:
            raise redis.exceptions.InvalidResponse("a reply to no command")
        oldest = self._waiting[0]
        oldest.replies.append(reply)
        if len(oldest.replies) == oldest.expected:
            self._waiting.popleft()
            oldest.end(None)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self.is_closed:
            return
        try:
            self._transport.write(b"".join([each.packed for each in unsent]))
        except RuntimeError:  # uvloop's, for a connection that has just been closed
            self._fail(redis.exceptions.ConnectionError("the connection is closed"))
            return
        # What a busy loop took until here was no waiting for Redis.
        now = self._loop.time()
        for each in unsent:
            each.sent_at = now
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout, self._check_time)

    def _check_time(self) -> None:
        """Give up when the oldest commands have waited for too long."""
        self._timer = None
        if not self._waiting:
            return
        oldest = self._waiting[0]
        left = oldest.sent_at + self._timeout - self._loop.time()
        if left <= 0:
            if oldest is self._late:
                self._fail(redis.exceptions.TimeoutError("Redis does not reply"))
                return
            self._late, left = oldest, GRACE_SECONDS
        self._timer = self._loop.call_later(left, self._check_time)

    def _fail(self, error: Exception) -> None:
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.end(error)
        if self._transport is not None:
            with contextlib.suppress(OSError, RuntimeError):  # the loop may be closed already
                self._transport.abort()


class _Waiting:
    """Commands whose replies have not all come yet."""

    __slots__ = ("done", "expected", "packed", "replies", "sent_at")

    def __init__(
        self,
        done: "asyncio.Future[None]",
        packed: bytes,
        replies: list[Any],
        *,
        expected: int,
        sent_at: float,
    ) -> None:
        self.done, self.packed, self.replies = done, packed, replies
        self.expected, self.sent_at = expected, sent_at

    def end(self, error: Exception | None) -> None:
        if self.done.done():  # the task that waits may have been cancelled
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


async def _result(future: "asyncio.Future[T]", deadline: float) -> T:
    """Wait for a future until a deadline; it is not cancelled. Raises TimeoutError."""
    for seconds in (deadline - asyncio.get_running_loop().time(), GRACE_SECONDS):
        done, _ = await asyncio.wait([future], timeout=seconds)
        if future.cancelled():
            raise redis.exceptions.ConnectionError("the connection is closed")
        if done:
            return future.result()
    raise redis.exceptions.TimeoutError("Redis does not reply")


def _retrieve_error(connecting: "asyncio.Task[_Pipeline]") -> None:
    """Let asyncio know that nobody has to see the error: each waiting task may be gone."""
    if not connecting.cancelled():
        connecting.exception()


def _greeting(about: Any) -> list[Command]:
    """Return the commands that sign in and select the database of a connection."""
    commands: list[Command] = []
    if about.username:
        commands.append(("AUTH", about.username, about.password or ""))
    elif about.password:
        commands.append(("AUTH", about.password))
    if about.db:
        commands.append(("SELECT", about.db))
    return commands


def _require_success(replies: Sequence[Any]) -> None:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply


def _error(message: str) -> Exception:
    """Return the exception of an error reply, as redis-py names it."""
    name, _, rest = message.partition(" ")
    if cluster_error := _OF_CLUSTERS.get(name):
        return cluster_error(rest)
    if message.startswith("NOSCRIPT"):
        return redis.exceptions.NoScriptError(message)
    for beginning, kind in _UNAVAILABLE.items():
        if message.startswith(beginning):
            return kind(message)
    return redis.exceptions.ResponseError(message)


def _error_of_master(message: str) -> Exception:
    """Return the exception of an error reply. A master that is a replica now is no longer used."""
    if message.startswith("READONLY"):
        return redis.exceptions.ConnectionError(message)
    return _error(message)
