"""Each sort and filter gives what a plain Python sort or filter of the catalogue gives."""

from collections.abc import Callable
from typing import Any

import pytest

from plex_simulator import Simulator
from plex_simulator.models import Item
from tests.api.test_library_items import walk
from tests.conftest import Client

VALUES: dict[str, Callable[[Item], Any]] = {
    "titleSort": lambda item: item.sort_title.casefold(),
    "addedAt": lambda item: item.added_at,
    "rating": lambda item: item.rating,
    "year": lambda item: item.year,
}
DOWN_WHEN_BARE = {"titleSort": False, "addedAt": True, "rating": True, "year": True}
SORTS = [
    (field, direction, direction == ":desc" or (not direction and DOWN_WHEN_BARE[field]))
    for field in VALUES
    for direction in ("", ":asc", ":desc")
]


def keys(items: list[dict]) -> list[str]:
    return [item["ratingKey"] for item in items]


@pytest.mark.parametrize(("field", "direction", "down"), SORTS)
@pytest.mark.parametrize(
    ("library", "kind"), [("1", "movie"), ("2", "show"), ("5", "album"), ("8", "movie")]
)
def test_every_sort_is_a_plain_sort_with_unknown_values_last(
    api: Client, plex: Simulator, library: str, kind: str, field: str, direction: str, down: bool
) -> None:
    path = f"/plex/libraries/{library}/items?type={kind}&details=summary&sort={field}{direction}"
    items = walk(api, path, 96)
    value = VALUES[field]
    facts = {each.rating_key: each for each in plex.catalogue.items(library, kind)}
    with_value = [each for each in facts.values() if value(each) is not None]
    # Ties may come in any order: the values must be sorted, and everything there once.
    found = [value(facts[key]) for key in keys(items)]
    assert found == sorted(map(value, with_value), reverse=down) + [None] * (
        len(facts) - len(with_value)
    )
    assert sorted(keys(items)) == sorted(facts)


def test_the_default_sort_is_by_title(api: Client, plex: Simulator) -> None:
    titles = [each["titleSort"] for each in walk(api, "/plex/libraries/1/items?details=summary")]
    assert titles == sorted(titles, key=str.casefold)


@pytest.mark.parametrize("kind", ["season", "episode"])
@pytest.mark.parametrize("sort", ["titleSort", "addedAt", "rating", "year:asc"])
def test_every_sort_of_seasons_and_episodes_gives_each_once(
    api: Client, plex: Simulator, kind: str, sort: str
) -> None:
    items = walk(api, f"/plex/libraries/2/items?type={kind}&details=summary&sort={sort}", 150)
    assert sorted(keys(items)) == [each.rating_key for each in plex.catalogue.items("2", kind)]


@pytest.mark.parametrize(
    ("library", "kind", "name", "number"),
    [
        ("1", "movie", "Comedy", 105),
        ("1", "movie", "sCIENCE fiction", 117),
        ("2", "show", "drama", 108),
        ("5", "artist", "Jazz", 210),
        ("5", "album", "R&B", 212),
    ],
)
def test_a_genre_is_found_by_name_in_any_case_and_by_id(
    api: Client, plex: Simulator, library: str, kind: str, name: str, number: int
) -> None:
    path = f"/plex/libraries/{library}/items?type={kind}&details=summary&genre="
    by_name = walk(api, path + name.replace("&", "%26"))
    by_id = walk(api, path + str(number))
    facts = [
        each.rating_key
        for each in plex.catalogue.items(library, kind)
        if number in {genre.id for genre in each.genres}
    ]
    assert facts
    assert sorted(keys(by_name)) == sorted(keys(by_id)) == facts


def test_seasons_and_episodes_have_their_shows_genres_and_tracks_their_albums(
    api: Client, plex: Simulator
) -> None:
    catalogue = plex.catalogue
    shows = {e.rating_key for e in catalogue.items("2", "show") if _has(e, "Comedy")}
    albums = {e.rating_key for e in catalogue.items("5", "album") if _has(e, "Jazz")}
    seasons = walk(api, "/plex/libraries/2/items?type=season&genre=comedy&details=summary")
    episodes = walk(api, "/plex/libraries/2/items?type=episode&genre=comedy&details=summary")
    tracks = walk(api, "/plex/libraries/5/items?type=track&genre=jazz&details=summary")
    assert shows
    assert albums
    assert sorted(keys(seasons)) == [
        e.rating_key for e in catalogue.items("2", "season") if e.parent_rating_key in shows
    ]
    assert sorted(keys(episodes)) == [
        e.rating_key for e in catalogue.items("2", "episode") if e.grandparent_rating_key in shows
    ]
    assert sorted(keys(tracks)) == [
        e.rating_key for e in catalogue.items("5", "track") if e.parent_rating_key in albums
    ]


def _has(item: Item, genre: str) -> bool:
    return genre in {tag.tag for tag in item.genres}


@pytest.mark.parametrize(
    ("library", "genre"),
    [("1", "Nonsense"), ("1", "99999"), ("1", "Jazz"), ("5", "Comedy"), ("8", "Comedy"),
     ("6", "Comedy"), ("6&type=photoalbum", "Comedy"), ("1", "%F0%9F%8E%AC"), ("1", "105,106")],
)  # fmt: skip
def test_an_unknown_genre_gives_an_empty_page(api: Client, library: str, genre: str) -> None:
    key, _, more = library.partition("&")
    data = api.data(f"/plex/libraries/{key}/items?genre={genre}&{more}")
    assert data["items"] == []
    assert data["pagination"] == {"start": 0, "size": 50, "total": 0, "hasMore": False}


