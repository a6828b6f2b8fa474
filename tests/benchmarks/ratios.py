"""How much cheaper the service is than other ways to do the same: a few ratios, within seconds.

Every kind answers in a process of its own, which only counts its own processor time. They take
turns in short rounds. A busy machine makes a round dearer and never cheaper, so the best round of
each kind counts.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.calls import ROOT

RECORDED = Path(__file__).with_name("ratios.json")
FALL = 0.25
"""The part by which a ratio may fall."""

REQUESTS = {"hit": 20, "bare": 20, "stock": 2, "miss": 1, "careful": 1}
"""The kinds, and how many requests each answers in a round: few, so that a round is short."""
RATIOS = {
    "bare / hit": ("bare", "hit"),
    "stock / hit": ("stock", "hit"),
    "careful / miss": ("careful", "miss"),
}
"""Whose processor time is divided by whose."""

SETTINGS = {"bare": "tests.benchmarks.bare", "stock": "tests.benchmarks.stock"}
# The script must not load its objects again, nor read the configuration of the user.
SCRIPT = {"PLEXAPI_PLEXAPI_AUTORELOAD": "false", "PLEXAPI_CONFIG_PATH": "/dev/null"}


class Contest:
    """All kinds, started, and the best round of each so far: seconds of processor time a request.

    With `repeated`, the service does everything so many times for one request.
    """

    def __init__(
        self, environment: Mapping[str, str], tokens: Sequence[str], repeated: int = 1
    ) -> None:
        self._repeated = repeated
        self._best: dict[str, float] = {}
        self._stack = ExitStack()
        # One after another: the first keeps its response for the others.
        self._kinds = {kind: self._start(kind, environment, tokens) for kind in REQUESTS}

    def run_round(self) -> None:
        """Let each kind answer its requests in turn."""
        for kind, process in self._kinds.items():
            count = REQUESTS[kind]
            sent = count * self._repeated if kind in ("hit", "miss") else count
            seconds = float(exchanged(process, str(sent))) / count
            self._best[kind] = min(seconds, self._best.get(kind, seconds))

    def ratios(self) -> dict[str, float]:
        """Return the ratios of the best rounds."""
        return {
            name: round(self._best[theirs] / self._best[ours], 3)
            for name, (theirs, ours) in RATIOS.items()
        }

    def close(self) -> None:
        self._stack.close()

    def _start(
        self, kind: str, environment: Mapping[str, str], tokens: Sequence[str]
    ) -> "subprocess.Popen[str]":
        settings = SETTINGS.get(kind, environment["DJANGO_SETTINGS_MODULE"])
        # Each in its own database of Valkey, so that none finds what another has stored.
        server, _, _ = environment["REDIS_URL"].rpartition("/")
        redis_url = f"{server}/{list(REQUESTS).index(kind)}"
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.in_process"],
            cwd=ROOT,
            env={
                **environment,
                **SCRIPT,
                "DJANGO_SETTINGS_MODULE": settings,
                "REDIS_URL": redis_url,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(process.communicate)
        exchanged(process, json.dumps({"kind": kind, "tokens": tokens}))
        return process


def fallen(measured: Mapping[str, float], recorded: Mapping[str, float]) -> dict[str, str]:
    """Return the ratios that fell by more than `FALL`, in words."""
    return {
        name: f"{measured[name]} instead of {before}"
        for name, before in recorded.items()
        if measured[name] < before * (1 - FALL)
    }


def recorded() -> dict[str, float]:
    """Return the ratios that were measured when the file was written."""
    ratios: dict[str, float] = json.loads(RECORDED.read_text())
    return ratios


def exchanged(process: "subprocess.Popen[str]", line: str) -> str:
    """Send a line, and return the line that answers it."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, "a process of the contest has ended"
    return answer
