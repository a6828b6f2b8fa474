"""What open event streams cost, and what they cost the hits beside them.

The service runs with a stub that keeps streams open (`tests.streams`). All clients share this
machine. Hits are measured in turn without and with open streams, so that a noisy machine is noisy
to both.
"""

import argparse
import select
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, takewhile

from tests.benchmarks import contestants
from tests.benchmarks.contestants import WORKERS, Contestant
from tests.benchmarks.endpoints import ITEMS
from tests.benchmarks.load import PATIENCE_SECONDS, Connection, written
from tests.benchmarks.measuring import MARK
from tests.benchmarks.setup import Setup, set_up
from tests.service import HOST
from tests.stream_clients import CLEAN_END, StreamClients, allow_open_files, open_streams

STREAMS, ROUNDS, SECONDS = 1000, 5, 2.0
CONNECTIONS = 16
# No user sends more than 60 requests in a minute: an answer that is not 200 ends the benchmark.
USERS_PER_SECOND = 400
IDLE_SECONDS = 10.0


@dataclass(frozen=True)
class Hits:
    """One round of hits: milliseconds that clients waited, and microseconds of processor time."""

    median: float
    p99: float
    processor: float


@dataclass(frozen=True)
class Opened:
    """What opening a number of streams cost, for each of them."""

    kilobytes: float
    processor: float


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks streams")
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one round of hits")
    options = parser.parse_args(arguments)
    allow_open_files(options.streams)
    with set_up() as setup, closing(contestants.streams(setup)) as server:
        server.wait()
        _measure(setup, server, options)
        _end(server, options.streams)


def _measure(setup: Setup, server: Contestant, options: argparse.Namespace) -> None:
    opened, without, beside, noticed = [], [], [], []
    for _ in range(options.rounds):
        without.append(_hits(server, _requests(setup, options.seconds), options.seconds))
        before = server.memory(), server.processor_seconds()
        with closing(StreamClients(server.port, options.streams)):
            opened.append(_opened(server, before, options.streams))
            beside.append(_hits(server, _requests(setup, options.seconds), options.seconds))
        noticed.append(_wait_for_end(server))
    print(f"\n{options.streams} streams, medians of {options.rounds} rounds (lowest..highest)")
    # Later rounds use memory again that the first has taken.
    print(f"{'memory per stream, kB, first round':44}{opened[0].kilobytes:.1f}")
    _print("processor time per opened stream, µs", [each.processor for each in opened])
    _print("clients closed to all noticed, s", noticed)
    for name, rounds in (("without streams", without), ("beside streams", beside)):
        _print(f"hits {name}: median, ms", [each.median for each in rounds])
        _print(f"hits {name}: p99, ms", [each.p99 for each in rounds])
        _print(f"hits {name}: processor time, µs", [each.processor for each in rounds])


def _opened(server: Contestant, before: tuple[int, float], streams: int) -> Opened:
    memory, seconds = before
    return Opened(
        (server.memory() - memory) / streams / 1000,
        (server.processor_seconds() - seconds) / streams * 1_000_000,
    )


def _requests(setup: Setup, seconds: float) -> list[bytes]:
    """Return requests of new users, none of whom sends more than the limit allows."""
    tokens = setup.issue_tokens(round(USERS_PER_SECOND * seconds))
    return [written(ITEMS.target, token) for token in tokens]


def _hits(server: Contestant, requests: Sequence[bytes], seconds: float) -> Hits:
    """Send over several connections at once, each of which waits for its answers."""
    # Not measured: the page may be loaded, and each user is.
    _send_all([_Line(Connection(server.port, [], b""), iter(requests))])
    lines = [
        _Line(
            Connection(server.port, [], MARK.encode()),
            _for_seconds(seconds, requests[number::CONNECTIONS]),
        )
        for number in range(CONNECTIONS)
    ]
    before = server.processor_seconds()
    waits = sorted(_send_all(lines))
    return Hits(
        statistics.median(waits) * 1000,
        waits[round(len(waits) * 0.99) - 1] * 1000,
        (server.processor_seconds() - before) / len(waits) * 1_000_000,
    )


@dataclass
class _Line:
    connection: Connection
    requests: Iterator[bytes]
    sent: float = 0.0

    def send(self) -> bool:
        """Send the next request; tell whether there was one."""
        request = next(self.requests, None)
        if request is not None:
            self.sent = time.perf_counter()
            self.connection.send(request)
        return request is not None


def _for_seconds(seconds: float, requests: Sequence[bytes]) -> Iterator[bytes]:
    until = time.perf_counter() + seconds
    return takewhile(lambda _: time.perf_counter() < until, cycle(requests))


def _send_all(lines: Sequence[_Line]) -> list[float]:
    """Send the requests of all lines; return how many seconds each answer took."""
    poll, waits = select.epoll(), []
    by_file = {line.connection.fileno(): line for line in lines}
    for fileno in by_file:
        poll.register(fileno, select.EPOLLIN)
    sending = sum(line.send() for line in lines)
    while sending:
        ready = poll.poll(PATIENCE_SECONDS)
        if not ready:
            sys.exit(f"no answer within {PATIENCE_SECONDS} seconds")
        for line in (by_file[fileno] for fileno, _ in ready):
            if line.connection.receive():
                waits.append(time.perf_counter() - line.sent)
                sending -= not line.send()
    return waits


def _wait_for_end(server: Contestant) -> float:
    """Return how many seconds it took the workers to notice that all clients are gone."""
    began = time.perf_counter()
    while open_streams(f"http://{HOST}:{server.port}", WORKERS):
        if time.perf_counter() - began > PATIENCE_SECONDS:
            sys.exit("streams of clients that are gone stay open")
    return time.perf_counter() - began


def _end(server: Contestant, streams: int) -> None:
    """Measure idle streams, and end the process while they are open."""
    with closing(StreamClients(server.port, streams)) as clients:
        before = server.processor_seconds()
        time.sleep(IDLE_SECONDS)
        used = server.processor_seconds() - before
        print(f"{'idle streams: processor time, % of one':44}{used / IDLE_SECONDS * 100:.1f}")
        began = time.perf_counter()
        server.end()
        ends = clients.read_to_the_end()
        server.wait_for_end()
        seconds = time.perf_counter() - began
    clean = sum(end.endswith(CLEAN_END) for end in ends)
    print(
        f"{'SIGTERM to the end of the process, s':44}{seconds:.2f}; {clean} streams ended in order"
    )


def _print(name: str, numbers: Sequence[float]) -> None:
    spread = f"{min(numbers):.2f}..{max(numbers):.2f}"
    print(f"{name:44}{statistics.median(numbers):.2f} ({spread})")
