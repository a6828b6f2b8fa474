"""Measure one round: the processor time that a server and Valkey use for each request."""

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.clients import Clients
from tests.benchmarks.contestants import Contestant, Fleet, processor_seconds
from tests.benchmarks.endpoints import Endpoint
from tests.service import Valkey

CLIENTS = 2
MARK = "x-plex-cache-status: hit"
PER_SECOND = 1_000_000
"""The microseconds of a second."""


@dataclass(frozen=True)
class Load:
    """What is sent, with how many open connections, and whether workers know the users."""

    endpoint: Endpoint
    encoding: str
    connections: int
    is_seen: bool

    def __str__(self) -> str:
        what = f"{self.endpoint.name}, {self.encoding}"
        connections = "1 connection" if self.connections == 1 else f"{self.connections} connections"
        users = "seen" if self.is_seen else "never seen"
        return f"{what}, {connections}, users {users}"


@dataclass(frozen=True)
class Round:
    """One round of one server.

    Processor times of server, Valkey and clients are microseconds for each request; `p50` and
    `p99` are the milliseconds that clients waited.
    """

    requests: int
    rate: float
    server: float
    valkey: float
    clients: float
    p50: float
    p99: float
    sets: float


@dataclass(frozen=True)
class Used:
    """What a server and Valkey have used: seconds of processor time, and SET commands."""

    server: float
    valkey: float
    sets: int


def measure(
    contestant: Contestant | Fleet,
    load: Load,
    tokens: Sequence[str],
    seconds: float,
    valkey: Valkey,
) -> Round:
    """Let clients send for so many seconds at most, no token above its limit."""
    count = min(CLIENTS, load.connections)
    jobs = [
        _job(contestant, load, tokens[number::count], seconds, load.connections // count)
        for number in range(count)
    ]
    with closing(Clients("load", jobs)) as clients:
        before = used(contestant, valkey)
        answered = clients.run()
        after = used(contestant, valkey)
    waits = sorted(wait for *_, each in answered for wait in each)
    requests = len(waits)
    return Round(
        requests,
        sum(len(each) / elapsed for elapsed, _, each in answered),
        (after.server - before.server) / requests * PER_SECOND,
        (after.valkey - before.valkey) / requests * PER_SECOND,
        sum(own for _, own, _ in answered) / requests * PER_SECOND,
        percentile(waits, 50) / 1000,
        percentile(waits, 99) / 1000,
        (after.sets - before.sets) / requests,
    )


def used(contestant: Contestant | Fleet, valkey: Valkey) -> Used:
    """Return what a server and Valkey have used so far."""
    information = valkey.client.info("everything")
    sets = information.get("cmdstat_set", {}).get("calls", 0)
    group = information["process_id"]
    return Used(contestant.processor_seconds(), processor_seconds(group), sets)


def percentile(ascending: Sequence[float], percent: int) -> float:
    """Return the smallest number that so many percent of the numbers do not exceed."""
    return ascending[math.ceil(len(ascending) * percent / 100) - 1]


def _job(
    contestant: Contestant | Fleet,
    load: Load,
    tokens: Sequence[str],
    seconds: float,
    connections: int,
) -> dict[str, Any]:
    turns = (load.endpoint.per_user if load.is_seen else 1) if contestant.has_users else None
    return {
        "ports": contestant.ports,
        "path": load.endpoint.target,
        "encoding": load.encoding,
        "connections": connections,
        "is_seen": load.is_seen,
        "tokens": tokens,
        "turns": turns,
        "seconds": seconds,
        "mark": MARK if contestant.is_service else "",
    }
