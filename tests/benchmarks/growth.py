"""What a request costs while the library grows: the service's own time, and what it asks of Plex.

Each size has a simulated Plex and a service with one worker, in processes of their own, so that
their processor times are told apart. No request is answered from the cache (`Cache-Control:
no-cache`). The sizes take turns, and the medians of the rounds are printed.

Plex has movies alone. Beside other items, whose number stays, more of what was recently added would
be movies the more there are, and a movie comes with ten times as many elements as a season.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Any

import requests

from tests.benchmarks import contestants, machine
from tests.benchmarks.contestants import processor_seconds
from tests.benchmarks.endpoints import ITEMS, RECENT, SEARCH
from tests.benchmarks.setup import Setup, set_up
from tests.service import HOST, Process, free_port

SIZES, QUICK_SIZES = (1_000, 25_000, 250_000), (1_000, 25_000)
ROUNDS, QUICK_ROUNDS = 3, 2
# The kernel counts processor time in hundredths of a second: fewer requests would be inexact.
REQUESTS, QUICK_REQUESTS = 30, 20
PAGE, WALKED_PAGE = 50, 200
USERS = 300
PREPARATION_SECONDS = 600.0
MOVIES_ALONE = ("--shows", "0", "--artists", "0", "--photo-albums", "0", "--videos", "0")


@dataclass(frozen=True)
class Cost:
    """What a request costs: milliseconds of processor time, and what goes to Plex and comes back.

    `kilobytes` are those of Plex's responses.
    """

    own: float
    plex: float
    upstream: float
    kilobytes: float


class Library:
    """A simulated Plex with so many movies, and a service in front of it."""

    def __init__(self, setup: Setup, size: int, number: int) -> None:
        self.size = size
        port = free_port()
        argv = [sys.executable, "-m", "plex_simulator", "--port", str(port), *MOVIES_ALONE]
        argv += ["--movies", str(size)]
        self._plex = Process(argv, setup.folder / f"plex-{size}.log", dict(setup.environment))
        self._control = f"http://{HOST}:{port}/simulator/"
        self._setup = setup.with_plex(number, f"http://{HOST}:{port}")
        self._service = contestants.service(self._setup, "asgi", workers=1, database=number)
        self._client = requests.Session()
        self._client.headers["Cache-Control"] = "no-cache"

    def wait(self) -> None:
        """Wait until Plex has prepared its library, and the service has started."""
        until = time.monotonic() + PREPARATION_SECONDS
        while not self._is_prepared():
            if time.monotonic() > until or not self._plex.is_running():
                sys.exit(self._plex.log.read_text(errors="replace"))
            time.sleep(0.2)
        self._service.wait()

    def close(self) -> None:
        self._client.close()
        self._service.close()
        self._plex.kill()

    def issue_tokens(self) -> Iterator[str]:
        """Return tokens of new users, again and again."""
        return cycle(self._setup.issue_tokens(USERS))

    def measure(self, targets: Sequence[str], tokens: Iterator[str]) -> Cost:
        """Send the requests one after another; return what one of them costs."""
        self._get(targets[0], next(tokens))
        requests.delete(f"{self._control}requests", timeout=30)
        own, plex = self._service.processor_seconds(), processor_seconds(self._plex.pid)
        for target in targets:
            self._get(target, next(tokens))
        own = self._service.processor_seconds() - own
        plex = processor_seconds(self._plex.pid) - plex
        sent = requests.get(f"{self._control}requests", timeout=30).json()["requests"]
        count = len(targets)
        return Cost(
            own / count * 1000,
            plex / count * 1000,
            len(sent) / count,
            sum(each["size"] for each in sent) / count / 1000,
        )

    def _get(self, target: str, token: str) -> None:
        answer = self._client.get(
            f"http://{HOST}:{self._service.port}{target}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        # BYPASS: loaded, but Redis did not answer in time, as on a busy machine.
        if answer.headers.get("X-Plex-Cache-Status") not in ("MISS", "BYPASS"):
            sys.exit(f"not loaded from Plex: {target}: {answer.status_code} {answer.headers}")

    def _is_prepared(self) -> bool:
        try:
            report: dict[str, Any] = requests.get(self._control, timeout=30).json()
        except requests.ConnectionError:
            return False
        return bool(report["prepared"])


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks growth")
    parser.add_argument("--quick", action="store_true", help="two sizes, fewer requests and rounds")
    results(parser.parse_args(arguments).quick)


def results(is_quick: bool) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Measure and print; return the rounds of each operation with each size."""
    sizes = QUICK_SIZES if is_quick else SIZES
    rounds = QUICK_ROUNDS if is_quick else ROUNDS
    count = QUICK_REQUESTS if is_quick else REQUESTS
    with ExitStack() as stack:
        setup = stack.enter_context(set_up())
        machine.show(machine.describe(setup.valkey))
        libraries = [
            stack.enter_context(closing(Library(setup, size, number)))
            for number, size in enumerate(sizes, 1)
        ]
        for library in libraries:
            library.wait()
        measured = _measure(libraries, rounds, count)
    _print(measured)
    return {
        operation: {size: [asdict(each) for each in costs] for size, costs in table.items()}
        for operation, table in measured.items()
    }


def _measure(
    libraries: Sequence[Library], rounds: int, count: int
) -> dict[str, dict[str, list[Cost]]]:
    measured: dict[str, dict[str, list[Cost]]] = {}
    for turn in range(rounds):
        for library in libraries:
            # New ones in each round: a token is valid for 15 minutes.
            tokens = library.issue_tokens()
            for operation, targets in _operations(library.size, turn, rounds, count).items():
                table = measured.setdefault(operation, {})
                costs = table.setdefault(str(library.size), [])
                costs.append(library.measure(targets, tokens))
    return measured


def _operations(size: int, turn: int, rounds: int, count: int) -> dict[str, list[str]]:
    """Return the requests of each operation in a round; all rounds walk a whole library."""
    page = f"{ITEMS.path}?size={PAGE}&start="
    # Pages far apart in the library: those of one round are as costly as those of another.
    starts = list(range(0, size, WALKED_PAGE))
    walked = starts[turn % len(starts) :: rounds]
    steps = islice(cycle(walked), max(count, len(walked)))
    walk = [f"{ITEMS.path}?size={WALKED_PAGE}&details=summary&start={start}" for start in steps]
    return {
        "first page of 50": [f"{page}0"] * count,
        "last page of 50": [f"{page}{size - PAGE}"] * count,
        "search": [SEARCH.target] * count,
        "recently added": [RECENT.target] * count,
        "walking all, a page of 200": walk,
    }


def _print(measured: dict[str, dict[str, list[Cost]]]) -> None:
    columns = ("own ms", "Plex ms", "requests", "kB of Plex")
    print(f"\n{'':28}{'movies':>10}" + "".join(f"{column:>12}" for column in columns))
    for operation, table in measured.items():
        for size, costs in table.items():
            each = [asdict(cost) for cost in costs]
            medians = [statistics.median(cost[name] for cost in each) for name in each[0]]
            cells = "".join(f"{median:>12.1f}" for median in medians)
            print(f"{operation:28}{int(size):>10,}{cells}", flush=True)
