"""What a hit, a miss and a write cost, as docs/benchmarks.md says."""

import re

import pytest

from tests.benchmarks import calls
from tests.benchmarks.calls import ROOT

# One process counts for all of them.
pytestmark = pytest.mark.xdist_group("costs")

PAGE = (ROOT / "docs" / "benchmarks.md").read_text()
ROWS = ("queries", "round trips to Redis", "requests to Plex")


@pytest.fixture(scope="module")
def counts() -> dict[str, dict[str, int]]:
    """Return the lowest count of five runs: the check of the settings, once a second, is extra."""
    return {
        path: {name: min(run[name] for run in runs) for name in runs[0]}
        for path, runs in calls.count(ROOT, runs=5).items()
    }


@pytest.mark.parametrize("row", ROWS)
def test_the_costs_are_those_of_the_benchmarks_page(
    counts: dict[str, dict[str, int]], row: str
) -> None:
    # The first table is of this code, the second of the code before.
    documented = re.findall(rf"^\| {row} \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)[0]
    measured = [counts[path][row] for path in ("hit", "miss", "write")]
    assert measured == [int(number) for number in documented]


def test_a_hit_costs_no_more_own_calls_than_the_benchmarks_page_says(
    counts: dict[str, dict[str, int]],
) -> None:
    (documented, _, _) = re.findall(r"^\| own calls \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.M)[0]
    assert counts["hit"]["own calls"] <= int(documented)
