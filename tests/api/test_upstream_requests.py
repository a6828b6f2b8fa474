"""How many requests to Plex one response costs, exactly, and what they leave out."""

import http.client
from collections import Counter
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import requests

from plex_simulator import Simulator
from tests.conftest import Client

SECTIONS = "/library/sections"


def request_counts(plex: Simulator) -> Counter[str]:
    """Count Plex's requests by path, with ids of items in full shortened to their number."""
    paths: list[str] = []
    for served in plex.requests:
        base, _, last = served.path.rpartition("/")
        many = f"{base}/*{last.count(',') + 1}" if base == "/library/metadata" else served.path
        paths.append(many)
    return Counter(paths)


@pytest.mark.parametrize(
    ("size", "full"),
    [(1, [1]), (49, [49]), (50, [50]), (51, [50, 1]), (100, [50, 50]), (200, [50, 50, 50, 50])],
)
def test_a_page_costs_one_list_and_one_request_per_fifty_items(
    api: Client, plex: Simulator, size: int, full: list[int]
) -> None:
    api.data(f"/plex/libraries/1/items?size={size}")
    assert request_counts(plex) == Counter(
        [SECTIONS, "/library/sections/1/all", *(f"/library/metadata/*{many}" for many in full)]
    )


def test_a_summary_costs_the_list_alone(api: Client, plex: Simulator) -> None:
    api.data("/plex/libraries/1/items?size=200&details=summary")
    assert request_counts(plex) == Counter([SECTIONS, "/library/sections/1/all"])


@pytest.mark.parametrize(
    "query", ["sort=rating", "year=1999", "unwatched=1", "type=movie", "sort=year:asc&start=100"]
)
def test_sorts_and_filters_cost_nothing(api: Client, plex: Simulator, query: str) -> None:
    api.data(f"/plex/libraries/1/items?details=summary&{query}")
    assert request_counts(plex) == Counter([SECTIONS, "/library/sections/1/all"])


def test_a_genre_costs_the_list_of_genres(api: Client, plex: Simulator) -> None:
    api.data("/plex/libraries/1/items?genre=comedy&details=summary")
    assert request_counts(plex) == Counter(
        [SECTIONS, "/library/sections/1/genre", "/library/sections/1/all"]
    )


def test_an_unknown_genre_costs_no_list(api: Client, plex: Simulator) -> None:
    api.data("/plex/libraries/1/items?genre=nonsense")
    assert request_counts(plex) == Counter([SECTIONS, "/library/sections/1/genre"])


def test_beyond_the_end_no_details_are_requested(api: Client, plex: Simulator) -> None:
    api.data("/plex/libraries/1/items?start=240")
    assert request_counts(plex) == Counter([SECTIONS, "/library/sections/1/all"])


def test_the_page_is_requested_as_a_page_of_one_type(api: Client, plex: Simulator) -> None:
    api.data("/plex/libraries/2/items?start=3&size=7&sort=year&details=summary")
    listed = next(each for each in plex.requests if each.path.endswith("/all"))
    assert listed.headers["x-plex-container-start"] == "3"
    assert listed.headers["x-plex-container-size"] == "7"
    assert listed.query["type"] == "2"
    assert listed.query["sort"] == "year:desc"
    assert "includeCollections" not in listed.query


def test_a_library_that_is_not_there_costs_the_list_of_libraries(
    api: Client, plex: Simulator
) -> None:
    api.error("/plex/libraries/3/items", 404, "LIBRARY_NOT_FOUND")
    assert request_counts(plex) == Counter([SECTIONS])


def test_the_server_costs_four_requests(api: Client, plex: Simulator) -> None:
    api.data("/plex/server")
    assert request_counts(plex) == Counter(["/", "/status/sessions", SECTIONS, "/media/providers"])


def test_the_libraries_cost_one_count_per_type_and_two_for_all(
    api: Client, plex: Simulator
) -> None:
    api.data("/plex/libraries")
    counts = {"1": 1, "2": 3, "5": 3, "6": 1, "8": 1, "11": 1}
    assert request_counts(plex) == Counter(
        {SECTIONS: 1, "/media/providers": 1}
        | {f"/library/sections/{key}/all": many for key, many in counts.items()}
    )
    for served in plex.requests:
        if served.path.endswith("/all"):
            assert served.headers["x-plex-container-size"] == "0"


@pytest.mark.parametrize(("query", "full"), [("night", 50), ("zzzz", 0)])
def test_a_search_costs_the_hubs_and_the_details(
    api: Client, plex: Simulator, query: str, full: int
) -> None:
    found = api.data(f"/plex/search?query={query}&limit=50")["total"]
    details = [f"/library/metadata/*{found}"] if found else []
    assert request_counts(plex) == Counter([SECTIONS, "/hubs/search", *details])
    assert found <= full


def test_a_search_summary_costs_the_hubs_alone(api: Client, plex: Simulator) -> None:
    api.data("/plex/search?query=the&limit=200&details=summary")
    assert request_counts(plex) == Counter([SECTIONS, "/hubs/search"])


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("&library=2", "/library/recentlyAdded"),
        ("&type=movie", "/library/all"),
        ("&library=1", "/library/sections/1/all"),
        ("&library=2&type=episode", "/library/sections/2/all"),
    ],
)
def test_what_is_recently_added_costs_one_list(
    api: Client, plex: Simulator, query: str, path: str
) -> None:
    api.data(f"/plex/recently-added?details=summary{query}")
    assert request_counts(plex) == Counter([SECTIONS, path])
    plex.reset_requests()
    found = len(api.data(f"/plex/recently-added?limit=3{query}")["items"])
    assert request_counts(plex)[f"/library/metadata/*{found}"] == 1
    assert plex.count("/library/metadata/") == 1


