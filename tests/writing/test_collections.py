"""Collections made, filled, ordered, changed and deleted; python-plexapi sees each write."""

from typing import Any

import pytest
from plexapi.exceptions import NotFound
from plexapi.server import PlexServer

from plex_simulator import Simulator
from tests.writing.conftest import Writer, sent

NEW = "/plex/libraries/1/collections"


def keys(api: Writer, collection: str) -> list[str]:
    return [item["ratingKey"] for item in api.data(f"/plex/collections/{collection}")["items"]]


def theirs(plexapi: PlexServer, collection: str) -> list[str]:
    return [str(item.ratingKey) for item in plexapi.fetchItem(int(collection)).items()]


def made(api: Writer, items: list[str], title: str = "Sunday & More") -> str:
    data = api.wrote("POST", NEW, 201, json={"title": title, "items": items})
    key: str = data["collection"]["ratingKey"]
    return key


def test_a_created_collection_is_there_for_everybody(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    assert reader.data(NEW)["total"]
    body = {"title": "Sunday & More: 100 %+", "items": movies[:3], "summary": "Line 1\nLine 2 + é"}
    response = writer.post(NEW, json=body)
    assert response.status_code == 201
    data = response.json()["data"]
    collection = data["collection"]
    key = collection["ratingKey"]
    assert response.headers["Location"] == f"/api/v1/plex/collections/{key}"
    assert (collection["title"], collection["summary"]) == (body["title"], body["summary"])
    assert (collection["childCount"], collection["subtype"]) == (3, "movie")
    assert (collection["sortOrder"], collection["mode"]) == ("release", "default")
    assert data["dryRun"] is False
    assert data["items"] == [{"ratingKey": item, "state": "added"} for item in movies[:3]]
    for api in (writer, reader):
        assert key in [each["ratingKey"] for each in api.data(NEW)["collections"]]
        assert set(keys(api, key)) == set(movies[:3])
    seen = plexapi.fetchItem(int(key))
    assert (seen.title, seen.summary) == (body["title"], body["summary"])
    assert {str(item.ratingKey) for item in seen.items()} == set(movies[:3])


def test_a_collection_takes_the_type_of_its_items(writer: Writer, plex: Simulator) -> None:
    episodes = [item.rating_key for item in plex.catalogue.items("2", "episode")[:2]]
    path = "/plex/libraries/2/collections"
    data = writer.wrote("POST", path, 201, json={"title": "Pilots", "items": episodes})
    assert data["collection"]["subtype"] == "episode"


def test_items_are_added_once_and_reported_one_by_one(
    writer: Writer, reader: Writer, plex: Simulator, plexapi: PlexServer, movies: list[str]
) -> None:
    key = made(writer, movies[:2])
    assert set(keys(reader, key)) == set(movies[:2])
    wanted = [movies[1], movies[5], movies[5], movies[6]]
    data = writer.wrote("POST", f"/plex/collections/{key}/items", json={"items": wanted})
    assert data["items"] == [
        {"ratingKey": movies[1], "state": "alreadyThere"},
        {"ratingKey": movies[5], "state": "added"},
        {"ratingKey": movies[6], "state": "added"},
    ]
    assert data["collection"]["childCount"] == 4
    for found in (keys(writer, key), keys(reader, key), theirs(plexapi, key)):
        assert sorted(found) == sorted({*movies[:2], movies[5], movies[6]})
    before = sent(plex)
    again = writer.wrote("POST", f"/plex/collections/{key}/items", json={"items": wanted})
    assert {item["state"] for item in again["items"]} == {"alreadyThere"}
    assert sent(plex) == before


def test_numbers_are_rating_keys_too(writer: Writer, movies: list[str]) -> None:
    body = {"title": "Numbers", "items": [int(movies[0])]}
    assert writer.wrote("POST", NEW, 201, json=body)["items"][0]["ratingKey"] == movies[0]


def test_an_item_is_taken_out_and_stays_in_the_library(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    key = made(writer, movies[:3])
    assert movies[1] in keys(reader, key)
    path = f"/plex/collections/{key}/items/{movies[1]}"
    data = writer.wrote("DELETE", path)
    assert data["items"] == [{"ratingKey": movies[1], "state": "removed"}]
    assert data["collection"]["childCount"] == 2
    for found in (keys(writer, key), keys(reader, key), theirs(plexapi, key)):
        assert sorted(found) == sorted([movies[0], movies[2]])
    assert plexapi.fetchItem(int(movies[1])).title
    writer.refused("DELETE", path, 404, "ITEM_NOT_FOUND")


def test_items_are_put_in_any_order(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    one, two, three = movies[:3]
    key = made(writer, movies[:3])

    def move(item: str, after: str | None) -> Any:
        path = f"/plex/collections/{key}/items/{item}/position"
        return writer.wrote("PUT", path, json={"after": after})

    data = move(three, None)
    assert data["changes"] == [{"field": "sortOrder", "before": "release", "after": "custom"}]
    assert data["items"] == [{"ratingKey": three, "state": "moved"}]
    assert data["collection"]["sortOrder"] == "custom"
    for found in (keys(writer, key), keys(reader, key), theirs(plexapi, key)):
        assert found == [three, one, two]
    assert move(three, two)["changes"] == []
    assert keys(reader, key) == theirs(plexapi, key) == [one, two, three]
    assert move(one, two)["items"] == [{"ratingKey": one, "state": "moved"}]
    assert keys(reader, key) == [two, one, three]
    assert move(one, two)["items"] == [{"ratingKey": one, "state": "alreadyThere"}]
    assert move(two, None)["items"] == [{"ratingKey": two, "state": "alreadyThere"}]
    assert keys(reader, key) == theirs(plexapi, key) == [two, one, three]


def test_a_position_must_be_one_in_the_collection(writer: Writer, movies: list[str]) -> None:
    key = made(writer, movies[:2])
    path = f"/plex/collections/{key}/items"
    for after, message in (
        (movies[9], f"{movies[9]} does not stand there."),
        (movies[0], "Nothing comes after itself."),
        ("first", "Must be an id (1 to 10 digits) or null."),
        ([], "Must be an id (1 to 10 digits) or null."),
    ):
        error = writer.refused(
            "PUT", f"{path}/{movies[0]}/position", 400, "VALIDATION_ERROR", json={"after": after}
        )
        assert error["details"] == {"after": [message]}
    missing = writer.refused(
        "PUT", f"{path}/{movies[0]}/position", 400, "VALIDATION_ERROR", json={}
    )
    assert missing["details"] == {"after": ["This field is required."]}
    for item in (movies[9], "x", "99999999999"):
        writer.refused(
            "PUT", f"{path}/{item}/position", 404, "ITEM_NOT_FOUND", json={"after": None}
        )


def test_everything_of_a_collection_can_be_changed(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    key = made(writer, movies[:2], "The Old Name")
    path = f"/plex/collections/{key}"
    reader.data(path)
    body = {
        "title": "A New Name?&id=1#x",
        "titleSort": "New Name",
        "summary": "Fünf\nZeilen",
        "contentRating": "PG-13",
        "sortOrder": "alpha",
        "mode": "hideItems",
    }
    data = writer.wrote("PATCH", path, json=body)
    assert {change["field"]: change["after"] for change in data["changes"]} == body
    assert {name: data["collection"][name] for name in body} == body
    for api in (writer, reader):
        shown = api.data(path)["collection"]
        assert [shown[name] for name in list(body)[:4]] == list(body.values())[:4]
    seen = plexapi.fetchItem(int(key))
    assert (seen.title, seen.titleSort) == (body["title"], body["titleSort"])
    assert (seen.summary, seen.contentRating) == (body["summary"], body["contentRating"])
    assert (seen.collectionSort, seen.collectionMode) == (1, 1)
    assert writer.wrote("PATCH", path, json=body)["changes"] == []
    emptied = writer.wrote("PATCH", path, json={"summary": "", "contentRating": ""})
    assert emptied["changes"] == [
        {"field": "summary", "before": "Fünf\nZeilen", "after": None},
        {"field": "contentRating", "before": "PG-13", "after": None},
    ]
    assert not plexapi.fetchItem(int(key)).summary


def test_a_deleted_collection_is_gone_for_everybody(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    key = made(writer, movies[:2])
    path = f"/plex/collections/{key}"
    reader.data(path)
    data = writer.wrote("DELETE", path)
    assert (data["dryRun"], data["deleted"]["ratingKey"]) == (False, key)
    for api in (writer, reader):
        api.error(path, 404, "COLLECTION_NOT_FOUND")
        assert key not in [each["ratingKey"] for each in api.data(NEW)["collections"]]
    with pytest.raises(NotFound):
        plexapi.fetchItem(int(key))
    assert plexapi.fetchItem(int(movies[0])).title
    writer.refused("DELETE", path, 404, "COLLECTION_NOT_FOUND")


def test_what_python_plexapi_made_can_be_changed(
    writer: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    items = [plexapi.fetchItem(int(key)) for key in movies[:2]]
    theirs = plexapi.createCollection("Elsewhere", section="Movies", items=items)
    key = str(theirs.ratingKey)
    writer.wrote("POST", f"/plex/collections/{key}/items", json={"items": movies[2:4]})
    theirs.reload()
    assert len(plexapi.fetchItem(theirs.ratingKey).items()) == 4


def test_a_smart_collection_chooses_its_items_itself(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    smart = next(each for each in plex.catalogue.collections("1") if each.smart)
    path = f"/plex/collections/{smart.rating_key}"
    item = f"{path}/items/{movies[0]}"
    code = (409, "SMART_COLLECTION")
    for query in ("", "?dryRun=true"):
        writer.refused("POST", f"{path}/items{query}", *code, json={"items": movies[:1]})
        writer.refused("DELETE", f"{item}{query}", *code)
        writer.refused("PUT", f"{item}/position{query}", *code, json={"after": None})
        writer.refused("PATCH", f"{path}{query}", *code, json={"sortOrder": "custom"})
    assert sent(plex) == []
    shown = writer.wrote("PATCH", path, json={"title": "Cleverer", "mode": "hide"})["collection"]
    assert (shown["title"], shown["mode"], shown["smart"]) == ("Cleverer", "hide", True)
    assert "sortOrder" not in shown


def test_a_key_of_something_else_is_no_collection(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    for key in (movies[0], plex.catalogue.playlists[0].rating_key, "99", "x", "12345678901"):
        path = f"/plex/collections/{key}"
        for method, rest, body in (
            ("PATCH", "", {"title": "x"}),
            ("DELETE", "", None),
            ("POST", "/items", {"items": movies[:1]}),
            ("DELETE", f"/items/{movies[0]}", None),
            ("PUT", f"/items/{movies[0]}/position", {"after": None}),
        ):
            writer.refused(method, path + rest, 404, "COLLECTION_NOT_FOUND", json=body)
    assert sent(plex) == []


def test_a_library_that_is_not_there_takes_no_collection(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    body = {"title": "x", "items": movies[:1]}
    for key in ("99", "x", "12345678901"):
        path = f"/plex/libraries/{key}/collections"
        writer.refused("POST", path, 404, "LIBRARY_NOT_FOUND", json=body)
    assert sent(plex) == []
