from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from plexapi.server import PlexServer

from plex_simulator import Simulator
from plex_simulator.models import Item

from .conftest import NOW, PlexClient

MOVIES = "/library/sections/1/all?type=1"


def movies(simulator: Simulator) -> list[Item]:
    return list(simulator.catalogue.items("1", "movie"))


def keys(items: list[Item]) -> list[str]:
    return [item.rating_key for item in items]


def in_order(items: list[Item], value: Callable[[Item], Any], descending: bool) -> list[str]:
    known = [item for item in items if value(item) is not None]
    unknown = [item for item in items if value(item) is None]
    known.sort(key=value, reverse=descending)
    return keys(known + unknown if descending else unknown + known)


@pytest.mark.parametrize(
    ("sort", "value", "descending"),
    [
        ("titleSort", lambda item: item.sort_title.casefold(), False),
        ("titleSort:desc", lambda item: item.sort_title.casefold(), True),
        ("addedAt:desc", lambda item: item.added_at, True),
        ("rating:desc", lambda item: item.rating, True),
        ("rating:asc", lambda item: item.rating, False),
        ("year", lambda item: item.year, True),
        ("movie.year:asc", lambda item: item.year, False),
        ("duration:desc", lambda item: item.duration, True),
        ("lastViewedAt:desc", lambda item: item.watch_states[1].last_viewed_at, True),
    ],
)
def test_sorting_gives_the_same_order_as_python(
    client: PlexClient,
    simulator: Simulator,
    sort: str,
    value: Callable[[Item], Any],
    descending: bool,
) -> None:
    assert client.get(f"{MOVIES}&sort={sort}").keys == in_order(
        movies(simulator), value, descending
    )


def test_a_second_sort_field_orders_equal_items(client: PlexClient, simulator: Simulator) -> None:
    expected = sorted(movies(simulator), key=lambda item: item.sort_title.casefold())
    expected.sort(key=lambda item: (item.year is not None, item.year), reverse=True)
    assert client.get(f"{MOVIES}&sort=year:desc,titleSort:asc").keys == keys(expected)


def test_nulls_last_sorts_missing_values_last(client: PlexClient, simulator: Simulator) -> None:
    found = client.get(f"{MOVIES}&sort=rating:asc:nullsLast").keys
    unrated = [item.rating_key for item in movies(simulator) if item.rating is None]
    assert unrated
    assert found[-len(unrated) :] == unrated


def test_shows_sort_by_their_newest_episode(client: PlexClient, simulator: Simulator) -> None:
    found = client.get("/library/sections/2/all?type=2&sort=episode.addedAt:desc").keys
    newest: dict[str, int] = {}
    for episode in simulator.catalogue.items("2", "episode"):
        show = str(episode.grandparent_rating_key)
        newest[show] = max(newest.get(show, 0), episode.added_at)
    assert found == sorted(newest, key=lambda key: -newest[key])


@pytest.mark.parametrize("sort", ["bogus:desc", "year:sideways", "titleSort,bogus", "genre"])
def test_an_invalid_sort_is_answered_with_400(client: PlexClient, sort: str) -> None:
    response = client.get(f"{MOVIES}&sort={sort}")
    assert response.status == 400
    assert b"<h1>400 Bad Request</h1>" in response.body


