"""A Redis whose memory is full refuses writes, and answers everything else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medianest.store import Condition
from plex_simulator import Simulator
from tests.service import House, Service, Stores, Valkey, ask, until


@pytest.fixture
def bounded(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey that evicts nothing."""
    server = Valkey(tmp_path, "--maxmemory-policy", "noeviction")
    yield server
    server.close()


def fill(server: Valkey) -> None:
    """Let it refuse writes."""
    server.client.config_set("maxmemory", 1)


def free(server: Valkey) -> None:
    server.client.config_set("maxmemory", 0)


@pytest.mark.parametrize("full", ["cache", "limits"])
def test_the_store_says_which_condition_redis_is_in(
    stores: Stores, bounded: Valkey, valkey: Valkey, full: str
) -> None:
    urls = (bounded.url, valkey.url) if full == "cache" else (valkey.url, bounded.url)
    shared = stores.use(*urls)
    assert shared.condition() is Condition.OK
    fill(bounded)
    assert shared.condition() is Condition.FULL
    free(bounded)
    assert shared.condition() is Condition.OK


def test_the_health_of_a_service_whose_redis_is_full_is_degraded_and_it_responds(
    house: House, bounded: Valkey, plex: Simulator
) -> None:
    service = house.service(bounded, workers=1, DATABASE_URL=house.copied())
    try:
        until(lambda: health(service) == ("healthy", "ok"), 10, "it is healthy")
        fill(bounded)
        assert health(service) == ("degraded", "full")
        read = ask(service.url, "/api/v1/plex/libraries", house.people[0].headers)
        assert read.status == 200
        free(bounded)
        assert health(service) == ("healthy", "ok")
    finally:
        service.close()


def health(service: Service) -> tuple[str, str]:
    answer = ask(service.url, "/api/v1/health")
    assert answer.status == 200
    data = answer.json()["data"]
    return data["status"], data["checks"]["redis"]
