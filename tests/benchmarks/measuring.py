"""Measure one round: the processor time that a server and Valkey use for each request."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.contestants import PATH, Contestant, processor_seconds
from tests.service import Valkey

CLIENTS = 2
QUERY = "?size=50"
# With the request that a worker sees a user in, below the documented 60 a minute.
PER_USER = 50
MARK = "x-plex-cache-status: hit"


@dataclass(frozen=True)
class Load:
    """What is sent: the encoding, the open connections, and whether workers know the users."""

    encoding: str
    connections: int
    is_seen: bool

    def __str__(self) -> str:
        users = "seen" if self.is_seen else "never seen"
        return f"{self.encoding}, {self.connections} connections, users {users}"


@dataclass(frozen=True)
class Round:
    """One round of one server; processor times are microseconds for each request."""

    requests: int
    rate: float
    server: float
    valkey: float
    sets: float


@dataclass(frozen=True)
class _Used:
    server: float
    valkey: float
    sets: int


def measure(
    contestant: Contestant, load: Load, tokens: Sequence[str], seconds: float, valkey: Valkey
) -> Round:
    """Let clients send for so many seconds at most, each token PER_USER times at most."""
    clients = [
        _client(_job(contestant, load, tokens[number::CLIENTS], seconds))
        for number in range(CLIENTS)
    ]
    for client in clients:
        _read(client, contestant)
    before = _used(contestant, valkey)
    for client in clients:
        _write(client, "go")
    answered = [json.loads(_read(client, contestant)) for client in clients]
    after = _used(contestant, valkey)
    for client in clients:
        client.communicate()
    requests = sum(count for count, _ in answered)
    return Round(
        requests,
        sum(count / elapsed for count, elapsed in answered),
        (after.server - before.server) / requests * 1_000_000,
        (after.valkey - before.valkey) / requests * 1_000_000,
        (after.sets - before.sets) / requests,
    )


def _job(
    contestant: Contestant, load: Load, tokens: Sequence[str], seconds: float
) -> dict[str, Any]:
    turns = (PER_USER if load.is_seen else 1) if contestant.has_users else None
    return {
        "port": contestant.port,
        "path": PATH + QUERY,
        "encoding": load.encoding,
        "connections": load.connections // CLIENTS,
        "is_seen": load.is_seen,
        "tokens": tokens,
        "turns": turns,
        "seconds": seconds,
        "mark": MARK if contestant.is_service else "",
    }


def _client(job: dict[str, Any]) -> "subprocess.Popen[str]":
    client = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("load.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _write(client, json.dumps(job))
    return client


def _write(client: "subprocess.Popen[str]", line: str) -> None:
    assert client.stdin
    client.stdin.write(f"{line}\n")
    client.stdin.flush()


def _read(client: "subprocess.Popen[str]", contestant: Contestant) -> str:
    assert client.stdout
    line = client.stdout.readline()
    if not line:
        sys.exit(f"the requests to {contestant.name} failed")
    return line


def _used(contestant: Contestant, valkey: Valkey) -> _Used:
    information = valkey.client.info("everything")
    sets = information.get("cmdstat_set", {}).get("calls", 0)
    group = information["process_id"]
    return _Used(contestant.processor_seconds(), processor_seconds(group), sets)
