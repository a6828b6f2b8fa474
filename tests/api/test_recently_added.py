"""Recently added: the last 30 days, newest first, episodes grouped as Plex groups them."""

import time
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from plex_integration.plex.parsing import items
from plex_simulator import Simulator
from plex_simulator.models import Item
from tests.api import expected
from tests.conftest import Client

DAY = 86_400
ALL_OF = {"1": "movie", "2": "episode", "5": "album", "6": "photo", "8": "movie"}


def lately(plex: Simulator, key: str, kind: str) -> list[Item]:
    since = plex.catalogue.now() - 30 * DAY
    return [each for each in plex.catalogue.items(key, kind) if each.added_at > since]


def grouped(plex: Simulator) -> dict[str, int]:
    """Date every row by its newest part: an episode counts for its season."""
    rows: dict[str, int] = {}
    for key, kind in ALL_OF.items():
        for each in lately(plex, key, kind):
            row = str(each.parent_rating_key) if kind == "episode" else each.rating_key
            rows[row] = max(rows.get(row, 0), each.added_at)
    return rows


def moments(items: list[dict]) -> list[float]:
    return [datetime.fromisoformat(item["addedAt"]).timestamp() for item in items]


def test_all_of_the_last_thirty_days_is_there_once_newest_first(
    api: Client, plex: Simulator
) -> None:
    rows = grouped(plex)
    data = api.data("/plex/recently-added?limit=200&details=summary")
    assert data["timeframe"] == "last_30_days"
    assert data["total"] == len(rows) > 20
    found = [item["ratingKey"] for item in data["items"]]
    assert sorted(found) == sorted(rows)
    assert [rows[key] for key in found] == sorted(rows.values(), reverse=True)


@pytest.mark.parametrize("details", ["full", "summary"])
def test_what_is_answered_looks_newest_first_and_within_the_timeframe(
    api: Client, plex: Simulator, details: str
) -> None:
    rows = grouped(plex)
    items = api.data(f"/plex/recently-added?limit=200&details={details}")["items"]
    # A season is dated by the episode that brought it here, whatever its own date.
    assert [item["addedAt"] for item in items] == [
        expected.instant(rows[item["ratingKey"]]) for item in items
    ]
    assert moments(items) == sorted(moments(items), reverse=True)
    assert min(moments(items)) > time.time() - 30 * DAY - 60


def test_new_episodes_are_one_complete_row_for_each_season(api: Client, plex: Simulator) -> None:
    items = api.data("/plex/recently-added?limit=200&library=2")["items"]
    assert items
    assert {item["type"] for item in items} == {"season"}
    rows = grouped(plex)
    for item in items:
        facts = plex.catalogue.item(item["ratingKey"])
        assert facts is not None
        expected_item = expected.item(plex.catalogue, facts)
        assert item == expected_item | {"addedAt": expected.instant(rows[facts.rating_key])}
        assert {"parentTitle", "parentRatingKey", "index"} <= item.keys()


