import pytest

from plex_simulator import Simulator
from tests.pace import Stopwatch

from .conftest import NOW, PlexClient, control

PATH = "/library/sections/1/all?type=1"


def test_a_library_with_250000_movies_starts_and_pages_fast() -> None:
    watch = Stopwatch()
    with Simulator(seed=5, now=NOW, movies=250_000) as simulator:
        assert watch.keeps(2), watch
        client = PlexClient(simulator)
        first = client.page(f"{PATH}&sort=titleSort", 0, 200)
        assert first.xml.get("totalSize") == "250000"
        watch = Stopwatch()
        last = client.page(f"{PATH}&sort=titleSort", 249_900, 200)
        assert watch.keeps(1), watch
        assert len(last.keys) == 100
        newest = client.page(f"{PATH}&sort=addedAt:desc", 0, 50).xml
        added = [int(row.get("addedAt", "")) for row in newest]
        assert added == sorted(added, reverse=True)
        client.connection.close()


def test_the_pages_of_a_large_library_contain_each_item_once() -> None:
    with Simulator(seed=5, now=NOW, movies=6_000) as simulator:
        client = PlexClient(simulator)
        found: list[str] = []
        for start in range(0, 6_000, 1_000):
            found += client.page(
                f"{PATH}&sort=year:desc,titleSort&excludeElements=Role", start, 1_000
            ).keys
        assert len(found) == len(set(found)) == 6_000
        client.connection.close()


def test_libraries_without_items_are_listed() -> None:
    no_items = dict.fromkeys(("movies", "shows", "artists", "photo_albums", "videos", "hidden"), 0)
    with Simulator(now=NOW, **no_items) as simulator:
        client = PlexClient(simulator)
        assert len(client.get("/library/sections").xml) == 6
        for key in ("1", "2", "5", "6", "8", "11"):
            assert client.get(f"/library/sections/{key}/all").xml.get("size") == "0"
        assert "Metadata" not in client.get(PATH, Accept="application/json").json["MediaContainer"]
        paths = "/status/sessions", "/library/onDeck", "/library/recentlyAdded", "/playlists"
        for path in (*paths, "/hubs/search?query=the"):
            assert client.get(path).status == 200
        client.connection.close()


def test_sizes_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="movies"):
        Simulator(movies=-1)
    with pytest.raises(ValueError, match="episodes"):
        Simulator(shows=250_000, seasons=9, episodes=30)


def test_the_control_api_tells_when_a_large_library_is_prepared() -> None:
    with Simulator(seed=5, now=NOW, movies=250_000) as simulator:
        # This takes many seconds.
        assert not control(simulator, "GET", "")["prepared"]
    with Simulator(seed=5, now=NOW, movies=6_000) as simulator:
        simulator.preparation.wait()
        assert control(simulator, "GET", "")["prepared"]
