"""One pipelined connection to Redis for all requests of an event loop.

redis-py connects, so that its URLs, TLS and sign-in work here too. After that the commands of
concurrent requests share the connection. `redis.asyncio`'s own pipelines cost a multiple of that
(docs/architecture.md).
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from typing import Any

import hiredis
import redis
import redis.asyncio

Command = tuple[Any, ...]

# Without it redis-py reads its own version from a file, in the event loop, for every connection.
_DRIVER = redis.DriverInfo()

GRACE_SECONDS = 0.01
"""A reply that is late may be waiting in the socket of a busy process: look there once more."""


class LoopConnection:
    """Sends commands of all tasks of one event loop; connects when it must.

    `options` are those of django-redis: the timeouts, in seconds.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._timeout: float = options["SOCKET_TIMEOUT"]
        self._pool = redis.asyncio.ConnectionPool.from_url(
            url, protocol=2, socket_connect_timeout=options["SOCKET_CONNECT_TIMEOUT"],
            socket_timeout=self._timeout, driver_info=_DRIVER,
        )  # fmt: skip
        self._connecting: asyncio.Task[_Pipeline] | None = None
        self._pipeline: _Pipeline | None = None

    async def send(self, *commands: Command) -> list[Any]:
        """Send commands in one round trip and return the replies; an error reply is an exception.

        Raises OSError and redis-py's exceptions when Redis is unavailable.
        """
        pipeline = self._pipeline
        if pipeline is None or pipeline.is_closed:
            return await (await self._connect()).send(commands)
        try:
            return await pipeline.send(commands)
        except redis.exceptions.ConnectionError:
            # Redis may have closed a connection that was idle, and be available all the same.
            return await (await self._connect()).send(commands)

    def close(self) -> None:
        """Close the connection; the next command opens another one."""
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None

    async def _connect(self) -> "_Pipeline":
        """Return a new connection, the same one for all tasks that need one now."""
        if self._connecting is None:
            self._connecting = asyncio.ensure_future(self._connected())
        try:
            return await asyncio.shield(self._connecting)
        finally:
            if self._connecting is not None and self._connecting.done():
                self._connecting = None

    async def _connected(self) -> "_Pipeline":
        if self._pipeline is not None and not self._pipeline.is_closed:
            return self._pipeline
        connection: Any = self._pool.make_connection()  # type: ignore[no-untyped-call]
        await connection.connect()
        self._pipeline = _Pipeline(connection, self._timeout)
        return self._pipeline


class _Pipeline(asyncio.Protocol):
    """The protocol of a connection that redis-py has opened: commands out, replies in order."""

    def __init__(self, connection: Any, timeout: float) -> None:
        # Taken from redis-py's connection, which would warn that it is still open. An unreferenced
        # writer closes its transport.
        self._writer = connection._writer
        connection._reader = connection._writer = None
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._transport = self._writer.transport
        self._reader = hiredis.Reader(replyError=_error)
        self._unsent: list[bytes] = []
        self._waiting: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._is_late = False
        self.is_closed = False
        self._transport.set_protocol(self)

    async def send(self, commands: tuple[Command, ...]) -> list[Any]:
        if self.is_closed:
            raise redis.exceptions.ConnectionError("the connection is closed")
        waiting = _Waiting(self._loop.create_future(), len(commands), self._loop.time())
        if not self._unsent:
            # All commands of this iteration of the loop are one write.
            self._loop.call_soon(self._flush)
        self._unsent.extend(map(hiredis.pack_command, commands))
        self._waiting.append(waiting)
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout, self._check_time)
        return await waiting.replies_to_come

    def data_received(self, data: bytes) -> None:
        self._is_late = False
        self._reader.feed(data)
        while self._waiting and (reply := self._reader.gets()) is not False:
            if isinstance(reply, redis.exceptions.ConnectionError):  # it is loading its data
                self._fail(reply)
                return
            self._waiting[0].replies.append(reply)
            if len(self._waiting[0].replies) == self._waiting[0].expected:
                self._waiting.popleft().succeed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(redis.exceptions.ConnectionError("Redis closed the connection"))

    def close(self) -> None:
        self._fail(redis.exceptions.ConnectionError("the connection is closed"))

    def _flush(self) -> None:
        if self._unsent and not self.is_closed:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _check_time(self) -> None:
        """Give up when the oldest commands have waited for too long."""
        self._timer = None
        if not self._waiting:
            return
        left = self._waiting[0].sent_at + self._timeout - self._loop.time()
        if left <= 0:
            if self._is_late:
                self._fail(redis.exceptions.TimeoutError("Redis does not reply"))
                return
            self._is_late, left = True, GRACE_SECONDS
        self._timer = self._loop.call_later(left, self._check_time)

    def _fail(self, error: Exception) -> None:
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.fail(error)
        with contextlib.suppress(OSError, RuntimeError):  # the loop may be closed already
            self._transport.abort()


class _Waiting:
    """Commands whose replies have not all come yet."""

    __slots__ = ("expected", "replies", "replies_to_come", "sent_at")

    def __init__(
        self, replies_to_come: "asyncio.Future[list[Any]]", expected: int, sent_at: float
    ) -> None:
        self.replies_to_come, self.expected, self.sent_at = replies_to_come, expected, sent_at
        self.replies: list[Any] = []

    def succeed(self) -> None:
        if not self.replies_to_come.done():  # the task that waits may have been cancelled
            self.replies_to_come.set_result(self.replies)

    def fail(self, error: Exception) -> None:
        if not self.replies_to_come.done():
            self.replies_to_come.set_exception(error)


def _error(message: str) -> Exception:
    """Return the exception of an error reply, as redis-py names it."""
    if message.startswith("NOSCRIPT"):
        return redis.exceptions.NoScriptError(message)
    if message.startswith(("LOADING", "MASTERDOWN")):
        return redis.exceptions.BusyLoadingError(message)
    return redis.exceptions.ResponseError(message)
