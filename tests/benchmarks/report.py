"""Write the results as tables and plots: what `docs/benchmarks.md` shows between its markers."""

import json
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import plots

Results = Mapping[str, Any]
"""What `run_all` has measured: the machine, and the rounds of each part."""

FOLDER = "benchmarks"
"""Where the plots are, beside the page."""

_SECTION = re.compile(r"(<!-- (\w+): written by `make bench` -->\n).*?(<!-- end -->)", re.DOTALL)


def write(results: Results, page: Path) -> None:
    """Write the results and their plots beside a page, and the tables into it."""
    folder = page.parent / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    for name, drawing in draw(results).items():
        (folder / name).write_text(drawing)
    page.write_text(filled(page.read_text(), results))


def filled(page: str, results: Results) -> str:
    """Return a page with the results between its markers; the text around them stays."""
    sections = {name: section(results) for name, section in SECTIONS.items()}
    return _SECTION.sub(lambda match: f"{match[1]}\n{sections[match[2]]}\n\n{match[3]}", page)


def draw(results: Results) -> dict[str, str]:
    """Return the plots by the names of their files."""
    hits, growth, crowd = results["hit"], results["growth"], results["crowd"]
    shared = {load: rounds for load, rounds in hits.items() if "gzip, 16 conn" in load}
    connections = {load: rounds for load, rounds in hits.items() if _is_of_items(load)}
    allowance = crowd["allowance"]
    return {
        "hit-processor.svg": plots.bars(
            "Processor time of a hit",
            [_short(load) for load in shared],
            _by_contestant(shared, "server"),
            "µs",
        ),
        "hit-p99.svg": plots.lines(
            "99th percentile of a page of 50, by open connections",
            [load.split(", ")[2].split()[0] for load in connections],
            _by_contestant(connections, "p99"),
            "ms",
        ),
        "growth.svg": plots.linear(
            "Own processor time of a request that is not cached, by movies",
            [f"{int(size):,}" for size in next(iter(growth.values()))],
            {
                operation: [_median(rounds, "own") for rounds in table.values()]
                for operation, table in growth.items()
            },
            "ms",
        ),
        "crowd.svg": plots.bars(
            "Users at their allowance: waits from the planned time",
            [fleet.partition(" of ")[0] for fleet in allowance],
            {
                name: [_median(rounds, name) for rounds in allowance.values()]
                for name in ("p50", "p99")
            },
            "ms",
        ),
    }


def _machine(results: Results) -> str:
    rows = [[name, value] for name, value in results["machine"].items()]
    return _table(["Measured with", ""], rows)


def _hit(results: Results) -> str:
    hits = results["hit"]
    contestants = list(next(iter(hits.values())))
    ours = contestants[0]
    ratios = [name for name in ("bare", "stock") if name in contestants]
    processor = [
        [
            load,
            *(f"{_median(rounds[name], 'server'):.0f}" for name in contestants),
            *(f"{_ratio(rounds[name], rounds[ours]):.2f}" for name in ratios),
            f"{_median(rounds[ours], 'valkey'):.0f}",
            f"{_median(rounds[ours], 'clients'):.0f}",
        ]
        for load, rounds in hits.items()
    ]
    head = [*contestants, *(f"{name} / service" for name in ratios), "Valkey", "clients"]
    waits = [
        [load, *(_waits(rounds[name]) for name in contestants)] for load, rounds in hits.items()
    ]
    return "\n\n".join(
        [
            "Processor microseconds of a request. *Valkey* and *clients* are those while the "
            "service answers:",
            _table(["", *head], processor),
            _image("hit-processor.svg", "Processor time of a hit"),
            "Requests per second, and the median and the 99th percentile of the milliseconds that "
            "clients waited:",
            _table(["", *contestants], waits),
            _image("hit-p99.svg", "Waits by open connections"),
        ]
    )


def _miss(results: Results) -> str:
    pages = results["miss"]
    contestants = next(iter(pages.values()))
    rows = [
        [
            page,
            *(f"{statistics.median(times):.1f}" for times in rounds.values()),
            *(
                f"{_ratio_of_medians(rounds['service'], rounds[name]):.2f}"
                for name in contestants
                if name != "service"
            ),
        ]
        for page, rounds in pages.items()
    ]
    ratios = [f"service / {name}" for name in contestants if name != "service"]
    return f"Processor milliseconds of a request:\n\n{_table(['', *contestants, *ratios], rows)}"


