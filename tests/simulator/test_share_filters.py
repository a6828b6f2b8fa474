"""What the filters of a share hide from an account, wherever items are shown."""

from urllib.parse import quote

import pytest

from plex_simulator import Simulator
from plex_simulator.generation.metadata import LABELS
from plex_simulator.models import Account, Item, Tag

from .conftest import PlexClient

MOVIES = "/library/sections/1/all"
FAVOURITES, KIDS = LABELS


def has_label(item: Item, name: str) -> bool:
    return name in {label.tag for label in item.labels}


def is_rated(item: Item, *ratings: str) -> bool:
    return item.content_rating in ratings


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("label!=Kids", lambda movie: not has_label(movie, "Kids")),
        ("label=Kids", lambda movie: has_label(movie, "Kids")),
        (
            "label!=Kids,Favourites",
            lambda movie: not has_label(movie, "Kids") and not has_label(movie, "Favourites"),
        ),
        (
            "label!=Kids%2CFavourites",
            lambda movie: not has_label(movie, "Kids") and not has_label(movie, "Favourites"),
        ),
        ("contentRating=G%2Cgb%2FU", lambda movie: is_rated(movie, "G", "gb/U")),
        ("contentRating!=R", lambda movie: not is_rated(movie, "R")),
        (
            "contentRating=PG&label!=Kids",
            lambda movie: is_rated(movie, "PG") and not has_label(movie, "Kids"),
        ),
        (
            "contentRating=PG|label=Kids",
            lambda movie: is_rated(movie, "PG") or has_label(movie, "Kids"),
        ),
        (
            "contentRating=PG|label=Kids&label!=Favourites",
            lambda movie: (
                (is_rated(movie, "PG") or has_label(movie, "Kids"))
                and not has_label(movie, "Favourites")
            ),
        ),
        ("label=Unknown", lambda movie: False),
        ("label!=Unknown", lambda movie: True),
    ],
)
def test_the_grammar_of_a_filter(fresh: Simulator, fresh_client: PlexClient, text, passes) -> None:  # type: ignore[no-untyped-def]
    movies = list(fresh.catalogue.items("1", "movie"))
    fresh.catalogue.change(movies[3].rating_key, labels=(KIDS,), content_rating="PG")
    fresh.catalogue.change(movies[4].rating_key, labels=(FAVOURITES, KIDS), content_rating="PG")
    anna = fresh.add_account("Anna", filters={"filterMovies": text})
    shown = fresh_client.get(MOVIES, token=anna.server_token).keys
    expected = [m.rating_key for m in fresh.catalogue.items("1", "movie") if passes(m)]
    assert sorted(shown) == sorted(expected)


@pytest.fixture
def anna(fresh: Simulator) -> Account:
    return fresh.add_account("Anna", filters={"filterMovies": "label!=Xyloid"})


@pytest.fixture
def movie(fresh: Simulator, anna: Account) -> Item:
    """A movie that is hidden from Anna, though she has played it; no other has the same words."""
    movies = fresh.catalogue.items("1", "movie")
    key = next(movie.rating_key for movie in movies if movie.seen_by(anna).view_count)
    fresh.catalogue.set_progress(key, anna, 600_000)
    fresh.catalogue.add_collection("1", "Xylophone Shelf", "movie", [key])
    return fresh.catalogue.change(
        key,
        labels=(Tag(499, "Xyloid"),),
        title="Xylophone Quarry",
        thumb=f"/library/metadata/{key}/thumb/1",
        content_rating="xx/99",
        year=1901,
        genres=(Tag(199, "Xylophonics"),),
        added_at=fresh.catalogue.now(),
    )


