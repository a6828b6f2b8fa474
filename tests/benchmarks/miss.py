"""What a miss costs: the processor time of the service and of two scripts with python-plexapi.

    python -m tests.benchmarks miss [--quick]

One process runs the service and the scripts (`miss_rounds.py`), which take turns; the simulated
Plex and Valkey run outside it. Printed are the medians of all rounds in milliseconds.
"""

import argparse
import json
import statistics

from tests.benchmarks.calls import ROOT, prepared, run_python

ROUNDS, QUICK_ROUNDS = 15, 7

Rounds = dict[str, dict[str, list[float]]]
"""The milliseconds of every round, by what is requested and by who answers it."""


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks miss")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    results(parser.parse_args(arguments).quick)


def results(is_quick: bool) -> Rounds:
    """Measure and print; return the rounds of each page."""
    rounds = measure(QUICK_ROUNDS if is_quick else ROUNDS)
    _print(rounds)
    return rounds


def measure(rounds: int) -> Rounds:
    """Return every round's processor time."""
    with prepared(ROOT) as (plex, environment, token):
        movie = plex.catalogue.items("1", "movie")[0]
        wanted = {"token": token, "movie": movie.rating_key, "text": "the", "rounds": rounds}
        printed = run_python(
            ROOT, environment, "-m", "tests.benchmarks.miss_rounds", sent=json.dumps(wanted)
        )
    found: Rounds = json.loads(printed)
    return found


def _print(measured: Rounds) -> None:
    print(f"{'':12}{'service':>10}{'careful':>10}{'naive':>10}{'careful ratio':>15}")
    for page, times in measured.items():
        medians = {name: statistics.median(each) for name, each in times.items()}
        cells = "".join(f"{each:10.1f}" for each in medians.values())
        print(f"{page:12}{cells}{medians['service'] / medians['careful']:15.2f}")
