"""Swagger UI and ReDoc: everything from here, and every endpoint can be tried."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ADMIN, USER, Site, at_both_widths
from tests.test_demo import ROOT

DOCS = "/api/v1/docs"
DOCUMENT: Any = yaml.safe_load((ROOT / "openapi.yaml").read_text())
# The method and the path of each operation, by its name.
OPERATIONS: dict[str, tuple[str, str]] = {
    operation["operationId"]: (method, path)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if method in ("get", "post", "put", "patch", "delete")
}
READS = [name for name, (method, _) in OPERATIONS.items() if method == "get"]
WRITES = [
    name for name, (method, path) in OPERATIONS.items() if method != "get" and "/plex/" in path
]


@dataclass(frozen=True)
class Swagger:
    """Swagger UI in which somebody has signed in; every test of them goes on in the same page."""

    site: Site
    access: str
    refresh: str

    @property
    def page(self) -> Page:
        return self.site.page

    def ask(self, path: str) -> Any:
        """Ask as a program does."""
        headers = {"Authorization": f"Bearer {self.access}", "Accept": "application/json"}
        return self.page.request.get(f"/api/v1/plex/{path}", headers=headers).json()["data"]

    def first(self, path: str, name: str) -> Any:
        return self.ask(path)[name][0]

    def tries(self, operation: str, given: dict[str, str], body: Any = None) -> str:
        """Try an operation out; return the text of its answer."""
        text = tried(self.page, operation, given, body)
        assert not self.site.faults, "\n".join(self.site.faults)
        return text


@pytest.fixture(scope="module")
def reading(browser: Browser, origin: str) -> Iterator[Swagger]:
    """Swagger UI of a user."""
    with signed_in(browser, origin, USER) as swagger:
        yield swagger
        swagger.site.shoot("swagger-tried")


@pytest.fixture(scope="module")
def writing(browser: Browser, origin: str) -> Iterator[Swagger]:
    """Swagger UI of an administrator."""
    with signed_in(browser, origin, ADMIN) as swagger:
        yield swagger


@contextmanager
def signed_in(browser: Browser, origin: str, user: tuple[str, str]) -> Iterator[Swagger]:
    """Sign in as a developer does."""
    site = Site(browser, origin, "desktop")
    page = site.open(DOCS)
    pair = tried(page, "authToken", {}, {"username": user[0], "password": user[1]})
    access, refresh = re.findall(r'"(?:access|refresh)": "([^"]+)"', pair)
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("Value").fill(access)
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()
    yield Swagger(site, access, refresh)
    site.close()


@at_both_widths
def test_swagger_ui_shows_every_operation(site: Site) -> None:
    page = site.open(DOCS)
    count = sum(len(path) for path in DOCUMENT["paths"].values())
    expect(page.locator(".opblock")).to_have_count(count)
    site.shoot("swagger")


@pytest.mark.parametrize("name", READS)
def test_swagger_ui_signs_in_and_tries_a_reading_endpoint(reading: Swagger, name: str) -> None:
    show = reading.first("libraries/2/items?size=1", "items")
    given = {
        "libraryKey": "2", "query": "the", "size": "2", "limit": "2", "kind": "thumb",
        "ratingKey": show["ratingKey"], "guid": show["guid"],
        "collectionKey": reading.first("libraries/1/collections", "collections")["ratingKey"],
        "playlistKey": reading.first("playlists", "playlists")["ratingKey"],
    }  # fmt: skip
    reading.tries(name, given)


@pytest.mark.parametrize("name", WRITES)
def test_swagger_ui_tries_a_write_without_doing_it(writing: Swagger, name: str) -> None:
    method, path = OPERATIONS[name]
    collections = writing.ask("libraries/1/collections")["collections"]
    collection = next(each for each in collections if not each["smart"])["ratingKey"]
    playlists = writing.ask("playlists?type=video")["playlists"]
    playlist = next(each for each in playlists if not each["smart"])["ratingKey"]
    of = f"playlists/{playlist}" if "/playlists" in path else f"collections/{collection}"
    key = writing.first(of, "items")["ratingKey"]
    given = {
        "libraryKey": "1", "collectionKey": collection, "playlistKey": playlist,
        "ratingKey": key, "dryRun": "true",
    }  # fmt: skip
    body = {"post": {"items": [key]}, "put": {"after": None}, "patch": {"title": "Tried"}}
    is_made = method == "post" and not path.endswith("/items")
    writing.tries(name, given, body.get(method, {}) | ({"title": "Tried"} if is_made else {}))


def test_swagger_ui_tries_what_is_done_with_tokens(writing: Swagger) -> None:
    writing.tries("authVerify", {}, {"token": writing.access})
    renewed = re.search(
        r'"refresh": "([^"]+)"', writing.tries("authRefresh", {}, {"refresh": writing.refresh})
    )
    assert renewed
    writing.tries("authLogout", {}, {"refresh": renewed[1]})


def test_swagger_ui_tries_every_operation() -> None:
    with_tokens = ["authToken", "authVerify", "authRefresh", "authLogout"]
    assert sorted([*READS, *WRITES, *with_tokens]) == sorted(OPERATIONS)


def tried(page: Page, operation: str, given: dict[str, str], body: Any = None) -> str:
    """Try an operation out; return the text of its answer."""
    block = page.locator(f"[id$='-{operation}'].opblock")
    summary = block.locator(".opblock-summary-control").first
    summary.click()
    block.get_by_role("button", name="Try it out").click()
    for row in block.locator("tr[data-param-name]").all():
        value = given.get(row.get_attribute("data-param-name") or "")
        if value and row.locator("select").count():
            row.locator("select").select_option(value)
        elif value:
            row.locator("input").first.fill(value)
    if body and block.locator("textarea.body-param__text").count():
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    block.get_by_role("button", name="Execute").click()
    live = block.locator(".live-responses-table .response")
    status = live.locator(".response-col_status")
    expect(status).to_contain_text(re.compile(r"^20[01]"))
    text = live.text_content() or ""
    summary.click()
    return text


@at_both_widths
def test_redoc_shows_the_document_and_finds_in_it(site: Site) -> None:
    page = site.open("/api/v1/redoc")
    expect(page.get_by_role("heading", name=re.compile("MediaNest Plex"))).to_be_visible()
    expect(page.locator("[id$='operation/libraryItems']").first).to_be_attached()
    if site.width == "desktop":
        page.get_by_placeholder("Search").fill("recently")
        expect(page.locator("[data-role='search:results'] li").first).to_be_visible()
    site.shoot("redoc")


@pytest.mark.parametrize("path", ["/api/v1/plex/", "/admin/", "/admin/login/", DOCS])
def test_no_page_may_load_scripts_from_elsewhere_or_inline(admin: Site, path: str) -> None:
    policy = dict(
        part.split(" ", 1)
        for part in admin.open(path).request.get(path, headers={"Accept": "text/html"})
        .headers["content-security-policy"].split("; ")
    )  # fmt: skip
    assert policy["script-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
