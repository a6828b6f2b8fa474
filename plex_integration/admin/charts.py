"""Charts of the responses over the last hours, as stacked bars of 5 minutes with axes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from plex_integration.admin.labels import ENDPOINT_LABELS
from plex_integration.caching import metrics
from plex_integration.caching.metrics import Counted

HOURS = 6
BARS = HOURS * 3600 // metrics.SLICE

WIDTH, HEIGHT = 360, 130
"""The size of a chart. Its texts have the size of the page's where it is shown that wide."""
LEFT, RIGHT, TOP, BOTTOM = 40, WIDTH - 6, 8, HEIGHT - 22
"""Where the bars are drawn."""
BAR_WIDTH = (RIGHT - LEFT) / BARS

ROW_SLICES = 6
"""The table beneath a chart has a row for so many slices: half an hour."""
_TICK_SECONDS = 2 * 3600


@dataclass(frozen=True)
class Series:
    """A part of each bar: its style, its name in the legend, and the outcomes that it counts."""

    style: str
    name: str
    outcomes: Sequence[str]

    def count(self, counted: Counted) -> int:
        """Return how many responses of this series were counted."""
        return sum(counted.responses.get(outcome, 0) for outcome in self.outcomes)


# From the bottom up.
SERIES = (
    Series("others", "Other responses", (metrics.MISS, metrics.STALE, metrics.BYPASS)),
    Series("hits", "Cache hits", (metrics.HIT,)),
    Series("errors", "Errors", (metrics.ERROR, metrics.CLIENT_ERROR, metrics.REFUSED)),
)


@dataclass(frozen=True)
class Rectangle:
    """A part of a bar."""

    style: str
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where it is, and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """The responses of a policy; `most` is the number in its busiest slice.

    `rows` are the numbers as a table: the time at which half an hour begins, and each series.
    """

    label: str
    total: int
    most: int
    rectangles: Sequence[Rectangle]
    vertical: Sequence[Tick]
    horizontal: Sequence[Tick]
    rows: Sequence[tuple[str, Sequence[int]]]


def charts(
    names: Sequence[str], slices: Sequence[Mapping[str, Counted]], end: float
) -> Iterator[Chart]:
    """Return a chart for each of these policies that has responded.

    `end` is when the last slice ends, in epoch seconds.
    """
    begin = end - len(slices) * metrics.SLICE
    for name in names:
        columns = [_column(each.get(name, Counted())) for each in slices]
        if any(map(sum, columns)):
            yield _chart(ENDPOINT_LABELS[name], columns, begin)


def _column(counted: Counted) -> list[int]:
    return [series.count(counted) for series in SERIES]


def _chart(label: str, columns: Sequence[Sequence[int]], begin: float) -> Chart:
    sums = [sum(column) for column in columns]
    top = round_up(max(sums))
    return Chart(
        label,
        sum(sums),
        max(sums),
        [each for x, column in enumerate(columns) for each in _bar(x, column, top)],
        [Tick(_y(number, top), str(number)) for number in dict.fromkeys((0, top // 2, top))],
        list(_hours(begin, len(columns))),
        list(_rows(columns, begin)),
    )


def round_up(number: int) -> int:
    """Return the end of an axis: the number or the next 1, 2 or 5 with zeros."""
    step = 1
    while step * 10 < number:
        step *= 10
    return next(step * factor for factor in (1, 2, 5, 10) if step * factor >= number)


def _bar(x: int, column: Sequence[int], top: int) -> Iterator[Rectangle]:
    left = round(LEFT + x * BAR_WIDTH, 2)
    for series, number, upper in zip(SERIES, column, accumulate(column), strict=True):
        if number:
            height = round(_y(0, top) - _y(number, top), 2)
            yield Rectangle(series.style, left, _y(upper, top), height)


def _y(number: int, top: int) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * number / top, 2)


def _hours(begin: float, bars: int) -> Iterator[Tick]:
    for x in range(bars):
        at = begin + x * metrics.SLICE
        if at % _TICK_SECONDS == 0:
            yield Tick(round(LEFT + x * BAR_WIDTH, 2), _clock(at))


def _rows(columns: Sequence[Sequence[int]], begin: float) -> Iterator[tuple[str, Sequence[int]]]:
    for first in range(0, len(columns), ROW_SLICES):
        numbers = [sum(each) for each in zip(*columns[first : first + ROW_SLICES], strict=True)]
        yield _clock(begin + first * metrics.SLICE), numbers


def _clock(epoch_seconds: float) -> str:
    return f"{datetime.fromtimestamp(epoch_seconds, UTC):%H:%M}"
