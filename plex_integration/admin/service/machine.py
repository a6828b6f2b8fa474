"""The lines about where the service runs: its processes, its disk, its clocks and its versions."""

import platform
from collections.abc import Iterator, Sequence
from importlib import metadata

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from medianest.monitoring.processes import WORKER, Process
from medianest.monitoring.version import VERSION, commit
from medianest.store import Condition, Overview
from plex_integration.admin.labels import counted
from plex_integration.admin.service.lines import Line, State
from plex_integration.images import disk_cache
from plex_integration.images.disk_cache import DiskSpace

MIN_FREE_BYTES = 100 * 1024 * 1024
"""A disk with less free space is called almost full."""
MAX_CLOCK_SECONDS = 1.0
"""Clocks that differ by more than this are worth a look."""

_PACKAGES = ("Django", "djangorestframework", "PlexAPI", "redis", "pillow", "granian")


def workers(processes: Sequence[Process], overview: Overview) -> Line:
    """Return how many processes run, and where."""
    if not settings.REDIS_URL:
        return Line("Workers", State.OK, ["Without Redis, only this process is known here."])
    if overview.condition is Condition.UNAVAILABLE:
        return Line("Workers", State.ATTENTION, ["Unknown while Redis is unavailable."])
    running = [each for each in processes if each.role == WORKER]
    hosts, versions = ({getattr(each, name) for each in processes} for name in ("host", "version"))
    requests = counted(sum(each.requests for each in running), "request")
    sentences = [
        f"{counted(len(running), 'worker')} on {counted(len(hosts), 'machine')}, {requests}."
    ]
    if len(versions) == 1:
        return Line("Workers", State.OK, sentences)
    differ = f"They run different versions: {', '.join(sorted(versions))}."
    return Line("Workers", State.ATTENTION, [*sentences, differ])


def pictures() -> Line:
    """Return how full the folder of pictures and its disk are."""
    if settings.PICTURES_MIB == 0:
        return Line("Pictures", State.UNUSED, ["PICTURES_MIB is 0: no picture is cached."])
    cache = disk_cache.current()
    space = cache.space()
    used = f"{filesizeformat(cache.used())} of {filesizeformat(cache.max_bytes)} on this machine."
    free = [f"{filesizeformat(space.free)} free on the disk."] if space.free is not None else []
    problem = disk_problem(space)
    if problem is None:
        return Line("Pictures", State.OK, [used, *free])
    return Line("Pictures", State.PROBLEM, [problem, used, *free])


def disk_problem(space: DiskSpace) -> str | None:
    """Say why pictures cannot be cached, or soon cannot; None if they can."""
    if not space.is_writable:
        return "The folder of pictures cannot be written, so no picture is cached."
    if space.free is not None and space.free < MIN_FREE_BYTES:
        return f"The disk of the pictures is almost full: {filesizeformat(space.free)} are free."
    return None


def clocks(
    *, redis: float | None = None, database: float | None = None, plex_tv: float | None = None
) -> Line | None:
    """Return how far the clocks differ; None if there is no other clock."""
    differences = {"Redis": redis, "The database": database, "plex.tv": plex_tv}
    known = {name: each for name, each in differences.items() if each is not None}
    if not known:
        return None
    is_same = all(abs(each) <= MAX_CLOCK_SECONDS for each in known.values())
    sentences = [f"{name}: {_difference(each)}" for name, each in known.items()]
    return Line("Clocks", State.OK if is_same else State.ATTENTION, sentences)


def versions() -> Line:
    """Return the versions of the service and of the packages that matter most."""
    checked_out = f" ({commit()})" if commit() else ""
    packages = (f"{name} {version}" for name, version in _installed())
    service = f"MediaNest {VERSION}{checked_out}, Python {platform.python_version()}"
    return Line("Versions", State.OK, [", ".join([service, *packages]) + "."])


def _installed() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        yield name, metadata.version(name)


def _difference(seconds: float) -> str:
    if abs(seconds) <= MAX_CLOCK_SECONDS:
        return "same time as this machine."
    direction = "ahead of" if seconds > 0 else "behind"
    return f"{abs(seconds):.0f} s {direction} this machine."
