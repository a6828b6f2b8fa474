"""What a cached response costs beside other ways to answer it: a page of 50 items, a search, the
server.

    service  everything on: JWT, exact limit, cache, request id, envelope
    bare     a Django view without middleware that returns the same bytes
    stock    JWTAuthentication, UserRateThrottle and a pickled page on django-redis, DRF Response
    nginx    the same bytes as static files

Each has two worker processes. They are measured one after another in short rounds, so that a noisy
machine is noisy to all, and the medians of the rounds are printed. The figure is the processor time
of a request: on a machine that also runs the clients, the rate says little. No user asks more often
than the limit allows: an answer that is not 200 ends the benchmark.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import requests

from tests.benchmarks import contestants, machine
from tests.benchmarks.contestants import SERVICES, Contestant
from tests.benchmarks.endpoints import ENDPOINTS, ITEMS, SEARCH, SERVER, Endpoint
from tests.benchmarks.measuring import Load, Round, measure
from tests.benchmarks.setup import Setup, set_up
from tests.service import HOST

LOADS = (
    *(Load(each, "gzip", count, True) for each in ENDPOINTS for count in (1, 16, 64, 256)),
    *(Load(ITEMS, "gzip", count, False) for count in (16, 64)),
    Load(ITEMS, "identity", 16, True),
)
QUICK_LOADS = (
    *(Load(ITEMS, "gzip", count, True) for count in (1, 16)),
    Load(ITEMS, "gzip", 16, False),
    Load(SEARCH, "gzip", 16, True),
    Load(SERVER, "gzip", 16, True),
)
ROUNDS, SECONDS = 3, 1.0
QUICK_ROUNDS, QUICK_SECONDS = 2, 0.5
# A round ends when its users may ask no more. Users that no worker has seen ask once each.
SEEN_REQUESTS_PER_SECOND, NEW_USERS_PER_SECOND = 12_000, 1500

COLUMNS = {
    "processor µs": ("server", 0),
    "Valkey µs": ("valkey", 0),
    "clients µs": ("clients", 0),
    "requests/s": ("rate", 0),
    "p50 ms": ("p50", 2),
    "p99 ms": ("p99", 2),
    "SETs": ("sets", 1),
}
"""The printed columns: a field of `Round`, and the digits after its point."""

Table = dict[str, list[Round]]
"""The rounds of each contestant."""


def main(*arguments: str) -> None:
    """Measure and print."""
    _run(_options(arguments))


def results(is_quick: bool) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Measure and print; return the rounds of each contestant under each load."""
    return {
        load: {name: [asdict(each) for each in rounds] for name, rounds in table.items()}
        for load, table in _run(_options(["--quick"] if is_quick else [])).items()
    }


