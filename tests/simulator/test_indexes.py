"""The stored indexes follow every change, and give what a new computation gives."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

import pytest

from plex_simulator import Simulator, filter_options
from plex_simulator.catalogue import Catalogue
from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.models import TYPE_NUMBERS, Tag
from plex_simulator.queries import select

from .conftest import NOW, PlexClient

SIZES = {"movies": 60, "shows": 8, "artists": 4, "photo_albums": 3}
OTHER_PATHS = [
    *(f"/library/sections/{key}/firstCharacter" for key in (1, 2, 5)),
    *(f"/library/sections/{key}/collections" for key in (1, 2, 5)),
    *(f"/hubs/search?query={query}&limit=40" for query in ("the", "comedy", "changed")),
    *("/library/recentlyAdded", "/hubs/home/recentlyAdded?type=2", "/library/onDeck"),
    *("/media/providers?includeStorage=1", "/playlists"),
]
VALUES = {"string": "o", "exact": "R", "integer": "2", "date": "-900d", "boolean": "1"}


def queries(item_type: str) -> Iterator[str]:
    """Yield a query per sort and filter of a type."""
    yield ""
    for sort, _, _ in filter_options.SORTS[item_type]:
        if sort != "random":
            yield f"sort={sort}"
    for field in sorted(TYPE_FIELDS[item_type]):
        kind = FIELDS[field].type
        if kind == "tag":
            yield f"{field}=105,201,301,401,50001,50010&sort=id"
            yield f"{field}!=104,202,302,402,50007&sort=id"
        else:
            yield f"{field}={VALUES[kind]}&sort={field}:desc"
            yield f"{field}!={VALUES[kind]}&sort={field}:asc"


MORE_QUERIES = {
    "show": ["episode.unwatched=1&sort=episode.addedAt:desc"],
    "episode": ["show.unwatched=1&sort=show.year:desc,episode.index", "season.index=1&sort=id"],
}


def read(simulator: Simulator, client: PlexClient) -> dict[str, object]:
    """Return the result of each query, and the responses that are made in other ways."""
    catalogue, found = simulator.catalogue, dict[str, object]()
    for library in catalogue.libraries[:3]:
        for item_type in library.item_types:
            table = catalogue.table(library.key, item_type)
            for query in [*queries(item_type), *MORE_QUERIES.get(item_type, [])]:
                for user in catalogue.users:
                    selected = select(table, user, parse_qsl(query), NOW)
                    found[f"{item_type} {query} {user.name}"] = list(selected)
            for option, _, _ in filter_options.FILTERS[item_type]:
                path = f"/library/sections/{library.key}/{option}?type={TYPE_NUMBERS[item_type]}"
                found[path] = client.get(path).body
    for path in OTHER_PATHS:
        found[path] = client.get(path).body
    return found


def change_movies(catalogue: Catalogue) -> None:
    first, second, third = catalogue.items("1", "movie")[3:6]
    catalogue.change(
        first.rating_key, title="Changed Once", year=2001, genres=(Tag(105, "Comedy"),)
    )
    catalogue.change(second.rating_key, title="Changed Too", year=None, genres=())
    catalogue.remove(third.rating_key)
    catalogue.add("1", "movie", "Changed Three", year=1802, genres=(Tag(104, "Biography"),))


def change_views_and_ratings(catalogue: Catalogue) -> None:
    movies, shows = catalogue.items("1", "movie"), catalogue.items("2", "show")
    catalogue.mark_watched(movies[10].rating_key)
    catalogue.mark_watched(movies[11].rating_key, watched=False)
    catalogue.mark_watched(shows[2].rating_key)
    catalogue.mark_watched(catalogue.items("2", "episode")[-1].rating_key)
    catalogue.rate(movies[12].rating_key, catalogue.owner, 9.5)


def change_shows(catalogue: Catalogue) -> None:
    shows, seasons = catalogue.items("2", "show"), catalogue.items("2", "season")
    catalogue.change(shows[1].rating_key, title="Zzz changed", title_sort=None, year=1950)
    catalogue.remove(shows[3].rating_key)
    added = catalogue.add("2", "season", "Changed", parent_rating_key=shows[4].rating_key)
    catalogue.add("2", "episode", "Changed", parent_rating_key=added.rating_key)
    catalogue.add("2", "episode", "Extra", parent_rating_key=seasons[0].rating_key)


def change_music_and_collections(catalogue: Catalogue) -> None:
    catalogue.change(catalogue.items("5", "artist")[1].rating_key, title="Aaa changed")
    catalogue.remove(catalogue.items("5", "album")[2].rating_key)
    first, second = catalogue.collections("1")[:2]
    catalogue.change_collection(first.rating_key, item_keys=first.item_keys[1:], title="Changed")
    catalogue.remove_collection(second.rating_key)


@pytest.mark.parametrize(
    "change", [change_movies, change_views_and_ratings, change_shows, change_music_and_collections]
)
def test_what_is_read_after_a_change_does_not_depend_on_what_was_read_before(
    change: Callable[[Catalogue], None],
) -> None:
    simulator, twin = Simulator(seed=3, now=NOW, **SIZES), Simulator(seed=3, now=NOW, **SIZES)
    with simulator, twin:
        for each in (simulator, twin):
            # Both clocks stand still, so that both changes happen at the same time.
            each.catalogue.now = lambda: NOW  # type: ignore[method-assign]
        client, twin_client = PlexClient(simulator), PlexClient(twin)
        before = read(simulator, client)
        change(simulator.catalogue)
        change(twin.catalogue)
        after, expected = read(simulator, client), read(twin, twin_client)
        assert after.keys() == expected.keys()
        assert [key for key in after if after[key] != expected[key]] == []
        assert len([key for key in after if after[key] != before[key]]) > 5
        client.connection.close()
        twin_client.connection.close()
