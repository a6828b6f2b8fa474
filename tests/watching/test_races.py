"""Marks that are set at the same moment count once: for an item, a show and what is in it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.plex_links import PlexLink
from plex_simulator import Simulator
from plex_simulator.models import Account, Item
from tests.service import House, Person, Service, Valkey, until
from tests.watching.conftest import counts, episodes_of, marks, seasons_of, seen
from tests.writing.conftest import Writer


def save_link(
    house: House, database: str, plex: Simulator, person: Person, account: Account
) -> None:
    """Give a user of another database the view that an account has of Plex."""
    link = PlexLink(
        user=User(pk=person.id),
        account_id=person.id,
        viewer_id=account.plex_tv_id,
        machine_identifier=plex.machine_identifier,
        linked_at=timezone.now(),
        checked_at=timezone.now(),
    )
    link.server_token = account.server_token
    fields = [field for field in PlexLink._meta.concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(getattr(link, field.attname), connection) for field in fields]
    names = ", ".join(field.column for field in fields)
    places = ", ".join("%s" for _ in fields)
    with house.databases.rows(database) as execute:
        execute(f"INSERT INTO accounts_plexlink ({names}) VALUES ({places})", values)


@pytest.fixture
def two(house: House, valkey: Valkey, plex: Simulator, anna: Account) -> Iterator[Service]:
    """Two workers, for which the first four people see what Anna sees."""
    database = house.copied()
    for person in house.people[:4]:
        save_link(house, database, plex, person, anna)
    service = house.service(
        valkey, workers=2, DATABASE_URL=database, PLEX_URL=plex.url, PLEX_TOKEN=plex.owner_token
    )
    yield service
    service.close()


def at_once(service: Service, people: Sequence[Person], keys: Sequence[str]) -> list[Any]:
    """Mark items as watched, each as each of some people; return what is under `data`."""

    def mark(person: Person, key: str) -> Any:
        url = f"{service.url}/api/v1/plex/items/{key}/watched"
        response = requests.put(url, headers=person.headers, timeout=30)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    wanted = [(person, key) for key in keys for person in people]
    with ThreadPoolExecutor(len(wanted)) as pool:
        return [each.result() for each in [pool.submit(mark, *one) for one in wanted]]


def test_many_marks_at_once_through_two_workers_are_one_view(
    two: Service, house: House, plex: Simulator, anna: Account, movie: Item
) -> None:
    plex.fault("slow", "/:/scrobble", delay=0.2)
    answers = at_once(two, house.people[:4], [movie.rating_key] * 2)
    assert [answer["changed"] for answer in answers].count(True) == 1
    assert {each["item"]["playbackProgress"]["viewCount"] for each in answers} == {1}
    assert marks(plex) == [("/:/scrobble", movie.rating_key)]
    assert seen(plex, movie.rating_key, anna).view_count == 1


def test_a_show_its_seasons_and_its_episodes_at_once_through_two_workers_are_one_view_each(
    two: Service, house: House, plex: Simulator, anna: Account, show: Item
) -> None:
    below = [*seasons_of(plex, show), *episodes_of(plex, show)]
    plex.fault("slow", "/:/scrobble", delay=0.1)
    at_once(two, house.people[:2], [*(each.rating_key for each in below), show.rating_key])
    assert set(counts(plex, show, anna)) == {1}


@pytest.mark.parametrize("first", ["episode", "season", "show"])
@pytest.mark.parametrize("second", ["episode", "season", "show"])
def test_what_is_being_marked_is_not_counted_again_by_what_belongs_to_it(
    api: Writer, plex: Simulator, anna: Account, show: Item, first: str, second: str
) -> None:
    season = seasons_of(plex, show)[-1]
    episode = plex.catalogue.children(season.rating_key)[0]
    keys = {
        "episode": episode.rating_key,
        "season": season.rating_key,
        "show": show.rating_key,
    }
    plex.fault("slow", "/:/scrobble", times=1, delay=0.5)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(api.wrote, "PUT", f"/plex/items/{keys[first]}/watched")
        until(lambda: plex.faults[0]["left"] == 0, 5, "the first mark is at Plex")
        api.wrote("PUT", f"/plex/items/{keys[second]}/watched")
        pending.result()
    assert seen(plex, episode.rating_key, anna).view_count == 1
    assert max(counts(plex, show, anna)) == 1


def test_a_resume_point_that_is_being_removed_does_not_take_the_mark_of_the_show(
    api: Writer, plex: Simulator, anna: Account, show: Item
) -> None:
    episode = episodes_of(plex, show)[0].rating_key
    plex.catalogue.set_progress(episode, anna, 70_000)
    plex.fault("slow", "/:/unscrobble", times=1, delay=0.5)
    path, body = f"/plex/items/{episode}/progress", {"viewOffset": 0}
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(api.wrote, "PUT", path, json=body)
        until(lambda: plex.faults[0]["left"] == 0, 5, "the removal is at Plex")
        api.wrote("PUT", f"/plex/items/{show.rating_key}/watched")
        pending.result()
    assert set(counts(plex, show, anna)) == {1}


def test_a_slow_mark_delays_no_write_to_something_else(
    api: Writer, plex: Simulator, movie: Item, show: Item
) -> None:
    plex.fault("slow", "/:/scrobble", times=1, delay=8)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(api.put, f"/plex/items/{movie.rating_key}/watched")
        until(lambda: plex.faults[0]["left"] == 0, 5, "the first mark is at Plex")
        assert api.wrote("PUT", f"/plex/items/{show.rating_key}/watched")["changed"] is True
        assert not pending.done()
        plex.heal()
        assert pending.result().status_code == 200
