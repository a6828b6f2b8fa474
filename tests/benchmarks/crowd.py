"""What many users at once get.

    allowance  1,000 users send all that the limits allow, at their time, to 1, 2 and 4 workers and
               to two instances on one Redis
    stampede   500 users want the same page at the same moment, and it is not cached
    slow Plex  64 users want pages that are not cached, and Plex takes seconds, while others are
               answered from the cache

The waits of `allowance` and `slow Plex` count from the time when a request should have been sent.
An answer from the cache that is not 200 ends the benchmark.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from tests.benchmarks import contestants, machine
from tests.benchmarks.clients import Clients
from tests.benchmarks.contestants import Fleet
from tests.benchmarks.endpoints import ALLOWANCE, ITEMS, PATH
from tests.benchmarks.measuring import CLIENTS, MARK, PER_SECOND, percentile, used
from tests.benchmarks.setup import Setup, set_up
from tests.service import HOST, Answer, at_once
from tests.stream_clients import allow_open_files

FLEETS: Mapping[str, Sequence[int]] = {
    "1 worker": (1,),
    "2 workers": (2,),
    "4 workers": (4,),
    "2 instances of 1 worker": (1, 1),
}
"""The workers of each instance."""

USERS, QUICK_USERS = 1000, 200
SECONDS, QUICK_SECONDS = 8.0, 4.0
ROUNDS, QUICK_ROUNDS = 3, 1
STAMPEDE, COLD, BESIDE = 500, 64, 100
SLOW_SECONDS, BESIDE_SECONDS, RECOVERY_SECONDS = 2.0, 5.0, 30.0


@dataclass(frozen=True)
class Open:
    """One round of an open loop.

    `p50`, `p99` and `slowest` are milliseconds from the planned time, `late` is the 99th percentile
    of the milliseconds by which the clients themselves were late. Processor times are microseconds
    for each request.
    """

    rate: float
    p50: float
    p99: float
    slowest: float
    late: float
    server: float
    valkey: float
    clients: float


@dataclass(frozen=True)
class Stampede:
    """Requests that Plex got for one user who wants a page, and for many; the slowest wait in s."""

    alone: int
    together: int
    slowest: float


@dataclass(frozen=True)
class Slow:
    """Hits without and beside requests that wait for a slow Plex, and how many of these succeed."""

    without: Open
    beside: Open
    loaded: int
    refused: int
    slowest: float


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks crowd")
    parser.add_argument("--quick", action="store_true", help="fewer users and seconds, one round")
    results(parser.parse_args(arguments).quick)


def results(is_quick: bool) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Measure and print; return the rounds of each fleet in each crowd."""
    users = QUICK_USERS if is_quick else USERS
    seconds = QUICK_SECONDS if is_quick else SECONDS
    measured: dict[str, dict[str, list[dict[str, Any]]]] = {}
    allow_open_files(len(FLEETS) * STAMPEDE + 2 * USERS)
    with ExitStack() as stack:
        setup = stack.enter_context(set_up())
        machine.show(machine.describe(setup.valkey))
        fleets = [_start(stack, setup, *each) for each in enumerate(FLEETS.items(), 1)]
        for turn in range(QUICK_ROUNDS if is_quick else ROUNDS):
            for fleet in fleets:
                tokens = setup.issue_tokens(users, [fleet.database])
                crowds = {
                    "allowance": allowance(setup, fleet, tokens, seconds),
                    "stampede": stampede(setup, fleet, tokens, turn),
                    "slow Plex": slow_plex(setup, fleet, tokens, turn),
                }
                for crowd, numbers in crowds.items():
                    rounds = measured.setdefault(crowd, {}).setdefault(fleet.name, [])
                    rounds.append(asdict(numbers))
                    print(f"{crowd}, {fleet.name}: {numbers}", flush=True)
    return measured


def allowance(setup: Setup, fleet: Fleet, tokens: Sequence[str], seconds: float) -> Open:
    """Let each user send all that the limits allow for so many seconds."""
    _send(fleet, [(each.target, _headers(tokens[0])) for each in ALLOWANCE])
    return _open_loop(setup, fleet, tokens[1:], seconds)


