"""Pages, checked without a browser: who gets a page, what it may load, the index."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client as Browser

from plex_simulator import Simulator
from tests.api.test_true_schema import resolved
from tests.conftest import Client

DOCUMENT: Any = yaml.safe_load((Path(__file__).parent.parent / "openapi.yaml").read_text())
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
INDEX = "/api/v1/plex/"


@pytest.fixture
def browser(user: Any, plex: Simulator) -> Browser:
    signed_in = Browser()
    signed_in.force_login(user)
    return signed_in


def test_the_index_names_every_documented_endpoint_with_its_parameters(api: Client) -> None:
    listed = {(each["method"], each["url"]): each for each in api.data("/plex/")["endpoints"]}
    documented = {
        (method.upper(), path): operation
        for path, operations in DOCUMENT["paths"].items()
        if path.startswith(INDEX)
        for method, operation in operations.items()
    }
    assert listed.keys() == documented.keys()
    for (method, url), endpoint in listed.items():
        if method != "GET" or url.endswith("/images/{kind}"):
            continue
        parameters = [resolved(each) for each in documented[method, url].get("parameters", [])]
        assert sorted(endpoint["parameters"]) == sorted(each["name"] for each in parameters)
        required = {each["name"] for each in parameters if each.get("required")}
        assert set(endpoint["required"]) == required
        assert endpoint["description"]


def test_the_index_has_one_more_address_and_asks_for_a_token(
    api: Client, anonymous: Client
) -> None:
    assert api.data("/plex") == api.data("/plex/")
    anonymous.error("/plex/", 401, "UNAUTHORIZED")


def test_the_index_opens_an_endpoint_without_what_was_left_blank(api: Client) -> None:
    params = {"open": "plex-library-items", "libraryKey": "1", "year": "", "genre": "a&b=c"}
    answer = api.get("/plex/", params=params, allow_redirects=False)
    assert answer.headers["Location"] == "/api/v1/plex/libraries/1/items?genre=a%26b%3Dc"


@pytest.mark.parametrize(
    "params",
    [{"open": "admin:index"}, {"open": "//example.com"}, {"open": "plex-item"},
     {"open": "plex-item", "ratingKey": "1/2"}],
)  # fmt: skip
def test_the_index_opens_nothing_but_its_endpoints(api: Client, params: dict[str, str]) -> None:
    api.error("/plex/", 400, "VALIDATION_ERROR", params=params)


def test_a_session_opens_pages_and_nothing_else(browser: Browser) -> None:
    page = browser.get(f"{INDEX}libraries", headers=PAGE)
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page["Cache-Control"] == "no-store"
    assert "Cookie" in page["Vary"]
    for accept in ("application/json", "*/*", "application/json, text/html", "text/html, */*;q=1"):
        answer = browser.get(f"{INDEX}libraries", headers={"Accept": accept})
        assert (answer.status_code == 200) == (accept == "text/html, */*;q=1"), accept
    assert browser.post(f"{INDEX}playlists", headers=PAGE).status_code == 401
    assert browser.delete(f"{INDEX}collections/1", headers=PAGE).status_code == 401


def test_a_deactivated_user_sees_no_page_any_more(browser: Browser, user: Any) -> None:
    assert browser.get(INDEX, headers=PAGE).status_code == 200
    type(user).objects.update(is_active=False)
    assert browser.get(INDEX, headers=PAGE).status_code == 401


def test_a_session_tells_when_it_ends(browser: Browser) -> None:
    page = browser.get("/api/v1/auth/session", headers=PAGE)
    assert page.status_code == 200
    assert b"expiresAt" in page.content


def test_pages_and_programs_count_against_one_limit(browser: Browser, api: Client) -> None:
    browser.get(f"{INDEX}server", headers=PAGE)
    assert api.get("/plex/server").headers["X-RateLimit-Remaining"] == "18"


@pytest.mark.parametrize("path", ["/plex/server", "/health", "/nothing", "/schema"])
def test_what_is_no_page_may_load_nothing(api: Client, path: str) -> None:
    policy = api.get(path).headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'"


def test_a_304_does_not_replace_the_policy_of_the_cached_page(api: Client) -> None:
    etag = api.get("/plex/server").headers["ETag"]
    answer = api.get("/plex/server", headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert "Content-Security-Policy" not in answer.headers


def test_the_root_leads_to_the_docs_where_no_client_is_served(client: Browser) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/api/v1/docs")
    assert client.get("/client.js").status_code == 404


def test_the_openapi_document_is_a_page_in_a_browser_and_json_for_programs(client: Browser) -> None:
    page = client.get("/api/v1/schema", headers=PAGE)
    assert page["Content-Type"] == "text/html; charset=utf-8"
    for accept in ("*/*", "application/json, */*", "application/vnd.oai.openapi+json"):
        document = client.get("/api/v1/schema", headers={"Accept": accept})
        assert json.loads(document.content)["openapi"] == "3.1.0"
    (named,) = re.findall(r"Accept: ([\w/.+]+)&#x27;|Accept: ([\w/.+]+)'", page.content.decode())
    document = client.get("/api/v1/schema", headers={"Accept": "".join(named)})
    assert document.content.startswith(b"openapi: 3.1.0")


@pytest.mark.parametrize(
    ("public", "server"), [("", "/"), ("https://media.example", "https://media.example")]
)
def test_the_served_document_names_this_service_as_its_server(
    client: Browser, settings: Any, public: str, server: str
) -> None:
    settings.PUBLIC_URL = public
    document = client.get("/api/v1/schema", headers={"Accept": "*/*"})
    assert json.loads(document.content)["servers"] == [{"url": server}]


def test_redoc_comes_without_its_makers_logo(client: Browser) -> None:
    script = client.get("/api/v1/redoc.js")
    assert script["Content-Type"] == "text/javascript; charset=utf-8"
    assert b"cdn.redoc.ly" not in script.content
