"""After a write the viewer's next read shows it, and only what it touched was dropped."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from medianest import store
from plex_integration.plex.parsing.smart import depends_on_watch_state
from plex_integration.plex.xml import parse_xml
from plex_simulator import Simulator
from plex_simulator.models import Account, Item
from tests.service import until
from tests.watching.conftest import seasons_of
from tests.writing.conftest import Writer

HIT, MISS = "HIT", "MISS"
NOT_YET_SEEN = "/library/sections/1/all?type=1&unwatched=1"


@pytest.fixture
def movies(plex: Simulator, anna: Account, movie: Item) -> list[Item]:
    """The movie, and another one that Anna has not seen; both are of the same length."""
    others = plex.catalogue.items("1", "movie")
    other = next(each for each in others if each.rating_key != movie.rating_key)
    plex.catalogue.mark_watched(other.rating_key, anna, watched=False)
    return [movie, plex.catalogue.change(other.rating_key, duration=6_000_000)]


@pytest.fixture
def paths(plex: Simulator, anna: Account, movies: list[Item], show: Item) -> Mapping[str, str]:
    """The pages of Anna's that are cached, by name."""
    season, other = seasons_of(plex, show)[-1], seasons_of(plex, show)[-2]
    first, second = plex.catalogue.children(season.rating_key)[:2]
    shows = [each for each in plex.catalogue.items("2", "show") if each != show]
    catalogue = plex.catalogue
    smart = catalogue.add_collection("1", "Not Seen", "movie", content=NOT_YET_SEEN)
    fixed = catalogue.add_collection("1", "Fixed", "movie", [movies[1].rating_key])
    holding = catalogue.add_collection("1", "Holding", "movie", [movies[0].rating_key])
    clever = catalogue.add_collection("2", "Clever", "show", [shows[0].rating_key])
    unseen = catalogue.add_playlist(anna, "Unseen", "video", content=NOT_YET_SEEN)
    later = catalogue.add_playlist(anna, "Later", "video", [movies[1].rating_key])
    return {
        "movie": f"/plex/items/{movies[0].rating_key}",
        "other movie": f"/plex/items/{movies[1].rating_key}",
        "page with movie": "/plex/libraries/1/items?size=200",
        "unwatched movies": "/plex/libraries/1/items?unwatched=true&size=1&start=40",
        "show": f"/plex/items/{show.rating_key}",
        "seasons": f"/plex/items/{show.rating_key}/children",
        "season": f"/plex/items/{season.rating_key}",
        "other season": f"/plex/items/{other.rating_key}",
        "episode": f"/plex/items/{first.rating_key}",
        "other episode": f"/plex/items/{second.rating_key}",
        "episodes": f"/plex/items/{season.rating_key}/children",
        "other show": f"/plex/items/{shows[0].rating_key}",
        "shows": "/plex/libraries/2/items",
        "unwatched episodes": "/plex/libraries/2/items?type=episode&unwatched=true&size=1&start=4",
        "on deck": "/plex/on-deck",
        "smart collection": f"/plex/collections/{smart.rating_key}?size=1&start=40",
        "collection": f"/plex/collections/{fixed.rating_key}",
        "collection with movie": f"/plex/collections/{holding.rating_key}",
        "show collection": f"/plex/collections/{clever.rating_key}",
        "collections of movies": "/plex/libraries/1/collections",
        "collections of shows": "/plex/libraries/2/collections",
        "smart playlist": f"/plex/playlists/{unseen.rating_key}?size=1&start=40",
        "playlist": f"/plex/playlists/{later.rating_key}",
        "playlists": "/plex/playlists",
        "libraries": "/plex/libraries",
        "genres": "/plex/libraries/1/genres",
        "server": "/plex/server",
        "search": "/plex/search?query=zzzz",
    }