def stampede(setup: Setup, fleet: Fleet, tokens: Sequence[str], turn: int) -> Stampede:
    """Let many users want a page at the same moment that nobody has loaded."""
    alone = _requests_to_plex(setup, fleet, f"{PATH}?start={2 * turn + 1}", tokens[:1])
    crowd = (list(tokens) * STAMPEDE)[:STAMPEDE]
    together = _requests_to_plex(setup, fleet, f"{PATH}?start={2 * turn + 2}", crowd)
    return Stampede(alone[0], *together)


def slow_plex(setup: Setup, fleet: Fleet, tokens: Sequence[str], turn: int) -> Slow:
    """Measure hits while nobody waits for Plex, and while many do."""
    cold, beside = tokens[:COLD], tokens[COLD : COLD + BESIDE]
    without = _open_loop(setup, fleet, beside, BESIDE_SECONDS)
    pages = [f"{PATH}?size=10&start={COLD * turn + number}" for number in range(COLD)]
    wanted = [(page, _headers(token)) for page, token in zip(pages, cold, strict=True)]
    setup.plex.fault("slow", delay=SLOW_SECONDS)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(_send, fleet, wanted)
        measured = _open_loop(setup, fleet, beside, BESIDE_SECONDS)
        answers = waiting.result()
    setup.plex.heal()
    _wait_for_plex(fleet, tokens[-1])
    loaded = sum(answer.status == 200 for answer in answers)
    slowest = max(answer.seconds for answer in answers)
    return Slow(without, measured, loaded, len(answers) - loaded, slowest)


def _open_loop(setup: Setup, fleet: Fleet, tokens: Sequence[str], seconds: float) -> Open:
    jobs = [
        {
            "ports": fleet.ports,
            "tokens": tokens[number::CLIENTS],
            "targets": [(each.target, each.limit.requests) for each in ALLOWANCE],
            "seconds": seconds,
            "mark": MARK,
        }
        for number in range(CLIENTS)
    ]
    with closing(Clients("open_loop", jobs)) as clients:
        before = used(fleet, setup.valkey)
        measured = clients.run()
        after = used(fleet, setup.valkey)
    waits = sorted(wait for each, *_ in measured for wait in each)
    late = sorted(each for _, lates, _ in measured for each in lates)
    count = len(waits)
    return Open(
        count / seconds,
        percentile(waits, 50) / 1000,
        percentile(waits, 99) / 1000,
        waits[-1] / 1000,
        percentile(late, 99) / 1000,
        (after.server - before.server) / count * PER_SECOND,
        (after.valkey - before.valkey) / count * PER_SECOND,
        sum(own for *_, own in measured) / count * PER_SECOND,
    )


def _requests_to_plex(
    setup: Setup, fleet: Fleet, page: str, tokens: Sequence[str]
) -> tuple[int, float]:
    """Let users request a page at once; return the number of Plex requests and the longest wait."""
    setup.plex.reset_requests()
    answers = _send(fleet, [(page, _headers(token)) for token in tokens])
    if refused := [answer.status for answer in answers if answer.status != 200]:
        sys.exit(f"refused: {len(refused)} of {len(answers)}, the first with {refused[0]}")
    return len(setup.plex.requests), max(answer.seconds for answer in answers)


def _send(fleet: Fleet, wanted: Sequence[tuple[str, dict[str, str]]]) -> list[Answer]:
    """Send all requests at once, each instance its share of them."""
    count = len(fleet.ports)
    shares = [wanted[number::count] for number in range(count)]
    urls = [f"http://{HOST}:{port}" for port in fleet.ports]
    with ThreadPoolExecutor(count) as threads:
        return list(chain.from_iterable(threads.map(at_once, urls, shares)))


def _wait_for_plex(fleet: Fleet, token: str) -> None:
    """Wait until the service uses Plex again."""
    until = time.monotonic() + RECOVERY_SECONDS
    wanted = (ITEMS.target, {**_headers(token), "Cache-Control": "no-cache"})
    while _send(fleet, [wanted])[0].status != 200:
        if time.monotonic() > until:
            sys.exit("the service does not recover")
        time.sleep(0.5)


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _start(stack: ExitStack, setup: Setup, number: int, fleet: tuple[str, Sequence[int]]) -> Fleet:
    """Start a fleet whose instances share a database of Valkey."""
    name, workers = fleet
    running = Fleet(
        name, [contestants.service(setup, "asgi", each, database=number) for each in workers]
    )
    stack.callback(running.close)
    running.wait()
    return running
