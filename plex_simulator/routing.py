"""What every endpoint works with: the catalogue and the server's own identity."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plex_simulator.catalogue import Catalogue
from plex_simulator.generation.metadata import Dice
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.models import Item, Library
from plex_simulator.notifications import Broadcast
from plex_simulator.plextv import Pins

NAME = "Simulated Plex"
VERSION = "1.41.3.9314-a0bfb8370"


@dataclass(frozen=True, slots=True)
class World:
    catalogue: Catalogue
    broadcast: Broadcast
    pins: Pins
    machine: str

    @staticmethod
    def machine_identifier(seed: int) -> str:
        return Dice(seed, 4242).hexadecimal(0, 1, 40)


Endpoint = Callable[..., Reply]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    endpoint: Endpoint
    refuse_others: int = 0  # the status for anyone but the owner


def route(method: str, path: str, endpoint: Endpoint, refuse_others: int = 0) -> Route:
    """Map a path, with <> for one part of it, to a function of world, request and the parts."""
    pattern = re.escape(path).replace("<>", "([^/]+)")
    return Route(method, re.compile(pattern.rstrip("/") + "/?"), endpoint, refuse_others)


def visible_library(world: World, request: Request, key: str) -> Library:
    library = world.catalogue.library(key)
    if library is None or not request.user.may_see(key):
        raise Refusal(404)
    return library


def visible_item(world: World, request: Request, key: str) -> Item:
    item = world.catalogue.item(key)
    if item is None or not request.user.may_see(item.library_key):
        raise Refusal(404)
    return item


def libraries_for(world: World, request: Request) -> list[Library]:
    return [lib for lib in world.catalogue.libraries if request.user.may_see(lib.key)]


def call(route: Route, world: World, request: Request, match: re.Match[str]) -> Reply:
    if route.refuse_others and not request.user.is_owner:
        raise Refusal(route.refuse_others)
    parts: tuple[Any, ...] = match.groups()
    return route.endpoint(world, request, *parts)
