"""After a write everybody's next read shows it, and only what it touched was dropped."""

import json
import signal
import threading
from typing import Any

import pytest

from medianest import store
from medianest.store import EVERYTHING
from plex_integration.caching import tags
from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import Stores, Valkey, until
from tests.writing.conftest import Writer

NEW = "/plex/libraries/1/collections"
HIT, MISS = "HIT", "MISS"
LARGE = "A Large Shelf"


@pytest.fixture
def movies(plex: Simulator) -> list[str]:
    """Movies that are in no playlist, and in no collection but the one that has all."""
    held = {key for each in plex.catalogue.collections("1") for key in each.item_keys}
    taken = {
        key
        for each in plex.catalogue.collections("1")
        if each.title != LARGE
        for key in each.item_keys
    }
    taken |= {entry.rating_key for each in plex.catalogue.playlists for entry in each.entries}
    return sorted(held - taken)


@pytest.fixture
def first(writer: Writer, movies: list[str]) -> str:
    data = writer.wrote("POST", NEW, 201, json={"title": "First", "items": movies[:2]})
    key: str = data["collection"]["ratingKey"]
    return key


@pytest.fixture
def second(writer: Writer, movies: list[str]) -> str:
    data = writer.wrote("POST", NEW, 201, json={"title": "Second", "items": movies[2:4]})
    key: str = data["collection"]["ratingKey"]
    return key


def collections_of(api: Writer, item: str) -> list[str]:
    found = api.data(f"/plex/items/{item}")["item"].get("collections", [])
    return [tag["tag"] for tag in found if tag["tag"] != LARGE]


class Pages:
    """Pages that were read, and whether they are still cached."""

    def __init__(self, reader: Writer, first: str, second: str, movies: list[str]) -> None:
        playlist = "/plex/playlists/12001000"
        self.paths = {
            "first": f"/plex/collections/{first}?details=summary",
            "first, a page": f"/plex/collections/{first}?start=1&size=1",
            "second": f"/plex/collections/{second}",
            "collections of 1": NEW,
            "collections of 1, a page": f"{NEW}?size=2",
            "collections of 2": "/plex/libraries/2/collections",
            "item 0": f"/plex/items/{movies[0]}",
            "item 5": f"/plex/items/{movies[5]}",
            "items of 1": "/plex/libraries/1/items?size=200",
            "items of 2": "/plex/libraries/2/items",
            "children": f"/plex/items/{self.season(reader)}/children",
            "search": "/plex/search?query=zzzz",
            "server": "/plex/server",
            "libraries": "/plex/libraries",
            "genres": "/plex/libraries/1/genres",
            "playlists": "/plex/playlists",
            "playlist": playlist,
        }
        self._reader = reader
        self.read()

    @staticmethod
    def season(reader: Writer) -> str:
        key: str = reader.data("/plex/libraries/2/items?type=season&size=1")["items"][0][
            "ratingKey"
        ]
        return key

    def read(self) -> dict[str, str]:
        for windows in store.current().rate_windows._windows.values():  # type: ignore[attr-defined]
            windows.clear()
        return {name: self._reader.status(path) for name, path in self.paths.items()}

    def dropped(self) -> set[str]:
        """Return what was dropped; read it again."""
        found = self.read()
        again = self.read()
        assert set(again.values()) == {HIT}
        return {name for name, status in found.items() if status == MISS}


OF_FIRST = {"first", "first, a page", "collections of 1", "collections of 1, a page"}


def test_exactly_what_a_write_touched_is_dropped(
    writer: Writer, reader: Writer, movies: list[str], first: str, second: str
) -> None:
    pages = Pages(reader, first, second, movies)
    assert pages.dropped() == set()
    path = f"/plex/collections/{first}"

    writer.wrote("POST", f"{path}/items", json={"items": [movies[5]]})
    assert pages.dropped() == OF_FIRST | {"item 5", "items of 1"}
    assert collections_of(reader, movies[5]) == ["First"]

    writer.wrote("PUT", f"{path}/items/{movies[5]}/position", json={"after": None})
    assert pages.dropped() == OF_FIRST

    writer.wrote("PATCH", path, json={"summary": "Words", "mode": "hide"})
    assert pages.dropped() == OF_FIRST

    writer.wrote("PATCH", path, json={"title": "Renamed"})
    assert pages.dropped() == OF_FIRST | {"item 0", "item 5", "items of 1"}
    assert collections_of(reader, movies[5]) == ["Renamed"]

    writer.wrote("DELETE", f"{path}/items/{movies[5]}")
    assert pages.dropped() == OF_FIRST | {"item 5", "items of 1"}
    assert collections_of(reader, movies[5]) == []

    for status, method, rest, body in (
        (200, "POST", "/items", {"items": [movies[0]]}),
        (200, "POST", "/items?dryRun=1", {"items": [movies[5]]}),
        (200, "DELETE", "?dryRun=1", None),
        (200, "PATCH", "", {"title": "Renamed"}),
        (400, "POST", "/items", {"items": ["404"]}),
        (404, "DELETE", f"/items/{movies[5]}", None),
    ):
        assert writer.request(method, path + rest, json=body).status_code == status
    assert pages.dropped() == set(), "nothing was written"

    assert collections_of(reader, movies[0]) == ["Renamed"]
    writer.wrote("DELETE", path)
    for name in ("first", "first, a page"):
        reader.error(pages.paths.pop(name), 404, "COLLECTION_NOT_FOUND")
    assert pages.dropped() == (OF_FIRST & set(pages.paths)) | {"item 0", "items of 1"}
    assert collections_of(reader, movies[0]) == []

    writer.wrote("POST", NEW, 201, json={"title": "Third", "items": [movies[5]]})
    gone = {"collections of 1", "collections of 1, a page", "item 5", "items of 1"}
    assert pages.dropped() == gone
    assert collections_of(reader, movies[5]) == ["Third"]


