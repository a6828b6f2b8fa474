"""Charts of the responses over the last hours, as bars of 5 minutes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from plex_integration.admin.labels import ENDPOINT_LABELS
from plex_integration.caching import metrics
from plex_integration.caching.metrics import Counted

HOURS = 6
BARS = HOURS * 3600 // metrics.SLICE
HEIGHT = 20


@dataclass(frozen=True)
class Bar:
    """The responses of one slice: cache hits on top of all others."""

    x: int
    hits: float
    hits_y: float
    others: float
    others_y: float


@dataclass(frozen=True)
class Chart:
    """The responses of a policy; `most` is the number in its busiest slice."""

    label: str
    total: int
    most: int
    bars: Sequence[Bar]


def charts(names: Sequence[str], slices: Sequence[Mapping[str, Counted]]) -> Iterator[Chart]:
    """Return a chart for each of these policies that has served a response."""
    for name in names:
        counted = [each.get(name, Counted()) for each in slices]
        served = [each.served for each in counted]
        if most := max(served, default=0):
            yield Chart(ENDPOINT_LABELS[name], sum(served), most, _bars(counted, most))


def _bars(counted: Sequence[Counted], most: int) -> list[Bar]:
    return [_bar(x, each, most) for x, each in enumerate(counted)]


def _bar(x: int, counted: Counted, most: int) -> Bar:
    hits = round(HEIGHT * counted.responses.get(metrics.HIT, 0) / most, 2)
    others = round(HEIGHT * counted.served / most - hits, 2)
    return Bar(x, hits, round(HEIGHT - others - hits, 2), others, HEIGHT - others)