class Pages:
    """Pages that a viewer has read, and whether they are still cached."""

    def __init__(self, api: Writer, paths: Mapping[str, str]) -> None:
        self._api, self._paths = api, paths
        self.dropped()

    def dropped(self) -> set[str]:
        """Return what was dropped; read it again."""
        found = self._read()
        assert set(self._read().values()) == {HIT}
        return {name for name, status in found.items() if status == MISS}

    def _read(self) -> dict[str, str]:
        for windows in store.current().rate_windows._windows.values():  # type: ignore[attr-defined]
            windows.clear()
        return {name: self._api.status(path) for name, path in self._paths.items()}


@pytest.fixture
def pages(api: Writer, paths: Mapping[str, str]) -> Pages:
    return Pages(api, paths)


@pytest.fixture
def others(
    viewer_as: Callable[[Account], Writer], reader: Writer, plex: Simulator,
    paths: Mapping[str, str],
) -> Iterator[list[Pages]]:  # fmt: skip
    """The pages of another viewer, and of a user without a link; a write drops none of them."""
    own = {name: path for name, path in paths.items() if "playlist" not in name}
    read = [Pages(viewer_as(plex.add_account("Berta")), own), Pages(reader, own)]
    yield read
    assert [each.dropped() for each in read] == [set(), set()]


OF_MOVIE = {"movie", "page with movie", "on deck", "collection with movie"}
BY_MOVIES_SEEN = {
    "unwatched movies",
    "smart collection",
    "collections of movies",
    "smart playlist",
    "playlists",
}
OF_EPISODE = {"episode", "season", "show", "seasons", "episodes", "shows", "on deck"}
BY_EPISODES_SEEN = {"unwatched episodes", "smart playlist", "playlists"}


def test_a_marked_movie_drops_what_shows_it_and_what_depends_on_marks(
    api: Writer, pages: Pages, others: list[Pages], movie: Item
) -> None:
    path = f"/plex/items/{movie.rating_key}"
    for method, count in (("PUT", 1), ("DELETE", 0)):
        api.wrote(method, f"{path}/watched?dryRun=true")
        assert pages.dropped() == set()
        api.wrote(method, f"{path}/watched")
        assert pages.dropped() == OF_MOVIE | BY_MOVIES_SEEN
        assert api.data(path)["item"]["playbackProgress"]["viewCount"] == count
        api.wrote(method, f"{path}/watched")
        assert pages.dropped() == set()


def test_a_marked_episode_drops_its_season_and_show_too(
    api: Writer, pages: Pages, others: list[Pages], paths: Mapping[str, str]
) -> None:
    api.wrote("PUT", f"{paths['episode']}/watched")
    assert pages.dropped() == OF_EPISODE | BY_EPISODES_SEEN
    assert api.data(paths["show"])["item"]["viewedLeafCount"] == 1
    assert api.data(paths["season"])["item"]["viewedLeafCount"] == 1


@pytest.mark.parametrize("marked", ["season", "show"])
def test_a_marked_season_or_show_drops_all_its_episodes(
    api: Writer, pages: Pages, others: list[Pages], paths: Mapping[str, str], marked: str
) -> None:
    api.wrote("PUT", f"{paths[marked]}/watched")
    expected = OF_EPISODE | {"other episode"} | BY_EPISODES_SEEN
    assert pages.dropped() == expected | ({"other season"} if marked == "show" else set())
    shown = api.data(paths["episodes"])["items"]
    assert {each["playbackProgress"]["viewCount"] for each in shown} == {1}


def test_a_resume_point_that_comes_or_goes_drops_smart_lists_and_one_that_moves_does_not(
    api: Writer, pages: Pages, others: list[Pages], movie: Item
) -> None:
    path = f"/plex/items/{movie.rating_key}"
    by_resume_points = BY_MOVIES_SEEN - {"unwatched movies"}
    for offset, also in ((70_000, True), (80_000, False), (90_000, False), (0, True)):
        api.wrote("PUT", f"{path}/progress", json={"viewOffset": offset})
        assert pages.dropped() == OF_MOVIE | (by_resume_points if also else set())
        assert api.data(path)["item"]["playbackProgress"]["viewOffset"] == offset


