"""The connection that all requests of an event loop share: order, time, faults, addresses.

Each test runs in both kinds of event loop: they read sockets and timers in another order.
"""

import asyncio
import contextlib
import select
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import hiredis
import pytest
import redis
import uvloop

from medianest.store import loop_connection
from medianest.store.loop_connection import LoopConnection
from tests.certificates import certificates
from tests.pace import Stopwatch
from tests.service import HOST, Valkey

BOUND = 0.3
# What a busy machine may add before a task that is ready runs again.
NOISE = 0.25
IMPATIENT = {"SOCKET_CONNECT_TIMEOUT": 0.1, "SOCKET_TIMEOUT": 0.25}
PATIENT = {"SOCKET_CONNECT_TIMEOUT": 10, "SOCKET_TIMEOUT": 10}

Reply = Callable[["Line", list[bytes]], Awaitable[None]]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: Any) -> Iterator[Callable[[Any], Any]]:
    """Run a coroutine in an event loop; it must leave no task behind."""

    def run_whole(main: Any) -> Any:
        return request.param(whole(main))

    return run_whole


async def whole(main: Any) -> Any:
    found = await asyncio.wait_for(main, 60)
    await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()}, "no task is left")
    return found


async def eventually(is_so: Callable[[], Any], what: str) -> None:
    watch = Stopwatch()
    while not is_so():
        assert watch.keeps(5), what
        await asyncio.sleep(0.01)


class Line:
    """A connection of the fake server."""

    def __init__(self, number: int, writer: asyncio.StreamWriter) -> None:
        self.number, self._writer = number, writer
        self.commands: list[list[bytes]] = []

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send_slowly(self, data: bytes) -> None:
        """Send each byte by itself."""
        for byte in data:
            await self.send(bytes([byte]))
            await asyncio.sleep(0)

    def close(self) -> None:
        self._writer.close()