@pytest.mark.parametrize(
    "path",
    [
        MOVIES,
        f"{MOVIES}?sort=addedAt:desc",
        f"{MOVIES}?sort=random",
        f"{MOVIES}?title=xylophone",
        f"{MOVIES}?type=18",
        "/library/all?type=1",
        "/library/sections/1/collections",
        "/library/sections/1/genre",
        "/library/sections/1/year",
        "/library/sections/1/contentRating",
        "/library/sections/1/collection",
        "/library/sections/1/label",
        "/hubs/search?query=xylo&limit=50",
        "/library/search?query=xylo",
        "/library/recentlyAdded",
        "/hubs/home/recentlyAdded?type=1",
        "/library/onDeck",
        "/hubs/continueWatching",
        "/status/sessions/history/all",
    ],
)
def test_a_hidden_movie_is_missing_from_every_list(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item, path: str
) -> None:
    traces = [f'ratingKey="{movie.rating_key}"', "Xylo", "xx/99", '"1901"']

    def found(token: str) -> list[str]:
        body = fresh_client.get(path, token=token).body.decode()
        return [trace for trace in traces if trace in body]

    fresh.set_filters(anna, {})
    assert found(anna.server_token)
    fresh.set_filters(anna, {"filterMovies": "label!=Xyloid"})
    assert found(anna.server_token) == []


@pytest.mark.parametrize(
    "path",
    [
        "/library/metadata/{key}",
        "/library/metadata/{key}/thumb/1",
        "/library/metadata/{key}/children",
        "/library/metadata/{key}/matches?title=x",
        "/photo/:/transcode?width=20&height=30&url=%2Flibrary%2Fmetadata%2F{key}%2Fthumb%2F1",
        "/library/collections/{collection}",
        "/library/collections/{collection}/children",
        "/library/collections/{collection}/composite/1",
        "/library/metadata/{collection}/thumb/1",
        "/:/scrobble?key={key}&identifier=com.plexapp.plugins.library",
    ],
)
def test_a_hidden_movie_and_its_collection_are_not_found(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item, path: str
) -> None:
    (shelf,) = [c for c in fresh.catalogue.collections("1") if c.title == "Xylophone Shelf"]
    path = path.format(key=movie.rating_key, collection=shelf.rating_key)
    assert fresh_client.get(path).status == 200
    assert fresh_client.get(path, token=anna.server_token).status == 404


