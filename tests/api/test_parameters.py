"""Parameters are strict: what the document does not allow is refused by name, never bent."""

import pytest
import requests

from medianest.api import serializers
from plex_simulator import Simulator
from tests.conftest import Client

ITEMS = "/plex/libraries/1/items?details=summary&"
SEARCH = "/plex/search?details=summary&query=night&"
RECENT = "/plex/recently-added?details=summary&"
COLLECTIONS = "/plex/libraries/1/collections?"
COLLECTION = "/plex/collections/11001000?details=summary&"

WHOLE = ["", "%20", "abc", "-1", "%2B1", "1.5", "1.0", "1e1", "0x1", "1_0", "%201", "1%20", "１",
         "٣", "1,2", "nan", "null", "true", "1%00", "1%0A", "9" * 19, "9" * 5000]  # fmt: skip
PAGES = ["0", "201", "1000"]
STARTS = ["2147483648"]
CHOICES = ["", "foo", "Movie", "MOVIE", "movie%20", "%20movie", "movies", "1", "collection", "clip",
           "movie,show", "movie%00", "ｍovie"]  # fmt: skip
FLAGS = ["", "True", "FALSE", "yes", "no", "on", "off", "2", "-1", "t", "f", "null", "1%20", "１"]
SORTS = ["", "foo", "titlesort", "TitleSort", "title", "titleSort:", "titleSort:up", "year:DESC",
         "year:desc:asc", "-year", "year,rating", "titleSort:nullsLast", "random", "addedAt%20",
         "viewCount"]  # fmt: skip
TEXTS = ["a%00b", "a%0Ab", "a%09b", "a%7Fb", "a%1Bb", "x" * 201]

BAD = {
    (ITEMS, "start"): [*WHOLE, *STARTS],
    (ITEMS, "size"): [*WHOLE, *PAGES],
    (ITEMS, "sort"): SORTS,
    (ITEMS, "type"): CHOICES,
    (ITEMS, "unwatched"): FLAGS,
    (ITEMS, "genre"): ["", "%20", *TEXTS],
    (ITEMS, "year"): [*WHOLE, "1799", "2101", "0", "99"],
    (ITEMS.replace("details=summary&", ""), "details"): ["", "Full", "none", "full,summary"],
    (SEARCH, "type"): [*CHOICES, "season", "photo", "photoalbum"],
    (SEARCH, "limit"): [*WHOLE, *PAGES],
    (SEARCH.replace("query=night&", ""), "query"): TEXTS,
    (SEARCH.replace("details=summary&", ""), "details"): ["", "all"],
    (RECENT, "limit"): [*WHOLE, *PAGES],
    (RECENT, "type"): [*CHOICES, "photo", "photoalbum"],
    (RECENT.replace("details=summary&", ""), "details"): ["", "all"],
    (COLLECTIONS, "start"): [*WHOLE, *STARTS],
    (COLLECTIONS, "size"): [*WHOLE, *PAGES],
    (COLLECTION, "start"): [*WHOLE, *STARTS],
    (COLLECTION, "size"): [*WHOLE, *PAGES],
    (COLLECTION.replace("details=summary&", ""), "details"): ["", "all"],
}

GOOD = {
    (ITEMS, "start"): ["0", "1", "00", "2147483647"],
    (ITEMS, "size"): ["1", "200", "050"],
    (ITEMS, "sort"): [f + d for f in ("titleSort", "addedAt", "rating", "year")
                      for d in ("", ":asc", ":desc")],
    (ITEMS, "type"): ["movie"],
    (ITEMS, "unwatched"): ["1", "0", "true", "false"],
    (ITEMS, "genre"): ["Comedy", "105", "x" * 200, "é", "%20comedy%20", "%F0%9F%8E%AC"],
    (ITEMS, "year"): ["1800", "2100", "1999"],
    (ITEMS.replace("details=summary&", ""), "details"): ["full", "summary"],
    (SEARCH, "type"): ["movie", "show", "episode", "artist", "album", "track"],
    (SEARCH, "limit"): ["1", "200"],
    (RECENT, "limit"): ["1", "200"],
    (RECENT, "type"): ["movie", "show", "season", "episode", "artist", "album", "track"],
    (RECENT, "library"): ["1", "11"],
    (COLLECTIONS, "start"): ["0", "2147483647"],
    (COLLECTIONS, "size"): ["1", "200"],
    (COLLECTION, "start"): ["0", "2147483647"],
    (COLLECTION, "size"): ["1", "200"],
}  # fmt: skip


def named(case: tuple[str, str]) -> str:
    return f"{case[0].split('?')[0].removeprefix('/plex/')}?{case[1]}"


