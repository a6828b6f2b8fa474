"""Several worker processes that share one folder of pictures."""

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from plex_simulator import Simulator
from tests.service import House, Person, Service, ask, at_once, until

from .conftest import first, scaled


def test_all_workers_fetch_a_picture_once_and_share_it(
    service: Service, people: Sequence[Person], plex: Simulator
) -> None:
    item = first(plex, "2", "show")
    headers = people[0].headers
    body = ask(service.url, f"/api/v1/plex/items/{item.rating_key}", headers).json()
    link = body["data"]["item"]["thumbUrl"] + "&width=720"
    plex.reset_requests()
    plex.fault("slow", path="/photo/", delay=0.3)
    answers = at_once(service.url, [(link, {"Accept": "image/jpeg"})] * 32)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert {answer.headers["content-type"] for answer in answers} == {"image/jpeg"}
    assert len(scaled(plex)) == 1
    assert len(plex.requests) == 1
    remaining = sorted(int(answer.headers["x-ratelimit-remaining"]) for answer in answers)
    assert remaining == list(range(600 - 32, 600))


def test_a_worker_that_dies_while_it_fetches_holds_nobody_up(
    house: House, people: Sequence[Person], plex: Simulator
) -> None:
    item = first(plex, "2", "show")
    service = house.service(None, workers=2)
    try:
        headers = people[1].headers
        body = ask(service.url, f"/api/v1/plex/items/{item.rating_key}", headers).json()
        link = body["data"]["item"]["artUrl"] + "&width=160"
        plex.fault("silent", path="/photo/", times=1)
        waiting = threading.Thread(target=_status, args=(service.url, link))
        waiting.start()
        until(lambda: plex.faults[0]["left"] == 0, 10, "a worker asks Plex")
        for worker in service.workers():
            os.kill(worker, signal.SIGKILL)
        plex.heal()
        waiting.join(15)
        until(lambda: _status(service.url, link) == 200, 30, "another worker shows it")
    finally:
        service.close()


def test_pictures_outlive_the_service(
    house: House, people: Sequence[Person], plex: Simulator
) -> None:
    item = first(plex, "2", "show")
    path = f"/api/v1/plex/items/{item.rating_key}/images/thumb?width=1080"
    bodies = []
    for _ in range(2):
        service = house.service(None, workers=1)
        try:
            answer = ask(service.url, path, people[2].headers)
            assert answer.status == 200
            bodies.append(answer.body)
        finally:
            service.close()
    assert bodies[0] == bodies[1]
    assert [each["url"] for each in scaled(plex)].count(item.thumb) == 1
    assert Path(house.folder / "pictures" / "kept").is_dir()


def _status(root: str, path: str) -> int:
    try:
        return ask(root, path).status
    except (OSError, IndexError):
        return 0
