"""Swagger UI and ReDoc: everything from here, and every endpoint can be tried."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import (
    ADMIN,
    USER,
    Site,
    in_light_and_dark,
    sign_in_at_the_api,
)
from tests.service import until
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
NAMES = {place: name for name, place in OPERATIONS.items()}
PINS = ["createPlexPin", "getPlexPin"]
# What only a user with a link to Plex can do, in an order in which all of it is possible.
VIEWERS = [
    "getPlexLink",
    "listPlexHomeUsers",
    "markWatched",
    "markUnwatched",
    "setProgress",
    "switchPlexHomeUser",
    "deletePlexLink",
]
# What reads and has a body: too many ids for an address.
READ_BY_POST = ["findItems"]
READS = [
    name
    for name, (method, _) in OPERATIONS.items()
    if (method == "get" or name in READ_BY_POST) and name not in (*PINS, *VIEWERS)
]
WRITES = [
    name
    for name, (method, path) in OPERATIONS.items()
    if method != "get" and "/plex/" in path and name not in (*PINS, *VIEWERS, *READ_BY_POST)
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
    pair = tried(page, "signIn", {}, {"username": user[0], "password": user[1]})
    access, refresh = re.findall(r'"(?:access|refresh)": "([^"]+)"', pair)
    authorize(page, access)
    yield Swagger(site, access, refresh)
    site.close()


@pytest.fixture
def viewing(browser: Browser, origin: str, plex_origin: str) -> Iterator[Swagger]:
    """Swagger UI of somebody who has signed in with Plex."""
    site = Site(browser, origin, "desktop")
    page = site.open(DOCS)
    pin = page.request.post("/api/v1/auth/plex/pins").json()["data"]
    query = dict(parse_qsl(pin["authUrl"].partition("#?")[2]))
    form = {"code": pin["code"], "clientID": query["clientID"], "account": "Margit"}
    assert page.request.post(f"{plex_origin}/auth", form=form).ok
    secret, path = {"X-Pin-Secret": pin["secret"]}, f"/api/v1/auth/plex/pins/{pin['id']}"
    (pair,) = until(lambda: _tokens(page, path, secret), 30, "the sign-in is finished")
    authorize(page, pair["access"])
    yield Swagger(site, pair["access"], pair["refresh"])
    site.close()


def _tokens(page: Page, path: str, headers: dict[str, str]) -> list[Any]:
    result = page.request.get(path, headers=headers).json()["data"]
    return [result] if result["status"] == "complete" else []


def authorize(page: Page, access: str) -> None:
    """Let Swagger UI send an access token."""
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("Value").fill(access)
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()


@in_light_and_dark
def test_swagger_ui_shows_every_operation_by_its_summary(site: Site) -> None:
    page = site.open(DOCS)
    count = sum(len(path) for path in DOCUMENT["paths"].values())
    expect(page.locator(".opblock")).to_have_count(count)
    summaries = {
        operation["summary"] for path in DOCUMENT["paths"].values() for operation in path.values()
    }
    shown = page.locator(".opblock-summary-description").all_text_contents()
    assert set(shown) == summaries
    # Swagger UI has a button inside of each button that opens an operation.
    site.check("swagger", "nested-interactive")


@in_light_and_dark
def test_swagger_ui_signs_in_before_anything_is_tried(site: Site) -> None:
    page = site.open(DOCS)
    sign_in(page)
    text = tried(page, NAMES["get", "/api/v1/auth/session"], {})
    assert '"username": "demo"' in text
    assert page.evaluate("Object.keys({...localStorage, ...sessionStorage})") == []
    site.check("swagger-signed-in", "nested-interactive")


def test_swagger_ui_signs_out_and_forgets_the_token(site: Site) -> None:
    site.expect_status(401)
    page = site.open(DOCS)
    sign_in(page)
    with page.expect_response("**/api/v1/auth/logout") as response:
        page.get_by_role("button", name="Sign out", exact=True).click()
    assert response.value.ok
    expect(page.get_by_label("Username")).to_be_visible()
    tried(page, NAMES["get", "/api/v1/auth/session"], {}, status="401")
    sign_in(page)
    page.reload()
    expect(page.get_by_label("Username")).to_be_visible()
    tried(page, NAMES["get", "/api/v1/auth/session"], {}, status="401")


def test_swagger_ui_says_why_a_sign_in_fails(site: Site) -> None:
    site.expect_status(401)
    page = site.open(DOCS)
    sign_in_at_the_api(page, (USER[0], "wrong"))
    expect(page.get_by_role("alert")).to_have_text("The username or password is wrong.")
    sign_in(page)
    expect(page.locator("#problem")).to_be_empty()


def test_swagger_ui_renews_the_token_before_it_expires(site: Site) -> None:
    site.page.clock.install()
    page = site.open(DOCS)
    sign_in(page)
    for _ in range(2):
        with page.expect_response("**/api/v1/auth/token/refresh") as renewed:
            page.clock.fast_forward("14:00")
        assert renewed.value.ok
        # Only then does the page wait for the next renewal.
        page.wait_for_function(
            "access => JSON.stringify(ui.authSelectors.authorized()).includes(access)",
            arg=renewed.value.json()["data"]["access"],
        )
    expect(page.get_by_text("Signed in as demo")).to_be_visible()


def test_swagger_ui_does_not_end_a_sign_in_with_a_renewal_of_the_one_before(site: Site) -> None:
    site.expect_status(401)
    site.page.clock.install()
    page = site.open(DOCS)
    sign_in(page)
    held: list[Route] = []
    page.route("**/api/v1/auth/token/refresh", lambda route: held.append(route))
    page.clock.fast_forward("14:00")
    while not held:
        page.wait_for_timeout(50)
    with page.expect_response("**/api/v1/auth/logout"):
        page.get_by_role("button", name="Sign out", exact=True).click()
    sign_in(page)
    with page.expect_response("**/api/v1/auth/token/refresh") as refused:
        held[0].continue_()
    assert refused.value.status == 401
    # The page reads the refusal before this response arrives.
    page.evaluate("fetch('/api/v1/health/live')")
    expect(page.get_by_text("Signed in as demo")).to_be_visible()
    expect(page.locator("#problem")).to_be_empty()
    tried(page, NAMES["get", "/api/v1/auth/session"], {})


def test_swagger_ui_renews_the_token_once_after_a_double_submit(site: Site) -> None:
    site.page.clock.install()
    page = site.open(DOCS)
    held: list[Route] = []
    page.route("**/api/v1/auth/token", lambda route: held.append(route))
    sign_in_at_the_api(page)
    page.get_by_role("button", name="Sign in", exact=True).click()
    while len(held) < 2:
        page.wait_for_timeout(50)
    for route in held:
        with page.expect_event("requestfinished"):
            route.continue_()
    expect(page.get_by_text("Signed in as demo")).to_be_visible()
    # The page reads both answers before this response arrives.
    page.evaluate("fetch('/api/v1/health/live')")
    renewals: list[str] = []
    page.on("request", lambda each: renewals.append(each.url))
    with page.expect_response("**/api/v1/auth/token/refresh"):
        page.clock.fast_forward("14:00")
    assert len(renewals) == 1


@pytest.mark.parametrize("name", READS)
def test_swagger_ui_signs_in_and_tries_a_reading_endpoint(reading: Swagger, name: str) -> None:
    show = reading.first("libraries/2/items?size=1", "items")
    given = {
        "libraryKey": "2", "query": "the", "size": "2", "limit": "2", "kind": "thumb",
        "ratingKey": show["ratingKey"], "guid": show["guid"],
        "collectionKey": reading.first("libraries/1/collections", "collections")["ratingKey"],
        "playlistKey": reading.first("playlists", "playlists")["ratingKey"],
    }  # fmt: skip
    reading.tries(name, given | {"ids": show["ratingKey"]}, {"ids": [show["ratingKey"]]})


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


def test_swagger_ui_tries_a_sign_in_with_plex(reading: Swagger) -> None:
    text = reading.tries("createPlexPin", {}, {})
    (pin,), (secret,) = (re.findall(rf'"{name}": "([^"]+)"', text) for name in ("id", "secret"))
    assert "pending" in reading.tries("getPlexPin", {"pinId": pin, "X-Pin-Secret": secret})


def test_swagger_ui_tries_what_a_viewer_can_do(viewing: Swagger) -> None:
    movie = viewing.first("libraries/1/items?size=1", "items")["ratingKey"]
    headers = {"Authorization": f"Bearer {viewing.access}"}
    home = viewing.page.request.get("/api/v1/auth/plex/home-users", headers=headers).json()
    (own,) = [user["uuid"] for user in home["data"]["users"] if user["current"]]
    given = {"ratingKey": movie, "uuid": own, "dryRun": "true"}
    for name in VIEWERS:
        viewing.tries(name, given, {"viewOffset": 120_000} if name == "setProgress" else {})


def test_swagger_ui_tries_what_is_done_with_tokens(writing: Swagger) -> None:
    writing.tries("verifyToken", {}, {"token": writing.access})
    renewed = re.search(
        r'"refresh": "([^"]+)"', writing.tries("refreshToken", {}, {"refresh": writing.refresh})
    )
    assert renewed
    writing.tries("signOut", {}, {"refresh": renewed[1]})


def test_swagger_ui_tries_every_operation() -> None:
    with_tokens = ["signIn", "verifyToken", "refreshToken", "signOut"]
    assert sorted([*READS, *WRITES, *PINS, *VIEWERS, *with_tokens]) == sorted(OPERATIONS)


def sign_in(page: Page) -> None:
    """Sign in above Swagger UI."""
    sign_in_at_the_api(page)
    expect(page.get_by_text("Signed in as demo")).to_be_visible()


def tried(
    page: Page, operation: str, given: dict[str, str], body: Any = None, status: str = "20[01]"
) -> str:
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
            if (add := row.get_by_role("button", name="Add")).count():  # the parameter is a list
                add.first.click()
            row.locator("input").first.fill(value)
    if body is not None and block.locator("textarea.body-param__text").count():
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    block.get_by_role("button", name="Execute").click()
    live = block.locator(".live-responses-table .response")
    expect(live.locator(".response-col_status")).to_contain_text(re.compile(f"^{status}"))
    text = live.text_content() or ""
    summary.click()
    return text


@in_light_and_dark
def test_redoc_shows_the_document_and_finds_in_it(site: Site) -> None:
    page = site.open("/api/v1/redoc")
    expect(page.get_by_role("heading", name=re.compile("MediaNest Plex"))).to_be_visible()
    expect(page.locator("[id$='operation/listLibraryItems']").first).to_be_attached()
    if site.look == "desktop":
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
