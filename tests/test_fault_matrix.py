"""The table of faults in docs/operating.md is what `python -m tests.benchmarks faults` finds."""

import re
from pathlib import Path

import pytest

from tests.benchmarks import faults
from tests.pace import Stopwatch
from tests.service import ROOT

PAGE = ROOT / "docs" / "operating.md"
RECOVERY_SECONDS = 5.0


def documented(page: Path) -> dict[str, tuple[str, str]]:
    """Return what the page says of each fault: for an expired response, and without one."""
    table = page.read_text().partition("| Plex sends |")[2].partition("\n\n")[0]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in table.splitlines()[2:]]
    return {row[0]: (row[1], row[3]) for row in rows}


@pytest.mark.slow
def test_every_fault_has_the_documented_answer_in_time_and_plex_is_used_again_after_it() -> None:
    watch = Stopwatch()
    found = list(faults.measure(faults.FAULTS))
    answers = {row.fault: (row.expired.answer, row.cold.answer) for row in found}
    assert answers == documented(PAGE), found
    for row in found:
        slowest = max(row.expired.slowest, row.cold.slowest)
        assert watch.allows(slowest, faults.TIMEOUT + 1), (row, watch)
        assert watch.allows(row.recovery, RECOVERY_SECONDS), (row, watch)
