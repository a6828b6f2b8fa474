"""Playlists made, filled, ordered, changed and deleted; python-plexapi sees each write."""

from typing import Any

import pytest
from plexapi.exceptions import NotFound
from plexapi.server import PlexServer

from plex_simulator import Simulator
from tests.writing.conftest import Writer, sent


def shown(api: Writer, playlist: str) -> list[tuple[str, int]]:
    items = api.data(f"/plex/playlists/{playlist}")["items"]
    return [(item["ratingKey"], item["playlistItemId"]) for item in items]


def keys(api: Writer, playlist: str) -> list[str]:
    return [key for key, _ in shown(api, playlist)]


def theirs(plexapi: PlexServer, playlist: str) -> list[str]:
    return [str(item.ratingKey) for item in plexapi.fetchItem(f"/playlists/{playlist}").items()]


def made(api: Writer, items: list[str]) -> str:
    data = api.wrote("POST", "/plex/playlists", 201, json={"title": "Train", "items": items})
    key: str = data["playlist"]["ratingKey"]
    return key


def test_a_created_playlist_is_there_for_everybody(
    writer: Writer, reader: Writer, plexapi: PlexServer, plex: Simulator, movies: list[str]
) -> None:
    before = reader.data("/plex/playlists")["total"]
    episode = plex.catalogue.items("2", "episode")[0].rating_key
    wanted = [movies[2], episode, movies[0]]
    body = {"title": "Night & Day", "items": wanted, "summary": "Both"}
    response = writer.post("/plex/playlists", json=body)
    assert response.status_code == 201, response.text
    data = response.json()["data"]
    key = data["playlist"]["ratingKey"]
    assert response.headers["Location"] == f"/api/v1/plex/playlists/{key}"
    assert data["playlist"]["playlistType"] == "video"
    assert (data["playlist"]["title"], data["playlist"]["summary"]) == ("Night & Day", "Both")
    for api in (writer, reader):
        assert api.data("/plex/playlists")["total"] == before + 1
        entries = [(item["ratingKey"], item["playlistItemId"]) for item in data["items"]]
        assert shown(api, key) == entries
        assert [rating_key for rating_key, _ in entries] == wanted
    assert theirs(plexapi, key) == wanted


@pytest.mark.parametrize(
    ("library", "type_", "kind"), [("5", "track", "audio"), ("6", "photo", "photo")]
)
def test_a_playlist_takes_the_type_of_its_items(
    writer: Writer, plex: Simulator, library: str, type_: str, kind: str
) -> None:
    items = [item.rating_key for item in plex.catalogue.items(library, type_)[:2]]
    data = writer.wrote("POST", "/plex/playlists", 201, json={"title": "Some", "items": items})
    assert data["playlist"]["playlistType"] == kind