def test_a_storm_of_progress_reports_leaves_all_other_pages(
    api: Writer, pages: Pages, others: list[Pages], paths: Mapping[str, str], plex: Simulator
) -> None:
    api.wrote("PUT", f"{paths['movie']}/progress", json={"viewOffset": 60_000})
    pages.dropped()
    plex.reset_requests()
    for offset in range(70_000, 270_000, 10_000):
        api.wrote("PUT", f"{paths['movie']}/progress", json={"viewOffset": offset})
        shown = api.data(paths["movie"])["item"]["playbackProgress"]["viewOffset"]
        assert shown == offset
    assert pages.dropped() == OF_MOVIE - {"movie"}


def test_a_resume_point_of_an_episode_shows_in_when_its_show_was_watched_last(
    api: Writer, pages: Pages, others: list[Pages], paths: Mapping[str, str]
) -> None:
    api.wrote("PUT", f"{paths['episode']}/progress", json={"viewOffset": 60_000})
    pages.dropped()
    api.wrote("PUT", f"{paths['episode']}/progress", json={"viewOffset": 70_000})
    assert pages.dropped() == OF_EPISODE
    at = [
        api.data(paths[name])["item"]["playbackProgress"]["lastViewedAt"]
        for name in ("episode", "season", "show")
    ]
    assert at[0] is not None
    assert len(set(at)) == 1


def test_users_who_share_a_view_both_see_it(
    viewer_as: Callable[[Account], Writer], api: Writer, anna: Account, movie: Item
) -> None:
    other, path = viewer_as(anna), f"/plex/items/{movie.rating_key}"
    assert (api.status(path), other.status(path)) == (MISS, HIT)
    api.wrote("PUT", f"{path}/watched")
    assert other.data(path)["item"]["playbackProgress"]["viewCount"] == 1


def test_what_was_being_read_during_a_write_is_not_cached(
    api: Writer, plex: Simulator, movie: Item
) -> None:
    path = f"/plex/items/{movie.rating_key}"
    plex.fault("slow", f"^/library/metadata/{movie.rating_key}$", times=1, delay=8)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(api.data, path)
        until(lambda: plex.faults[0]["left"] == 0, 5, "the read has begun")
        api.wrote("PUT", f"{path}/watched")
        plex.heal()
        reading.result()
    assert api.status(path) == MISS
    assert api.data(path)["item"]["playbackProgress"]["viewCount"] == 1


def test_a_failed_write_drops_what_it_may_have_changed(
    api: Writer, pages: Pages, plex: Simulator, movie: Item
) -> None:
    plex.fault("disconnect", "/:/scrobble", times=1)
    path = f"/plex/items/{movie.rating_key}/watched"
    api.refused("PUT", path, 503, "PLEX_SERVER_UNAVAILABLE")
    assert pages.dropped() == OF_MOVIE | BY_MOVIES_SEEN


@pytest.mark.parametrize(
    ("attributes", "depends"),
    [
        ('smart="1" content="/library/sections/1/all?type=1&amp;unwatched=1"', True),
        ('smart="1" content="library://x/directory/%2Fall%3Ftype%3D1%26inProgress%3D1"', True),
        ('smart="1" content="/all?type=2&amp;show.unwatchedLeaves=1"', True),
        ('smart="1" content="/all?type=1&amp;sort=lastViewedAt%3Adesc"', True),
        ('smart="1" content="/all?type=1&amp;year%3E%3E=1990&amp;sort=titleSort"', False),
        ('smart="1"', True),
        ('content="/all?type=1&amp;unwatched=1"', False),
        ("", False),
    ],
)
def test_a_smart_list_depends_on_watch_states_if_its_query_names_one(
    attributes: str, depends: bool
) -> None:
    (element,) = parse_xml([f"<MediaContainer><Playlist {attributes}/></MediaContainer>".encode()])
    assert depends_on_watch_state(element) is depends