class FakeServer:
    """A server on a real socket whose replies the test decides; connections count from 1."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.lines: list[Line] = []
        self.open = 0

    async def __aenter__(self) -> "FakeServer":
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.url = f"redis://{HOST}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._server.close()
        await eventually(lambda: self.open == 0, "every connection is closed")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, parser = Line(len(self.lines) + 1, writer), hiredis.Reader()
        self.lines.append(line)
        self.open += 1
        with contextlib.suppress(ConnectionError, RuntimeError):  # uvloop's of a closed connection
            while data := await reader.read(65536):
                parser.feed(data)
                while command := parser.gets():
                    line.commands.append(command)
                    await self._reply(line, command)
        self.open -= 1
        writer.close()


def bulk(value: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(value), value)


async def echo(line: Line, command: list[bytes]) -> None:
    await line.send(bulk(command[-1]))


@contextlib.contextmanager
def connected(url: str, options: Any = PATIENT) -> Iterator[LoopConnection]:
    connection = LoopConnection(url, options)
    try:
        yield connection
    finally:
        connection.close()


async def is_timely(sending: Awaitable[Any]) -> Exception:
    """Return the error of what must fail within the bound."""
    watch = Stopwatch()
    with pytest.raises((OSError, redis.exceptions.RedisError)) as raised:
        await sending
    assert watch.keeps(BOUND + NOISE), watch
    return raised.value


# --- Order ----------------------------------------------------------------------------------------


def test_many_tasks_at_once_get_their_own_replies_in_order(run: Any, valkey: Valkey) -> None:
    async def ask(connection: LoopConnection, number: int) -> None:
        await asyncio.sleep(number % 7 / 1000)
        name = f"key-{number}"
        for turn in range(5):
            value = f"{number}-{turn}".encode() * (number * 20)
            commands = ("SET", name, value), ("GET", name), ("STRLEN", name)
            assert await connection.send(*commands) == [b"OK", value, len(value)]

    async def main() -> None:
        with connected(valkey.url) as connection:
            await asyncio.gather(*(ask(connection, number) for number in range(200)))

    run(main())


def test_replies_that_are_split_at_every_byte_keep_their_order(run: Any) -> None:
    async def reply(line: Line, command: list[bytes]) -> None:
        await line.send_slowly(b"*3\r\n:1\r\n$-1\r\n" + bulk(command[-1]))

    async def main() -> None:
        async with FakeServer(reply) as server:
            with connected(server.url) as connection:
                pending = [connection.send(("ECHO", f"{n}"), ("ECHO", f"{n}b")) for n in range(20)]
                for number, replies in enumerate(await asyncio.gather(*pending)):
                    text = f"{number}".encode()
                    assert replies == [[1, None, text], [1, None, text + b"b"]]

    run(main())


def test_a_reply_of_5_mib_comes_in_pieces_and_delays_no_order(run: Any, valkey: Valkey) -> None:
    huge = bytes(range(256)) * 4 * 5 * 1024
    valkey.client.set("huge", huge)

    async def main() -> None:
        with connected(valkey.url) as connection:
            pending = [connection.send(("GET", "huge"), ("ECHO", f"{n}")) for n in range(4)]
            for number, replies in enumerate(await asyncio.gather(*pending)):
                assert replies == [huge, f"{number}".encode()]

    run(main())


def test_commands_of_one_iteration_of_the_loop_are_one_write(run: Any, valkey: Valkey) -> None:
    async def main() -> None:
        with connected(valkey.url) as connection:
            await connection.send(("PING",))
            writes = record_writes(connection)
            pending = [connection.send(("ECHO", f"{n}"), ("PING",)) for n in range(50)]
            replies = await asyncio.gather(*pending)
            assert replies == [[f"{n}".encode(), b"PONG"] for n in range(50)]
            assert len(writes) == 1

    run(main())


def record_writes(connection: LoopConnection) -> list[bytes]:
    pipeline: Any = connection._pipeline
    writes: list[bytes] = []

    class Recorder:
        def __init__(self, transport: Any) -> None:
            self.abort, self._write = transport.abort, transport.write

        def write(self, data: bytes) -> None:
            writes.append(data)
            self._write(data)

    pipeline._transport = Recorder(pipeline._transport)
    return writes


def test_tasks_that_are_cancelled_shift_nobody_elses_replies(run: Any, valkey: Valkey) -> None:
    async def main() -> None:
        with connected(valkey.url) as connection:
            await connection.send(("PING",))
            for moment in range(3):
                tasks = [
                    asyncio.ensure_future(connection.send(("ECHO", f"{n}"))) for n in range(30)
                ]
                for _ in range(moment):  # before they are sent, and after
                    await asyncio.sleep(0)
                for task in tasks[::3]:
                    task.cancel()
                found = await asyncio.gather(*tasks, return_exceptions=True)
                for number, each in enumerate(found):
                    if number % 3:
                        assert each == [f"{number}".encode()]
                    else:
                        assert isinstance(each, asyncio.CancelledError)
            assert await connection.send(("ECHO", "last")) == [b"last"]

    run(main())


def test_a_command_that_cannot_be_written_shifts_nobody_elses_replies(
    run: Any, valkey: Valkey
) -> None:
    async def main() -> None:
        with connected(valkey.url) as connection:
            await connection.send(("PING",))
            bad = connection.send(("ECHO", "first"), ("ECHO", object()))
            found = await asyncio.gather(
                bad, connection.send(("ECHO", "other")), return_exceptions=True
            )
            assert isinstance(found[0], TypeError)
            assert found[1] == [b"other"]

    run(main())


# --- Connecting -----------------------------------------------------------------------------------


def test_tasks_that_need_a_connection_at_once_share_a_new_one(run: Any) -> None:
    async def main() -> None:
        async with FakeServer(echo) as server:
            with connected(server.url) as connection:
                tasks = [
                    asyncio.ensure_future(connection.send(("ECHO", f"{n}"))) for n in range(50)
                ]
                await asyncio.sleep(0)
                tasks[0].cancel()  # it began to connect for all
                found = await asyncio.gather(*tasks[1:])
                assert found == [[f"{n}".encode()] for n in range(1, 50)]
                assert len(server.lines) == 1

    run(main())


def test_a_failure_to_connect_that_nobody_waited_for_is_reported_to_nobody(run: Any) -> None:
    async def main() -> None:
        with socket.socket() as reserved:
            reserved.bind((HOST, 0))
            port = reserved.getsockname()[1]
            with connected(f"redis://{HOST}:{port}") as connection:
                task = asyncio.ensure_future(connection.send(("PING",)))
                await asyncio.sleep(0)
                task.cancel()
                await eventually(lambda: connection._connecting.done(), "it has failed")
                reserved.listen()
                with pytest.raises(TimeoutError):  # nothing answers, but it connects anew
                    await asyncio.wait_for(connection.send(("PING",)), 0.05)

    run(main())


@pytest.mark.parametrize("replied", [0, 1, 2], ids=["none", "the first", "all but one"])
def test_only_commands_without_a_reply_are_sent_again_after_the_connection_ended(
    run: Any, replied: int
) -> None:
    async def reply(line: Line, command: list[bytes]) -> None:
        if line.number == 1 and len(line.commands) > replied + 1:
            line.close()
        else:
            await echo(line, command)

    async def main() -> None:
        async with FakeServer(reply) as server:
            with connected(server.url) as connection:
                assert await connection.send(("ECHO", "warm")) == [b"warm"]
                commands = [("ECHO", f"{n}") for n in range(3)]
                assert await connection.send(*commands) == [b"0", b"1", b"2"]
                again = [command[-1] for command in server.lines[1].commands]
                assert again == [b"0", b"1", b"2"][replied:]

    run(main())


def test_a_connection_that_was_closed_while_idle_is_noticed_by_nobody(
    run: Any, valkey: Valkey
) -> None:
    async def main() -> None:
        with connected(valkey.url) as connection:
            for number in range(1, 20):
                assert await connection.send(("INCR", "hits")) == [number]
                valkey.client.client_kill_filter(_type="normal", skipme=True)
                if number % 2:
                    await eventually(lambda: connection._pipeline.is_closed, "it is noticed")

    run(main())


def test_a_connection_that_cannot_be_written_any_more_is_replaced(run: Any, valkey: Valkey) -> None:
    """uvloop raises this between the end of a connection and the report of it."""

    class Closed:
        def write(self, data: bytes) -> None:
            raise RuntimeError("the handler is closed")

    async def main() -> None:
        with connected(valkey.url) as connection:
            await connection.send(("PING",))
            pipeline: Any = connection._pipeline
            Closed.abort = pipeline._transport.abort  # type: ignore[attr-defined]
            pipeline._transport = Closed()
            assert await connection.send(("INCR", "hits")) == [1]

    run(main())


def test_a_server_that_closes_at_once_is_unavailable(run: Any) -> None:
    async def main() -> None:
        async def close(reader: Any, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(close, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        for _ in range(20):
            with connected(f"redis://{HOST}:{port}", IMPATIENT) as connection:
                error = await is_timely(connection.send(("PING",)))
                assert isinstance(error, (OSError, redis.exceptions.ConnectionError))
        server.close()

    run(main())


def test_a_closed_connection_ends_those_who_wait_and_connects_again(run: Any) -> None:
    async def main() -> None:
        async with FakeServer(echo) as server:
            with connected(server.url) as connection:
                connecting = asyncio.ensure_future(connection.send(("ECHO", "x")))
                await asyncio.sleep(0)
                connection.close()
                with pytest.raises(redis.exceptions.ConnectionError):
                    await connecting
                assert await connection.send(("ECHO", "y")) == [b"y"]

    run(main())


# --- Time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_warm", [True, False], ids=["connected", "not yet connected"])
def test_a_server_that_never_replies_is_waited_for_briefly_by_all(run: Any, is_warm: bool) -> None:
    async def reply(line: Line, command: list[bytes]) -> None:
        if command == [b"PING"]:
            await line.send(b"+PONG\r\n")

    async def main() -> None:
        async with FakeServer(reply) as server:
            with connected(server.url, IMPATIENT) as connection:
                if is_warm:
                    await warmed(connection)
                watch = Stopwatch()
                errors = await asyncio.gather(
                    *(is_timely(connection.send(("ECHO", f"{n}"))) for n in range(100))
                )
                assert {type(error) for error in errors} == {redis.exceptions.TimeoutError}
                assert watch.seconds > IMPATIENT["SOCKET_TIMEOUT"] - 0.05
                connection.close()
                await warmed(connection)

    run(main())


def test_a_server_that_sends_a_little_again_and_again_is_waited_for_briefly(run: Any) -> None:
    async def reply(line: Line, command: list[bytes]) -> None:
        await line.send(b"$1000\r\n")
        for _ in range(300):
            await line.send(b"x")
            await asyncio.sleep(0.003)

    async def main() -> None:
        async with FakeServer(reply) as server:
            with connected(server.url, IMPATIENT) as connection:
                await is_timely(connection.send(("GET", "x")))

    run(main())


@pytest.mark.parametrize("seconds", [0.2, 60], ids=["slowly", "never"])
def test_signing_in_is_part_of_the_time(run: Any, seconds: float) -> None:
    async def reply(line: Line, command: list[bytes]) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hang_up.wait(), seconds)
        await line.send(b"+OK\r\n")

    hang_up = asyncio.Event()

    async def main() -> None:
        async with FakeServer(reply) as server:
            url = server.url.replace("//", "//:secret@") + "/3"
            with connected(url, IMPATIENT) as connection:
                await is_timely(connection.send(("GET", "x")))
                hang_up.set()

    run(main())


def test_a_port_that_takes_no_connection_is_waited_for_briefly(run: Any) -> None:
    async def main() -> None:
        with socket.socket() as listener, socket.socket() as one, socket.socket() as two:
            listener.bind((HOST, 0))
            listener.listen(0)
            for each in (one, two):  # the queue of the listener is full
                each.setblocking(False)
                each.connect_ex(listener.getsockname())
            port = listener.getsockname()[1]
            with connected(f"redis://{HOST}:{port}", IMPATIENT) as connection:
                await is_timely(connection.send(("PING",)))

    run(main())


def test_a_reply_that_waits_in_the_socket_of_a_busy_process_is_read(
    run: Any, valkey: Valkey
) -> None:
    async def main() -> None:
        with connected(valkey.url, IMPATIENT | {"SOCKET_TIMEOUT": 0.1}) as connection:
            await warmed(connection)
            reply = asyncio.ensure_future(connection.send(("PING",)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # it is sent
            occupy_until_readable(connection, 0.15)
            assert await reply == [b"PONG"]

    run(main())


async def warmed(connection: LoopConnection) -> None:
    """Connect, however busy the machine is."""
    for _ in range(50):
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            await connection.send(("PING",))
            return
    raise AssertionError("no connection")


def occupy_until_readable(connection: LoopConnection, seconds: float) -> None:
    """Block the loop until the reply has come, and for so long at least."""
    pipeline: Any = connection._pipeline
    descriptor = pipeline._transport.get_extra_info("socket").fileno()
    ended = time.monotonic() + seconds
    assert select.select([descriptor], [], [], 20)[0]
    time.sleep(max(0.0, ended - time.monotonic()))


def test_the_time_of_a_busy_loop_before_the_commands_are_sent_is_no_time_of_redis(
    run: Any, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_connection, "GRACE_SECONDS", 0.0)

    async def main() -> None:
        with connected(valkey.url, IMPATIENT | {"SOCKET_TIMEOUT": 1.0}) as connection:
            await warmed(connection)
            reply = asyncio.ensure_future(connection.send(("PING",)))
            asyncio.get_running_loop().call_soon(time.sleep, 1.2)
            assert await reply == [b"PONG"]

    run(main())


# --- Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("LOADING Valkey is loading the dataset in memory", redis.exceptions.BusyLoadingError),
        ("MASTERDOWN Link with MASTER is down", redis.exceptions.BusyLoadingError),
        ("NOAUTH Authentication required.", redis.exceptions.AuthenticationError),
        ("WRONGPASS invalid username-password pair", redis.exceptions.AuthenticationError),
        ("ERR max number of clients reached", redis.exceptions.ConnectionError),
    ],
)
def test_an_error_that_every_command_gets_makes_redis_unavailable(
    run: Any, message: str, expected: type[Exception]
) -> None:
    async def reply(line: Line, command: list[bytes]) -> None:
        await line.send(f"-{message}\r\n".encode())

    async def main() -> None:
        async with FakeServer(reply) as server:
            for url in (server.url, f"{server.url}/2"):
                with connected(url) as connection:
                    error = await is_timely(connection.send(("GET", "a"), ("GET", "b")))
                    assert isinstance(error, expected)

    run(main())


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("NOSCRIPT No matching script.", redis.exceptions.NoScriptError),
        ("READONLY You can't write against a read only replica.", redis.exceptions.ResponseError),
        ("OOM command not allowed", redis.exceptions.ResponseError),
        ("MISCONF Valkey is configured to save", redis.exceptions.ResponseError),
        ("WRONGTYPE Operation against a key", redis.exceptions.ResponseError),
        ("", redis.exceptions.ResponseError),
    ],
)
def test_an_error_of_one_command_is_its_reply(
    run: Any, message: str, expected: type[Exception]
) -> None:
    async def reply(line: Line, command: list[bytes]) -> None:
        await (
            line.send(f"-{message}\r\n".encode()) if command[0] == b"SET" else echo(line, command)
        )

    async def main() -> None:
        async with FakeServer(reply) as server:
            with connected(server.url) as connection:
                before, error, after = await connection.send(
                    ("GET", "a"), ("SET", "b", "c"), ("GET", "d")
                )
                assert (before, type(error), after) == (b"a", expected, b"d")
                assert len(server.lines) == 1

    run(main())


@pytest.mark.parametrize(
    "foreign",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n+nobody asked\r\n", b"\0\0\0\0", b"*-7\r\n"],
)
def test_what_is_no_reply_ends_the_connection_and_is_given_to_nobody(
    run: Any, foreign: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def reply(line: Line, command: list[bytes]) -> None:
        await (line.send(foreign) if line.number == 1 else echo(line, command))

    async def main() -> None:
        async with FakeServer(reply) as server:
            with connected(server.url) as connection:
                with contextlib.suppress(redis.exceptions.RedisError):
                    assert await connection.send(("ECHO", "x")) == [b"OK"]
                await eventually(lambda: connection._pipeline.is_closed, "it is closed")
                assert await connection.send(("ECHO", "x")) == [b"x"]

    run(main())
    assert not caplog.records


# --- Addresses ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey with a password, a user and a socket of Unix."""
    folder = tmp_path_factory.mktemp("guarded")
    server = Valkey(folder, "--unixsocket", str(folder / "valkey.sock"))
    server.client.acl_setuser(
        "service", enabled=True, passwords=["+wörd:/@"], keys=["*"], categories=["+@all"]
    )
    server.client.config_set("requirepass", "p@ss")
    yield server
    server.close()


