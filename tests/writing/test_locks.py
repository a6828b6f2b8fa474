"""Writes to one collection run one after another over all workers, whatever becomes of Redis."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import OperationalError

from plex_integration.writing.held_locks import LOCK_MARGIN
from plex_integration.writing.locks import WriteLock
from plex_simulator import Simulator
from tests.postgresql import PostgreSQL
from tests.service import ROOT, House, Person, Service, Valkey, ask, until
from tests.writing.conftest import Writer, sent

NEW = "/api/v1/plex/libraries/1/collections"
BRIEF_SECONDS = 8


@pytest.fixture
def two(house: House, tmp_path: Path, plex: Simulator) -> Iterator[Service]:
    """Two workers whose Redis has died."""
    valkey = Valkey(tmp_path)
    service = house.service(
        valkey,
        workers=2,
        is_patient=False,
        DATABASE_URL=house.copied(),
        PLEX_URL=plex.url,
        PLEX_TOKEN=plex.owner_token,
    )
    try:
        valkey.kill()
        yield service
    finally:
        service.close()
        valkey.close()


@pytest.fixture
def copied(house: House) -> str:
    """The address of a database of the test's own."""
    return house.copied()


@pytest.fixture
def brief(house: House, copied: str, valkey: Valkey, plex: Simulator) -> Iterator[Service]:
    """Two workers whose requests may take `BRIEF_SECONDS`: long enough to be killed meanwhile."""
    service = house.service(
        valkey,
        workers=2,
        DATABASE_URL=copied,
        PLEX_URL=plex.url,
        PLEX_TOKEN=plex.owner_token,
        PLEX_TIMEOUT=str(BRIEF_SECONDS),
    )
    yield service
    service.close()


def post(service: Service, person: Person, path: str, body: Any) -> requests.Response:
    return requests.post(service.url + path, json=body, headers=person.headers, timeout=30)


def kill_all(service: Service) -> None:
    """Kill all workers, and wait for those that take their places."""
    victims = set(service.workers())
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    until(lambda: not victims & set(service.workers()), 20, "the workers are gone")
    until(lambda: len(service.workers()) == len(victims), 20, "others take their places")
    until(service.is_whole, 60, "these have started")


def held_locks(house: House, database: str) -> int:
    """Return how many locks are in a database, expired ones too."""
    with house.databases.rows(database) as execute:
        ((found,),) = execute("SELECT count(*) FROM plex_integration_writelock")
    return int(found)


def create(service: Service, plex: Simulator, person: Person) -> tuple[str, list[str]]:
    """Create a collection of one movie; return the path of its items, and other movies."""
    first, *others = (movie.rating_key for movie in plex.catalogue.items("1", "movie")[:4])
    answer = post(service, person, NEW, {"title": "Locked", "items": [first]})
    assert answer.status_code == 201, answer.text
    key = answer.json()["data"]["collection"]["ratingKey"]
    return f"/api/v1/plex/collections/{key}/items", others


def test_without_redis_two_workers_add_an_item_once(
    two: Service, plex: Simulator, house: House
) -> None:
    path, movies = create(two, plex, house.writers[0])
    for person in house.people[:12]:  # both workers have noticed that Redis is gone
        assert ask(two.url, NEW, person.headers).status == 200
    plex.reset_requests()
    plex.fault("slow", path="^/library/collections/.*/items$", delay=0.4)
    with ThreadPoolExecutor(8) as pool:
        pending = [
            pool.submit(post, two, house.writers[number % 4], path, {"items": movies[:1]})
            for number in range(8)
        ]
        answers = [each.result() for each in pending]
    assert {answer.status_code for answer in answers} <= {200, 409}
    states = [
        answer.json()["data"]["items"][0]["state"]
        for answer in answers
        if answer.status_code == 200
    ]
    assert states.count("added") == 1
    assert len(sent(plex)) == 1


def test_a_worker_that_dies_releases_its_locks_a_little_later(
    brief: Service, copied: str, plex: Simulator, house: House
) -> None:
    path, movies = create(brief, plex, house.writers[0])
    plex.fault("slow", path="^/library/collections/.*/items$", times=2, delay=60)
    with ThreadPoolExecutor(1) as pool:
        dying = pool.submit(post, brief, house.writers[0], path, {"items": movies[:1]})
        until(lambda: plex.faults[0]["left"] == 1, 10, "the write is at Plex")
        kill_all(brief)
        assert held_locks(house, copied) == 1
        with pytest.raises(requests.ConnectionError):
            dying.result()
    plex.heal()
    write = partial(post, brief, house.writers[0], path, {"items": movies[1:2]})
    until(
        lambda: write().status_code == 200, BRIEF_SECONDS + 2 * LOCK_MARGIN, "the lock has expired"
    )


# --- The locks themselves, by each database -------------------------------------------------------

RACE = """
import json, threading, time
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from plex_integration.writing import locks

acquired = []

def race(holder):
    acquired.append(locks.lock("target", holder, 60))
    connection.close()

def all_at_once():
    acquired.clear()
    threads = [threading.Thread(target=race, args=(f"{n}",)) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return acquired.count(True)

call_command("migrate", verbosity=0)
found = {"free": all_at_once(), "held": all_at_once()}
for holder in range(8):
    locks.unlock("target", f"{holder}")
found["released"] = all_at_once()
locks.unlock("target", "another")
found["of another"] = locks.lock("target", "another", 60)
locks.lock("brief", "first", 0.2)
until = time.monotonic() + 20
while not locks.lock("brief", "later", 60) and time.monotonic() < until:
    time.sleep(0.01)
found["expired"] = not locks.lock("brief", "another", 60)
print(json.dumps(found))
"""


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path}/locks.sqlite3"
    server: PostgreSQL = request.getfixturevalue("_postgresql")
    with server.connect() as connection:
        connection.execute("CREATE DATABASE locks")
    return server.url.rpartition("/")[0] + "/locks"


def test_of_many_who_want_a_lock_one_gets_it_until_it_is_released_or_expires(
    house: House, database: str
) -> None:
    raced = subprocess.run(
        [sys.executable, "-c", RACE],
        cwd=ROOT,
        env=house.environment | {"DATABASE_URL": database},
        check=True,
        stdout=subprocess.PIPE,
    )
    assert json.loads(raced.stdout) == {
        "free": 1,
        "held": 0,
        "released": 1,
        "expired": True,
        "of another": False,
    }


def test_a_lock_that_cannot_be_released_does_not_fail_the_write(
    writer: Writer, movies: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(WriteLock.objects, "filter", fail)
    writer.wrote(
        "POST", "/plex/libraries/1/collections", 201, json={"title": "Held", "items": movies[:1]}
    )