def test_to_count_what_is_recently_added_costs_one_list_more(api: Client, plex: Simulator) -> None:
    assert api.data("/plex/recently-added?details=summary&limit=3")["total"] > 3
    assert request_counts(plex) == Counter([SECTIONS, *["/library/recentlyAdded"] * 2])
    plex.reset_requests()
    assert api.data("/plex/recently-added?details=summary&limit=200")["total"] < 200
    assert request_counts(plex) == Counter(["/library/recentlyAdded"])


def test_for_rows_that_are_only_counted_plex_sends_little_more_than_their_time(
    api: Client, plex: Simulator
) -> None:
    api.data("/plex/recently-added?limit=3")
    *_, counted = (each for each in plex.requests if each.path == "/library/recentlyAdded")
    headers = {"X-Plex-Token": plex.owner_token}
    rows = requests.get(f"{plex.url}{counted.path}", counted.query, headers=headers, timeout=30)
    names = {name for row in ElementTree.fromstring(rows.content) for name in row.attrib}
    assert names == {"addedAt", "ratingKey", "type"}


def test_the_list_of_collections_costs_one_list(api: Client, plex: Simulator) -> None:
    api.data("/plex/libraries/1/collections")
    assert request_counts(plex) == Counter([SECTIONS, "/library/sections/1/collections"])


def test_a_collection_costs_itself_its_items_and_their_details(
    api: Client, plex: Simulator
) -> None:
    api.data("/plex/collections/11001008")
    own = ["/library/metadata/*1", "/library/collections/11001008/children"]
    assert request_counts(plex) == Counter([SECTIONS, *own, *["/library/metadata/*50"] * 3])


def test_a_collections_summary_costs_itself_and_its_items(api: Client, plex: Simulator) -> None:
    api.data("/plex/collections/11001008?details=summary")
    own = ["/library/metadata/*1", "/library/collections/11001008/children"]
    assert request_counts(plex) == Counter([SECTIONS, *own])


NO_KEYS = [
    "abc", "12345678901", "１", "-1", "+1", "1.0", "1e1", "0x1", "1,2", "1;2", "1%2C2", "%20",
    "1%20", "%201", "..", "%2e%2e", "%00", "1%00", "1%0A", "1%0a2", "%EF%BC%91", "%D9%A1", "%FF",
    "1%3F", "1%23", "%25", "null", "1%5C", "a" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("key", NO_KEYS)
def test_what_can_be_no_id_is_not_found_and_plex_gets_no_request(
    api: Client, plex: Simulator, key: str
) -> None:
    for path, code in (
        (f"libraries/{key}/items", "LIBRARY_NOT_FOUND"),
        (f"libraries/{key}/collections", "LIBRARY_NOT_FOUND"),
        (f"collections/{key}", "COLLECTION_NOT_FOUND"),
        (f"recently-added?library={key.replace('+', '%2B')}", "LIBRARY_NOT_FOUND"),
    ):
        status, body = raw_get(api, f"/api/v1/plex/{path}")
        assert (status, f'"{code}"'.encode() in body) == (404, True), (path, body)
    assert plex.count() == 0


def raw_get(api: Client, path: str) -> tuple[int, bytes]:
    """GET a path exactly as spelled: requests would tidy it up."""
    connection = http.client.HTTPConnection(urlsplit(api.root).netloc, timeout=30)
    try:
        quoted = path.encode().decode("latin-1") if not path.isascii() else path
        connection.putrequest("GET", "/", skip_host=False)
        connection._buffer[0] = f"GET {quoted} HTTP/1.1".encode("latin-1")  # type: ignore[attr-defined]
        connection.putheader("Authorization", str(api.headers["Authorization"]))
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/plex/libraries/1/items?size=0",
        "/plex/libraries/1/items?sort=foo",
        "/plex/libraries/1/items?year=abc",
        "/plex/search?query=a",
        "/plex/search?query=ab&limit=201",
        "/plex/recently-added?limit=0",
        "/plex/libraries/1/collections?size=0",
        "/plex/collections/11001000?start=-1",
    ],
)
def test_bad_parameters_never_reach_plex(api: Client, plex: Simulator, path: str) -> None:
    assert api.get(path).status_code == 400
    assert plex.count() == 0


@pytest.mark.parametrize(
    "path",
    ["server", "libraries", "libraries/1/items", "search?query=ab", "recently-added",
     "libraries/1/collections", "collections/11001000"],
)  # fmt: skip
def test_who_has_not_signed_in_never_reaches_plex(
    anonymous: Client, plex: Simulator, path: str, transactional_db: None
) -> None:
    anonymous.error(f"/plex/{path}", 401, "UNAUTHORIZED")
    assert plex.count() == 0


@pytest.mark.parametrize(
    "path",
    ["server", "libraries", "libraries/2/items?size=200", "search?query=the&limit=200",
     "recently-added?limit=200", "libraries/1/collections", "collections/11001008"],
)  # fmt: skip
def test_no_endpoint_asks_once_per_item(api: Client, plex: Simulator, path: str) -> None:
    api.data(f"/plex/{path}")
    assert plex.count() <= 13
    assert {served.method for served in plex.requests} == {"GET"}
    assert all("X-Plex-Token" not in served.query for served in plex.requests)
