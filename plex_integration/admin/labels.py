"""What the operator's pages call endpoints and durations."""

import re
from datetime import UTC, datetime

from plex_integration.policies import CATALOG
from plex_integration.urls import router
from plex_integration.viewsets import PlexViewSet

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def _path(route: str) -> str:
    """Return a path as the documentation writes it: `/libraries/:libraryKey/items`."""
    return "/" + _PARAMETER.sub(r":\1", route)


ENDPOINT_LABELS = {
    viewset.policy.name: _path(route)
    for route, viewset, _ in router.registry
    if issubclass(viewset, PlexViewSet) and viewset.policy
} | {CATALOG.name: "library catalog"}
"""What each policy is shown as, by its name: the path of its endpoint, where it has one."""


def duration(seconds: int) -> str:
    """Return a duration in words: 1800 is "30 min", 90 is "1 min 30 s"."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def age(seconds: float) -> str:
    """Return about how long ago something was: "12 s", "5 min", "3 h 20 min", "4 d 3 h"."""
    seconds = max(0, round(seconds))
    if seconds < 120:
        return f"{seconds} s"
    days, rest = divmod(seconds // 60, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2])


def milliseconds(number: float) -> str:
    """Return a short time in words: "0.4 ms", "12 ms", "1.2 s"."""
    if number >= 1000:
        return f"{number / 1000:.1f} s"
    return f"{number:.0f} ms" if number >= 10 else f"{number:.1f} ms"


def timestamp(epoch_seconds: float) -> str:
    """Return a moment in UTC."""
    return f"{datetime.fromtimestamp(epoch_seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def counted(number: int, name: str) -> str:
    """Return a number and a name: "1 worker", "2 workers"."""
    return f"{number} {name if number == 1 else name + 's'}"
