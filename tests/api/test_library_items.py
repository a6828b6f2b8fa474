"""Pages of a library's items say what the catalogue holds, all of it and nothing else."""

import pytest

from plex_simulator import Simulator
from tests.api import expected
from tests.conftest import Client

LISTS = [
    ("1", "movie"),
    ("2", "show"), ("2", "season"), ("2", "episode"),
    ("5", "artist"), ("5", "album"), ("5", "track"),
    ("6", "photo"), ("6", "photoalbum"),
    ("8", "movie"),
    ("11", "movie"),
]  # fmt: skip


def walk(api: Client, path: str, size: int = 200) -> list[dict]:
    """Collect the items of every page."""
    joint = "&" if "?" in path else "?"
    found: list[dict] = []
    while True:
        data = api.data(f"{path}{joint}start={len(found)}&size={size}")
        found += data["items"]
        assert data["pagination"]["start"] + len(data["items"]) == len(found)
        if not data["pagination"]["hasMore"]:
            assert data["pagination"]["total"] == len(found)
            return found


@pytest.mark.parametrize(("library", "kind"), LISTS)
def test_every_item_of_a_library_is_complete(
    api: Client, plex: Simulator, library: str, kind: str
) -> None:
    items = walk(api, f"/plex/libraries/{library}/items?type={kind}")
    facts = {each.rating_key: each for each in plex.catalogue.items(library, kind)}
    assert len(items) == len(facts)
    for item in items:
        assert item == expected.item(plex.catalogue, facts[item["ratingKey"]])


@pytest.mark.parametrize(("library", "kind"), LISTS)
def test_a_summary_tells_what_plex_lists_hold(
    api: Client, plex: Simulator, library: str, kind: str
) -> None:
    items = walk(api, f"/plex/libraries/{library}/items?type={kind}&details=summary")
    facts = {each.rating_key: each for each in plex.catalogue.items(library, kind)}
    assert len(items) == len(facts)
    for item in items:
        summary = expected.summary(plex.catalogue, facts[item["ratingKey"]], guids=True)
        assert item == summary


@pytest.mark.parametrize(
    ("library", "kind"), [("1", "movie"), ("2", "show"), ("5", "artist"), ("6", "photo")]
)
def test_without_a_type_a_library_lists_its_own(
    api: Client, plex: Simulator, library: str, kind: str
) -> None:
    data = api.data(f"/plex/libraries/{library}/items?size=10")
    assert {item["type"] for item in data["items"]} == {kind}
    assert data["pagination"]["total"] == len(plex.catalogue.items(library, kind))
    assert data["libraryInfo"] == expected.library(plex.catalogue, library)


def test_every_page_size_gives_every_item_once(api: Client, plex: Simulator) -> None:
    facts = [each.rating_key for each in plex.catalogue.items("11", "movie")]
    for size in (1, 4, 15, 16):
        items = walk(api, "/plex/libraries/11/items?details=summary", size)
        assert sorted(item["ratingKey"] for item in items) == facts


def test_pagination_tells_the_size_in_force_and_whether_there_is_more(
    api: Client, plex: Simulator
) -> None:
    assert api.data("/plex/libraries/11/items?start=0&size=14&details=summary")["pagination"] == {
        "start": 0, "size": 14, "total": 15, "hasMore": True,
    }  # fmt: skip
    assert api.data("/plex/libraries/11/items?start=1&size=14&details=summary")["pagination"] == {
        "start": 1, "size": 14, "total": 15, "hasMore": False,
    }  # fmt: skip
    assert api.data("/plex/libraries/1/items?details=summary")["pagination"] == {
        "start": 0, "size": 50, "total": 240, "hasMore": True,
    }  # fmt: skip


@pytest.mark.parametrize("start", [240, 241, 5000, 2**31 - 1])
def test_beyond_the_end_there_are_no_items_and_no_more(api: Client, start: int) -> None:
    data = api.data(f"/plex/libraries/1/items?start={start}")
    assert data["items"] == []
    assert data["pagination"] == {"start": start, "size": 50, "total": 240, "hasMore": False}