def address(valkey: Valkey, user: str, database: int, scheme: str) -> str:
    if scheme == "unix":
        return f"unix://{user}{valkey._folder}/valkey.sock?db={database}"
    return f"redis://{user}{HOST}:{valkey.port}/{database}"


@pytest.mark.parametrize("scheme", ["redis", "unix"])
@pytest.mark.parametrize("user", [":p%40ss@", "service:w%C3%B6rd%3A%2F%40@"])
@pytest.mark.parametrize("database", [0, 3])
def test_the_address_says_user_password_and_database(
    run: Any, guarded: Valkey, scheme: str, user: str, database: int
) -> None:
    async def main() -> None:
        with connected(address(guarded, user, database, scheme)) as connection:
            about, _ = await connection.send(("CLIENT", "INFO"), ("SET", "x", user))
            assert f" db={database} ".encode() in about
            assert b" resp=2" in about

    run(main())


@pytest.mark.parametrize("user", ["", ":wrong@", "service:wrong@", "nobody:p%40ss@"])
def test_a_wrong_password_makes_redis_unavailable(run: Any, guarded: Valkey, user: str) -> None:
    async def main() -> None:
        with connected(address(guarded, user, 0, "redis")) as connection:
            for _ in range(2):
                with pytest.raises(redis.exceptions.AuthenticationError):
                    await connection.send(("GET", "x"))

    run(main())


