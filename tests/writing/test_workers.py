"""Writing through four workers that share a Redis: once, one after another, seen by all."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from plex_simulator import Simulator
from tests.service import House, Person, Service
from tests.writing.conftest import sent

NEW = "/api/v1/plex/libraries/1/collections"


@pytest.fixture
def plex(_simulator: Simulator) -> Iterator[Simulator]:
    """The simulated Plex that the workers are configured with, as it was before."""
    _simulator.heal()
    _simulator.reset_requests()
    before = {made.rating_key for made in _simulator.catalogue.collections("1")}
    yield _simulator
    _simulator.heal()
    for made in _simulator.catalogue.collections("1"):
        if made.rating_key not in before:
            _simulator.catalogue.remove_collection(made.rating_key)


@pytest.fixture
def writers(house: House) -> Sequence[Person]:
    return house.writers


def post(service: Service, person: Person, path: str, body: Any, **headers: str) -> Any:
    return requests.post(
        service.url + path, json=body, headers=person.headers | headers, timeout=30
    )


def test_the_same_at_once_through_many_workers_is_done_once_and_seen_by_all(
    service: Service, plex: Simulator, writers: Sequence[Person], people: Sequence[Person]
) -> None:
    items = [movie.rating_key for movie in plex.catalogue.items("1", "movie")[:6]]
    body = {"title": "Workers", "items": items[:2]}
    key = {"Idempotency-Key": "one-for-all"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(service, writers[0], NEW, body, **key), range(8)))
    assert [answer.status_code for answer in answers] == [201] * 8, answers[0].text
    assert len({str(answer.json()["data"]) for answer in answers}) == 1
    assert sent(plex) == ["POST /library/collections"]

    made = answers[0].json()["data"]["collection"]["ratingKey"]
    path = f"/api/v1/plex/collections/{made}"

    def read(person: Person) -> set[str]:
        answer = requests.get(service.url + path, headers=person.headers, timeout=30)
        return {item["ratingKey"] for item in answer.json()["data"]["items"]}

    with ThreadPoolExecutor(8) as pool:
        # All workers keep it, then four write to it at once.
        assert all(found == set(items[:2]) for found in pool.map(read, people[10:26]))
        added = list(
            pool.map(
                lambda number: post(
                    service, writers[number], f"{path}/items", {"items": items[: number + 3]}
                ),
                range(4),
            )
        )
        assert [answer.status_code for answer in added] == [200] * 4, added[0].text
        assert all(found == set(items) for found in pool.map(read, people[10:26]))
    reported = [item for answer in added for item in answer.json()["data"]["items"]]
    assert sorted(item["ratingKey"] for item in reported if item["state"] == "added") == items[2:]
    gone = requests.delete(service.url + path, headers=writers[1].headers, timeout=30)
    assert gone.status_code == 200
    for person in people[10:26]:
        answer = requests.get(service.url + path, headers=person.headers, timeout=30)
        assert answer.status_code == 404


def test_thirty_writes_a_minute_hold_over_all_workers(
    service: Service, plex: Simulator, writers: Sequence[Person]
) -> None:
    body = {"title": "Many", "items": ["404"]}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(service, writers[2], NEW, body), range(40)))
    assert sorted(answer.status_code for answer in answers) == [400] * 30 + [429] * 10
