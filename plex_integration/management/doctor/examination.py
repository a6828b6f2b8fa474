"""Run all checks, each within a bounded time: a server that hangs must not hang the command."""

import math
from collections.abc import Callable, Iterable, Iterator

from django.db import connections

from medianest.monitoring.background_check import BackgroundCheck
from plex_integration.admin.service import machine
from plex_integration.admin.service.lines import Line, State
from plex_integration.management.doctor import database, services, settings

MAX_SECONDS = 6.0
"""How long each check may take; four of them wait for another server."""

Check = Callable[[], Iterable[Line]]


def _pictures() -> Iterator[Line]:
    yield machine.pictures()


CHECKS: dict[str, Check] = {
    "Settings": settings.lines,
    "Pictures": _pictures,
    "Database": database.lines,
    "Redis": services.redis,
    "Plex": services.plex,
    "plex.tv": services.plex_tv,
}


def examine() -> Iterator[Line]:
    """Return the lines of all checks as they come."""
    for name, check in CHECKS.items():
        bounded = BackgroundCheck(f"doctor-{name}", _lines)
        lines = bounded.latest(check, every=math.inf, patience=MAX_SECONDS)
        yield from lines if lines is not None else [_unfinished(name)]


def _lines(check: Check) -> list[Line]:
    try:
        return list(check())
    finally:
        connections.close_all()


def _unfinished(name: str) -> Line:
    text = f"The check got no result within {MAX_SECONDS:g} seconds. Check that it responds."
    return Line(name, State.PROBLEM, [text])
