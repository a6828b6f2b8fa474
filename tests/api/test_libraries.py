"""The list of libraries with counts, storage, filters and locations."""

import pytest

from plex_simulator import Simulator
from tests.api import expected
from tests.conftest import Client


def test_every_library_is_complete(api: Client, plex: Simulator) -> None:
    data = api.data("/plex/libraries")
    assert data["totalCount"] == 6
    assert [library["id"] for library in data["libraries"]] == ["1", "2", "5", "6", "8", "11"]
    for library, facts in zip(data["libraries"], plex.catalogue.libraries, strict=True):
        library = dict(library)
        library.pop("statistics")
        library.pop("filters", None)
        assert library == {
            "id": facts.key,
            "key": f"/library/sections/{facts.key}",
            "title": facts.title,
            "type": facts.type,
            "agent": facts.agent,
            "scanner": facts.scanner,
            "language": facts.language,
            "uuid": facts.uuid,
            "refreshing": False,
            "createdAt": expected.instant(facts.created_at),
            "updatedAt": expected.instant(facts.updated_at),
            "scannedAt": expected.instant(facts.scanned_at),
            "content": True,
            "directory": True,
            "contentChangedAt": facts.content_changed_at,
            "hidden": facts.hidden,
            "location": [{"id": int(facts.key), "path": facts.location}],
        }


def test_statistics_count_and_sum_up_what_each_library_holds(api: Client, plex: Simulator) -> None:
    catalogue = plex.catalogue
    for library in api.data("/plex/libraries")["libraries"]:
        key, kind = library["id"], library["type"]
        size, duration = catalogue.storage(key)
        statistics = {
            "count": len(catalogue.items(key, kind)),
            "totalSize": size,
            "totalDuration": None if kind == "photo" else duration,
        }
        if kind == "show":
            statistics["seasons"] = len(catalogue.items(key, "season"))
            statistics["episodes"] = len(catalogue.items(key, "episode"))
        if kind == "artist":
            statistics["albums"] = len(catalogue.items(key, "album"))
            statistics["tracks"] = len(catalogue.items(key, "track"))
        assert library["statistics"] == statistics


def test_the_total_counts_what_is_played(api: Client, plex: Simulator) -> None:
    played = [("1", "movie"), ("2", "episode"), ("5", "track"), ("6", "photo"), ("8", "movie"),
              ("11", "movie")]  # fmt: skip
    total = sum(len(plex.catalogue.items(key, kind)) for key, kind in played)
    assert api.data("/plex/libraries")["totalMediaItems"] == total


def test_filters_are_those_that_plex_offers_for_the_librarys_own_type(api: Client) -> None:
    libraries = {each["id"]: each for each in api.data("/plex/libraries")["libraries"]}
    assert libraries["1"]["filters"][0] == {
        "filter": "genre",
        "filterType": "string",
        "key": "/library/sections/1/genre",
        "title": "Genre",
        "type": "filter",
    }
    assert libraries["2"]["filters"][1] == {
        "filter": "year",
        "filterType": "integer",
        "key": "/library/sections/2/year?type=2",
        "title": "Year",
        "type": "filter",
    }
    assert [each["filter"] for each in libraries["5"]["filters"]] == [
        "genre", "country", "collection",
    ]  # fmt: skip
    assert [each["filter"] for each in libraries["6"]["filters"]] == ["year"]


def test_another_user_of_plex_sees_only_their_libraries(
    api: Client, plex: Simulator, settings: object
) -> None:
    settings.PLEX_TOKEN = plex.viewer_token  # type: ignore[attr-defined]
    data = api.data("/plex/libraries")
    assert [library["id"] for library in data["libraries"]] == ["1", "2", "5"]
    assert data["totalCount"] == 3
    for library in data["libraries"]:
        assert library["statistics"]["totalSize"] is None
        assert library["statistics"]["totalDuration"] is None
        assert library["statistics"]["count"] > 0


@pytest.mark.parametrize("fault", ["status", "html", "truncated", "disconnect", "empty"])
def test_storage_failing_leaves_only_its_fields_null(
    api: Client, plex: Simulator, fault: str
) -> None:
    plex.fault(fault, path="/media/providers")
    data = api.data("/plex/libraries")
    for library in data["libraries"]:
        assert library["statistics"]["totalSize"] is None
        assert library["statistics"]["totalDuration"] is None
        assert library["statistics"]["count"] > 0
    assert data["totalMediaItems"] > 0


@pytest.mark.parametrize("fault", ["status", "html", "truncated", "disconnect", "empty"])
def test_one_librarys_counts_failing_leaves_only_them_null(
    api: Client, plex: Simulator, fault: str
) -> None:
    plex.fault(fault, path="/library/sections/5/all")
    data = api.data("/plex/libraries")
    for library in data["libraries"]:
        count = library["statistics"]["count"]
        assert (count is None) == (library["id"] == "5")
        assert ("filters" in library) == (library["id"] != "5")
    music = next(library for library in data["libraries"] if library["id"] == "5")
    assert music["statistics"]["totalSize"] > 0
    assert "albums" not in music["statistics"]
    # One part of the sum is unknown, and nothing is invented to fill the hole.
    assert data["totalMediaItems"] is None


def test_a_server_without_libraries_has_an_empty_list(
    api: Client, plex: Simulator, settings: object
) -> None:
    settings.PLEX_URL = plex.url + "/identity?"  # type: ignore[attr-defined]
    data = api.data("/plex/libraries")
    assert data == {"libraries": [], "totalCount": 0, "totalMediaItems": 0}