@pytest.mark.parametrize(
    ("library", "kind"),
    [("1", "movie"), ("2", "show"), ("2", "episode"), ("5", "album"), ("6", "photo")],
)
def test_a_year_selects_that_year(api: Client, plex: Simulator, library: str, kind: str) -> None:
    facts = list(plex.catalogue.items(library, kind))
    years = [each.year for each in facts if each.year]
    year = max(years, key=years.count)
    items = walk(api, f"/plex/libraries/{library}/items?type={kind}&year={year}&details=summary")
    assert sorted(keys(items)) == [each.rating_key for each in facts if each.year == year]


def test_a_tracks_year_is_its_albums(api: Client, plex: Simulator) -> None:
    albums = {each.rating_key: each.year for each in plex.catalogue.items("5", "album")}
    year = next(year for year in albums.values() if year)
    items = walk(api, f"/plex/libraries/5/items?type=track&year={year}&details=summary")
    assert sorted(keys(items)) == [
        each.rating_key
        for each in plex.catalogue.items("5", "track")
        if albums[str(each.parent_rating_key)] == year
    ]


@pytest.mark.parametrize(
    ("library", "kind"), [("2", "season"), ("5", "artist"), ("6", "photoalbum")]
)
def test_a_year_is_refused_for_what_has_none(api: Client, library: str, kind: str) -> None:
    path = f"/plex/libraries/{library}/items?type={kind}&year=1999"
    assert set(api.error(path, 400, "VALIDATION_ERROR")["details"]) == {"year"}


@pytest.mark.parametrize(("library", "kind"), [("1", "movie"), ("2", "episode"), ("8", "movie")])
def test_unwatched_selects_what_was_never_watched(
    api: Client, plex: Simulator, library: str, kind: str
) -> None:
    items = walk(api, f"/plex/libraries/{library}/items?type={kind}&unwatched=1&details=summary")
    owner = plex.catalogue.owner
    assert sorted(keys(items)) == [
        each.rating_key
        for each in plex.catalogue.items(library, kind)
        if each.seen_by(owner).view_count == 0
    ]


@pytest.mark.parametrize("kind", ["show", "season"])
def test_unwatched_selects_shows_and_seasons_with_unwatched_episodes(
    api: Client, own_plex: Simulator, kind: str
) -> None:
    catalogue = own_plex.catalogue
    watched = catalogue.items("2", "show")[1]
    catalogue.mark_watched(watched.rating_key)
    items = walk(api, f"/plex/libraries/2/items?type={kind}&unwatched=true&details=summary")
    expected = [
        each.rating_key
        for each in catalogue.items("2", kind)
        if each.seen_by(catalogue.owner).viewed_leaf_count < (each.leaf_count or 0)
    ]
    assert 0 < len(expected) < len(catalogue.items("2", kind))
    assert sorted(keys(items)) == expected


@pytest.mark.parametrize("value", ["0", "false"])
def test_unwatched_false_is_no_filter(api: Client, value: str) -> None:
    data = api.data(f"/plex/libraries/1/items?unwatched={value}&details=summary")
    assert data["pagination"]["total"] == 240


@pytest.mark.parametrize("value", ["0", "1", "true", "false"])
@pytest.mark.parametrize("path", ["5/items?", "5/items?type=track&", "6/items?"])
def test_music_and_photos_are_not_watched(api: Client, path: str, value: str) -> None:
    error = api.error(f"/plex/libraries/{path}unwatched={value}", 400, "VALIDATION_ERROR")
    assert set(error["details"]) == {"unwatched"}


def test_filters_and_sort_work_together(api: Client, plex: Simulator) -> None:
    path = "/plex/libraries/1/items?genre=drama&unwatched=1&sort=rating:desc&details=summary"
    items = walk(api, path, 7)
    owner = plex.catalogue.owner
    facts = [
        each
        for each in plex.catalogue.items("1", "movie")
        if _has(each, "Drama") and each.seen_by(owner).view_count == 0
    ]
    ratings = [item.get("rating", -1) for item in items]
    assert sorted(keys(items)) == [each.rating_key for each in facts]
    assert ratings == sorted(ratings, reverse=True)


@pytest.mark.parametrize(
    ("library", "kind"),
    [("1", "show"), ("1", "photo"), ("2", "movie"), ("2", "track"), ("5", "movie"),
     ("5", "episode"), ("6", "movie"), ("6", "album"), ("8", "show")],
)  # fmt: skip
def test_a_type_that_the_library_does_not_hold_is_refused(
    api: Client, plex: Simulator, library: str, kind: str
) -> None:
    error = api.error(f"/plex/libraries/{library}/items?type={kind}", 400, "VALIDATION_ERROR")
    assert set(error["details"]) == {"type"}
    assert plex.count("/library/sections/") == 0


def test_watching_an_item_shows(api: Client, own_plex: Simulator) -> None:
    path = "/plex/libraries/1/items?unwatched=1&details=summary"
    facts = own_plex.catalogue.items("1", "movie")[0]
    own_plex.catalogue.mark_watched(facts.rating_key, watched=True)
    assert facts.rating_key not in keys(walk(api, path))
    own_plex.catalogue.mark_watched(facts.rating_key, watched=False)
    assert facts.rating_key in keys(walk(api, path, 199))