def _growth(results: Results) -> str:
    rows = [
        [
            operation,
            f"{int(size):,}",
            *(f"{_median(rounds, name):.1f}" for name in ("own", "plex", "upstream", "kilobytes")),
            f"{_median(rounds, 'own') / _median(next(iter(table.values())), 'own'):.2f}",
        ]
        for operation, table in results["growth"].items()
        for size, rounds in table.items()
    ]
    head = ["", "movies", "own ms", "Plex's ms", "requests to Plex", "kB from Plex", "growth"]
    return f"{_table(head, rows)}\n\n{_image('growth.svg', 'Own time by the size of the library')}"


def _crowd(results: Results) -> str:
    crowd = results["crowd"]
    allowance = [
        [
            fleet,
            *(
                f"{_median(rounds, name):,.{digits}f}"
                for name, digits in (
                    ("rate", 0),
                    ("p50", 1),
                    ("p99", 1),
                    ("slowest", 1),
                    ("late", 1),
                    ("server", 0),
                    ("valkey", 0),
                    ("clients", 0),
                )
            ),
        ]
        for fleet, rounds in crowd["allowance"].items()
    ]
    stampede = [
        [fleet, *(f"{_median(rounds, name):.3g}" for name in ("alone", "together", "slowest"))]
        for fleet, rounds in crowd["stampede"].items()
    ]
    slow = [[fleet, *_slow(rounds)] for fleet, rounds in crowd["slow Plex"].items()]
    waits = ["requests/s", "p50 ms", "p99 ms", "slowest ms"]
    used = ["clients late, p99 ms", "service µs", "Valkey µs", "clients µs"]
    return "\n\n".join(
        [
            "Users at their allowance:",
            _table(["", *waits, *used], allowance),
            _image("crowd.svg", "Waits of users at their allowance"),
            "A stampede:",
            _table(["", "requests to Plex for one", "for all", "slowest, s"], stampede),
            "Hits without and beside requests that wait for a slow Plex, in milliseconds:",
            _table(["", "p50", "beside", "p99", "beside", "loaded", "refused", "slowest, s"], slow),
        ]
    )


SECTIONS: Mapping[str, Callable[[Results], str]] = {
    "machine": _machine,
    "hit": _hit,
    "miss": _miss,
    "growth": _growth,
    "crowd": _crowd,
}
"""What is written at each marker of the page."""


def _slow(rounds: Sequence[Mapping[str, Any]]) -> list[str]:
    without, beside = ([each[name] for each in rounds] for name in ("without", "beside"))
    waits = [f"{_median(each, name):.1f}" for name in ("p50", "p99") for each in (without, beside)]
    return [*waits, *(f"{_median(rounds, name):.3g}" for name in ("loaded", "refused", "slowest"))]


def _waits(rounds: Sequence[Mapping[str, float]]) -> str:
    p50, p99 = _median(rounds, "p50"), _median(rounds, "p99")
    return f"{_median(rounds, 'rate'):,.0f}; {p50:.1f}, {p99:.1f}"


def _ratio(theirs: Sequence[Mapping[str, float]], ours: Sequence[Mapping[str, float]]) -> float:
    pairs = zip(theirs, ours, strict=True)
    return statistics.median(one["server"] / other["server"] for one, other in pairs)


def _ratio_of_medians(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(ours) / statistics.median(theirs)


def _by_contestant(tables: Mapping[str, Any], name: str) -> dict[str, list[float]]:
    contestants = next(iter(tables.values()))
    return {
        contestant: [_median(rounds[contestant], name) for rounds in tables.values()]
        for contestant in contestants
    }


def _median(rounds: Iterable[Mapping[str, Any]], name: str) -> float:
    return float(statistics.median(each[name] for each in rounds))


def _is_of_items(load: str) -> bool:
    return load.startswith("items, gzip") and load.endswith("users seen")


def _short(load: str) -> str:
    endpoint, *_, users = load.split(", ")
    return endpoint if users == "users seen" else f"{endpoint}, new users"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _image(name: str, text: str) -> str:
    return f"![{text}]({FOLDER}/{name})"
