"""What a cached page of 50 complete items costs, beside other ways to answer it.

    service  everything on: JWT, exact limit, cache, request id, envelope
    bare     a Django view without middleware that returns the same bytes
    stock    JWTAuthentication, UserRateThrottle and a pickled page on django-redis, DRF Response
    nginx    the same bytes as a static file

Each has two worker processes. They are measured one after another in short rounds, so that a noisy
machine is noisy to all, and the medians of the rounds are printed. The figure is the processor time
of a request: on a machine that also runs the clients, the rate says little. No user asks more often
than the limit allows: an answer that is not 200 ends the benchmark.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks import contestants
from tests.benchmarks.contestants import SERVICES, Contestant
from tests.benchmarks.measuring import PATH, QUERY, Load, Round, measure
from tests.benchmarks.setup import Setup, set_up
from tests.service import HOST

ENCODINGS, CONNECTIONS = ("gzip", "identity"), (16, 64)
ROUNDS, SECONDS = 5, 2.0
QUICK_ROUNDS, QUICK_SECONDS = 2, 1.0
# A round ends when its users may ask no more. Users that no worker has seen ask once each.
SEEN_USERS_PER_SECOND, NEW_USERS_PER_SECOND = 256, 1500

Table = dict[str, list[Round]]
"""The rounds of each contestant."""


def main(*arguments: str) -> None:
    """Measure and print."""
    options = _options(arguments)
    with ExitStack() as stack:
        setup = stack.enter_context(set_up())
        running = _start(stack, setup, options.interface)
        versions = _versions(setup, options.interface)
        print("\n".join(f"{name}: {value}" for name, value in versions.items()))
        tables = {}
        for load in _loads(options.quick):
            tables[str(load)] = _measure(setup, running, load, options)
            _print(str(load), tables[str(load)])
        if options.json:
            _write(options.json, versions, tables)


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
    parser.add_argument(
        "--quick", action="store_true", help="only gzip with 16 connections; fewer, shorter rounds"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every round there")
    if "--quick" in arguments:
        parser.set_defaults(rounds=QUICK_ROUNDS, seconds=QUICK_SECONDS)
    return parser.parse_args(arguments)


def _interfaces(names: str) -> list[str]:
    chosen = names.split(",")
    if unknown := set(chosen) - set(SERVICES):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return chosen


def _loads(is_quick: bool) -> list[Load]:
    loads = [Load(*each) for each in product(ENCODINGS, CONNECTIONS, (True, False))]
    return loads[:2] if is_quick else loads


def _start(stack: ExitStack, setup: Setup, interfaces: Sequence[str]) -> list[Contestant]:
    """Start the services, keep what the first of them answers, and start the others."""
    running = [_started(stack, contestants.service, setup, name) for name in interfaces]
    (token,) = setup.issue_tokens(1)
    _renew(running[0], token)
    for encoding, name in (("gzip", "items.gz"), ("identity", "items")):
        (setup.folder / name).write_bytes(_page(running[0], token, {"Accept-Encoding": encoding}))
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


def _renew(service: Contestant, token: str) -> None:
    """Let the service load the page from Plex again, so that it stays fresh for ten minutes."""
    _page(service, token, {"Cache-Control": "no-cache"})


def _page(service: Contestant, token: str, headers: Mapping[str, str]) -> bytes:
    """Return the page as it is sent."""
    with requests.get(
        f"http://{HOST}:{service.port}{PATH}{QUERY}",
        headers={"Authorization": f"Bearer {token}", **headers},
        stream=True,
        timeout=30,
    ) as answer:
        answer.raise_for_status()
        page: bytes = answer.raw.read(decode_content=False)
    return page


def _measure(
    setup: Setup, running: Sequence[Contestant], load: Load, options: argparse.Namespace
) -> Table:
    """Measure all in turn. Every round has its own users; the first round warms up.

    The users are new in every table, because tokens live for less than the benchmark takes.
    """
    per_second = SEEN_USERS_PER_SECOND if load.is_seen else NEW_USERS_PER_SECOND
    count = max(load.connections, round(per_second * options.seconds))
    databases = [each.database for each in running if each.is_service]
    renewing, *tokens = setup.issue_tokens(1 + count * (options.rounds + 1), databases)
    for contestant in running:
        if contestant.is_service:
            _renew(contestant, renewing)
    table: Table = {contestant.name: [] for contestant in running}
    for turn in range(options.rounds + 1):
        users = tokens[turn * count : (turn + 1) * count]
        for contestant in running:
            measured = measure(contestant, load, users, options.seconds, setup.valkey)
            if turn:
                table[contestant.name].append(measured)
    _check_recipe(table["stock"])
    return table


def _check_recipe(rounds: Sequence[Round]) -> None:
    """Make sure that the stock recipe writes nothing but its throttle's times."""
    if any(each.sets > 1 for each in rounds):
        sys.exit("the stock recipe stored its page again")


def _print(heading: str, table: Table) -> None:
    """Print the medians of the rounds, and their lowest and highest values."""
    columns = ("processor µs", "Valkey µs", "requests/s", "SETs")
    print(f"\n{heading}\n{'':18}" + "".join(f"{column:>24}" for column in columns))
    for name, rounds in table.items():
        cells = (
            _spread([each.server for each in rounds]),
            _spread([each.valkey for each in rounds]),
            _spread([each.rate for each in rounds]),
            _spread([each.sets for each in rounds], 2),
        )
        print(f"{name:18}" + "".join(f"{cell:>24}" for cell in cells))
    for service in (name for name in table if name.startswith("service")):
        for other in ("bare", "stock"):
            pairs = zip(table[other], table[service], strict=True)
            ratios = [theirs.server / ours.server for theirs, ours in pairs]
            print(f"  {other} / {service}: {_spread(ratios, 2)}")


def _spread(numbers: Sequence[float], digits: int = 0) -> str:
    """Write the median, the lowest and the highest number."""
    median = statistics.median(numbers)
    return f"{median:.{digits}f} ({min(numbers):.{digits}f}..{max(numbers):.{digits}f})"


def _write(file: Path, versions: dict[str, str], tables: dict[str, Table]) -> None:
    rounds = {
        load: {name: [asdict(each) for each in rounds] for name, rounds in table.items()}
        for load, table in tables.items()
    }
    file.write_text(json.dumps({"versions": versions, "tables": rounds}, indent=1) + "\n")


def _versions(setup: Setup, interfaces: Sequence[str]) -> dict[str, str]:
    packages = ["Granian", "Django", *(["uvicorn"] if "uvicorn" in interfaces else [])]
    found = {"Python": platform.python_version()}
    found |= {package: version(package) for package in packages}
    if program := contestants.nginx_program():
        said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
        found["nginx"] = re.findall(r"nginx/(\S+)", said)[0]
    found["Valkey"] = setup.valkey.client.info("server")["valkey_version"]
    found["processors"] = str(len(os.sched_getaffinity(0)))
    return found