def test_totals_and_pages_count_what_an_account_sees(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    total = len(fresh.catalogue.items("1", "movie"))
    paging = {"X_Plex_Container_Start": "0", "X_Plex_Container_Size": "0"}
    page = fresh_client.get(MOVIES, token=anna.server_token, **paging)
    assert page.xml.get("totalSize") == str(total - 1)
    assert page.headers["X-Plex-Container-Total-Size"] == str(total - 1)
    assert fresh_client.get(MOVIES, **paging).xml.get("totalSize") == str(total)
    letters = fresh_client.get("/library/sections/1/firstCharacter", token=anna.server_token).xml
    assert sum(int(letter.get("size", "")) for letter in letters) == total - 1


def test_several_keys_at_once_return_those_that_are_visible(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    other = next(
        m.rating_key
        for m in fresh.catalogue.items("1", "movie")
        if m.rating_key != movie.rating_key
    )
    path = f"/library/metadata/{movie.rating_key},{other}"
    assert fresh_client.get(path, token=anna.server_token).keys == [other]


def test_a_collection_holds_and_counts_the_visible_items(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    other = next(
        m.rating_key
        for m in fresh.catalogue.items("1", "movie")
        if m.rating_key != movie.rating_key
    )
    mixed = fresh.catalogue.add_collection("1", "Mixed", "movie", [movie.rating_key, other])
    content = "/library/sections/1/all?type=1&title=xylo"
    smart = fresh.catalogue.add_collection("1", "Clever", "movie", content=content)
    path = f"/library/collections/{mixed.rating_key}"
    assert fresh_client.get(f"{path}/children", token=anna.server_token).keys == [other]
    assert fresh_client.get(path, token=anna.server_token).xml[0].get("childCount") == "1"
    assert fresh_client.get(path).xml[0].get("childCount") == "2"
    hidden = f"/library/collections/{smart.rating_key}"
    assert fresh_client.get(hidden).status == 200
    assert fresh_client.get(hidden, token=anna.server_token).status == 404


def test_a_playlist_holds_and_counts_the_visible_items(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    other = next(
        m.rating_key
        for m in fresh.catalogue.items("1", "movie")
        if m.rating_key != movie.rating_key
    )
    playlist = fresh.catalogue.add_playlist(anna, "Mine", "video", [movie.rating_key, other])
    path = f"/playlists/{playlist.rating_key}"
    assert fresh_client.get(f"{path}/items", token=anna.server_token).keys == [other]
    assert fresh_client.get(path, token=anna.server_token).xml[0].get("leafCount") == "1"


def test_a_changed_filter_applies_at_once(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    path = f"/library/metadata/{movie.rating_key}"
    assert movie.rating_key not in fresh_client.get(MOVIES, token=anna.server_token).keys
    fresh.set_filters(anna, {})
    assert movie.rating_key in fresh_client.get(MOVIES, token=anna.server_token).keys
    assert fresh_client.get(path, token=anna.server_token).status == 200
    fresh.set_filters(anna, {"filterAll": "label!=Xyloid"})
    assert fresh_client.get(path, token=anna.server_token).status == 404


def test_a_label_that_an_item_gets_hides_it_at_once(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    other = next(
        m.rating_key
        for m in fresh.catalogue.items("1", "movie")
        if m.rating_key != movie.rating_key
    )
    assert other in fresh_client.get(MOVIES, token=anna.server_token).keys
    fresh.catalogue.change(other, labels=movie.labels)
    assert other not in fresh_client.get(MOVIES, token=anna.server_token).keys


def test_seasons_and_episodes_are_hidden_with_their_show(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    shows = fresh.catalogue.items("2", "show")
    hidden = fresh.catalogue.change(shows[2].rating_key, labels=(KIDS,), title="Xylophone Street")
    anna = fresh.add_account("Anna", filters={"filterTelevision": "label!=Kids"})
    season = fresh.catalogue.children(hidden.rating_key)[0]
    episode = fresh.catalogue.children(season.rating_key)[0]
    fresh.catalogue.mark_watched(episode.rating_key, anna)
    keys = [hidden.rating_key, season.rating_key, episode.rating_key]
    for number, key in zip(("2", "3", "4"), keys, strict=True):
        listed = f"/library/sections/2/all?type={number}"
        assert key in fresh_client.get(listed).keys
        assert key not in fresh_client.get(listed, token=anna.server_token).keys
        assert fresh_client.get(f"/library/metadata/{key}", token=anna.server_token).status == 404
    leaves = f"/library/metadata/{hidden.rating_key}/allLeaves"
    assert fresh_client.get(leaves, token=anna.server_token).status == 404
    assert b"Xylophone" not in fresh_client.get("/library/onDeck", token=anna.server_token).body
    assert b"Xylophone" in fresh_client.get(f"/hubs/search?query={quote('xylo')}").body
    assert b"Xylo" not in fresh_client.get("/hubs/search?query=xylo", token=anna.server_token).body


def test_a_little_kid_sees_no_collections_and_an_older_kid_sees_them(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    little = fresh.add_account("Little", restriction_profile="little_kid", filters={})
    older = fresh.add_account("Older", restriction_profile="older_kid", filters={})
    path = "/library/sections/1/collections"
    seen = fresh_client.get(path, token=older.server_token).keys
    assert seen == fresh_client.get(path).keys
    assert fresh_client.get(path, token=little.server_token).keys == []
    one = f"/library/collections/{seen[0]}"
    assert fresh_client.get(one, token=little.server_token).status == 404


def test_an_age_profile_shows_nothing_that_is_rated_higher(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    kid = fresh.add_account("Kid", restriction_profile="little_kid")
    rows = fresh_client.get(MOVIES, token=kid.server_token).xml
    assert {row.get("contentRating") for row in rows} == {"G", "gb/U"}


def test_an_ampersand_in_a_label_breaks_the_hubs_of_that_account(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    anna = fresh.add_account("Anna", filters={"filterMovies": "label!=Tom & Jerry"})
    assert fresh_client.get("/hubs/continueWatching", token=anna.server_token).status == 500
    assert fresh_client.get(MOVIES, token=anna.server_token).status == 200
    fresh.set_filters(anna, {"filterMovies": "label!=Tom %26 Jerry"})
    assert fresh_client.get("/hubs/continueWatching", token=anna.server_token).status == 200
