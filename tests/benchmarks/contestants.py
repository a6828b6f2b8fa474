"""The servers that the benchmark compares.

Each has two worker processes, a process group of its own, whose processor time is counted, and a
database of its own in Valkey, so that no server counts the requests of another.
"""

import getpass
import os
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.endpoints import ENDPOINTS
from tests.benchmarks.setup import Setup
from tests.service import HOST, Process, free_port

WORKERS = 2
START_SECONDS = 60
QUIET_SECONDS = 0.5

_GRANIAN = (
    f"granian --host {HOST} --port {{port}} --workers {{workers}}"
    " --no-access-log --log-level warning"
)
# Neither recipe waits for anything but Valkey: one thread costs them the least processor time.
_RECIPE = (
    f"{_GRANIAN} --interface wsgi --blocking-threads 1"
    " --factory django.core.wsgi:get_wsgi_application"
)
SERVICES = {
    "asgi": f"{_GRANIAN} --interface asgi --loop uvloop --no-ws --backpressure 4096"
    " medianest.asgi:application",
    "wsgi": f"{_GRANIAN} --interface wsgi --blocking-threads 8 medianest.wsgi:application",
    "uvicorn": f"uvicorn --host {HOST} --port {{port}} --workers {{workers}} --loop uvloop"
    " --http httptools --ws none --no-proxy-headers --no-access-log --log-level warning"
    " medianest.asgi:application",
}
"""How the service can be started: the module and its arguments, by interface."""

_NGINX_CONFIGURATION = """
daemon off;
user {user};
worker_processes {workers};
pid nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=100;
    default_type application/json;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen {host}:{port};
        {locations}
    }}
}}
"""

_NGINX_LOCATION = "location = {path} {{ alias {folder}/{name}; gzip_static on; }}"

_NGINX_LOCATION = "location = {path} {{ alias {folder}/{name}; gzip_static on; }}"

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Contestant:
    """A running server.

    `database` is its own in Valkey. `has_users`: it authenticates its users and limits how often
    they ask. `is_service`: its answers say that they come from the cache.
    """

    def __init__(
        self,
        name: str,
        setup: Setup,
        argv: Sequence[str],
        port: int,
        database: int = 0,
        **environment: str,
    ) -> None:
        self.name, self.port, self.ports = name, port, [port]
        self.database = database
        self.is_service = name.startswith("service")
        self.has_users = self.is_service or name == "stock"
        self._process = Process(
            argv, setup.folder / f"{port}.log", {**setup.environment, **environment}
        )

    def wait(self) -> None:
        """Wait until it listens and every worker has started: then it uses no more time."""
        until = time.monotonic() + START_SECONDS
        while not (self._listens() and self._is_quiet()):
            if time.monotonic() > until or not self._process.is_running():
                log = self._process.log.read_text(errors="replace")
                sys.exit(f"{log}\n{self.name} did not start")

    def processor_seconds(self) -> float:
        """Return the processor time that all of its processes have used."""
        return processor_seconds(self._process.pid)

    def memory(self) -> int:
        """Return how many bytes its workers hold in memory."""
        return self._process.memory_of_children()

    def end(self) -> None:
        """Tell its main process to end."""
        self._process.terminate()

    def wait_for_end(self) -> None:
        self._process.wait(START_SECONDS)

    def close(self) -> None:
        self._process.kill()

    def _listens(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            return False
        return True

    def _is_quiet(self) -> bool:
        before = self.processor_seconds()
        time.sleep(QUIET_SECONDS)
        return self.processor_seconds() == before


class Fleet:
    """Several instances of the service on one Redis, measured as one server."""

    is_service = has_users = True

    def __init__(self, name: str, instances: Sequence[Contestant]) -> None:
        self.name, self._instances = name, instances
        self.database = instances[0].database
        self.ports = [each.port for each in instances]

    def wait(self) -> None:
        for each in self._instances:
            each.wait()

    def processor_seconds(self) -> float:
        """Return the processor time that all processes of all instances have used."""
        return sum(each.processor_seconds() for each in self._instances)

    def close(self) -> None:
        for each in self._instances:
            each.close()


def service(
    setup: Setup, interface: str, workers: int = WORKERS, database: int = 0, **environment: str
) -> Contestant:
    """Start the service, everything on. Without a database, it gets that of its interface."""
    database = database or list(SERVICES).index(interface) + 1
    command = SERVICES[interface]
    return _python(f"service ({interface})", setup, command, database, workers, **environment)


def streams(setup: Setup) -> Contestant:
    """Start the service with a stub that keeps event streams open."""
    command = SERVICES["asgi"].replace("medianest.asgi:", "tests.streams:")
    return _python("service (streams)", setup, command, 1)


def bare(setup: Setup) -> Contestant:
    """Start a bare Django view that answers the same bytes."""
    return _python("bare", setup, _RECIPE, 0, DJANGO_SETTINGS_MODULE="tests.benchmarks.bare")


def stock(setup: Setup) -> Contestant:
    """Start the stock recipe."""
    return _python("stock", setup, _RECIPE, 0, DJANGO_SETTINGS_MODULE="tests.benchmarks.stock")


def nginx(setup: Setup, program: str) -> Contestant:
    """Start nginx, which answers the same bytes from files."""
    port = free_port()
    configuration = setup.folder / "nginx.conf"
    configuration.write_text(
        _NGINX_CONFIGURATION.format(
            user=getpass.getuser(),
            workers=WORKERS,
            host=HOST,
            port=port,
            locations="\n".join(
                _NGINX_LOCATION.format(path=each.path, folder=setup.folder, name=each.name)
                for each in ENDPOINTS
            ),
        )
    )
    argv = [program, "-p", str(setup.folder), "-c", str(configuration), "-e", "stderr"]
    return Contestant("nginx", setup, argv, port)


def nginx_program() -> str | None:
    """Return where nginx is installed; None if it is not."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def processor_seconds(group: int) -> float:
    """Return the user and system time of a process group, with that of its ended children."""
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # the process has ended
            # The name, in parentheses, may contain blanks. See proc(5) for the fields after it.
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS_PER_SECOND


def _python(
    name: str,
    setup: Setup,
    command: str,
    database: int,
    workers: int = WORKERS,
    **environment: str,
) -> Contestant:
    port = free_port()
    options = command.format(port=port, workers=workers).split()
    argv = [sys.executable, "-W", "ignore", "-m", *options]
    redis_url = f"redis://{HOST}:{setup.valkey.port}/{database}"
    return Contestant(name, setup, argv, port, database, REDIS_URL=redis_url, **environment)
