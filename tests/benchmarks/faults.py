"""What clients get while Plex fails: every fault, for a request that is cached and one that is not.

A row is measured with two workers: eight requests for a response that has expired, then eight for
responses that nobody has requested, then one after another until Plex is used again.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.benchmarks import contestants
from tests.benchmarks.endpoints import PATH
from tests.benchmarks.setup import Setup, set_up
from tests.service import HOST, Answer, ask, at_once

TIMEOUT = 2.0
REQUESTS = 8
RECOVERY_SECONDS = 30.0
SHORT_TTL = 1
SHORTEN_TTL = f"""
from plex_integration.configuration.models import PolicyChange
PolicyChange.objects.create(kind="ttl", name="library-items", value={SHORT_TTL})
"""

Fault = tuple[str, Mapping[str, Any], str]
FAULTS: Sequence[Fault] = (
    ("refused", {}, "the port is closed"),
    ("silent", {}, "no response"),
    ("disconnect", {}, "the connection is closed"),
    ("slow", {"delay": 60.0}, "the response comes too late"),
    ("drip_headers", {}, "10 bytes of the head a second"),
    ("drip_body", {}, "10 bytes of the body a second"),
    ("status", {"status": 401}, "status 401"),
    ("status", {"status": 403}, "status 403"),
    ("status", {"status": 404}, "status 404"),
    ("status", {"status": 429}, "status 429"),
    ("status", {"status": 500}, "status 500"),
    ("status", {"status": 503}, "status 503"),
    ("truncated", {}, "half of the XML"),
    ("cut", {}, "half of the body"),
    ("html", {}, "an HTML page"),
    ("empty", {}, "no body"),
    ("redirect", {}, "a redirect"),
    ("endless", {}, "rows without end"),
    ("huge", {}, "64 MiB"),
    ("doctype", {}, "an entity bomb"),
    ("wrong_encoding", {}, "wrong compression"),
    ("gzip_bomb", {}, "100 MiB, compressed"),
)
"""The simulator's faults with their options, and what each is in words."""


@dataclass(frozen=True)
class Outcome:
    """What several requests got: their answers in words, and the seconds of the slowest."""

    answer: str
    slowest: float


@dataclass(frozen=True)
class Row:
    """What clients get during a fault, and the seconds until Plex is used again after it."""

    fault: str
    expired: Outcome
    cold: Outcome
    recovery: float


def main(*arguments: str) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks faults")
    parser.parse_args(arguments)
    print(f"PLEX_TIMEOUT={TIMEOUT:g}")
    print("| Plex sends | Expired response | Slowest | No response cached | Slowest | Recovery |")
    print("|---|---|---|---|---|---|")
    for row in measure(FAULTS):
        print(
            f"| {row.fault} | {row.expired.answer} | {row.expired.slowest:.1f} s "
            f"| {row.cold.answer} | {row.cold.slowest:.1f} s | {row.recovery:.1f} s |",
            flush=True,
        )


def measure(faults: Sequence[Fault]) -> Iterator[Row]:
    """Measure one fault after another, each with a user of its own."""
    with set_up() as setup:
        setup.manage("shell", "--no-imports", "-c", SHORTEN_TTL)
        server = contestants.service(setup, "asgi", PLEX_TIMEOUT=f"{TIMEOUT:g}")
        with closing(server):
            server.wait()
            tokens = setup.issue_tokens(len(faults), [server.database])
            clients = Clients(setup, f"http://{HOST}:{server.port}")
            for fault, token in zip(faults, tokens, strict=True):
                yield clients.meet(fault, {"Authorization": f"Bearer {token}"})


class Clients:
    """Clients of a service whose Plex fails in several ways."""

    def __init__(self, setup: Setup, url: str) -> None:
        self._plex = setup.plex
        self._url = url
        self._starts = count()

    def meet(self, fault: Fault, headers: dict[str, str]) -> Row:
        """Measure a fault."""
        kind, options, name = fault
        known = self._page()
        self._seconds_until_answered(known, headers)
        time.sleep(SHORT_TTL)
        self._plex.fault(kind, **options)
        expired = _outcome(at_once(self._url, [(known, headers)] * REQUESTS))
        cold = _outcome(at_once(self._url, [(self._page(), headers) for _ in range(REQUESTS)]))
        self._plex.heal()
        return Row(name, expired, cold, self._seconds_until_answered(self._page(), headers))

    def _page(self) -> str:
        return f"{PATH}?details=summary&size=3&start={next(self._starts)}"

    def _seconds_until_answered(self, page: str, headers: dict[str, str]) -> float:
        began = time.monotonic()
        while ask(self._url, page, headers).status != 200:
            if time.monotonic() - began > RECOVERY_SECONDS:
                raise SystemExit("the service does not recover")
            time.sleep(0.25)
        return time.monotonic() - began


def _outcome(answers: Sequence[Answer]) -> Outcome:
    # While one request reloads an expired response, all others get it as a HIT.
    words = sorted({_in_words(answer) for answer in answers} - {"200 `HIT`"})
    return Outcome(", ".join(words), max(answer.seconds for answer in answers))


def _in_words(answer: Answer) -> str:
    body = answer.json()
    if answer.status == 200:
        status = answer.headers["x-plex-cache-status"]
        reason = body["metadata"].get("staleReason")
        return f"200 `{status}`" + (f", `{reason}`" if reason else "")
    return f"{answer.status} `{body['error']['code']}`"