def test_no_more_than_twenty_actors_stand_on_an_item_in_billing_order(
    api: Client, plex: Simulator
) -> None:
    crowded = [each for each in plex.catalogue.items("1", "movie") if len(each.roles) == 200]
    assert crowded
    items = {each["ratingKey"]: each for each in walk(api, "/plex/libraries/1/items")}
    for facts in crowded:
        actors = items[facts.rating_key]["actors"]
        assert [actor["id"] for actor in actors] == [role.id for role in facts.roles[:20]]


def test_titles_survive_to_the_byte(api: Client, plex: Simulator) -> None:
    titles = {each.rating_key: each.title for each in plex.catalogue.items("1", "movie")}
    items = walk(api, "/plex/libraries/1/items?details=summary")
    assert {each["ratingKey"]: each["title"] for each in items} == titles
    assert any("\t" in title and "\n" in title for title in titles.values())
    raw = api.get("/plex/libraries/1/items?size=99&sort=titleSort:desc&details=summary").content
    assert "東京の静かな雨".encode() in raw  # UTF-8, not escapes


def test_a_removed_and_an_added_item_show_at_once(api: Client, own_plex: Simulator) -> None:
    gone = own_plex.catalogue.items("1", "movie")[3]
    own_plex.catalogue.remove(gone.rating_key)
    added = own_plex.catalogue.add("1", "movie", "Aardvark & <Sons>", year=2001)
    items = walk(api, "/plex/libraries/1/items")
    keys = [item["ratingKey"] for item in items]
    assert gone.rating_key not in keys
    assert items[keys.index(added.rating_key)] == expected.item(own_plex.catalogue, added)


# What a list leaves out if its items are replaced by complete ones.
NOT_LISTED = (
    "summary", "tagline", "genres", "directors", "writers", "actors", "countries", "collections",
    "media",
)  # fmt: skip


def test_an_item_that_disappears_between_list_and_details_stays_as_it_was_listed(
    api: Client, own_plex: Simulator
) -> None:
    own_plex.fault("status", path="^/library/metadata/", status=404)
    items = api.data("/plex/libraries/11/items")["items"]
    for item, facts in zip(
        sorted(items, key=lambda each: each["ratingKey"]),
        own_plex.catalogue.items("11", "movie"),
        strict=True,
    ):
        listed = expected.summary(own_plex.catalogue, facts)
        assert item == {name: each for name, each in listed.items() if name not in NOT_LISTED}


def test_another_user_of_plex_sees_their_own_libraries_and_progress(
    api: Client, plex: Simulator, settings: object
) -> None:
    settings.PLEX_TOKEN = plex.viewer_token  # type: ignore[attr-defined]
    items = walk(api, "/plex/libraries/2/items?type=episode&details=summary")
    viewer = plex.catalogue.viewer
    progress = {item["ratingKey"]: item["playbackProgress"] for item in items}
    assert len(items) == len(plex.catalogue.items("2", "episode"))
    for facts in plex.catalogue.items("2", "episode"):
        seen = facts.seen_by(viewer)
        assert progress[facts.rating_key] == {
            "viewOffset": seen.view_offset,
            "viewCount": seen.view_count,
            "lastViewedAt": expected.instant(seen.last_viewed_at),
        }
    api.error("/plex/libraries/11/items", 404, "LIBRARY_NOT_FOUND")


def test_file_paths_are_null_where_the_setting_hides_them(
    api: Client, plex: Simulator, settings: object
) -> None:
    for path in ("/plex/libraries/1/items", "/plex/libraries"):
        assert "/data/" in api.get(path).text
    # What was cached with the paths shown is not shown again.
    settings.PLEX_SHOW_FILE_PATHS = False  # type: ignore[attr-defined]
    for item in api.data("/plex/libraries/1/items")["items"]:
        assert all(part["file"] is None for media in item["media"] for part in media["parts"])
    for library in api.data("/plex/libraries")["libraries"]:
        assert all(location["path"] is None for location in library["location"])
