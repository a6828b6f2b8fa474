"""The resume point of an item, between the first minute and the server's threshold."""

from typing import Any

import pytest
import requests

from plex_simulator import Simulator
from plex_simulator.models import Account, Item
from tests.watching.conftest import marks, seen
from tests.writing.conftest import Writer

UNSCROBBLE, PROGRESS = "/:/unscrobble", "/:/progress"


def set_threshold(plex: Simulator, percent: int) -> None:
    changed = requests.put(
        f"{plex.url}/:/prefs?LibraryVideoPlayedThreshold={percent}",
        headers={"X-Plex-Token": plex.owner_token},
        timeout=10,
    )
    assert changed.status_code == 200


def progress(key: str) -> str:
    return f"/plex/items/{key}/progress"


def refused(api: Writer, key: str, offset: Any) -> str:
    """Return the message that names the offset."""
    error = api.refused("PUT", progress(key), 400, "VALIDATION_ERROR", json={"viewOffset": offset})
    assert list(error["details"]) == ["viewOffset"]
    (message,) = error["details"]["viewOffset"]
    return str(message)


def test_a_resume_point_is_set_exactly_and_once(
    api: Writer, plex: Simulator, anna: Account, movie: Item
) -> None:
    key, body = movie.rating_key, {"viewOffset": 600_001}
    first = api.wrote("PUT", progress(key), json=body)
    assert (first["changed"], first["before"]["playbackProgress"]["viewOffset"]) == (True, 0)
    assert first["item"]["playbackProgress"]["viewOffset"] == 600_001
    for same in (body, {"viewOffset": 600_001.0}):
        again = api.wrote("PUT", progress(key), json=same)
        assert (again["changed"], again["item"]) == (False, first["item"])
    assert marks(plex) == [(PROGRESS, key)]
    assert seen(plex, key, anna).view_count == 0


def test_a_resume_point_leaves_the_mark(
    api: Writer, plex: Simulator, anna: Account, movie: Item
) -> None:
    plex.catalogue.mark_watched(movie.rating_key, anna)
    data = api.wrote("PUT", progress(movie.rating_key), json={"viewOffset": 60_000})
    shown = data["item"]["playbackProgress"]
    assert (shown["viewCount"], shown["viewOffset"]) == (1, 60_000)


@pytest.mark.parametrize("offset", [0, 59_999])
def test_the_first_minute_clears_the_resume_point(
    api: Writer, plex: Simulator, anna: Account, movie: Item, offset: int
) -> None:
    key, body = movie.rating_key, {"viewOffset": offset}
    assert api.wrote("PUT", progress(key), json=body)["changed"] is False
    plex.catalogue.set_progress(key, anna, 600_000)
    data = api.wrote("PUT", progress(key), json=body)
    assert data["changed"] is True
    assert data["item"]["playbackProgress"]["viewOffset"] == 0
    assert marks(plex) == [(UNSCROBBLE, key)]


def test_clearing_never_takes_a_mark_away(
    api: Writer, plex: Simulator, anna: Account, movie: Item
) -> None:
    key = movie.rating_key
    plex.catalogue.mark_watched(key, anna)
    assert api.wrote("PUT", progress(key), json={"viewOffset": 0})["changed"] is False
    plex.catalogue.set_progress(key, anna, 600_000)
    for offset in (0, 30_000):
        assert "watched" in refused(api, key, offset)
    assert marks(plex) == []
    assert seen(plex, key, anna).view_offset == 600_000


@pytest.mark.parametrize(("percent", "last"), [(90, 5_399_999), (50, 2_999_999)])
def test_from_the_servers_threshold_on_it_is_watched_instead(
    api: Writer, plex: Simulator, movie: Item, percent: int, last: int
) -> None:
    set_threshold(plex, percent)
    key = movie.rating_key
    assert "watched" in refused(api, key, last + 1)
    assert "duration" in refused(api, key, 6_000_001)
    assert marks(plex) == []
    data = api.wrote("PUT", progress(key), json={"viewOffset": last})
    assert data["item"]["playbackProgress"]["viewOffset"] == last


@pytest.mark.parametrize("kind", ["status", "html", "empty"])
def test_a_threshold_that_cannot_be_read_is_ninety_percent(
    api: Writer, plex: Simulator, movie: Item, kind: str
) -> None:
    set_threshold(plex, 50)
    plex.fault(kind, "^/:/prefs$")
    assert "90 %" in refused(api, movie.rating_key, 5_400_000)
    api.wrote("PUT", progress(movie.rating_key), json={"viewOffset": 5_399_999})


def test_the_threshold_is_read_once_and_with_the_services_own_token(
    api: Writer, plex: Simulator, movie: Item
) -> None:
    for offset in (70_000, 80_000, 90_000):
        api.wrote("PUT", progress(movie.rating_key), json={"viewOffset": offset})
    (read,) = [each for each in plex.requests if each.path == "/:/prefs"]
    assert (read.status, read.user) == (200, plex.accounts.owner.name)


@pytest.mark.parametrize(
    "offset", [-1, 1.5, "60000", True, None, [60_000], 2**31, 10**400], ids=str
)
def test_an_offset_is_a_whole_number(api: Writer, movie: Item, offset: Any) -> None:
    refused(api, movie.rating_key, offset)


def test_a_body_without_an_offset_is_refused(api: Writer, movie: Item) -> None:
    error = api.refused("PUT", progress(movie.rating_key), 400, "VALIDATION_ERROR", json={})
    assert list(error["details"]) == ["viewOffset"]


def test_only_what_is_played_has_a_resume_point(api: Writer, plex: Simulator, show: Item) -> None:
    season = plex.catalogue.children(show.rating_key)[0]
    photo = plex.catalogue.items("6", "photo")[0]
    for item in (show, season, photo):
        path, body = progress(item.rating_key), {"viewOffset": 60_000}
        error = api.refused("PUT", path, 400, "VALIDATION_ERROR", json=body)
        assert list(error["details"]) == ["ratingKey"]
        assert item.type in error["details"]["ratingKey"][0]
    assert marks(plex) == []


def test_a_dry_run_sets_nothing(api: Writer, plex: Simulator, movie: Item) -> None:
    path = f"{progress(movie.rating_key)}?dryRun=true"
    planned = api.wrote("PUT", path, json={"viewOffset": 600_000})
    assert (planned["dryRun"], planned["changed"]) == (True, True)
    assert planned["item"] == planned["before"]
    api.refused("PUT", path, 400, "VALIDATION_ERROR", json={"viewOffset": 5_900_000})
    assert marks(plex) == []
