"""Send each user's requests at their planned time, whether the ones before are answered or not.

A process of its own, as `load`: it reads its job as a line of JSON and connects, and begins after
its second line. How long an answer took counts from the planned time of its request, so a request
that had to wait for its connection counts the wait. It prints the microseconds that each answer
took, how many microseconds after its time each request was noticed (the lateness of this process
itself), and the seconds of processor time that it used.
"""

import json
import select
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.load import PATIENCE_SECONDS, Connection, written

Planned = tuple[float, int, bytes]
"""The second of a request, the index of its line, and the request."""


@dataclass
class Line:
    """A connection, and the planned times and requests that wait for it; the first is sent."""

    connection: Connection
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)

    def add(self, planned: float, request: bytes) -> None:
        self.waiting.append((planned, request))
        if len(self.waiting) == 1:
            self.connection.send(request)

    def finish(self) -> float:
        """Return the planned time of what was answered, and send the next request."""
        planned, _ = self.waiting.popleft()
        if self.waiting:
            self.connection.send(self.waiting[0][1])
        return planned


def plan(job: Mapping[str, Any]) -> list[Planned]:
    """Return the requests of all users in the order of their times.

    A user sends each target as often as its limit allows, evenly. The users begin one after
    another, so that they are evenly spread. With several ports, each user's requests take turns.
    """
    return sorted(
        (planned, user * len(job["ports"]) + turn % len(job["ports"]), request)
        for user, token in enumerate(job["tokens"])
        for turn, (planned, request) in enumerate(sorted(_of_user(job, user, token)))
    )


def _of_user(job: Mapping[str, Any], user: int, token: str) -> Iterator[tuple[float, bytes]]:
    share = user / len(job["tokens"])
    for number, (target, per_minute) in enumerate(job["targets"]):
        period, request = 60 / per_minute, written(target, token)
        # The targets begin at different times, too.
        planned = period * ((share + number / len(job["targets"])) % 1)
        while planned < job["seconds"]:
            yield planned, request
            planned += period


def send(lines: Sequence[Line], planned: Sequence[Planned]) -> tuple[list[float], list[float]]:
    """Send everything at its time; return the seconds of the answers, and of the lateness."""
    poll, waits, late = select.epoll(), [], []
    by_file = {line.connection.fileno(): line for line in lines}
    for fileno in by_file:
        poll.register(fileno, select.EPOLLIN)
    began, upcoming = time.perf_counter(), 0
    while len(waits) < len(planned):
        now = time.perf_counter() - began
        while upcoming < len(planned) and planned[upcoming][0] <= now:
            at, line, request = planned[upcoming]
            lines[line].add(at, request)
            late.append(now - at)
            upcoming += 1
        pause = PATIENCE_SECONDS
        if upcoming < len(planned):
            pause = max(0.0, planned[upcoming][0] - (time.perf_counter() - began))
        ready = poll.poll(pause)
        if not ready and upcoming == len(planned):
            sys.exit(f"no answer within {PATIENCE_SECONDS} seconds")
        for fileno, _ in ready:
            if by_file[fileno].connection.receive():
                waits.append(time.perf_counter() - began - by_file[fileno].finish())
    return waits, late


def main() -> None:
    """Do the job of the first line."""
    job = json.loads(sys.stdin.readline())
    mark = job["mark"].encode()
    lines = [Line(Connection(port, [], mark)) for _ in job["tokens"] for port in job["ports"]]
    planned = plan(job)
    print("ready", flush=True)
    sys.stdin.readline()
    used = time.process_time()
    measured = send(lines, planned)
    used = time.process_time() - used
    waits, late = ([round(each * 1_000_000) for each in seconds] for seconds in measured)
    print(json.dumps([waits, late, used]), flush=True)
    sys.stdin.read()  # closing the connections is not part of the measurement


if __name__ == "__main__":
    main()
