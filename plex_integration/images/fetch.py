"""One picture: from the folder, or from Plex, once for all who want it at the same time.

A picture that is kept costs Plex nothing; one that is not costs it one request, whatever the
number of threads and workers that want it. Which picture an item has is asked only where no link
tells it, and kept like any other answer.
"""

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from plex_integration.caching import response_cache, tags
from medianest import store
from plex_integration.configuration.connection import Connection
from plex_integration.errors import ImageNotFound, PlexServerUnavailable
from medianest.api.exceptions import Problem
from plex_integration.plex.images import PicturePlex
from plex_integration.plex.http import NotThere
from plex_integration.images import disk_cache, render, versions
from plex_integration.images.query import PNG, Format
from plex_integration.images.disk_cache import Kept
from plex_integration.policies import IMAGE_PATHS

# Raise this with any change of how pictures are drawn: those drawn before are then not there.
DRAWING = 1


@dataclass(frozen=True)
class Wanted:
    """A picture in a size and a format; `version` says which."""

    version: str
    box: tuple[int, int]
    format: Format

    def name(self, viewer: str) -> str:
        """Return the name it is kept under: of one viewer's server, and of nothing else."""
        text = json.dumps([DRAWING, viewer, self.version, self.box, self.format.name])
        return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Picture:
    """A picture, and how it came: BYPASS where it cannot be kept."""

    kept: Kept
    status: Literal["HIT", "MISS", "BYPASS"]


def version_of(to: Connection, key: str, kind: str, deadline: float, *, renew: bool) -> str:
    """Return which picture an item has, asking Plex at most once in a while.

    Raises ItemNotFound and ImageNotFound.
    """

    def load(seconds: float) -> response_cache.Loaded:
        told = PicturePlex(to, seconds).picture_paths(key)
        tag = response_cache.library_tag(told.library) if told.library else response_cache.LIBRARIES
        found = tags.pictured(key) | {tag}
        return response_cache.Loaded(json.dumps(told.paths).encode(), found, partial=False)

    name = response_cache.key(IMAGE_PATHS.name, to.viewer, key)
    looked = store.current().look(None, name)
    fetched = response_cache.fetch(
        IMAGE_PATHS, name, looked, looked.values[0], load, deadline=deadline, renew=renew
    )
    paths: Mapping[str, str] = json.loads(fetched.entry.payload())
    version = versions.of_kind(kind, paths)
    if version is None:
        raise ImageNotFound
    return version


_flights: dict[str, "Future[Picture]"] = {}
_lock = threading.Lock()


def picture(to: Connection, wanted: Wanted, deadline: float) -> Picture:
    """Return a picture; `deadline` is of `time.monotonic()`.

    Raises ImageNotFound, and what Plex failed with.
    """
    folder, name = disk_cache.current(), wanted.name(to.viewer)
    if kept := folder.read(name):
        return Picture(kept, "HIT")
    with _lock:
        future = _flights.get(name)
        is_mine = future is None
        if future is None:
            future = _flights[name] = Future()
    if not is_mine:
        try:
            return future.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            raise PlexServerUnavailable from None
    try:
        found = _once(folder, name, to, wanted, deadline)
    except BaseException as error:
        future.set_exception(error)
        raise
    else:
        future.set_result(found)
        return found
    finally:
        with _lock:
            del _flights[name]


def _once(
    folder: disk_cache.Folder, name: str, to: Connection, wanted: Wanted, deadline: float
) -> Picture:
    try:
        with folder.alone(name, deadline):
            # Another worker may have kept it meanwhile.
            if kept := folder.read(name):
                return Picture(kept, "HIT")
            made = Kept.of(render.drawn(_asked(to, wanted, deadline), wanted.box, wanted.format))
            return Picture(made, "MISS" if folder.keep(name, made) else "BYPASS")
    except TimeoutError:
        raise PlexServerUnavailable from None


def _asked(to: Connection, wanted: Wanted, deadline: float) -> bytes:
    """Ask Plex, unless it has failed so often that it is left in peace for a moment."""
    path = versions.path(wanted.version)
    if path is None:
        raise ImageNotFound
    wait = store.current().wait_to_ask(response_cache.FAILURES, response_cache.PAUSE)
    if wait > 0:
        raise PlexServerUnavailable(headers={"Retry-After": str(max(1, round(wait + 0.5)))})
    format = "png" if wanted.format is PNG else "jpeg"
    try:
        written = PicturePlex(to, deadline - time.monotonic()).picture(path, *wanted.box, format)
    except PlexServerUnavailable:
        store.current().failed(response_cache.FAILURES)
        raise
    except NotThere:
        store.current().answered()
        raise ImageNotFound from None
    except Problem:
        store.current().answered()
        raise
    store.current().answered()
    return written
