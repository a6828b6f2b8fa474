"""Collections: a library's list, and each one's items in its own order."""

import pytest

from plex_simulator import Simulator
from tests.api import expected
from tests.conftest import Client

LARGE, EMPTY, SMART, SMART_EMPTY = "11001008", "11001009", "11001010", "11001011"
BY_RELEASE, BY_TITLE = "11001000", "11001001"


@pytest.mark.parametrize("library", ["1", "2", "5"])
def test_all_collections_of_a_library_are_returned(
    api: Client, plex: Simulator, library: str
) -> None:
    data = api.data(f"/plex/libraries/{library}/collections")
    facts = plex.catalogue.collections(library)
    assert data["collections"] == [expected.collection(plex.catalogue, each) for each in facts]
    assert data["total"] == len(facts)
    assert data["library"] == expected.library(plex.catalogue, library)


@pytest.mark.parametrize("library", ["6", "8", "11"])
def test_a_library_without_collections_has_none(api: Client, plex: Simulator, library: str) -> None:
    data = api.data(f"/plex/libraries/{library}/collections")
    assert data["collections"] == []
    assert data["total"] == 0
    assert data["library"] == expected.library(plex.catalogue, library)


@pytest.mark.parametrize(("start", "size"), [(0, 1), (0, 5), (5, 5), (11, 5), (12, 3), (500, 200)])
def test_start_and_size_give_a_part_of_the_list(
    api: Client, plex: Simulator, start: int, size: int
) -> None:
    data = api.data(f"/plex/libraries/1/collections?start={start}&size={size}")
    facts = plex.catalogue.collections("1")
    assert [each["ratingKey"] for each in data["collections"]] == [
        each.rating_key for each in facts[start : start + size]
    ]
    assert data["total"] == len(facts)
    assert data["pagination"] == {
        "start": start,
        "size": size,
        "total": len(facts),
        "hasMore": start + size < len(facts),
    }


def test_more_collections_than_one_upstream_page_are_all_returned(
    api: Client, own_plex: Simulator
) -> None:
    for number in range(520):
        own_plex.catalogue.add_collection("1", f"Box {number:03}", "movie")
    facts = own_plex.catalogue.collections("1")
    data = api.data("/plex/libraries/1/collections")
    assert [each["ratingKey"] for each in data["collections"]] == [
        each.rating_key for each in facts
    ]
    assert data["total"] == len(facts)


@pytest.mark.parametrize(
    "key", [BY_RELEASE, BY_TITLE, LARGE, EMPTY, SMART, SMART_EMPTY, "11001012", "11001016"]
)
def test_a_collection_has_all_its_items_in_its_own_order(
    api: Client, plex: Simulator, key: str
) -> None:
    facts = plex.catalogue.collection(key)
    assert facts is not None
    items = plex.catalogue.collection_items(key)
    data = api.data(f"/plex/collections/{key}")
    assert data["collection"] == expected.collection(plex.catalogue, facts)
    assert data["items"] == [expected.item(plex.catalogue, each) for each in items]
    assert data["pagination"] == {
        "start": 0,
        "size": len(items),
        "total": len(items),
        "hasMore": False,
    }


def test_there_is_a_large_an_empty_and_a_smart_one(plex: Simulator) -> None:
    catalogue = plex.catalogue
    assert len(catalogue.collection_items(LARGE)) == 150
    assert not catalogue.collection_items(EMPTY)
    assert not catalogue.collection_items(SMART_EMPTY)
    smart = catalogue.collection(SMART)
    assert smart is not None
    assert smart.smart


@pytest.mark.parametrize(("start", "size"), [(0, 1), (0, 60), (60, 60), (120, 60), (150, 1)])
def test_start_and_size_give_a_part_of_the_items(
    api: Client, plex: Simulator, start: int, size: int
) -> None:
    data = api.data(f"/plex/collections/{LARGE}?start={start}&size={size}")
    items = plex.catalogue.collection_items(LARGE)
    assert [each["ratingKey"] for each in data["items"]] == [
        each.rating_key for each in items[start : start + size]
    ]
    assert data["pagination"] == {
        "start": start,
        "size": size,
        "total": 150,
        "hasMore": start + size < 150,
    }


def test_a_start_alone_gives_the_rest(api: Client, plex: Simulator) -> None:
    data = api.data(f"/plex/collections/{LARGE}?start=100&details=summary")
    assert len(data["items"]) == 50
    assert data["pagination"]["total"] == 150
    assert data["pagination"]["hasMore"] is False


def test_more_items_than_one_upstream_page_are_all_returned(
    api: Client, own_plex: Simulator
) -> None:
    keys = [own_plex.catalogue.add("1", "movie", f"Film {n}").rating_key for n in range(510)]
    made = own_plex.catalogue.add_collection("1", "Everything", "movie", keys)
    own_plex.catalogue.change_collection(made.rating_key, sort=2)
    data = api.data(f"/plex/collections/{made.rating_key}?details=summary")
    assert [each["ratingKey"] for each in data["items"]] == keys
    assert data["pagination"]["total"] == 510


def test_a_summary_tells_what_plexs_list_holds(api: Client, plex: Simulator) -> None:
    items = api.data(f"/plex/collections/{SMART}?details=summary")["items"]
    facts = plex.catalogue.collection_items(SMART)
    assert items == [expected.summary(plex.catalogue, each) for each in facts]


def test_the_items_of_one_are_the_first_twenty_actors_at_most(api: Client) -> None:
    items = api.data(f"/plex/collections/{LARGE}")["items"]
    assert max(len(item.get("actors", [])) for item in items) == 20


@pytest.mark.parametrize("key", ["1000", "1001000", "5000000", "99999999", "0", "9999999999"])
def test_what_is_no_collection_is_not_found(api: Client, plex: Simulator, key: str) -> None:
    error = api.error(f"/plex/collections/{key}", 404, "COLLECTION_NOT_FOUND")
    assert error["message"] == "Collection not found."


def test_another_user_of_plex_does_not_find_what_they_may_not_see(
    api: Client, plex: Simulator, settings: object
) -> None:
    hidden = plex.catalogue.add_collection("11", "Not for All", "movie")
    try:
        settings.PLEX_TOKEN = plex.viewer_token  # type: ignore[attr-defined]
        api.error(f"/plex/collections/{hidden.rating_key}", 404, "COLLECTION_NOT_FOUND")
        api.error("/plex/libraries/11/collections", 404, "LIBRARY_NOT_FOUND")
    finally:
        plex.catalogue.remove_collection(hidden.rating_key)