def _run(options: argparse.Namespace) -> dict[str, Table]:
    tables = {}
    with ExitStack() as stack:
        setup = stack.enter_context(set_up())
        machine.show(machine.describe(setup.valkey))
        running = _start(stack, setup, options.interface)
        for load in QUICK_LOADS if options.quick else LOADS:
            tables[str(load)] = _measure(setup, running, load, options)
            _print(str(load), tables[str(load)])
    return tables


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks hit")
    parser.add_argument(
        "--interface",
        default="asgi",
        type=_interfaces,
        metavar="NAME,…",
        help=f"how to serve the service, one contestant each: {', '.join(SERVICES)}",
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one round at most")
    parser.add_argument("--quick", action="store_true", help="fewer loads; fewer, shorter rounds")
    if "--quick" in arguments:
        parser.set_defaults(rounds=QUICK_ROUNDS, seconds=QUICK_SECONDS)
    return parser.parse_args(arguments)


def _interfaces(names: str) -> list[str]:
    chosen = names.split(",")
    if unknown := set(chosen) - set(SERVICES):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return chosen


def _start(stack: ExitStack, setup: Setup, interfaces: Sequence[str]) -> list[Contestant]:
    """Start the services, keep what the first of them answers, and start the others."""
    running = [_started(stack, contestants.service, setup, name) for name in interfaces]
    (token,) = setup.issue_tokens(1)
    for endpoint in ENDPOINTS:
        _renew(running[0], endpoint, token)
        for encoding, ending in (("gzip", ".gz"), ("identity", "")):
            answer = _answer(running[0], endpoint, token, {"Accept-Encoding": encoding})
            (setup.folder / f"{endpoint.name}{ending}").write_bytes(answer)
    running.append(_started(stack, contestants.bare, setup))
    running.append(_started(stack, contestants.stock, setup))
    if program := contestants.nginx_program():
        running.append(_started(stack, contestants.nginx, setup, program))
    else:
        print("nginx is not installed: it is left out")
    return running


def _started(stack: ExitStack, start: Callable[..., Contestant], *arguments: Any) -> Contestant:
    contestant = start(*arguments)
    stack.callback(contestant.close)
    contestant.wait()
    return contestant


def _renew(service: Contestant, endpoint: Endpoint, token: str) -> None:
    """Let the service load the response from Plex again, so that it stays fresh."""
    _answer(service, endpoint, token, {"Cache-Control": "no-cache"})


def _answer(
    service: Contestant, endpoint: Endpoint, token: str, headers: Mapping[str, str]
) -> bytes:
    """Return the response as it is sent."""
    with requests.get(
        f"http://{HOST}:{service.port}{endpoint.target}",
        headers={"Authorization": f"Bearer {token}", **headers},
        stream=True,
        timeout=30,
    ) as answer:
        answer.raise_for_status()
        body: bytes = answer.raw.read(decode_content=False)
    return body


def _measure(
    setup: Setup, running: Sequence[Contestant], load: Load, options: argparse.Namespace
) -> Table:
    """Measure all in turn. Every round has its own users; the first round warms up.

    The users are new in every table, because tokens live for less than the benchmark takes.
    """
    count = _users(load, options.seconds)
    databases = [each.database for each in running if each.is_service]
    renewing, *tokens = setup.issue_tokens(1 + count * (options.rounds + 1), databases)
    for contestant in running:
        if contestant.is_service:
            _renew(contestant, load.endpoint, renewing)
    table: Table = {contestant.name: [] for contestant in running}
    for turn in range(options.rounds + 1):
        users = tokens[turn * count : (turn + 1) * count]
        for contestant in running:
            measured = measure(contestant, load, users, options.seconds, setup.valkey)
            if turn:
                table[contestant.name].append(measured)
    _check_recipe(table["stock"])
    return table


def _users(load: Load, seconds: float) -> int:
    """Return how many users can send for so many seconds without reaching a limit."""
    each = load.endpoint.per_user
    per_second = SEEN_REQUESTS_PER_SECOND / each if load.is_seen else NEW_USERS_PER_SECOND
    return max(load.connections, round(per_second * seconds))


def _check_recipe(rounds: Sequence[Round]) -> None:
    """Make sure that the stock recipe writes nothing but its throttle's times."""
    if any(each.sets > 1 for each in rounds):
        sys.exit("the stock recipe stored its page again")


def _print(heading: str, table: Table) -> None:
    """Print the medians of the rounds, and their lowest and highest values."""
    print(f"\n{heading}\n{'':18}" + "".join(f"{column:>22}" for column in COLUMNS))
    for name, rounds in table.items():
        cells = [
            _spread([getattr(each, field) for each in rounds], digits)
            for field, digits in COLUMNS.values()
        ]
        print(f"{name:18}" + "".join(f"{cell:>22}" for cell in cells))
    for service in (name for name in table if name.startswith("service")):
        for other in ("bare", "stock"):
            pairs = zip(table[other], table[service], strict=True)
            ratios = [theirs.server / ours.server for theirs, ours in pairs]
            print(f"  {other} / {service}: {_spread(ratios, 2)}", flush=True)


def _spread(numbers: Sequence[float], digits: int = 0) -> str:
    """Write the median, the lowest and the highest number."""
    median = statistics.median(numbers)
    return f"{median:.{digits}f} ({min(numbers):.{digits}f}..{max(numbers):.{digits}f})"
