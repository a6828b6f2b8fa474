"""Swagger UI and ReDoc: everything from here, and every endpoint can be tried."""

import json
import re
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADMIN, USER, Site, at_both_widths
from tests.test_demo import ROOT

DOCS = "/api/v1/docs"
DOCUMENT: Any = yaml.safe_load((ROOT / "openapi.yaml").read_text())
OPERATIONS: dict[str, dict[str, str]] = {
    method: {
        operations[method]["operationId"]: path
        for path, operations in DOCUMENT["paths"].items()
        if method in operations
    }
    for method in ("get", "post", "put", "patch", "delete")
}


@at_both_widths
def test_swagger_ui_shows_every_operation(site: Site) -> None:
    page = site.open(DOCS)
    count = sum(len(path) for path in DOCUMENT["paths"].values())
    expect(page.locator(".opblock")).to_have_count(count)
    site.shoot("swagger")


def test_swagger_ui_signs_in_and_tries_every_reading_endpoint(site: Site) -> None:
    page = site.open(DOCS)
    token, _ = authorized(page, USER)
    show = first(page, token, "libraries/2/items?size=1", "items")
    given = {
        "libraryKey": "2", "query": "the", "size": "2", "limit": "2", "kind": "thumb",
        "ratingKey": show["ratingKey"], "guid": show["guid"],
        "collectionKey": first(page, token, "libraries/1/collections", "collections")["ratingKey"],
        "playlistKey": first(page, token, "playlists", "playlists")["ratingKey"],
    }  # fmt: skip
    for name in OPERATIONS["get"]:
        tried(page, name, given)
    site.shoot("swagger-tried")


def test_swagger_ui_tries_every_write_without_doing_it(site: Site) -> None:
    page = site.open(DOCS)
    token, refresh = authorized(page, ADMIN)
    collections = ask(page, token, "libraries/1/collections")["collections"]
    collection = next(each for each in collections if not each["smart"])["ratingKey"]
    playlists = ask(page, token, "playlists?type=video")["playlists"]
    playlist = next(each for each in playlists if not each["smart"])["ratingKey"]
    for method in ("post", "put", "patch", "delete"):
        for name, path in OPERATIONS[method].items():
            if "/plex/" not in path:
                continue
            of = f"playlists/{playlist}" if "/playlists" in path else f"collections/{collection}"
            key = first(page, token, of, "items")["ratingKey"]
            given = {
                "libraryKey": "1", "collectionKey": collection, "playlistKey": playlist,
                "ratingKey": key, "dryRun": "true",
            }  # fmt: skip
            body = {"post": {"items": [key]}, "put": {"after": None}, "patch": {"title": "Tried"}}
            is_made = method == "post" and not path.endswith("/items")
            tried(page, name, given, body.get(method, {}) | ({"title": "Tried"} if is_made else {}))
    tried(page, "authVerify", {}, {"token": token})
    renewed = re.search(
        r'"refresh": "([^"]+)"', tried(page, "authRefresh", {}, {"refresh": refresh})
    )
    assert renewed
    tried(page, "authLogout", {}, {"refresh": renewed[1]})


def authorized(page: Page, user: tuple[str, str]) -> tuple[str, str]:
    """Sign in as a developer does; return the access and the refresh token."""
    pair = tried(page, "authToken", {}, {"username": user[0], "password": user[1]})
    access, refresh = re.findall(r'"(?:access|refresh)": "([^"]+)"', pair)
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("Value").fill(access)
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()
    return access, refresh


def ask(page: Page, token: str, path: str) -> Any:
    """Ask as a program does."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return page.request.get(f"/api/v1/plex/{path}", headers=headers).json()["data"]


def first(page: Page, token: str, path: str, name: str) -> Any:
    return ask(page, token, path)[name][0]


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
    expect(status).to_contain_text(re.compile(r"^20[01]"), timeout=15_000)
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