def test_a_playlists_write_drops_it_and_the_playlists(
    writer: Writer, reader: Writer, movies: list[str], first: str, second: str
) -> None:
    pages = Pages(reader, first, second, movies)
    path = "/plex/playlists/12001000"
    writer.wrote("POST", f"{path}/items", json={"items": [movies[5]]})
    assert pages.dropped() == {"playlists", "playlist"}
    writer.wrote("PUT", f"{path}/items/{movies[5]}/position", json={"after": None})
    assert reader.data(path)["items"][0]["ratingKey"] == movies[5]
    pages.dropped()
    # It shows the item now, and so what the item tells of its collections.
    writer.wrote("POST", f"/plex/collections/{first}/items", json={"items": [movies[5]]})
    assert pages.dropped() == OF_FIRST | {"item 5", "items of 1", "playlist"}
    made = writer.wrote("POST", "/plex/playlists", 201, json={"title": "x", "items": movies[:1]})
    assert pages.dropped() == {"playlists"}
    writer.wrote("DELETE", f"/plex/playlists/{made['playlist']['ratingKey']}")
    assert pages.dropped() == {"playlists"}


def test_the_picture_of_a_collection_is_that_of_what_is_in_it_now(
    writer: Writer, reader: Writer, plex: Simulator, movies: list[str], first: str
) -> None:
    def path() -> str:
        plex.reset_requests()
        assert reader.get(f"/plex/items/{first}/images/thumb").status_code == 200
        return next(
            (each.query["url"] for each in plex.requests if "url" in each.query), "the folder"
        )

    before = path()
    assert path() == "the folder"
    writer.wrote("POST", f"/plex/collections/{first}/items", json={"items": [movies[5]]})
    assert path() not in (before, "the folder")


def test_many_items_drop_what_shows_items_of_their_library(
    writer: Writer, reader: Writer, movies: list[str], first: str, second: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(tags, "MAX_ITEMS_PER_WRITE", 3)
    pages = Pages(reader, first, second, movies)
    writer.wrote("POST", f"/plex/collections/{first}/items", json={"items": movies[6:12]})
    dropped = pages.dropped()
    shows_movies = {"second", "item 0", "item 5", "items of 1", "playlist"}
    assert dropped == OF_FIRST | shows_movies


def test_a_page_of_many_items_falls_with_each_of_them(
    writer: Writer, reader: Writer, movies: list[str], first: str, second: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(tags, "MAX_ITEM_TAGS", 10)
    pages = Pages(reader, first, second, movies)
    writer.wrote("POST", f"/plex/collections/{first}/items", json={"items": [movies[5]]})
    assert pages.dropped() == OF_FIRST | {"item 5", "items of 1"}


def test_what_was_being_read_during_a_write_is_not_cached(
    writer: Writer, reader: Writer, plex: Simulator, movies: list[str], first: str
) -> None:
    path = f"/plex/collections/{first}"
    plex.fault("slow", f"^/library/collections/{first}/children$", times=1, delay=0.6)
    plex.reset_requests()
    reading = threading.Thread(target=reader.get, args=(path,))
    reading.start()
    until(lambda: any(each["left"] == 0 for each in plex.faults), 5, "the read has begun")
    writer.wrote("POST", f"{path}/items", json={"items": [movies[5]]})
    reading.join()
    assert movies[5] in [item["ratingKey"] for item in reader.data(path)["items"]]


def test_an_invalidation_while_redis_is_unavailable_takes_effect_when_it_is_back(
    valkey: Valkey, stores: Stores
) -> None:
    there = stores.use(valkey.url)
    assert there.values.tag_versions() is not None  # it is connected, and patient
    here = stores.use(valkey.url, is_patient=False)
    until(lambda: here.values.invalidate_tags(["collection:1"]), 5, "Redis has received it")
    valkey.send(signal.SIGSTOP)
    try:
        assert here.values.invalidate_tags(["collection:2"]) is False
    finally:
        valkey.send(signal.SIGCONT)
    until(lambda: here.values.tag_versions() is not None, 5, "this process has found it again")
    versions = there.values.tag_versions()
    assert versions.get("collection:1")
    assert versions.get("collection:2")


@pytest.mark.parametrize("shared", [False, True])
def test_too_many_tags_are_forgotten_together_and_make_everything_a_miss(
    valkey: Valkey, stores: Stores, shared: bool
) -> None:
    here = stores.use(valkey.url) if shared else store.LocalStore()
    before = here.values.tag_versions()
    for number in range(12):
        here.values.invalidate_tags([f"item:{number}-{each}" for each in range(100)])
    after = here.values.tag_versions()
    assert len(json.loads(after.raw)) <= 1_001
    assert after.get(EVERYTHING) != before.get(EVERYTHING)


def test_invalidation_costs_no_scan_of_what_is_cached(
    writer: Writer, movies: list[str], stores: Stores, valkey: Valkey
) -> None:
    stores.use(valkey.url)
    valkey.client.config_resetstat()
    watch = Stopwatch()
    writer.wrote("POST", NEW, 201, json={"title": "x", "items": movies})
    assert watch.keeps(10), watch
    used: Any = valkey.client.info("commandstats")
    assert not {"cmdstat_scan", "cmdstat_keys", "cmdstat_flushdb"} & set(used)
