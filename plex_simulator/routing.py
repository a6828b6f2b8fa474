"""Routes, and the state and access checks that the endpoints share."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plex_simulator.catalogue import Catalogue
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import Item, Library
from plex_simulator.notifications import Broadcast
from plex_simulator.playback import Playback
from plex_simulator.preferences import Preferences
from plex_simulator.seeded_random import SeededRandom
from plex_simulator.visibility import has_malformed_filter

NAME = "Simulated Plex"
VERSION = "1.41.3.9314-a0bfb8370"


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the endpoints read and change."""

    catalogue: Catalogue
    broadcast: Broadcast
    playback: Playback
    preferences: Preferences
    machine_identifier: str


def make_machine_identifier(seed: int) -> str:
    return SeededRandom(seed, 4242).hexadecimal(0, 1, 40)


Endpoint = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    endpoint: Endpoint
    non_owner_status: int = 0  # the error status for other users than the owner; 0: no error


def route(method: str, path: str, endpoint: Endpoint, non_owner_status: int = 0) -> Route:
    """Make a route; each <> in the path matches one segment and is passed to the endpoint."""
    pattern = re.escape(path).replace("<>", "([^/]+)")
    return Route(method, re.compile(pattern.rstrip("/") + "/?"), endpoint, non_owner_status)


def call_endpoint(
    route: Route, state: ServerState, request: Request, match: re.Match[str]
) -> Response:
    """Call the endpoint of a route with the segments of the path."""
    if route.non_owner_status and not request.user.is_owner:
        raise HTTPError(route.non_owner_status)
    if request.path.startswith("/hubs") and has_malformed_filter(request.user):
        raise HTTPError(500)
    segments: tuple[Any, ...] = match.groups()
    return route.endpoint(state, request, *segments)


def visible_libraries(state: ServerState, request: Request) -> list[Library]:
    """List the libraries that the user has access to."""
    return [library for library in state.catalogue.libraries if request.user.may_see(library.key)]


def get_library(state: ServerState, request: Request, key: str) -> Library:
    """Return a library; raise a 404 error if it is unknown, or 403 if it is not shared."""
    library = state.catalogue.library(key)
    if library is None:
        raise HTTPError(404)
    if not request.user.may_see(key):
        raise HTTPError(403)
    return library


def find_item(state: ServerState, request: Request, key: str) -> Item | None:
    """Return an item, or None if it is unknown or the user does not see it."""
    found = state.catalogue.find_visible(request.user, key)
    return found[0].item(found[1]) if found else None


def get_item(state: ServerState, request: Request, key: str) -> Item:
    """Return an item; raise a 404 error if it is unknown or the user does not see it."""
    item = find_item(state, request, key)
    if item is None:
        raise HTTPError(404)
    return item
