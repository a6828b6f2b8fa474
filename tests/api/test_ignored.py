"""`metadata.ignored`: which query parameters of a request had no effect."""

from typing import Any

import pytest

from plex_simulator import Simulator
from tests.conftest import Client

ITEMS = "/plex/libraries/1/items?size=1&details=summary"


def ignored(api: Client, path: str, **headers: str) -> Any:
    return api.get(path, headers=headers).json()["metadata"].get("ignored")


def test_the_names_of_parameters_without_effect_are_listed_in_their_order(api: Client) -> None:
    path = f"{ITEMS}&page=2&Size=3&format=xml&per_page=9&page=3"
    for status in ("MISS", "HIT", "HIT"):  # loaded, on the full path, on the fast path
        response = api.get(path)
        assert response.headers["X-Plex-Cache-Status"] in (status, "HIT")
        assert response.json()["metadata"]["ignored"] == ["page", "Size", "format", "per_page"]


def test_without_such_parameters_the_member_is_left_out(api: Client) -> None:
    for _ in range(3):
        assert "ignored" not in api.get(ITEMS).json()["metadata"]


def test_requests_that_differ_in_ignored_parameters_share_the_cached_response(
    api: Client, plex: Simulator
) -> None:
    api.data(ITEMS)
    plex.reset_requests()
    for name in ("page", "offset", "page", "offset"):
        response = api.get(f"{ITEMS}&{name}=2")
        assert response.headers["X-Plex-Cache-Status"] == "HIT"
        assert response.json()["metadata"]["ignored"] == [name]
    assert "ignored" not in api.get(ITEMS).json()["metadata"]
    assert plex.count() == 0


def test_an_ignored_parameter_does_not_change_the_validator(api: Client) -> None:
    etag = api.get(ITEMS).headers["ETag"]
    again = api.get(f"{ITEMS}&page=2", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_names_are_bounded_in_number_and_in_length(api: Client) -> None:
    names = [f"{number:02}{'x' * 100}" for number in range(30)]
    path = f"{ITEMS}&{'&'.join(f'{name}=1' for name in names)}"
    for _ in range(2):
        assert ignored(api, path) == [name[:64] for name in names[:20]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("%D8%B3%D8%A7%D9%84=1", ["سال"]),
        ("%22%3Cb%3E=1", ['"<b>']),
        ("%FF=1", ["\ufffd"]),
        ("=1", [""]),
        ("X-Plex-Token=secret", ["X-Plex-Token"]),
    ],
)
def test_names_are_shown_as_the_client_sent_them_and_values_never(
    api: Client, query: str, names: list[str]
) -> None:
    for _ in range(2):
        response = api.get(f"{ITEMS}&{query}")
        assert response.json()["metadata"]["ignored"] == names
        assert "secret" not in response.text


@pytest.mark.parametrize("path", ["/plex/server", "/plex/libraries", "/plex/items/1000"])
def test_an_endpoint_without_parameters_ignores_all(api: Client, path: str) -> None:
    for _ in range(2):
        assert ignored(api, f"{path}?size=3") == ["size"]


def test_errors_list_them_too(api: Client) -> None:
    assert ignored(api, "/plex/libraries/1/items?size=0&page=2") == ["page"]
    assert ignored(api, "/plex/libraries/77/items?page=2") == ["page"]


def test_a_write_lists_them_too(api: Client, user: Any) -> None:
    user.is_superuser = True
    user.save()
    body = {"title": "A Long Sunday", "items": ["1000"]}
    answer = api.post("/plex/playlists?dryRun=true&dryrun=true", json=body)
    assert answer.json()["metadata"]["ignored"] == ["dryrun"]


def test_the_parameters_of_a_signed_link_have_an_effect(api: Client, anonymous: Client) -> None:
    link = api.data("/plex/libraries/1/items?size=1")["items"][0]["thumbUrl"]
    answer = anonymous.get(f"{link.removeprefix('/api/v1')}&width=1&page=2")
    assert answer.status_code == 400
    assert answer.json()["metadata"]["ignored"] == ["page"]


def test_a_page_of_the_browsable_api_shows_them(api: Client) -> None:
    page = api.get(f"{ITEMS}&page=2", headers={"Accept": "text/html"}).text
    assert "<b>&quot;ignored&quot;</b>" in page