def test_items_are_added_once_and_reported_one_by_one(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    key = made(writer, movies[:2])
    assert keys(reader, key) == movies[:2]
    wanted = {"items": [movies[1], movies[4]]}
    data = writer.wrote("POST", f"/plex/playlists/{key}/items", json=wanted)
    assert [item["state"] for item in data["items"]] == ["alreadyThere", "added"]
    assert data["playlist"]["itemCount"] == 3
    assert [item["playlistItemId"] for item in data["items"]] == [
        place for rating_key, place in shown(reader, key) if rating_key in wanted["items"]
    ]
    assert keys(writer, key) == theirs(plexapi, key) == [movies[0], movies[1], movies[4]]


def test_items_are_moved_and_taken_out_by_their_rating_key(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    one, two, three = movies[:3]
    key = made(writer, movies[:3])
    path = f"/plex/playlists/{key}/items"

    def move(item: str, after: str | float | None) -> Any:
        return writer.wrote("PUT", f"{path}/{item}/position", json={"after": after})

    assert keys(reader, key) == [one, two, three]
    assert move(three, None)["items"][0]["state"] == "moved"
    assert keys(reader, key) == theirs(plexapi, key) == [three, one, two]
    move(three, two)
    assert keys(reader, key) == [one, two, three]
    assert move(three, two)["items"][0]["state"] == "alreadyThere"
    assert move(three, float(two))["items"][0]["state"] == "alreadyThere"
    removed = writer.wrote("DELETE", f"{path}/{two}")
    assert removed["items"][0]["state"] == "removed"
    assert keys(reader, key) == theirs(plexapi, key) == [one, three]
    writer.refused("DELETE", f"{path}/{two}", 404, "ITEM_NOT_FOUND")
    error = writer.refused(
        "PUT", f"{path}/{one}/position", 400, "VALIDATION_ERROR", json={"after": two}
    )
    assert error["details"] == {"after": [f"{two} does not stand there."]}


def test_an_item_that_stands_twice_is_named_by_its_place(
    writer: Writer, reader: Writer, plex: Simulator, plexapi: PlexServer, movies: list[str]
) -> None:
    one, two = movies[:2]
    key = made(writer, [one, two])
    plex.catalogue.extend_playlist(key, [one])
    path = f"/plex/playlists/{key}/items"
    (_, first), (_, second), (_, third) = shown(reader, key)
    code = (400, "VALIDATION_ERROR")
    named = f"{one} stands there 2 times: name one with ?by=playlistItemId ({first}, {third})."
    assert writer.refused("DELETE", f"{path}/{one}", *code)["details"] == {"ratingKey": [named]}
    error = writer.refused("PUT", f"{path}/{two}/position", *code, json={"after": one})
    assert error["details"] == {"after": [named]}
    assert keys(reader, key) == [one, two, one]
    by = "by=playlistItemId"
    writer.wrote("PUT", f"{path}/{second}/position?{by}", json={"after": third})
    assert keys(reader, key) == [one, one, two]
    data = writer.wrote("DELETE", f"{path}/{first}?{by}")
    assert data["items"] == [{"ratingKey": one, "playlistItemId": first, "state": "removed"}]
    assert shown(reader, key) == [(one, third), (two, second)]
    assert theirs(plexapi, key) == [one, two]
    writer.refused("DELETE", f"{path}/{first}?{by}", 404, "ITEM_NOT_FOUND")
    error = writer.refused("DELETE", f"{path}/{one}?by=title", *code)
    assert list(error["details"]) == ["by"]


def test_a_playlists_title_and_summary_can_be_changed(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    key = made(writer, movies[:1])
    reader.data(f"/plex/playlists/{key}")
    body = {"title": "Zug & Co +1", "summary": "Zwei\nZeilen"}
    data = writer.wrote("PATCH", f"/plex/playlists/{key}", json=body)
    assert {change["field"]: change["after"] for change in data["changes"]} == body
    assert {name: reader.data(f"/plex/playlists/{key}")["playlist"][name] for name in body} == body
    assert "Zug & Co +1" in [each["title"] for each in reader.data("/plex/playlists")["playlists"]]
    assert plexapi.fetchItem(f"/playlists/{key}").title == body["title"]
    assert writer.wrote("PATCH", f"/plex/playlists/{key}", json=body)["changes"] == []
    error = writer.refused("PATCH", f"/plex/playlists/{key}", 400, "VALIDATION_ERROR", json={})
    assert error["details"] == {"body": ["Give at least one of: title, summary."]}


def test_a_deleted_playlist_is_gone_for_everybody(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    key = made(writer, movies[:1])
    path = f"/plex/playlists/{key}"
    reader.data(path)
    before = reader.data("/plex/playlists")["total"]
    assert writer.wrote("DELETE", path)["deleted"]["title"] == "Train"
    reader.error(path, 404, "PLAYLIST_NOT_FOUND")
    assert reader.data("/plex/playlists")["total"] == before - 1
    with pytest.raises(NotFound):
        plexapi.fetchItem(f"/playlists/{key}")
    writer.refused("DELETE", path, 404, "PLAYLIST_NOT_FOUND")


def test_a_smart_playlist_chooses_its_items_itself(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    smart = next(each for each in plex.catalogue.playlists if each.smart).rating_key
    path = f"/plex/playlists/{smart}"
    code = (409, "SMART_PLAYLIST")
    writer.refused("POST", f"{path}/items", *code, json={"items": movies[:1]})
    writer.refused("DELETE", f"{path}/items/{movies[0]}", *code)
    writer.refused("PUT", f"{path}/items/{movies[0]}/position", *code, json={"after": None})
    assert sent(plex) == []
    assert writer.wrote("PATCH", path, json={"title": "Seen"})["playlist"]["title"] == "Seen"


def test_an_empty_playlist_can_be_filled(writer: Writer, plex: Simulator) -> None:
    empty = next(each for each in plex.catalogue.playlists if each.title == "Nothing Here")
    tracks = [track.rating_key for track in plex.catalogue.items("5", "track")[:2]]
    path = f"/plex/playlists/{empty.rating_key}/items"
    assert writer.wrote("POST", path, json={"items": tracks})["playlist"]["itemCount"] == 2


def test_a_key_of_something_else_is_no_playlist(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    collection = plex.catalogue.collections("1")[0].rating_key
    others = next(each for each in plex.catalogue.playlists if each.title == "Meine Liste")
    for key in (movies[0], collection, others.rating_key, "x"):
        path = f"/plex/playlists/{key}"
        code = (404, "PLAYLIST_NOT_FOUND")
        writer.refused("PATCH", path, *code, json={"title": "x"})
        writer.refused("DELETE", path, *code)
        writer.refused("POST", f"{path}/items", *code, json={"items": movies[:1]})
        writer.refused("DELETE", f"{path}/items/{movies[0]}", *code)
    assert sent(plex) == []
