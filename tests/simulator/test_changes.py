import pytest

from plex_simulator import Simulator

from .conftest import PlexClient


def test_an_added_item_is_listed_as_the_newest(fresh: Simulator, fresh_client: PlexClient) -> None:
    fresh_client.get("/library/sections/1/all?type=1&sort=addedAt:desc")
    added = fresh.catalogue.add("1", "movie", "Brand <New>", year=2024)
    newest = fresh_client.page("/library/sections/1/all?type=1&sort=addedAt:desc", 0, 1).xml
    assert newest[0].get("title") == "Brand <New>"
    assert newest.get("totalSize") == "61"
    assert fresh_client.get(f"/library/metadata/{added.rating_key}").keys == [added.rating_key]


def test_removing_a_show_removes_its_episodes(fresh: Simulator, fresh_client: PlexClient) -> None:
    show = fresh.catalogue.items("2", "show")[2]
    before = len(fresh.catalogue.items("2", "episode"))
    fresh.catalogue.remove(show.rating_key)
    assert len(fresh.catalogue.items("2", "episode")) == before - (show.leaf_count or 0)
    assert fresh_client.get(f"/library/metadata/{show.rating_key}").status == 404
    assert show.rating_key not in fresh_client.get("/library/sections/2/all").keys
    assert fresh_client.get("/library/sections/2/all?type=4&sort=show.titleSort").status == 200


def test_adding_an_episode_increases_the_leaf_count_of_its_season(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    season = fresh.catalogue.items("2", "season")[1]
    added = fresh.catalogue.add("2", "episode", "Extra", parent_rating_key=season.rating_key)
    updated = fresh.catalogue.item(season.rating_key)
    assert updated is not None
    assert updated.leaf_count == (season.leaf_count or 0) + 1
    assert added.grandparent_title == season.parent_title
    found = fresh_client.get(f"/library/metadata/{season.rating_key}/children").keys
    assert found[-1] == added.rating_key
    with pytest.raises(ValueError, match="parent_rating_key"):
        fresh.catalogue.add("2", "episode", "Orphan")


def test_an_episode_that_was_added_and_removed_leaves_nothing_behind(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    season = fresh.catalogue.items("2", "season")[1]
    children = f"/library/metadata/{season.rating_key}/children"
    before = fresh_client.get(children).keys
    removed = fresh.catalogue.add("2", "episode", "Gone", parent_rating_key=season.rating_key)
    added = fresh.catalogue.add("2", "episode", "Extra", parent_rating_key=season.rating_key)
    fresh.catalogue.remove(removed.rating_key)
    assert fresh_client.get(children).keys == [*before, added.rating_key]
    assert fresh_client.get(f"/library/metadata/{removed.rating_key}").status == 404
    for sort in ("titleSort", "show.titleSort", "lastViewedAt", "addedAt:desc"):
        listed = fresh_client.get(f"/library/sections/2/all?type=4&sort={sort}")
        assert listed.status == 200
        assert removed.rating_key not in listed.keys


def test_changing_the_title_of_a_show_changes_its_sort_order_and_its_episodes(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    show = fresh.catalogue.items("2", "show")[1]
    fresh_client.get("/library/sections/2/all?sort=titleSort")
    fresh.catalogue.change(show.rating_key, title="Zzz", title_sort=None)
    assert (
        fresh_client.get("/library/sections/2/all?sort=titleSort:desc").keys[0] == show.rating_key
    )
    leaves = fresh_client.get(f"/library/metadata/{show.rating_key}/allLeaves").xml
    assert {leaf.get("grandparentTitle") for leaf in leaves} == {"Zzz"}


def test_changing_an_item_updates_the_dates_of_its_library(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    def dates() -> tuple[int, int]:
        row = fresh_client.get("/library/sections").xml[0]
        return int(row.get("contentChangedAt", "")), int(row.get("updatedAt", ""))

    item = fresh.catalogue.items("1", "movie")[5]
    before = dates()
    changed = fresh.catalogue.change(item.rating_key, title="Other")
    assert dates() > before
    assert dates()[0] > 2**53
    assert (changed.updated_at or 0) > (item.updated_at or 0)


def test_marking_an_item_as_watched_affects_one_user_only(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    path = "/library/sections/1/all?type=1&unwatched=1"
    key = fresh_client.get(path, token="viewer").keys[0]
    owner_keys = fresh_client.get(path).keys
    query = f"key={key}&identifier=com.plexapp.plugins.library"
    assert fresh_client.get(f"/:/scrobble?{query}", token="viewer").status == 200
    assert key not in fresh_client.get(path, token="viewer").keys
    assert fresh_client.get(path).keys == owner_keys
    assert (
        fresh_client.get(
            f"/:/unscrobble?key={key}&identifier=com.plexapp.plugins.library", token="viewer"
        ).status
        == 200
    )
    assert key in fresh_client.get(path, token="viewer").keys


def test_marking_a_show_as_watched_marks_all_its_episodes(fresh: Simulator) -> None:
    show = fresh.catalogue.items("2", "show")[0]
    fresh.catalogue.mark_watched(show.rating_key)
    watch_state = fresh.catalogue.items("2", "show")[0].watch_states[1]
    assert watch_state.viewed_leaf_count == show.leaf_count


def test_a_change_in_any_library_changes_the_list_of_all_libraries(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    path = "/library/all?type=1&sort=addedAt:desc"
    for library_key in ("8", "1", "11"):
        assert fresh_client.page(path, 0, 1).keys == fresh_client.page(path, 0, 1).keys
        item = fresh.catalogue.items(library_key, "movie")[3]
        newest = fresh_client.page(path, 0, 1).xml[0]
        fresh.catalogue.change(item.rating_key, added_at=int(newest.get("addedAt", "")) + 1)
        assert fresh_client.page(path, 0, 1).keys == [item.rating_key]