def test_of_the_list_of_all_libraries_only_the_rows_of_the_wanted_one_are_parsed(
    api: Client, plex: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries: set[str | None] = set()
    parse = items._item

    def recorded_parse(element: Element, *given: Any) -> Any:
        libraries.add(element.get("librarySectionID"))
        return parse(element, *given)

    monkeypatch.setattr(items, "_item", recorded_parse)
    assert api.data("/plex/recently-added?library=2&details=summary")["items"]
    assert libraries == {"2"}


def test_a_whole_season_dumped_at_once_is_one_row(api: Client, own_plex: Simulator) -> None:
    catalogue = own_plex.catalogue
    show = catalogue.add("2", "show", "Brand New")
    season = catalogue.add("2", "season", "Season 1", parent_rating_key=show.rating_key)
    for number in range(12):
        catalogue.add("2", "episode", f"Part {number}", parent_rating_key=season.rating_key)
    items = api.data("/plex/recently-added?library=2&limit=200")["items"]
    assert [item["ratingKey"] for item in items].count(season.rating_key) == 1
    assert items[0]["ratingKey"] == season.rating_key
    assert items[0]["parentTitle"] == "Brand New"


@pytest.mark.parametrize(
    ("kind", "library"),
    [("movie", "1"), ("show", "2"), ("season", "2"), ("episode", "2"), ("artist", "5"),
     ("album", "5"), ("track", "5"), ("movie", "8"), ("movie", "11")],
)  # fmt: skip
def test_a_type_of_a_library_gives_that_type_in_full(
    api: Client, plex: Simulator, kind: str, library: str
) -> None:
    data = api.data(f"/plex/recently-added?type={kind}&library={library}&limit=200")
    facts = {each.rating_key: each for each in lately(plex, library, kind)}
    assert data["total"] == len(facts)
    assert sorted(item["ratingKey"] for item in data["items"]) == sorted(facts)
    assert moments(data["items"]) == sorted(moments(data["items"]), reverse=True)
    for item in data["items"]:
        assert item == expected.item(plex.catalogue, facts[item["ratingKey"]])


@pytest.mark.parametrize(
    ("kind", "libraries"),
    [("movie", ["1", "8", "11"]), ("show", ["2"]), ("episode", ["2"]), ("track", ["5"])],
)
def test_a_type_alone_gives_it_from_all_libraries(
    api: Client, plex: Simulator, kind: str, libraries: list[str]
) -> None:
    data = api.data(f"/plex/recently-added?type={kind}&limit=200&details=summary")
    keys = [each.rating_key for key in libraries for each in lately(plex, key, kind)]
    assert sorted(item["ratingKey"] for item in data["items"]) == sorted(keys)
    assert data["total"] == len(keys)
    assert moments(data["items"]) == sorted(moments(data["items"]), reverse=True)
    for item in data["items"]:
        facts = plex.catalogue.item(item["ratingKey"])
        assert facts is not None
        assert item == expected.summary(plex.catalogue, facts)


@pytest.mark.parametrize(
    ("library", "kind"), [("1", "movie"), ("5", "album"), ("6", "photo"), ("8", "movie")]
)
def test_a_library_alone_gives_what_is_new_there(
    api: Client, plex: Simulator, library: str, kind: str
) -> None:
    data = api.data(f"/plex/recently-added?library={library}&limit=200")
    facts = {each.rating_key: each for each in lately(plex, library, kind)}
    assert sorted(item["ratingKey"] for item in data["items"]) == sorted(facts)
    for item in data["items"]:
        assert item == expected.item(plex.catalogue, facts[item["ratingKey"]])


@pytest.mark.parametrize("query", ["", "&library=1", "&type=track", "&library=2&type=episode"])
def test_the_total_counts_all_before_the_limit(api: Client, query: str) -> None:
    everything = api.data(f"/plex/recently-added?limit=200&details=summary{query}")
    few = api.data(f"/plex/recently-added?limit=2&details=summary{query}")
    assert few["items"] == everything["items"][:2]
    assert few["total"] == everything["total"] == len(everything["items"])


@pytest.mark.parametrize("query", ["", "?library=1", "?type=movie", "?library=1&type=movie"])
def test_the_window_closes_thirty_days_ago(api: Client, own_plex: Simulator, query: str) -> None:
    edge = own_plex.catalogue.now() - 30 * DAY
    just_in = own_plex.catalogue.add("1", "movie", "Just In", added_at=edge + 90)
    own_plex.catalogue.add("1", "movie", "Just Out", added_at=edge - 90)
    items = api.data(f"/plex/recently-added{query}")["items"]
    titles = [item["title"] for item in items]
    assert titles[-1] == just_in.title
    assert "Just Out" not in titles


def test_more_than_one_upstream_page_is_counted(api: Client, own_plex: Simulator) -> None:
    now = own_plex.catalogue.now()
    before = api.data("/plex/recently-added?limit=1&details=summary")["total"]
    for number in range(620):
        own_plex.catalogue.add("8", "movie", f"Clip {number}", added_at=now - number)
    data = api.data("/plex/recently-added?limit=200&details=summary")
    assert data["total"] == before + 620
    assert data["items"][0]["title"] == "Clip 0"


def test_nothing_new_is_an_empty_answer(api: Client, plex: Simulator, settings: object) -> None:
    with Simulator(seed=3, movies=0, shows=0, artists=0, photo_albums=0, videos=0, hidden=0,
                   collections=0) as bare:  # fmt: skip
        settings.PLEX_URL = bare.url  # type: ignore[attr-defined]
        for query in ("", "?type=movie", "?library=1", "?library=2", "?library=6"):
            assert api.data(f"/plex/recently-added{query}") == {
                "items": [],
                "total": 0,
                "timeframe": "last_30_days",
            }


@pytest.mark.parametrize("library", ["3", "0", "99999", "9999999999", "01"])
def test_an_unknown_library_is_not_found(api: Client, library: str) -> None:
    api.error(f"/plex/recently-added?library={library}", 404, "LIBRARY_NOT_FOUND")


@pytest.mark.parametrize(("library", "kind"), [("1", "show"), ("2", "movie"), ("6", "movie")])
def test_a_type_that_the_library_does_not_hold_is_refused(
    api: Client, library: str, kind: str
) -> None:
    error = api.error(
        f"/plex/recently-added?library={library}&type={kind}", 400, "VALIDATION_ERROR"
    )
    assert set(error["details"]) == {"type"}


def test_a_server_without_the_list_shows_what_its_libraries_added(
    api: Client, plex: Simulator
) -> None:
    plex.fault("status", path="/library/recentlyAdded", status=404)
    # Requests for a type include libraries that Plex hides from its own lists, such as this one.
    libraries = ALL_OF | {"11": "movie"}
    added = {
        each.rating_key: each.added_at
        for key, kind in libraries.items()
        for each in lately(plex, key, kind)
    }
    data = api.data("/plex/recently-added?limit=200&details=summary")
    found = [item["ratingKey"] for item in data["items"]]
    assert data["total"] == len(added)
    assert set(found) <= set(added)
    assert [added[key] for key in found] == sorted(added.values(), reverse=True)[:200]
    own = api.data("/plex/recently-added?limit=200&library=2&details=summary")["items"]
    assert {item["ratingKey"] for item in own} == {
        each.rating_key for each in lately(plex, "2", "episode")
    }