@pytest.mark.parametrize("case", BAD, ids=named)
def test_what_is_not_allowed_is_refused_by_name(
    newcomer: object, plex: Simulator, case: tuple[str, str]
) -> None:
    path, name = case
    api = newcomer()  # type: ignore[operator]
    for number, value in enumerate(BAD[case], start=1):
        if number % 15 == 0:
            api = newcomer()  # type: ignore[operator]
        error = api.error(f"{path}{name}={value}", 400, "VALIDATION_ERROR")
        assert list(error["details"]) == [name], value
        assert all(isinstance(message, str) for message in error["details"][name])
        assert name in error["message"]
    assert plex.count() == 0


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_what_is_allowed_is_taken_up_to_the_bounds(
    newcomer: object, plex: Simulator, case: tuple[str, str]
) -> None:
    path, name = case
    api = newcomer()  # type: ignore[operator]
    for value in GOOD[case]:
        api.data(f"{path}{name}={value}")


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_a_parameter_given_twice_is_refused_by_name(
    api: Client, plex: Simulator, case: tuple[str, str]
) -> None:
    path, name = case
    value = GOOD[case][0]
    error = api.error(f"{path}{name}={value}&{name}={value}", 400, "VALIDATION_ERROR")
    assert list(error["details"]) == [name]
    assert plex.count() == 0


def test_a_query_given_twice_is_refused_by_name(api: Client, plex: Simulator) -> None:
    error = api.error("/plex/search?query=ab&query=cd", 400, "VALIDATION_ERROR")
    assert list(error["details"]) == ["query"]


def test_several_bad_parameters_are_all_named(api: Client) -> None:
    path = "/plex/libraries/1/items?size=201&start=-1&year=abc&sort=foo&type=foo&unwatched=2"
    error = api.error(path, 400, "VALIDATION_ERROR")
    assert set(error["details"]) == {"size", "start", "year", "sort", "type", "unwatched"}


@pytest.mark.parametrize(
    "unknown",
    ["foo=1", "foo=1&foo=2", "_=123", "format=xml", "Size=5", "SIZE=0", "page=-1", "callback=x",
     "limit=9999", "query=a", "X-Plex-Token=abc", "%00=1", "=", "&&&", "genre%5B%5D=1", "%FF=%FF"],
)  # fmt: skip
def test_unknown_parameters_are_ignored(api: Client, plex: Simulator, unknown: str) -> None:
    plain = api.data("/plex/libraries/11/items?details=summary")
    plex.reset_requests()
    assert api.data(f"/plex/libraries/11/items?details=summary&{unknown}") == plain
    for served in plex.requests:
        assert served.query.keys() <= {"type", "sort", "includeGuids"}


@pytest.mark.parametrize("path", ["/plex/server", "/plex/libraries"])
def test_endpoints_without_parameters_ignore_all(api: Client, plex: Simulator, path: str) -> None:
    assert api.get(f"{path}?size=0&start=-1&query=&type=foo").status_code == 200


def test_no_parameter_reaches_plex_as_another_filter(api: Client, plex: Simulator) -> None:
    api.data("/plex/libraries/1/items?genre=comedy%26viewCount%3D1&details=summary")
    api.data("/plex/search?query=night%26sectionId%3D2%23&details=summary")
    for served in plex.requests:
        assert "viewCount" not in served.query
        assert "sectionId" not in served.query


def test_a_bad_key_comes_before_bad_parameters(api: Client) -> None:
    api.error("/plex/libraries/abc/items?size=0", 404, "LIBRARY_NOT_FOUND")
    api.error("/plex/collections/abc?size=0", 404, "COLLECTION_NOT_FOUND")


def test_bad_parameters_come_before_an_unknown_library(api: Client, plex: Simulator) -> None:
    api.error("/plex/libraries/77/items?size=0", 400, "VALIDATION_ERROR")
    assert plex.count() == 0


def test_a_parameter_that_is_too_long_with_its_blanks_is_refused_and_not_remembered(
    api: Client,
) -> None:
    before = serializers._validated.cache_info().currsize
    blanks = {"genre": " " * 4000 + "drama"}
    api.error("/plex/libraries/1/items?size=1", 400, "VALIDATION_ERROR", params=blanks)
    assert serializers._validated.cache_info().currsize == before


def test_the_longest_query_string_is_read_and_a_longer_one_is_refused(api: Client) -> None:
    unknown = "a=" + "b" * (8 * 1024 - 2)
    api.data(f"/plex/libraries?{unknown}")
    api.error(f"/plex/libraries?{unknown}b", 414, "URI_TOO_LONG")
    api.error(f"/nothing?{unknown}b", 414, "URI_TOO_LONG")


def test_a_hundred_parameters_are_read_and_more_are_refused(api: Client) -> None:
    hundred = "&".join(f"a{number}=" for number in range(100))
    api.data(f"/plex/libraries?{hundred}")
    error = api.error(f"/plex/libraries?{hundred}&b", 400, "VALIDATION_ERROR")
    assert error["details"] == {"query": ["At most 100 parameters."]}


def test_a_page_refuses_a_long_query_string_in_words(api: Client) -> None:
    root = api.root.partition("/api/")[0]
    url = f"{root}/admin/login/?a={'b' * 8192}"
    response = requests.get(url, headers={"Accept": "text/html"}, timeout=10)
    assert response.status_code == 414
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "too long" in response.text
