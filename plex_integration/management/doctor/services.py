"""Redis and what reports itself there, Plex, and plex.tv."""

import os
import socket
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError

from medianest import store
from medianest.monitoring import processes
from medianest.monitoring.processes import WORKER, Process
from medianest.store import Condition, Overview
from plex_integration.admin.service import dependencies, machine, suspicious
from plex_integration.admin.service.lines import Line, State
from plex_integration.caching import invalidation
from plex_integration.configuration import runtime
from plex_integration.errors import PlexTvUnavailable
from plex_integration.plex import diagnose
from plex_integration.plex.plextv.pins import check_plex_tv, plex_tv_clock

PLEX_SECONDS = 4.0
_ADVICE = "Correct it on the page Plex connection of the admin."


def redis() -> Iterator[Line]:
    """Return the lines about Redis and, if it responds, about what is reported there."""
    yield from dependencies.redis()
    overview = _overview()
    if not settings.REDIS_URL or overview.condition is Condition.UNAVAILABLE:
        return
    yield dependencies.listener(overview.values[0])
    yield _workers(overview)
    if clocks := machine.clocks(redis=overview.clock):
        yield clocks


def plex() -> Iterator[Line]:
    """Return the lines about the connected Plex server."""
    try:
        connection = runtime.current().connection
    except DatabaseError:
        yield dependencies.UNKNOWN
        return
    if connection is None:
        yield dependencies.plex(None, None, _overview())
        return
    address = f"Address: {dependencies.address_of(connection)}."
    found = diagnose(connection, PLEX_SECONDS)
    if found.is_connected:
        yield Line("Plex", State.OK, [found.message, address])
    else:
        yield Line("Plex", State.PROBLEM, [found.message, address, _ADVICE])
    if wrong := list(suspicious.certificates(connection)):
        yield Line("Plex", State.ATTENTION, wrong)


def plex_tv() -> Iterator[Line]:
    """Return whether plex.tv can be reached, where users may sign in with Plex."""
    try:
        is_used = runtime.current().viewers.plex_sign_in
    except DatabaseError:
        return
    if not is_used:
        yield Line("plex.tv", State.UNUSED, ["Nobody may sign in with Plex."])
        return
    yield from _plex_tv()


def number_of_workers() -> int:
    """Return how many workers run, or are configured where this is not known."""
    return len(_running(_overview())) or settings.WORKERS


def _plex_tv() -> Iterator[Line]:
    try:
        check_plex_tv()
        clock = plex_tv_clock()
    except PlexTvUnavailable:
        text = (
            "It cannot be reached, so nobody can sign in with Plex. Allow connections to it, or "
            "turn the sign-in off on the page Plex viewers of the admin."
        )
        yield Line("plex.tv", State.PROBLEM, [text])
        return
    yield Line("plex.tv", State.OK, ["It responds."])
    if clocks := machine.clocks(plex_tv=clock):
        yield clocks


def _workers(overview: Overview) -> Line:
    running = _running(overview)
    if not running:
        return Line(
            "Workers", State.ATTENTION, ["No worker has reported itself. Start the service."]
        )
    line = machine.workers(running, overview)
    wrong = list(suspicious.shared(running))
    return Line(line.name, State.ATTENTION, [*line.sentences, *wrong]) if wrong else line


def _running(overview: Overview) -> list[Process]:
    """Return the workers that run, without this command."""
    mine = (socket.gethostname(), os.getpid())
    return [
        each
        for each in processes.running(overview.reports)
        if each.role == WORKER and (each.host, each.pid) != mine
    ]


def _overview() -> Overview:
    return store.current().overview("", invalidation.KEY)
