"""What the operator's pages call endpoints and durations."""

import re

from plex_integration.policies import CATALOG, IMAGE_PATHS
from plex_integration.urls import router

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def _path(route: str) -> str:
    """Return a path as the documentation writes it: `/libraries/:libraryKey/items`."""
    return "/" + _PARAMETER.sub(r":\1", route)


ENDPOINT_LABELS = {
    viewset.policy.name: _path(route)
    for route, viewset, _ in router.registry
    if viewset.policy is not None
} | {
    IMAGE_PATHS.name: "/items/:ratingKey/images/:kind",
    CATALOG.name: "library catalog",
}
"""What each policy is shown as, by the policy's name: its endpoint's path, where it has one."""


def duration(seconds: int) -> str:
    """Return a duration in words: 1800 is "30 min", 90 is "1 min 30 s"."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
