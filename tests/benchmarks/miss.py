"""What a miss costs: the processor time of the service and of two scripts with python-plexapi.

    python -m tests.benchmarks miss [ROUNDS]

One process runs the service and the scripts (`miss_rounds.py`), which take turns; the simulated
Plex and Valkey run outside it. Printed are the medians of all rounds in milliseconds.
"""

import json
import statistics

from tests.benchmarks.calls import ROOT, prepared, run_python

ROUNDS = 15

Rounds = dict[str, dict[str, list[float]]]
"""The milliseconds of every round, by what is asked for and by who answers it."""


def main(rounds: str = str(ROUNDS)) -> None:
    """Measure and print."""
    _print(measure(int(rounds)))


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
