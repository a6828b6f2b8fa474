import time

import pytest

from plex_simulator import Simulator

from .conftest import NOW, Asker

PATH = "/library/sections/1/all?type=1"


def test_a_quarter_of_a_million_films_start_at_once_and_page() -> None:
    begun = time.monotonic()
    with Simulator(seed=5, now=NOW, movies=250_000) as simulator:
        assert time.monotonic() - begun < 2
        ask = Asker(simulator)
        first = ask.page(f"{PATH}&sort=titleSort", 0, 200)
        assert first.xml.get("totalSize") == "250000"
        begun = time.monotonic()
        last = ask.page(f"{PATH}&sort=titleSort", 249_900, 200)
        assert time.monotonic() - begun < 1
        assert len(last.keys) == 100
        newest = ask.page(f"{PATH}&sort=addedAt:desc", 0, 50).xml
        added = [int(row.get("addedAt", "")) for row in newest]
        assert added == sorted(added, reverse=True)
        ask.connection.close()


def test_every_page_of_a_big_library_gives_each_item_once() -> None:
    with Simulator(seed=5, now=NOW, movies=6_000) as simulator:
        ask = Asker(simulator)
        found: list[str] = []
        for start in range(0, 6_000, 1_000):
            found += ask.page(
                f"{PATH}&sort=year:desc,titleSort&excludeElements=Role", start, 1_000
            ).keys
        assert len(found) == len(set(found)) == 6_000
        ask.connection.close()


def test_empty_libraries_are_libraries() -> None:
    nothing = dict.fromkeys(("movies", "shows", "artists", "photo_albums", "videos", "hidden"), 0)
    with Simulator(now=NOW, **nothing) as simulator:
        ask = Asker(simulator)
        assert len(ask("/library/sections").xml) == 6
        for key in ("1", "2", "5", "6", "8", "11"):
            assert ask(f"/library/sections/{key}/all").xml.get("size") == "0"
        assert "Metadata" not in ask(PATH, Accept="application/json").json["MediaContainer"]
        paths = "/status/sessions", "/library/onDeck", "/library/recentlyAdded", "/playlists"
        for path in (*paths, "/hubs/search?query=the"):
            assert ask(path).status == 200
        ask.connection.close()


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="movies"):
        Simulator(movies=-1)
    with pytest.raises(ValueError, match="episodes"):
        Simulator(shows=250_000, seasons=9, episodes=30)
