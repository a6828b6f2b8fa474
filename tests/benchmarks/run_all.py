"""`make bench`: run everything that is compared, and write it down.

The results go to `docs/benchmarks/results.json`, and as tables and plots into `docs/benchmarks.md`.
With `--quick` they go to `var/bench`, because short rounds are too inexact for the documentation.
"""

import argparse
import shutil
import time
from pathlib import Path

from tests.benchmarks import crowd, growth, hit, machine, miss, report
from tests.benchmarks.calls import ROOT
from tests.benchmarks.setup import set_up

PAGE = ROOT / "docs" / "benchmarks.md"
QUICK_PAGE = ROOT / "var" / "bench" / "benchmarks.md"
PARTS = {
    "hit": hit.results,
    "miss": miss.results,
    "growth": growth.results,
    "crowd": crowd.results,
}


def main(*arguments: str) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks all")
    parser.add_argument("--quick", action="store_true", help="three minutes, written to var/bench")
    is_quick = parser.parse_args(arguments).quick
    began = time.monotonic()
    with set_up() as setup:
        described = machine.describe(setup.valkey)
    parts = {name: results(is_quick) for name, results in PARTS.items()}
    page = _quick_page() if is_quick else PAGE
    form = "QUICK=1" if is_quick else "full"
    minutes = f"{(time.monotonic() - began) / 60:.0f} minutes"
    report.write({"machine": {**described, "form": form, "took": minutes}, **parts}, page)
    print(f"\n{minutes}; written to {page.relative_to(ROOT)}")


def _quick_page() -> Path:
    QUICK_PAGE.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(PAGE, QUICK_PAGE)
    return QUICK_PAGE