def test_a_database_that_is_not_there_makes_redis_unavailable(run: Any, valkey: Valkey) -> None:
    async def main() -> None:
        url = f"redis://{HOST}:{valkey.port}/999"
        with connected(url) as connection, pytest.raises(redis.exceptions.ResponseError):
            await connection.send(("GET", "x"))

    run(main())


@contextlib.asynccontextmanager
async def tls_in_front_of(valkey: Valkey, certificate: Path) -> Any:
    """Decrypt connections for Valkey; yield the port."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_valkey = await asyncio.open_connection(HOST, valkey.port)
        await asyncio.gather(pass_on(reader, to_valkey[1]), pass_on(to_valkey[0], writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, HOST, 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


def test_redis_is_used_over_tls_with_the_certificate_of_its_address(
    run: Any, valkey: Valkey, tmp_path: Path
) -> None:
    authority, certificate = certificates(tmp_path, "localhost", 30)
    huge = b"x" * 5 * 1024 * 1024

    async def main() -> None:
        async with tls_in_front_of(valkey, certificate) as port:
            url = f"rediss://localhost:{port}/2?ssl_ca_certs={authority}"
            with connected(url) as connection:
                assert await connection.send(("SET", "x", huge), ("GET", "x")) == [b"OK", huge]
                valkey.client.client_kill_filter(_type="normal", skipme=True)
                assert await connection.send(("STRLEN", "x")) == [len(huge)]
            for foreign in (f"rediss://localhost:{port}", url.replace("localhost", HOST)):
                refused = pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED")
                with connected(foreign) as connection, refused:
                    await connection.send(("PING",))
            unchecked = f"rediss://{HOST}:{port}?ssl_cert_reqs=none&ssl_check_hostname=false"
            with connected(unchecked) as connection:
                assert await connection.send(("PING",)) == [b"PONG"]

    run(main())


def test_a_server_that_does_not_speak_tls_is_waited_for_briefly(run: Any) -> None:
    async def main() -> None:
        with socket.create_server((HOST, 0)) as silent:
            url = f"rediss://{HOST}:{silent.getsockname()[1]}"
            with connected(url, IMPATIENT) as connection:
                await is_timely(connection.send(("PING",)))

    run(main())
