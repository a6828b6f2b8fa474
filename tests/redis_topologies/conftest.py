"""A service of two workers on Redis servers that replace one another, and a Plex of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from plex_simulator import Simulator
from tests.service import House, Service, ask, until
from tests.topologies import TOPOLOGIES, Topology

SMALL = {"movies": 60, "shows": 4, "artists": 3, "photo_albums": 2}
ITEMS = "/api/v1/plex/libraries/1/items?size=2"


@dataclass(frozen=True)
class Replaceable:
    """A service and what it depends on; `environment` is that of the service."""

    service: Service
    redis: Topology
    plex: Simulator
    environment: dict[str, str]


@pytest.fixture(scope="module", params=TOPOLOGIES)
def _replaceable(house: House, request: pytest.FixtureRequest) -> Iterator[Replaceable]:
    with ExitStack() as stack:
        plex = stack.enter_context(Simulator(seed=7, edge_cases=True, **SMALL))
        redis = stack.enter_context(closing(TOPOLOGIES[request.param](house.folder)))
        environment = {
            "REDIS_URL": redis.url,
            "DATABASE_URL": house.copied(),
            "PLEX_URL": plex.url,
            "PLEX_TOKEN": plex.owner_token,
            "IS_PATIENT_WITH_REDIS": "1",
        }
        service = house.service(None, workers=2, **environment)
        stack.enter_context(closing(service))
        yield Replaceable(service, redis, plex, house.environment | environment)


@pytest.fixture
def replaceable(_replaceable: Replaceable, house: House) -> Replaceable:
    """A service that serves hits of ITEMS; nobody is counted but the last user."""
    _replaceable.redis.clear()
    _replaceable.plex.heal()
    until(lambda: is_hit(_replaceable.service, house), 20, "the service is normal")
    _replaceable.plex.reset_requests()
    return _replaceable


def is_hit(service: Service, house: House) -> bool:
    """Tell whether a repeated request is a hit, or too many of them are refused."""
    answer = ask(service.url, ITEMS, house.people[-1].headers)
    return answer.status == 429 or answer.headers["x-plex-cache-status"] == "HIT"
