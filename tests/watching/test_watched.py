"""Watched and not watched: each viewer's own, and the same again changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.plex_links import PlexLink
from plex_integration.configuration.models import ViewerSettings
from plex_simulator import Simulator
from plex_simulator.models import Account, Item
from tests.watching.conftest import counts, episodes_of, marks, seasons_of, seen
from tests.writing.conftest import Writer

SCROBBLE, UNSCROBBLE = "/:/scrobble", "/:/unscrobble"


def watched(key: str) -> str:
    return f"/plex/items/{key}/watched"


def test_a_movie_is_marked_once_however_often_it_is_marked(
    api: Writer, plex: Simulator, anna: Account, movie: Item
) -> None:
    path, key = watched(movie.rating_key), movie.rating_key
    first = api.wrote("PUT", path)
    assert first["dryRun"] is False
    assert first["changed"] is True
    assert first["before"]["playbackProgress"] == {
        "viewOffset": 0,
        "viewCount": 0,
        "lastViewedAt": None,
    }
    item = first["item"]
    assert (item["ratingKey"], item["type"], item["title"]) == (key, "movie", movie.title)
    assert item["playbackProgress"]["viewCount"] == 1
    assert item["playbackProgress"]["lastViewedAt"] is not None
    for _ in range(2):
        again = api.wrote("PUT", path)
        assert (again["changed"], again["item"], again["before"]) == (False, item, item)
    assert marks(plex) == [(SCROBBLE, key)]
    assert seen(plex, key, anna).view_count == 1


def test_not_watched_clears_the_mark_and_the_resume_point(
    api: Writer, plex: Simulator, anna: Account, movie: Item
) -> None:
    key = movie.rating_key
    plex.catalogue.mark_watched(key, anna)
    plex.catalogue.set_progress(key, anna, 600_000)
    data = api.wrote("DELETE", watched(key))
    assert data["changed"] is True
    assert data["before"]["playbackProgress"]["viewOffset"] == 600_000
    assert data["item"]["playbackProgress"] == {
        "viewOffset": 0,
        "viewCount": 0,
        "lastViewedAt": None,
    }
    assert api.wrote("DELETE", watched(key))["changed"] is False
    plex.catalogue.set_progress(key, anna, 600_000)
    assert api.wrote("DELETE", watched(key))["changed"] is True
    assert marks(plex) == [(UNSCROBBLE, key)] * 2
    assert seen(plex, key, anna).view_offset == 0


def test_what_is_watched_already_keeps_its_resume_point(
    api: Writer, plex: Simulator, anna: Account, movie: Item
) -> None:
    key = movie.rating_key
    plex.catalogue.mark_watched(key, anna)
    plex.catalogue.set_progress(key, anna, 600_000)
    data = api.wrote("PUT", watched(key))
    assert data["changed"] is False
    assert data["item"]["playbackProgress"]["viewOffset"] == 600_000
    assert marks(plex) == []


def test_a_show_that_nobody_has_begun_is_marked_with_one_request(
    api: Writer, plex: Simulator, anna: Account, show: Item
) -> None:
    data = api.wrote("PUT", watched(show.rating_key))
    leaves = len(episodes_of(plex, show))
    assert (data["before"]["leafCount"], data["before"]["viewedLeafCount"]) == (leaves, 0)
    assert data["item"]["viewedLeafCount"] == leaves
    assert api.wrote("PUT", watched(show.rating_key))["changed"] is False
    assert marks(plex) == [(SCROBBLE, show.rating_key)]
    assert counts(plex, show, anna) == [1] * leaves


def test_of_a_begun_show_only_what_is_not_watched_is_marked(
    api: Writer, plex: Simulator, anna: Account, show: Item
) -> None:
    *others, last = seasons_of(plex, show)
    begun, *rest = plex.catalogue.children(last.rating_key)
    assert len(rest) > 1
    plex.catalogue.mark_watched(begun.rating_key, anna)
    data = api.wrote("PUT", watched(show.rating_key))
    assert data["changed"] is True
    assert data["item"]["viewedLeafCount"] == data["item"]["leafCount"]
    expected = [*(each.rating_key for each in rest), *(each.rating_key for each in others)]
    assert sorted(marks(plex)) == sorted((SCROBBLE, key) for key in expected)
    assert set(counts(plex, show, anna)) == {1}


def test_a_season_is_marked_and_cleared_with_all_its_episodes(
    api: Writer, plex: Simulator, anna: Account, show: Item
) -> None:
    season = seasons_of(plex, show)[-1]
    path = watched(season.rating_key)
    assert api.wrote("PUT", path)["item"]["viewedLeafCount"] == season.leaf_count
    assert api.wrote("PUT", path)["changed"] is False
    assert sum(counts(plex, show, anna)) == season.leaf_count
    data = api.wrote("DELETE", path)
    assert (data["changed"], data["item"]["viewedLeafCount"]) == (True, 0)
    assert api.wrote("DELETE", path)["changed"] is False
    assert marks(plex) == [(SCROBBLE, season.rating_key), (UNSCROBBLE, season.rating_key)]


def test_clearing_a_show_clears_the_resume_points_of_its_episodes(
    api: Writer, plex: Simulator, anna: Account, show: Item
) -> None:
    episode = episodes_of(plex, show)[0]
    plex.catalogue.set_progress(episode.rating_key, anna, 600_000)
    data = api.wrote("DELETE", watched(show.rating_key))
    assert (data["changed"], data["before"]["viewedLeafCount"]) == (True, 0)
    assert seen(plex, episode.rating_key, anna).view_offset == 0


def test_each_viewer_has_a_state_of_their_own(
    api: Writer, viewer_as: Callable[[Account], Writer], plex: Simulator, movie: Item
) -> None:
    other = viewer_as(plex.add_account("Berta"))
    other.wrote("DELETE", watched(movie.rating_key))
    api.wrote("PUT", watched(movie.rating_key))
    path = f"/plex/items/{movie.rating_key}"
    assert api.data(path)["item"]["playbackProgress"]["viewCount"] == 1
    assert other.data(path)["item"]["playbackProgress"]["viewCount"] == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_is_not_watched_is_refused_and_named(
    api: Writer, plex: Simulator, method: str
) -> None:
    photo = plex.catalogue.items("6", "photo")[0]
    artist = plex.catalogue.items("5", "artist")[0]
    for item in (photo, artist):
        error = api.refused(method, watched(item.rating_key), 400, "VALIDATION_ERROR")
        assert list(error["details"]) == ["ratingKey"]
        assert item.type in error["details"]["ratingKey"][0]
    assert marks(plex) == []


@pytest.mark.parametrize("key", ["999999", "abc"])
def test_an_unknown_item_is_not_found(api: Writer, key: str) -> None:
    api.refused("PUT", watched(key), 404, "ITEM_NOT_FOUND")
    api.refused("DELETE", watched(key), 404, "ITEM_NOT_FOUND")
    body = {"viewOffset": 60_000}
    api.refused("PUT", f"/plex/items/{key}/progress", 404, "ITEM_NOT_FOUND", json=body)


def test_an_item_of_a_library_that_is_not_shared_cannot_be_marked(
    viewer_as: Callable[[Account], Writer], plex: Simulator, movie: Item
) -> None:
    api = viewer_as(plex.add_account("Carl", libraries=["2"]))
    response = api.put(watched(movie.rating_key))
    assert response.status_code in (401, 403, 404)
    assert marks(plex) == []


@pytest.mark.parametrize("refuses_unlinked", [False, True])
def test_users_without_a_link_mark_nothing(
    signed_in: Callable[..., Writer], plex: Simulator, movie: Item, refuses_unlinked: bool
) -> None:
    ViewerSettings.objects.update_or_create(
        defaults={"unlinked": "refuse" if refuses_unlinked else "service"}
    )
    key = movie.rating_key
    requests: list[tuple[str, str, Any]] = [
        ("PUT", watched(key), None),
        ("DELETE", watched(key), None),
        ("PUT", f"/plex/items/{key}/progress", {"viewOffset": 600_000}),
        ("PUT", f"/plex/items/{key}/progress?dryRun=1", {}),
    ]
    for api in (signed_in(), signed_in("manage_collections"), signed_in(is_superuser=True)):
        for method, path, body in requests:
            error = api.refused(method, path, 403, "PLEX_LINK_REQUIRED", json=body)
            assert error["details"] == {"reason": ["not_linked"]}
    assert marks(plex) == []


@pytest.mark.parametrize("state", ["pending", "revoked", "no_access"])
def test_a_link_that_cannot_be_used_marks_nothing(
    api: Writer, plex: Simulator, movie: Item, state: str
) -> None:
    PlexLink.objects.update(state=state)
    for method in ("PUT", "DELETE"):
        error = api.refused(method, watched(movie.rating_key), 403, "PLEX_LINK_REQUIRED")
        assert error["details"] == {"reason": [state]}
    assert marks(plex) == []


def test_a_token_that_plex_has_replaced_marks_once_with_the_new_one(
    api: Writer, plex: Simulator, anna: Account, movie: Item, settings: Any
) -> None:
    settings.PLEX_TV_URL = plex.url
    link = PlexLink.objects.get()
    link.account_token, link.checked_at = anna.token, None
    link.save()
    plex.rotate_server_token(anna)
    assert api.wrote("PUT", watched(movie.rating_key))["changed"] is True
    assert seen(plex, movie.rating_key, anna).view_count == 1


def test_a_dry_run_says_what_would_change_and_writes_nothing(
    api: Writer, plex: Simulator, movie: Item, show: Item
) -> None:
    for key in (movie.rating_key, show.rating_key):
        planned = api.wrote("PUT", f"{watched(key)}?dryRun=true")
        assert (planned["dryRun"], planned["changed"]) == (True, True)
        assert planned["item"] == planned["before"]
        assert api.wrote("DELETE", f"{watched(key)}?dryRun=true")["changed"] is False
    assert marks(plex) == []


def test_a_repeated_key_gets_the_first_response_again(
    api: Writer, plex: Simulator, anna: Account, movie: Item
) -> None:
    path, headers = watched(movie.rating_key), {"Idempotency-Key": "mark-it"}
    first = api.wrote("PUT", path, headers=headers)
    plex.catalogue.mark_watched(movie.rating_key, anna, watched=False)
    response = api.put(path, headers=headers)
    assert response.headers["Idempotency-Replayed"] == "true"
    assert response.json()["data"] == first
    api.refused("DELETE", path, 409, "IDEMPOTENCY_KEY_REUSED", headers=headers)
    assert marks(plex) == [(SCROBBLE, movie.rating_key)]


def test_marks_count_as_writes(api: Writer, movie: Item) -> None:
    response = api.put(watched(movie.rating_key))
    assert response.headers["X-RateLimit-Limit"] == "30"
    assert response.headers["X-RateLimit-Remaining"] == "29"
    response = api.delete(f"{watched(movie.rating_key)}?dryRun=1")
    assert response.headers["X-RateLimit-Remaining"] == "28"


def test_a_mark_whose_response_was_lost_is_reported_as_it_is(
    api: Writer, plex: Simulator, anna: Account, movie: Item
) -> None:
    plex.fault("status", SCROBBLE, times=1, status=500)  # after Plex has carried it out
    plex.fault("disconnect", UNSCROBBLE, times=1)  # before that
    key = movie.rating_key
    assert api.wrote("PUT", watched(key))["item"]["playbackProgress"]["viewCount"] == 1
    error = api.refused("DELETE", watched(key), 503, "PLEX_SERVER_UNAVAILABLE")
    assert error["details"] == {"items": [{"ratingKey": key, "state": "unknown"}]}
    assert seen(plex, key, anna).view_count == 1


def test_a_show_that_was_marked_half_way_is_finished_by_the_same_request(
    api: Writer, plex: Simulator, anna: Account, show: Item
) -> None:
    season = seasons_of(plex, show)[-1]
    begun, *rest = plex.catalogue.children(season.rating_key)
    plex.catalogue.mark_watched(begun.rating_key, anna)
    plex.fault("disconnect", SCROBBLE, times=1)
    path = watched(season.rating_key)
    error = api.refused("PUT", path, 503, "PLEX_SERVER_UNAVAILABLE")
    (left,) = error["details"]["items"]
    assert left["state"] == "unknown"
    assert left["ratingKey"] in {each.rating_key for each in rest}
    assert api.wrote("PUT", path)["item"]["viewedLeafCount"] == season.leaf_count
    assert {seen(plex, each.rating_key, anna).view_count for each in (begun, *rest)} == {1}
    assert sum(counts(plex, show, anna)) == season.leaf_count