def genre(item: Item, *names: str) -> bool:
    return any(tag.tag in names for tag in item.genres)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("genre=105", lambda i: genre(i, "Comedy")),
        ("genre!=105", lambda i: not genre(i, "Comedy")),
        ("genre=105,108", lambda i: genre(i, "Comedy", "Drama")),
        ("genre=105&genre=108", lambda i: genre(i, "Comedy") and genre(i, "Drama")),
        ("year=1999,2000,2001", lambda i: i.year in (1999, 2000, 2001)),
        ("year%3E%3E=1990", lambda i: i.year is not None and i.year > 1990),
        ("year%3C=1950", lambda i: i.year is not None and i.year <= 1950),
        ("unwatched=1", lambda i: i.watch_states[1].view_count == 0),
        ("unwatched=0", lambda i: i.watch_states[1].view_count > 0),
        ("addedAt%3E%3E=-30d", lambda i: i.added_at > NOW - 30 * 86_400),
        (f"addedAt%3C%3C={NOW - 90_000_000}", lambda i: i.added_at < NOW - 90_000_000),
        ("title=the", lambda i: "the" in i.title.casefold()),
        ("title==Twice Told".replace(" ", "%20"), lambda i: i.title == "Twice Told"),
        ("title%3D=Twice%20Told", lambda i: i.title == "Twice Told"),
        ("contentRating=PG-13", lambda i: i.content_rating == "PG-13"),
        ("contentRating=nl/16,R", lambda i: i.content_rating in ("nl/16", "R")),
        ("resolution=4k", lambda i: i.media[0].video_resolution == "4k"),
        ("rating%3E%3E=8", lambda i: i.rating is not None and i.rating > 8),
        # Plex sends no viewCount of an unwatched item, but compares it as 0.
        ("viewCount=0", lambda i: i.watch_states[1].view_count == 0),
        ("viewCount%3C%3C=1", lambda i: i.watch_states[1].view_count == 0),
        ("viewCount%21=0", lambda i: i.watch_states[1].view_count > 0),
        ("viewOffset=0", lambda i: i.watch_states[1].view_offset == 0),
        ("viewOffset%21=0", lambda i: i.watch_states[1].view_offset > 0),
        ("firstCharacter=X&nonsense=1", lambda i: True),
        (
            "push=1&genre=105&or=1&year=1999&pop=1&unwatched=1",
            lambda i: (genre(i, "Comedy") or i.year == 1999) and not i.watch_states[1].view_count,
        ),
    ],
)
def test_filters_select_the_same_items_as_python(
    client: PlexClient, simulator: Simulator, query: str, expected: Callable[[Item], bool]
) -> None:
    selected = {item.rating_key for item in movies(simulator) if expected(item)}
    # The clock runs during the tests, but the closest date is an hour away.
    assert set(client.get(f"{MOVIES}&{query}").keys) == selected
    assert selected


def test_the_first_two_movies_are_just_inside_and_outside_of_30_days(
    client: PlexClient, simulator: Simulator
) -> None:
    recent = client.get(f"{MOVIES}&addedAt%3E%3E=-30d").keys
    inside, outside = movies(simulator)[:2]
    assert inside.rating_key in recent
    assert outside.rating_key not in recent
    assert inside.added_at - outside.added_at == 7200


def test_the_guid_filter_matches_exactly(client: PlexClient, simulator: Simulator) -> None:
    item = movies(simulator)[12]
    assert client.get(f"{MOVIES}&guid={item.guid}").keys == [item.rating_key]


def test_the_collection_filter_takes_the_tag_id_instead_of_the_rating_key(
    client: PlexClient, simulator: Simulator
) -> None:
    collection = next(c for c in simulator.catalogue.collections("1") if c.item_keys)
    assert set(client.get(f"{MOVIES}&collection={collection.tag_id}").keys) == set(
        collection.item_keys
    )
    assert client.get(f"{MOVIES}&collection={collection.rating_key}").keys == []


def test_unwatched_leaves_selects_shows_with_an_unwatched_episode(
    client: PlexClient, simulator: Simulator
) -> None:
    shows = simulator.catalogue.items("2", "show")
    expected = {
        show.rating_key
        for show in shows
        if (show.leaf_count or 0) > show.watch_states[1].viewed_leaf_count
    }
    for query in ("unwatchedLeaves=1", "show.unwatchedLeaves=1", "episode.unwatched=1"):
        assert set(client.get(f"/library/sections/2/all?type=2&{query}").keys) == expected
    without_views = client.get("/library/sections/2/all?type=2&unwatched=1").keys
    assert len(without_views) < len(expected)


def test_episodes_can_be_filtered_by_the_id_of_their_show(
    client: PlexClient, simulator: Simulator
) -> None:
    show = simulator.catalogue.items("2", "show")[4]
    found = client.get(f"/library/sections/2/all?type=4&show.id={show.rating_key}")
    assert len(found.keys) == show.leaf_count


def test_episodes_can_be_filtered_by_a_part_of_the_title_of_their_show(
    client: PlexClient, simulator: Simulator
) -> None:
    episodes = simulator.catalogue.items("2", "episode")
    word = str(episodes[0].grandparent_title).split()[-1].casefold()
    expected = [e.rating_key for e in episodes if word in str(e.grandparent_title).casefold()]
    assert 0 < len(expected) < len(episodes)
    query = f"/library/sections/2/all?type=4&show.title={quote(word)}"
    assert set(client.get(query).keys) == set(expected)


@pytest.mark.parametrize("query", ["show.title==Nothing", "show.title%3D=Nothing"])
def test_the_exact_title_of_a_show_is_ignored_for_episodes(
    client: PlexClient, simulator: Simulator, query: str
) -> None:
    found = client.get(f"/library/sections/2/all?type=4&{query}").keys
    assert len(found) == len(simulator.catalogue.items("2", "episode"))


