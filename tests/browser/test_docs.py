"""Swagger UI and ReDoc: everything from here, and every endpoint can be tried."""

import re
from typing import Any

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import USER, Site, at_both_widths
from tests.test_demo import ROOT

DOCS = "/api/v1/docs"
DOCUMENT: Any = yaml.safe_load((ROOT / "openapi.yaml").read_text())
READ = {
    operation["operationId"]: operation
    for path in DOCUMENT["paths"].values()
    for method, operation in path.items()
    if method == "get"
}


@at_both_widths
def test_swagger_ui_shows_every_operation(site: Site) -> None:
    page = site.open(DOCS)
    count = sum(len(path) for path in DOCUMENT["paths"].values())
    expect(page.locator(".opblock")).to_have_count(count)
    site.shoot("swagger")


def test_swagger_ui_signs_in_and_tries_every_reading_endpoint(site: Site) -> None:
    page = site.open(DOCS)
    credentials = f'{{"username": "{USER[0]}", "password": "{USER[1]}"}}'
    tried = opened(page, "authToken")
    tried.locator("textarea").fill(credentials)
    pair = executed(tried)
    token = re.search(r'"access": "([^"]+)"', pair)
    assert token, pair
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("Value").fill(token[1])
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()
    given = parameters(site, token[1])
    for name in READ:
        tried = opened(page, name)
        for row in tried.locator("tr[data-param-name]").all():
            value = given.get(row.get_attribute("data-param-name") or "")
            if value and row.locator("select").count():
                row.locator("select").select_option(value)
            elif value:
                row.locator("input").first.fill(value)
        executed(tried)
    site.shoot("swagger-tried")


def parameters(site: Site, token: str) -> dict[str, str]:
    """Return values of what the endpoints need, found as a program would find them."""

    def first(path: str, name: str) -> Any:
        answer = site.page.request.get(
            f"/api/v1/plex/{path}", headers={"Authorization": f"Bearer {token}"}
        )
        return answer.json()["data"][name][0]

    show = first("libraries/2/items?size=1", "items")
    return {
        "libraryKey": "2", "query": "the", "size": "2", "limit": "2", "kind": "thumb",
        "ratingKey": show["ratingKey"], "guid": show["guid"],
        "collectionKey": first("libraries/1/collections", "collections")["ratingKey"],
        "playlistKey": first("playlists", "playlists")["ratingKey"],
    }  # fmt: skip


def opened(page: Page, operation: str) -> Locator:
    """Open an operation for trying."""
    block = page.locator(f"[id$='-{operation}'].opblock")
    block.locator(".opblock-summary-control").first.click()
    block.get_by_role("button", name="Try it out").click()
    return block


def executed(block: Locator) -> str:
    """Execute an opened operation, close it, return the body of its answer."""
    block.get_by_role("button", name="Execute").click()
    live = block.locator(".live-responses-table .response")
    expect(live.locator(".response-col_status")).to_contain_text("200")
    text = live.text_content() or ""
    block.locator(".opblock-summary-control").first.click()
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
