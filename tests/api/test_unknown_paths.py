"""Paths that no endpoint has: the right one is named where a slash is too many; pages and JSON."""

from typing import Any

import pytest
import requests

from plex_simulator import Simulator
from tests.conftest import Client

PAGE = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/plex/libraries/", "/api/v1/plex/libraries"),
        ("/plex/libraries//", "/api/v1/plex/libraries"),
        ("/plex/libraries/1/items/?size=2", "/api/v1/plex/libraries/1/items"),
        ("/plex/items/%3Cb%3E/", "/api/v1/plex/items/%3Cb%3E"),
        ("/auth/token/", "/api/v1/auth/token"),
        ("/auth/plex/pins/", "/api/v1/auth/plex/pins"),
        ("/health/live/", "/api/v1/health/live"),
        ("/docs/", "/api/v1/docs"),
        ("/plex//", "/api/v1/plex"),
    ],
)
def test_a_slash_too_many_is_a_404_that_names_the_right_path(
    anonymous: Client, path: str, right: str
) -> None:
    for method in METHODS:
        response = anonymous.request(method, path, allow_redirects=False)
        assert response.status_code == 404, method
        error = response.json()["error"]
        assert error["code"] == "NOT_FOUND"
        assert error["details"] == {"path": [right]}
        assert error["message"].endswith(f": {right}")


@pytest.mark.parametrize(
    "path", ["/nothing/", "/plex/libraries/1/", "/", "", "/plex/nothing/at/all/"]
)
def test_no_path_is_named_where_none_is_right(anonymous: Client, path: str) -> None:
    error = anonymous.error(path, 404, "NOT_FOUND")
    assert "details" not in error


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/nothing", "/api/v2/plex/server", "/api/", "/api"]
)
def test_a_browser_gets_a_page_for_an_unknown_path_and_a_program_gets_json(
    anonymous: Client, path: str
) -> None:
    page = requests.get(anonymous.root + path, headers=PAGE, timeout=30, allow_redirects=False)
    assert page.status_code == 404
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for link in ("/api/v1/plex/", "/api/v1/docs", "/api/v1/redoc", "/admin/"):
        assert f'href="{link}"' in page.text
    for accept in ("*/*", "application/json", "application/json, text/html", "text/plain"):
        answer = requests.get(anonymous.root + path, headers={"Accept": accept}, timeout=30)
        assert answer.json()["error"]["code"] == "NOT_FOUND", accept


def test_a_page_echoes_no_markup_of_the_client(anonymous: Client) -> None:
    for path in ("/plex/items/<script>alert(1)</script>/", "/<script>", "/plex/<img src=x>/"):
        page = anonymous.get(path, headers=PAGE)
        assert page.status_code == 404
        assert "<script" not in page.text
        assert "<img" not in page.text


@pytest.mark.parametrize("host", ["elsewhere.example", "a b"])
def test_a_foreign_host_gets_a_page_in_a_browser(anonymous: Client, host: str) -> None:
    for path in ("/admin/", "/api/v1/health"):
        page = requests.get(anonymous.root + path, headers=PAGE | {"Host": host}, timeout=30)
        assert page.status_code == 400
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "elsewhere" not in page.text


def test_a_method_that_a_page_has_not_is_answered_in_the_clients_form(
    anonymous: Client, plex: Simulator
) -> None:
    for path in ("/docs", "/redoc", "/schema", "/errors"):
        answer = anonymous.post(path)
        assert answer.status_code == 405
        assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
        page = anonymous.post(path, headers=PAGE)
        assert page.status_code == 405
        assert "METHOD_NOT_ALLOWED" in page.text
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_form_from_elsewhere_gets_a_page(anonymous: Client, transactional_db: Any) -> None:
    url = f"{anonymous.root}/admin/login/"
    page = requests.post(url, data={"username": "ada"}, headers=PAGE, timeout=30)
    assert page.status_code == 403
    assert "ACCESS_DENIED" in page.text
    answer = requests.post(url, data={"username": "ada"}, timeout=30)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "ACCESS_DENIED"


def test_a_client_that_accepts_nothing_a_path_sends_learns_what_it_sends(
    anonymous: Client, plex: Simulator
) -> None:
    json_only = {"Accept": "application/json"}
    error = anonymous.error("/docs", 406, "NOT_ACCEPTABLE", headers=json_only)
    assert error["message"] == "This path sends text/html."