def test_each_user_has_a_separate_watch_state(client: PlexClient, simulator: Simulator) -> None:
    viewer = simulator.catalogue.viewer
    expected = {item.rating_key for item in movies(simulator) if item.seen_by(viewer).view_count}
    assert set(client.get(f"{MOVIES}&unwatched=0", token="viewer").keys) == expected
    assert expected != {
        item.rating_key for item in movies(simulator) if item.watch_states[1].view_count
    }


# Paging


def test_an_unpaged_response_has_all_rows_and_no_total(
    client: PlexClient, simulator: Simulator
) -> None:
    root = client.get(MOVIES).xml
    assert root.get("size") == str(len(movies(simulator))) == str(len(root))
    assert root.get("totalSize") is None
    assert root.get("offset") is None


def test_a_page_has_the_total_in_body_and_headers(client: PlexClient, simulator: Simulator) -> None:
    page = client.page(MOVIES, 230, 50)
    total = str(len(movies(simulator)))
    assert (page.xml.get("size"), page.xml.get("totalSize"), page.xml.get("offset")) == (
        "10",
        total,
        "230",
    )
    assert page.headers["X-Plex-Container-Start"] == "230"
    assert page.headers["X-Plex-Container-Total-Size"] == total


def test_a_size_in_the_query_without_start_is_ignored(
    client: PlexClient, simulator: Simulator
) -> None:
    everything = client.get(f"{MOVIES}&X-Plex-Container-Size=5").xml
    assert len(everything) == len(movies(simulator))
    assert everything.get("totalSize") is None
    both = client.get(f"{MOVIES}&X-Plex-Container-Size=5&X-Plex-Container-Start=0").xml
    assert (len(both), both.get("totalSize")) == (5, str(len(movies(simulator))))


def test_a_page_of_size_zero_has_the_total(client: PlexClient, simulator: Simulator) -> None:
    counted = client.get(MOVIES, X_Plex_Container_Size="0").xml
    assert (counted.get("size"), counted.get("totalSize")) == ("0", str(len(movies(simulator))))


def test_a_page_beyond_the_end_has_the_total(client: PlexClient, simulator: Simulator) -> None:
    page = client.page(MOVIES, 5_000, 50).xml
    assert (page.get("size"), page.get("totalSize")) == ("0", str(len(movies(simulator))))


def test_a_limit_also_reduces_the_total(client: PlexClient) -> None:
    assert client.page(f"{MOVIES}&limit=7", 0, 50).xml.get("totalSize") == "7"


def test_the_pages_contain_each_item_once(client: PlexClient, simulator: Simulator) -> None:
    found: list[str] = []
    total = len(simulator.catalogue.items("2", "episode"))
    for start in range(0, total, 70):
        found += client.page("/library/sections/2/all?type=4", start, 70).keys
    assert len(found) == total
    assert set(found) == {item.rating_key for item in simulator.catalogue.items("2", "episode")}


# The filters and sorts that a library offers


def test_plexapi_can_use_all_filters_and_sorts_of_a_library(
    plex: PlexServer, simulator: Simulator
) -> None:
    section = plex.library.sectionByID(1)
    found = section.search(genre="comedy", sort="year:desc", unwatched=True)
    expected = [
        i for i in movies(simulator) if genre(i, "Comedy") and not i.watch_states[1].view_count
    ]
    assert {str(item.ratingKey) for item in found} == {item.rating_key for item in expected}
    for item_type in ("show", "season", "episode"):
        for field in plex.library.sectionByID(2).listFilters(item_type):
            plex.library.sectionByID(2).listFilterChoices(field.filter, item_type)
        for sort in plex.library.sectionByID(2).listSorts(item_type):
            plex.library.sectionByID(2).search(libtype=item_type, sort=sort, maxresults=1)


@pytest.mark.parametrize(
    ("section", "item_type"),
    [(1, "movie"), (5, "artist"), (5, "album"), (5, "track"), (6, "photo"), (6, "photoalbum")],
)
def test_every_offered_sort_and_filter_is_accepted(
    plex: PlexServer, section: int, item_type: str
) -> None:
    library = plex.library.sectionByID(section)
    for sort in library.listSorts(item_type):
        library.search(libtype=item_type, sort=sort, maxresults=1, container_size=1)
    for field in library.listFilters(item_type):
        for choice in library.listFilterChoices(field.filter, item_type)[:2]:
            found = library.search(
                libtype=item_type,
                filters={field.filter: choice.key},
                maxresults=1,
                container_size=1,
            )
            if field.filter not in ("unmatched", "inProgress", "hdr", "unwatched", "label"):
                assert found, (field.filter, choice.key)


