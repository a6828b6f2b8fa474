"""Collections made, filled, ordered, changed and deleted; python-plexapi sees each write."""

import pytest
from plexapi.exceptions import NotFound
from plexapi.server import PlexServer

from plex_simulator import Simulator
from tests.editing.conftest import Writer, sent

NEW = "/plex/libraries/1/collections"


def keys(api: Writer, collection: str) -> list[str]:
    return [item["ratingKey"] for item in api.data(f"/plex/collections/{collection}")["items"]]


def made(api: Writer, items: list[str], title: str = "Sunday & More") -> str:
    data = api.wrote("POST", NEW, 201, json={"title": title, "items": items})
    key: str = data["collection"]["ratingKey"]
    return key


def test_a_created_collection_is_there_for_everybody(
    writer: Writer, reader: Writer, plexapi: PlexServer, movies: list[str]
) -> None:
    assert reader.data(NEW)["total"]
    body = {"title": "Sunday & More: 100 %", "items": movies[:3], "summary": "Line 1\nLine 2 + é"}
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
    theirs = plexapi.fetchItem(int(key))
    assert (theirs.title, theirs.summary) == (body["title"], body["summary"])
    assert {str(item.ratingKey) for item in theirs.items()} == set(movies[:3])
