"""Plex fails half way: the answer tells what was done, item by item, and asking again finishes."""

from collections import Counter
from typing import Any

import pytest
from plexapi.server import PlexServer

from plex_integration.plex import editing
from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import until
from tests.writing.conftest import Writer, sent

NEW = "/plex/libraries/1/collections"
CREATING, FILLING = "^/library/collections$", "^/library/collections/[0-9]+/items$"
UNAVAILABLE, NONSENSE = (503, "PLEX_SERVER_UNAVAILABLE"), (502, "PLEX_API_ERROR")


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make pieces so small that 14 movies fit into one."""
    monkeypatch.setattr(editing, "MAX_TARGET_LENGTH", 400 + 14 * 7)
    return 14


@pytest.fixture
def collection(writer: Writer, movies: list[str]) -> str:
    data = writer.wrote("POST", NEW, 201, json={"title": "Half", "items": movies[:1]})
    key: str = data["collection"]["ratingKey"]
    return key


@pytest.fixture
def playlist(writer: Writer, movies: list[str]) -> str:
    body = {"title": "Half", "items": movies[:1]}
    key: str = writer.wrote("POST", "/plex/playlists", 201, json=body)["playlist"]["ratingKey"]
    return key


def fault_after(
    plex: Simulator, changes: int, kind: str, path: str | None = None, **options: Any
) -> None:
    """Switch a fault on once Plex has made so many changes."""
    left = [changes]

    def listen(change: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            plex.fault(kind, path, **options)

    plex.catalogue.listeners.append(listen)


def states(error: Any) -> dict[str, str]:
    return {item["ratingKey"]: item["state"] for item in error["details"]["items"]}


def held(plex: Simulator, collection: str) -> list[str]:
    return [item.rating_key for item in plex.catalogue.collection_items(collection)]


def titled(plex: Simulator, title: str) -> list[str]:
    return [each.rating_key for each in plex.catalogue.collections("1") if each.title == title]


def test_a_thousand_items_are_sent_in_pieces_that_fit_a_url(
    writer: Writer, settings: Any, movies: list[str]
) -> None:
    with Simulator(seed=3, movies=1_010, shows=1, artists=1, photo_albums=1) as plex:
        settings.PLEX_URL = plex.url
        settings.PLEX_TOKEN = plex.owner_token
        wanted = [movie.rating_key for movie in plex.catalogue.items("1", "movie")]
        data = writer.wrote("POST", NEW, 201, json={"title": "All", "items": wanted[:1_000]})
        assert Counter(item["state"] for item in data["items"]) == {"added": 1_000}
        key = data["collection"]["ratingKey"]
        assert sorted(held(plex, key)) == sorted(wanted[:1_000])
        assert len(sent(plex)) == 2, "the creation, and the rest"
        data = writer.wrote("POST", f"/plex/collections/{key}/items", json={"items": wanted[10:]})
        counts = Counter(item["state"] for item in data["items"])
        assert counts == {"alreadyThere": 990, "added": 10}
        video = writer.wrote(
            "POST", "/plex/playlists", 201, json={"title": "x", "items": wanted[:1_000]}
        )
        assert video["playlist"]["itemCount"] == 1_000
        assert [item["ratingKey"] for item in video["items"]] == wanted[:1_000]
        longest = max(len(str(each.query)) for each in plex.requests if each.method != "GET")
        assert longest < editing.MAX_TARGET_LENGTH


def test_half_way_the_answer_tells_what_was_done_and_asking_again_finishes_it(
    writer: Writer, reader: Writer, plex: Simulator, movies: list[str],
    collection: str, small_pieces: int,
) -> None:  # fmt: skip
    assert len(reader.data(f"/plex/collections/{collection}")["items"]) == 1
    fault_after(plex, 2, "disconnect", FILLING)
    path, body = f"/plex/collections/{collection}/items", {"items": movies}
    error = writer.refused("POST", path, *UNAVAILABLE, json=body)
    assert error["details"]["collection"] == collection
    reported = states(error)
    assert list(reported) == movies
    assert Counter(reported.values()) == {
        "alreadyThere": 1,
        "added": 2 * small_pieces,
        "unknown": small_pieces,
        "failed": len(movies) - 1 - 3 * small_pieces,
    }
    done = {key for key, state in reported.items() if state in ("added", "alreadyThere")}
    assert set(held(plex, collection)) == done
    # What was done is seen by everybody, although the write failed.
    shown = reader.data(f"/plex/collections/{collection}")["items"]
    assert {item["ratingKey"] for item in shown} == done
    plex.heal()
    again = writer.wrote("POST", path, json=body)
    for item in again["items"]:
        assert item["state"] == ("alreadyThere" if item["ratingKey"] in done else "added")
    assert sorted(held(plex, collection)) == sorted(movies)


def test_half_way_through_a_playlist_too(
    writer: Writer, plex: Simulator, plexapi: PlexServer, movies: list[str],
    playlist: str, small_pieces: int, settings: Any,
) -> None:  # fmt: skip
    settings.PLEX_TIMEOUT = 2
    plex.fault("slow", f"/playlists/{playlist}/items", delay=0.35)
    path, body = f"/plex/playlists/{playlist}/items", {"items": movies}
    watch = Stopwatch()
    error = writer.refused("POST", path, *UNAVAILABLE, json=body)
    assert watch.keeps(settings.PLEX_TIMEOUT + 1), watch
    assert error["details"]["playlist"] == playlist
    reported = states(error)
    assert list(reported) == movies
    assert reported[movies[0]] == "alreadyThere"
    assert "added" in reported.values()
    assert {"failed", "unknown"} & set(reported.values())
    plex.heal()
    settings.PLEX_TIMEOUT = 10
    again = writer.wrote("POST", path, json=body)
    assert {item["state"] for item in again["items"]} == {"alreadyThere", "added"}
    seen = [str(item.ratingKey) for item in plexapi.fetchItem(f"/playlists/{playlist}").items()]
    assert sorted(seen) == sorted(movies)


def test_what_was_done_although_plex_said_otherwise_counts_as_done(
    writer: Writer, plex: Simulator, movies: list[str], collection: str
) -> None:
    plex.fault("status", FILLING, status=500)
    path = f"/plex/collections/{collection}/items"
    data = writer.wrote("POST", path, json={"items": movies[:3]})
    assert [item["state"] for item in data["items"]] == ["alreadyThere", "added", "added"]
    plex.fault("status", "^/library/collections/[0-9]+/items/", status=500)
    assert writer.wrote("DELETE", f"{path}/{movies[1]}")["items"][0]["state"] == "removed"
    assert sorted(held(plex, collection)) == sorted([movies[0], movies[2]])
    plex.fault("status", "^/library/sections/1/all$", status=500)
    shown = writer.wrote("PATCH", f"/plex/collections/{collection}", json={"title": "Whole"})
    assert shown["collection"]["title"] == "Whole"
    plex.fault("status", f"^/library/collections/{collection}$", status=500)
    writer.wrote("DELETE", f"/plex/collections/{collection}")
    assert titled(plex, "Whole") == []


def test_items_that_disappear_meanwhile_are_reported_as_failed(
    writer: Writer, plex: Simulator, movies: list[str], collection: str, small_pieces: int
) -> None:
    def remove(change: Any) -> None:
        plex.catalogue.listeners.remove(remove)
        plex.catalogue.remove(movies[-1])

    plex.catalogue.listeners.append(remove)
    path = f"/plex/collections/{collection}/items"
    wanted = movies[1 : small_pieces + 1] + movies[-2:]
    error = writer.refused("POST", path, *NONSENSE, json={"items": wanted})
    reported = states(error)
    assert [key for key, state in reported.items() if state == "failed"] == movies[-2:]
    error = writer.refused("POST", path, 400, "VALIDATION_ERROR", json={"items": wanted})
    assert error["details"] == {"items": [f"{movies[-1]}: there is no such item."]}


def test_what_never_reached_plex_is_reported_as_failed(
    writer: Writer, plex: Simulator, movies: list[str], collection: str, small_pieces: int
) -> None:
    fault_after(plex, 1, "refused")
    path = f"/plex/collections/{collection}/items"
    error = writer.refused("POST", path, *UNAVAILABLE, json={"items": movies})
    # It took the first piece and was gone before it could say so.
    counts = Counter(states(error).values())
    assert counts == {
        "alreadyThere": 1, "unknown": small_pieces, "failed": len(movies) - 1 - small_pieces
    }  # fmt: skip
    plex.heal()
    assert writer.wrote("POST", path, json={"items": movies})["collection"]["childCount"] == 60


def test_nothing_is_written_to_a_plex_that_is_unavailable(
    writer: Writer, plex: Simulator, movies: list[str], collection: str
) -> None:
    writer.data("/plex/libraries")
    plex.fault("refused")
    path = f"/plex/collections/{collection}"
    writer.refused("POST", f"{path}/items", *UNAVAILABLE, json={"items": movies[:1]})
    writer.refused("DELETE", path, *UNAVAILABLE)
    writer.refused("POST", NEW, *UNAVAILABLE, json={"title": "x", "items": movies[:1]})


STEPS: list[tuple[str, str, Any, str]] = [
    ("POST", "/items", {"items": ["1003"]}, FILLING),
    ("DELETE", "/items/1000", None, "^.*/items/1000$"),
    ("PUT", "/items/1000/position", {"after": "1001"}, "^.*/move$"),
    ("PUT", "/items/1000/position", {"after": "1001"}, "^.*/prefs$"),
    ("PATCH", "", {"title": "x"}, "^/library/sections/1/all$"),
    ("PATCH", "", {"mode": "hide"}, "^.*/prefs$"),
    ("DELETE", "", None, "^/library/collections/[0-9]+$"),
]


@pytest.mark.parametrize(("method", "rest", "body", "stuck"), STEPS)
@pytest.mark.parametrize("kind", ["silent", "drip_headers"])
def test_no_write_takes_longer_than_its_time(
    writer: Writer, plex: Simulator, settings: Any,
    kind: str, method: str, rest: str, body: Any, stuck: str,
) -> None:  # fmt: skip
    items = ["1000", "1001", "1002"]
    made = writer.wrote("POST", NEW, 201, json={"title": "Slow", "items": items})
    settings.PLEX_TIMEOUT = (
        2  # a fifth of it is reserved to read what was done: 0.2 s can be too short
    )
    plex.fault(kind, stuck)
    path = f"/plex/collections/{made['collection']['ratingKey']}{rest}"
    watch = Stopwatch()
    response = writer.request(method, path, json=body)
    assert watch.keeps(settings.PLEX_TIMEOUT + 1), watch
    if kind == "silent":
        assert response.status_code == 503, response.text
        details = response.json()["error"]["details"]
        assert details["collection"] == made["collection"]["ratingKey"]
        reported = {
            each["state"] for each in (*details.get("items", []), *details.get("changes", []))
        }
        assert reported <= {"unknown", "failed", "done" if stuck == "^.*/move$" else "failed"}
    elif response.status_code != 200:  # it was done before the answer began to drip
        # There was no time left to move the item.
        assert stuck == "^.*/prefs$", response.text
        details = response.json()["error"]["details"]
        assert details["items"] == [{"ratingKey": "1000", "state": "failed"}]
        assert details["changes"] == [{"field": "sortOrder", "state": "done"}]


@pytest.mark.parametrize("kind", ["silent", "disconnect"])
def test_nothing_is_sent_twice_by_itself(
    writer: Writer, plex: Simulator, movies: list[str], collection: str, settings: Any, kind: str
) -> None:
    settings.PLEX_TIMEOUT = 1
    plex.reset_requests()
    plex.fault(kind, FILLING)
    path = f"/plex/collections/{collection}/items"
    writer.refused("POST", path, *UNAVAILABLE, json={"items": movies[:3]})
    plex.heal()
    until(lambda: sent(plex), 5, "Plex noted the request it did not answer")
    assert sent(plex) == [f"PUT /library/collections/{collection}/items"]


@pytest.mark.parametrize(
    ("kind", "options"),
    [("status", {"status": 500}), ("html", {}), ("empty", {}), ("truncated", {}), ("cut", {})],
)
def test_a_creation_whose_answer_is_lost_is_found_again(
    writer: Writer, plex: Simulator, movies: list[str], kind: str, options: Any
) -> None:
    plex.fault(kind, CREATING, **options)
    data = writer.wrote("POST", NEW, 201, json={"title": "Lost", "items": movies[:3]})
    assert titled(plex, "Lost") == [data["collection"]["ratingKey"]]
    assert data["collection"]["childCount"] == 3


def test_a_creation_that_came_too_late_is_gone_on_with(
    writer: Writer, plex: Simulator, movies: list[str], settings: Any
) -> None:
    settings.PLEX_TIMEOUT = 1
    plex.fault("slow", CREATING, delay=1.1)
    body = {"title": "Late", "items": movies[:3], "summary": "At last"}
    error = writer.refused("POST", NEW, *UNAVAILABLE, json=body)
    assert set(states(error).values()) == {"unknown"}
    until(lambda: titled(plex, "Late"), 5, "Plex created it after all")
    plex.heal()
    settings.PLEX_TIMEOUT = 10
    data = writer.wrote("POST", NEW, 201, json=body)
    assert titled(plex, "Late") == [data["collection"]["ratingKey"]]
    assert data["collection"]["summary"] == "At last"
    # That one is finished: who asks once more wants another.
    writer.wrote("POST", NEW, 201, json=body)
    assert len(titled(plex, "Late")) == 2


def test_a_creation_that_plex_refused_leaves_nothing_behind(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    plex.fault("disconnect", CREATING)
    body = {"title": "Refused", "items": movies[:3]}
    writer.refused("POST", NEW, *UNAVAILABLE, json=body)
    plex.heal()
    plex.catalogue.add_collection("1", "Refused, somebody else's", "movie", movies[:1])
    writer.wrote("POST", NEW, 201, json=body)
    assert len(titled(plex, "Refused")) == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "the-same"}])
def test_a_creation_that_failed_half_way_is_finished_by_asking_again(
    writer: Writer, plex: Simulator, movies: list[str], small_pieces: int, headers: Any
) -> None:
    fault_after(plex, 2, "disconnect", FILLING)
    body = {"title": "Halves", "items": movies, "summary": "Whole"}
    error = writer.refused("POST", NEW, *UNAVAILABLE, json=body, headers=headers)
    (key,) = titled(plex, "Halves")
    assert error["details"]["collection"] == key
    reported = states(error)
    done = {item for item, state in reported.items() if state == "added"}
    assert 0 < len(done) < len(movies)
    assert set(held(plex, key)) == done
    plex.heal()
    response = writer.post(NEW, json=body, headers=headers)
    assert response.status_code == 201, response.text
    assert response.headers["Location"].endswith(f"/{key}")
    data = response.json()["data"]
    assert (data["collection"]["summary"], data["collection"]["childCount"]) == ("Whole", 60)
    assert titled(plex, "Halves") == [key]
    assert sorted(held(plex, key)) == sorted(movies)


def test_a_playlist_that_failed_half_way_is_finished_by_asking_again(
    writer: Writer, plex: Simulator, movies: list[str], small_pieces: int, settings: Any
) -> None:
    settings.PLEX_TIMEOUT = 2
    plex.fault("silent", "^/playlists/[0-9]+/items$")
    plex.fault("slow", "^/playlists/[0-9]+/items$", times=1, delay=0)  # the second piece is added
    body = {"title": "Halves", "items": movies}
    error = writer.refused("POST", "/plex/playlists", *UNAVAILABLE, json=body)
    assert "added" in states(error).values()
    plex.heal()
    settings.PLEX_TIMEOUT = 10
    data = writer.wrote("POST", "/plex/playlists", 201, json=body)
    made = [each for each in plex.catalogue.playlists if each.title == "Halves"]
    assert [each.rating_key for each in made] == [data["playlist"]["ratingKey"]]
    assert sorted(entry.rating_key for entry in made[0].entries) == sorted(movies)


def test_a_summary_that_failed_is_reported_and_finished_by_the_same_request(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    plex.fault("disconnect", "^/library/sections/1/all$")
    body = {"title": "Mute", "items": movies[:2], "summary": "Words"}
    error = writer.refused("POST", NEW, *UNAVAILABLE, json=body)
    assert error["details"]["changes"] == [{"field": "summary", "state": "unknown"}]
    assert set(states(error).values()) == {"added"}
    plex.heal()
    assert writer.wrote("POST", NEW, 201, json=body)["collection"]["summary"] == "Words"
    assert len(titled(plex, "Mute")) == 1


def test_changes_that_failed_half_way_are_reported_field_by_field(
    writer: Writer, plex: Simulator, collection: str
) -> None:
    plex.fault("disconnect", "^.*/prefs$")
    path, body = f"/plex/collections/{collection}", {"title": "New", "sortOrder": "alpha"}
    error = writer.refused("PATCH", path, *UNAVAILABLE, json=body)
    assert error["details"] == {
        "collection": collection,
        "changes": [
            {"field": "title", "state": "done"},
            {"field": "sortOrder", "state": "unknown"},
        ],
    }
    plex.heal()
    assert writer.data(path)["collection"]["title"] == "New"
    data = writer.wrote("PATCH", path, json=body)
    assert [change["field"] for change in data["changes"]] == ["sortOrder"]


def test_what_plex_took_and_does_not_show_is_reported(
    writer: Writer, plex: Simulator, movies: list[str], collection: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(editing.CollectionEditor, "add", lambda *_: None)
    path = f"/plex/collections/{collection}/items"
    error = writer.refused("POST", path, *NONSENSE, json={"items": movies[:2]})
    assert states(error) == {movies[0]: "alreadyThere", movies[1]: "failed"}


def test_a_plex_that_refuses_the_token_is_reported(
    writer: Writer, plex: Simulator, movies: list[str], settings: Any
) -> None:
    settings.PLEX_TOKEN = plex.viewer_token
    writer.data("/plex/libraries")
    body = {"title": "x", "items": movies[:2]}
    error = writer.refused("POST", NEW, 401, "PLEX_UNAUTHORIZED", json=body)
    assert set(states(error).values()) == {"failed"}
    assert plex.viewer_token not in str(error)