def test_year_is_an_advanced_sort(client: PlexClient) -> None:
    def sorts(query: str) -> list[str | None]:
        root = client.get(
            f"{MOVIES}&includeMeta=1{query}&X-Plex-Container-Start=0&X-Plex-Container-Size=0"
        )
        return [sort.get("key") for sort in root.xml.findall("Meta/Type[@active='1']/Sort")]

    assert {"titleSort", "addedAt", "rating"} <= set(sorts(""))
    assert "year" not in sorts("")
    assert "year" in sorts("&includeAdvanced=1")


SHOW_ORDER = (
    "show.titleSort,season.index:nullsLast,episode.index:nullsLast,"
    "episode.originallyAvailableAt:nullsLast,episode.titleSort,episode.id"
)
ALBUM_ORDER = "artist.titleSort,album.titleSort,album.index,album.id,album.originallyAvailableAt"


@pytest.mark.parametrize(
    ("section", "number", "default", "advanced"),
    [
        (2, 3, "show.titleSort,index", {"season.index,season.titleSort", "userRating", "addedAt"}),
        (
            *(2, 4, SHOW_ORDER),
            {"titleSort", "year", "userRating", "duration", "viewOffset", "viewCount"}
            | {"mediaHeight", "mediaBitrate"},
        ),
        (5, 9, ALBUM_ORDER, {"originallyAvailableAt", "userRating", "viewCount"}),
    ],
)
def test_seasons_episodes_and_albums_have_advanced_sorts(
    client: PlexClient, section: int, number: int, default: str, advanced: set[str]
) -> None:
    path = f"/library/sections/{section}/sorts?type={number}"
    basic, complete = client.get(path).xml, client.get(f"{path}&includeAdvanced=1").xml
    assert {sort.get("key") for sort in complete} - {sort.get("key") for sort in basic} == advanced
    assert [sort.get("key") for sort in complete if sort.get("default")] == [default]
    meta = client.get(
        f"/library/sections/{section}/all?type={number}&includeMeta=1&includeAdvanced=1"
    ).xml
    sorts = meta.findall("Meta/Type[@active='1']/Sort")
    assert [sort.attrib for sort in sorts] == [sort.attrib for sort in complete]
    for sort in complete:
        ordered = f"/library/sections/{section}/all?type={number}&sort={sort.get('descKey')}"
        assert client.get(ordered).status == 200


def test_genres_are_listed_with_tag_id_and_fast_key(
    client: PlexClient, simulator: Simulator
) -> None:
    rows = list(client.get("/library/sections/1/genre").xml)
    expected = {(str(t.id), t.tag) for item in movies(simulator) for t in item.genres}
    assert {(row.get("key"), row.get("title")) for row in rows} == expected
    assert rows[0].get("fastKey") == f"/library/sections/1/all?genre={rows[0].get('key')}"
    assert rows[0].get("type") == "genre"


def test_library_all_lists_items_of_all_libraries(client: PlexClient, simulator: Simulator) -> None:
    rows = list(client.get("/library/all?type=1&sort=addedAt:desc").xml)
    added = [int(row.get("addedAt", "")) for row in rows]
    assert added == sorted(added, reverse=True)
    assert {row.get("librarySectionID") for row in rows} == {"1", "8", "11"}


def test_excluded_elements_and_fields_are_left_out(client: PlexClient) -> None:
    slim = client.get(f"{MOVIES}&excludeElements=Media,Role&excludeFields=summary").xml
    assert slim.find("Video/Media") is None
    assert slim.find("Video/Role") is None
    assert slim.find("Video[@summary]") is None
    assert slim.find("Video/Genre") is not None


def test_elements_below_an_item_are_excluded_by_their_name_too(
    client: PlexClient, simulator: Simulator
) -> None:
    movie = simulator.catalogue.items("1", "movie")[0]
    path = f"/library/metadata/{movie.rating_key}"
    assert client.get(path).xml.find("Video/Media/Part/Stream") is not None
    slim = client.get(f"{path}?excludeElements=Stream,Producer").xml
    assert slim.find("Video/Media/Part") is not None
    assert slim.find("Video/Media/Part/Stream") is None
    assert slim.find("Video/Producer") is None
