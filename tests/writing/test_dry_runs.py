"""A dry run says what the write would do, and writes nothing."""

from typing import Any

from plex_simulator import Simulator
from tests.writing.conftest import Writer, sent

NEW = "/plex/libraries/1/collections"


def test_a_dry_run_of_a_creation_tells_what_would_be(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    body = {"title": "Plan", "items": movies[:2], "summary": "Maybe"}
    for path, name in ((NEW, "collection"), ("/plex/playlists", "playlist")):
        response = writer.post(f"{path}?dryRun=true", json=body)
        assert response.status_code == 200
        assert "Location" not in response.headers
        data = response.json()["data"]
        assert data == {
            "dryRun": True,
            name: None,
            "changes": [
                {"field": "title", "before": None, "after": "Plan"},
                {"field": "summary", "before": None, "after": "Maybe"},
            ],
            "items": [{"ratingKey": key, "state": "added"} for key in movies[:2]],
        }
    assert sent(plex) == []


def test_a_dry_run_tells_what_the_write_then_does(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    made = writer.wrote("POST", NEW, 201, json={"title": "Real", "items": movies[:3]})
    path = f"/plex/collections/{made['collection']['ratingKey']}"
    steps: list[tuple[str, str, Any]] = [
        ("POST", "/items", {"items": movies[2:5]}),
        ("PUT", f"/items/{movies[4]}/position", {"after": None}),
        ("PATCH", "", {"title": "Changed", "summary": "x", "mode": "hide"}),
        ("DELETE", f"/items/{movies[0]}", None),
        ("DELETE", "", None),
    ]
    for method, rest, body in steps:
        before, shown = sent(plex), writer.data(path)
        planned = writer.wrote(method, f"{path}{rest}?dryRun=1", json=body)
        assert planned["dryRun"] is True
        assert sent(plex) == before
        assert writer.data(path) == shown
        done = writer.wrote(method, path + rest, json=body)
        assert done["dryRun"] is False
        for member in ("items", "changes"):
            assert planned.get(member) == done.get(member)
        assert planned.get("deleted") == done.get("deleted")


def test_a_playlists_dry_run_tells_what_the_write_then_does(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    made = writer.wrote("POST", "/plex/playlists", 201, json={"title": "x", "items": movies[:3]})
    path = f"/plex/playlists/{made['playlist']['ratingKey']}"
    steps: list[tuple[str, str, Any]] = [
        ("POST", "/items", {"items": movies[2:5]}),
        ("PUT", f"/items/{movies[4]}/position", {"after": None}),
        ("PATCH", "", {"title": "Changed", "summary": "x"}),
        ("DELETE", f"/items/{movies[0]}", None),
        ("DELETE", "", None),
    ]
    for method, rest, body in steps:
        before = sent(plex)
        planned = writer.wrote(method, f"{path}{rest}?dryRun=1", json=body)
        assert sent(plex) == before
        done = writer.wrote(method, path + rest, json=body)
        for data in (planned, done):
            for item in data.get("items", ()):
                if item["state"] == "added":
                    item.pop("playlistItemId", None)  # there is none yet in a dry run
        assert planned.get("items") == done.get("items")
        assert planned.get("changes") == done.get("changes")
        assert planned.get("deleted") == done.get("deleted")
