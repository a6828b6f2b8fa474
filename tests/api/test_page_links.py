"""The `Link` header: pages of every list lead to each other, and never to other requests."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.conftest import Client

_LINK = re.compile(r'<([^>]*)>; rel="(\w+)"')
ITEMS = "/plex/libraries/1/items"


def links(response: Any) -> dict[str, str]:
    """Return the targets of a response's links by their relation."""
    return {
        relation: target for target, relation in _LINK.findall(response.headers.get("Link", ""))
    }


def page_of(target: str) -> tuple[int, int]:
    query = dict(parse_qsl(urlsplit(target).query))
    return int(query["start"]), int(query["size"])


def pages(api: Client, path: str) -> dict[str, tuple[int, int]]:
    return {relation: page_of(target) for relation, target in links(api.get(path)).items()}


def total(api: Client, path: str = ITEMS) -> int:
    found: int = api.data(path)["pagination"]["total"]
    return found


def test_next_leads_from_the_first_page_to_the_last_and_prev_back_again(api: Client) -> None:
    path, seen = f"{ITEMS}?size=13&sort=year", []
    while True:
        response = api.get(path)
        seen += [item["ratingKey"] for item in response.json()["data"]["items"]]
        if "next" not in links(response):
            break
        path = links(response)["next"].removeprefix("/api/v1")
    assert len(seen) == len(set(seen)) == total(api)
    assert links(response)["last"].removeprefix("/api/v1") == path
    back = 1
    while "prev" in links(response):
        response = api.get(links(response)["prev"].removeprefix("/api/v1"))
        back += 1
    assert page_of(links(response)["first"]) == (0, 13)
    assert back == -(-total(api) // 13)


def test_the_middle_page_has_all_four_links(api: Client) -> None:
    count = total(api)
    last = (count - 1) // 5 * 5
    assert pages(api, f"{ITEMS}?start=5&size=5") == {
        "first": (0, 5),
        "prev": (0, 5),
        "next": (10, 5),
        "last": (last, 5),
    }


def test_the_first_page_has_no_prev_and_the_last_no_next(api: Client) -> None:
    count = total(api)
    assert "prev" not in pages(api, f"{ITEMS}?size=5")
    assert "next" not in pages(api, f"{ITEMS}?start={count - 1}&size=5")
    whole = pages(api, "/plex/libraries/1/collections?size=200")
    assert whole == {"first": (0, 200), "last": (0, 200)}


def test_a_page_that_does_not_begin_at_a_multiple_of_its_size_repeats_no_row(api: Client) -> None:
    count = total(api)
    found = pages(api, f"{ITEMS}?start=3&size=5")
    assert found["prev"] == (0, 3)
    assert found["next"] == (8, 5)
    assert found["last"] == (3 + (count - 4) // 5 * 5, 5)


def test_beyond_the_end_prev_leads_to_the_last_page(api: Client) -> None:
    last = (total(api) - 1) // 5 * 5
    found = pages(api, f"{ITEMS}?start=100000&size=5")
    assert found == {"first": (0, 5), "prev": (last, 5), "last": (last, 5)}


def test_an_empty_list_leads_to_itself(api: Client) -> None:
    assert pages(api, f"{ITEMS}?genre=nobody-has-this&size=5") == {"first": (0, 5), "last": (0, 5)}


def test_a_link_has_the_other_parameters_of_the_request_but_none_that_has_no_effect(
    api: Client,
) -> None:
    path = f"{ITEMS}?unknown=%3Cb%3E&genre=Sci-Fi+%26+Fantasy&year=1999&size=2&page=7&start=0"
    (target,) = {links(api.get(path))["first"]}
    query = parse_qsl(urlsplit(target).query)
    assert query == [("genre", "Sci-Fi & Fantasy"), ("year", "1999"), ("start", "0"), ("size", "2")]
    assert urlsplit(target).path == f"/api/v1{ITEMS}"


def test_links_are_those_of_the_request_also_where_requests_share_a_cached_response(
    api: Client,
) -> None:
    """Both mean the same page: the default order is by title."""
    plain, sorted_by_title = f"{ITEMS}?size=4", f"{ITEMS}?size=4&sort=titleSort:asc"
    for _ in range(3):
        assert "sort" not in links(api.get(plain))["next"]
        assert "sort=titleSort%3Aasc" in links(api.get(sorted_by_title))["next"]
    assert api.get(plain).headers["X-Plex-Cache-Status"] == "HIT"


@pytest.mark.parametrize(
    "path",
    [
        "/plex/libraries/1/collections?size=2",
        "/plex/collections/{collection}?size=2",
        "/plex/playlists/{playlist}?size=2",
        "/plex/items/{show}/children?size=1",
    ],
)
def test_every_list_with_pages_has_links(api: Client, path: str) -> None:
    ids = {
        "collection": api.data("/plex/libraries/1/collections")["collections"][0]["ratingKey"],
        "playlist": api.data("/plex/playlists")["playlists"][0]["ratingKey"],
        "show": api.data("/plex/libraries/2/items?size=1")["items"][0]["ratingKey"],
    }
    found = links(api.get(path.format(**ids)))
    assert {"first", "last"} <= found.keys()
    assert all(target.startswith("/api/v1/plex/") for target in found.values())


@pytest.mark.parametrize(
    "path", ["/plex/libraries/1/collections", "/plex/libraries", "/plex/search?query=an"]
)
def test_what_is_no_page_has_no_links(api: Client, path: str) -> None:
    assert "Link" not in api.get(path).headers


def test_links_are_absolute_where_the_public_address_is_known(api: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://media.example.org/plex"
    (first,) = {links(api.get(f"{ITEMS}?size=2"))["first"]}
    assert first == f"https://media.example.org/plex/api/v1{ITEMS}?start=0&size=2"


def test_a_very_long_query_gets_no_links(api: Client) -> None:
    genre = "%C3%A4" * 190
    assert "Link" not in api.get(f"{ITEMS}?size=2&genre={genre}").headers


def test_a_304_and_a_head_have_the_links_too(api: Client) -> None:
    response = api.get(f"{ITEMS}?size=2")
    etag = {"If-None-Match": response.headers["ETag"]}
    unchanged = api.get(f"{ITEMS}?size=2", headers=etag)
    assert unchanged.status_code == 304
    assert links(unchanged) == links(response)
