"""What the operator's pages call endpoints and durations."""

import re

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
