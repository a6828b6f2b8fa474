"""The page of benchmarks shows the results that are beside it."""

import json

from tests.benchmarks import report
from tests.benchmarks.calls import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
FOLDER = PAGE.parent / report.FOLDER


def results() -> report.Results:
    found: report.Results = json.loads((FOLDER / "results.json").read_text())
    return found


def test_the_tables_of_the_page_are_those_of_the_results() -> None:
    page = PAGE.read_text()
    assert page.count(": written by `make bench` -->") == len(report.SECTIONS)
    assert report.filled(page, results()) == page


def test_the_plots_are_those_of_the_results_and_load_nothing() -> None:
    drawings = report.draw(results())
    assert {each.name for each in FOLDER.glob("*.svg")} == set(drawings)
    for name, drawing in drawings.items():
        assert (FOLDER / name).read_text() == drawing
        assert "prefers-color-scheme:dark" in drawing
        assert "<script" not in drawing
        assert "http" not in drawing.replace("http://www.w3.org/", "")


def test_the_text_around_the_tables_stays() -> None:
    page = "Before\n<!-- machine: written by `make bench` -->\nold\n<!-- end -->\nAfter\n"
    filled = report.filled(page, {**results(), "machine": {"Python": "3.x"}})
    assert filled.startswith("Before\n<!-- machine: written by `make bench` -->\n\n")
    assert "| Python | 3.x |" in filled
    assert "old" not in filled
    assert filled.endswith("\n\n<!-- end -->\nAfter\n")
