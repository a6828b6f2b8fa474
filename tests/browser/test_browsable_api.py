"""The API in a browser: an index, a form for each endpoint, an answer whose links lead on."""

import re
from typing import Any
from urllib.parse import unquote

import yaml
from playwright.sync_api import Page, expect

from tests.browser.conftest import USER, Site, at_both_widths, in_light_and_dark, sign_in_at_the_api
from tests.service import until
from tests.test_demo import ROOT

INDEX = "/api/v1/plex/"
DOCUMENT: Any = yaml.safe_load((ROOT / "openapi.yaml").read_text())
# Each operation of the index: its path, its name, its method.
PATHS = [
    (path, operation["operationId"], method)
    for path, item in DOCUMENT["paths"].items()
    if path.startswith(INDEX)
    for method, operation in item.items()
    if method in ("get", "post", "put", "patch", "delete")
]


@in_light_and_dark
def test_a_visitor_must_sign_in_and_comes_back_signed_in(site: Site) -> None:
    site.expect_status(401)
    page = site.open(f"{INDEX}libraries")
    expect(page.get_by_role("heading", name="Sign in first")).to_be_visible()
    expect(page.locator("pre.json")).to_contain_text('"code": "UNAUTHORIZED"')
    expect(page.locator(".headers")).to_contain_text('Bearer realm="api"')
    site.check("signed-out")
    page.locator("main").get_by_role("link", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    site.check("sign-in")
    sign_in_at_the_api(page)
    page.wait_for_url(f"**{INDEX}libraries")
    expect(page.locator("pre.json")).to_contain_text('"totalMediaItems"')
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)
    site.check("signed-in")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in first")).to_be_visible()


def test_a_wrong_password_is_reported_and_another_one_can_be_tried(site: Site) -> None:
    page = site.open("/api/v1/auth/sign-in")
    sign_in_at_the_api(page, (USER[0], "wrong"))
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    expect(page.get_by_label("Username")).to_have_value(USER[0])
    site.check("wrong-password")
    sign_in_at_the_api(page)
    page.wait_for_url(f"**{INDEX}")


@in_light_and_dark
def test_an_unknown_path_is_a_page_that_leads_on(site: Site) -> None:
    site.expect_status(404, 401)
    page = site.open("/nothing/here")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    site.check("not-found")
    page = site.open(f"{INDEX}libraries/")
    page.get_by_role("link", name=f"Open {INDEX}libraries").click()
    page.wait_for_url(f"**{INDEX}libraries")


@in_light_and_dark
def test_the_error_codes_are_a_page(site: Site) -> None:
    page = site.open("/api/v1/errors#PLEX_API_ERROR")
    expect(page.get_by_role("heading", name="Errors")).to_be_visible()
    expect(page.locator("#PLEX_API_ERROR")).to_be_in_viewport()
    site.check("errors")


@in_light_and_dark
def test_the_index_has_every_endpoint_on_two_screens(admin: Site) -> None:
    page = admin.open(INDEX)
    expect(page.get_by_role("heading", name="Index")).to_be_visible()
    listed = page.request.get(INDEX, headers={"Accept": "text/html"})
    assert listed.status == 200
    assert page.locator(".index li").count() == len(PATHS)
    if admin.width == "desktop":
        assert page.evaluate("document.documentElement.scrollHeight") <= 2 * 900
        heights = page.locator(".index li").evaluate_all("all => all.map(e => e.clientHeight)")
        assert max(heights) < 40, "one line for each endpoint"
    admin.check("index")


@at_both_widths
def test_the_index_opens_an_endpoint_that_needs_a_parameter(admin: Site) -> None:
    page = admin.open(INDEX)
    page.get_by_text("Open plex-collections", exact=True).click()
    page.get_by_label("libraryKey for plex-collections").fill("1")
    admin.check("index-form")
    page.get_by_role("button", name="Send plex-collections").click()
    page.wait_for_url(f"**{INDEX}libraries/1/collections")
    expect(page.get_by_role("heading", name="Collections")).to_be_visible()


@in_light_and_dark
def test_a_page_leads_to_the_very_operation_in_swagger_ui(admin: Site) -> None:
    page = admin.open(f"{INDEX}playlists")
    link = page.get_by_role("list", name="Changes").get_by_role("link")
    expect(link).to_have_count(1)
    admin.check("playlists")
    link.click()
    operation = DOCUMENT["paths"]["/api/v1/plex/playlists"]["post"]["operationId"]
    block = page.locator(f"[id$='-{operation}'].opblock")
    expect(block).to_have_class(re.compile("is-open"))
    expect(block).to_be_in_viewport()


def test_every_operation_that_changes_something_is_linked_to_itself(admin: Site) -> None:
    page = admin.open(INDEX)
    links = page.locator(".index a.try").evaluate_all("all => all.map(e => e.getAttribute('href'))")
    operations = [name for _, name, method in PATHS if method != "get"]
    assert sorted(link.rpartition("/")[2] for link in links) == sorted(operations)
    # Swagger UI, which takes seconds to load, finds an operation by its tag and its name.
    for link in {link.rpartition("/")[0]: link for link in links}.values():
        page.goto("about:blank")
        block = admin.open(link).locator(".opblock.is-open")
        expect(block).to_have_count(1)
        assert block.get_attribute("id") == _block(link)
    blocks = page.locator(".opblock").evaluate_all("all => all.map(e => e.id)")
    assert {_block(link) for link in links} <= set(blocks)


def _block(link: str) -> str:
    """Return the id of the block of Swagger UI that a link opens."""
    _, tag, operation = unquote(link).rsplit("/", 2)
    return f"operations-{tag.replace(' ', '_')}-{operation}"


@at_both_widths
def test_a_path_that_only_accepts_changes_leads_to_swagger_ui(site: Site) -> None:
    site.expect_status(405)
    page = site.open("/api/v1/auth/token")
    expect(page.get_by_role("alert")).to_contain_text("METHOD_NOT_ALLOWED")
    site.check("only-changes")
    page.get_by_role("list", name="Changes").get_by_role("link").click()
    expect(page.locator(".opblock.is-open")).to_contain_text("/api/v1/auth/token")


@in_light_and_dark
def test_the_openapi_document_reads_well(site: Site) -> None:
    page = site.open("/api/v1/schema")
    expect(page.get_by_role("heading", name="OpenAPI document")).to_be_visible()
    expect(page.locator("main")).to_contain_text("curl -H 'Accept: application/yaml' http://")
    site.check("schema")
    page.get_by_text("The document as JSON").click()
    expect(page.get_by_label("The document as JSON")).to_contain_text('"openapi": "3.1.0"')


@in_light_and_dark
def test_the_health_of_the_service_reads_well(site: Site) -> None:
    page = site.page
    # The page shows the result of a check of Plex that takes long only to the next visitor.
    until(lambda: _is_plex_ok(site.open("/api/v1/health")), 30, "Plex was checked")
    expect(page.get_by_role("heading", name="Health", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="Database")).to_contain_text("ok")
    expect(page.get_by_role("row", name="Plex")).to_contain_text("ok")
    site.check("health")


def _is_plex_ok(health: Page) -> bool:
    return "ok" in health.get_by_role("row", name="Plex").inner_text()


@at_both_widths
def test_a_library_leads_to_its_items_and_an_item_to_its_details(admin: Site) -> None:
    page = admin.open(INDEX)
    page.get_by_role("link", name="/libraries", exact=True).click()
    expect(page.get_by_role("link", name='"/library/sections/1"', exact=True)).to_be_visible()
    admin.check("libraries")
    page.get_by_role("link", name='"/library/sections/1"', exact=True).click()
    page.wait_for_url(f"**{INDEX}libraries/1/items")
    expect(page.locator("nav.pages")).to_contain_text("1–50 of 240")
    page.get_by_label("size").fill("2")
    page.get_by_label("details").select_option("summary")
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("nav.pages")).to_contain_text("1–2 of 240")
    admin.check("library-items")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("nav.pages")).to_contain_text("3–4 of 240")
    page.locator("pre.json a", has_text="/library/metadata/").first.click()
    page.wait_for_url(re.compile(rf"{INDEX}items/\d+$"))
    expect(page.locator("pre.json")).to_contain_text('"chapters"')
    picture = page.locator("pre.json a", has_text="images/thumb").first.get_attribute("href")
    assert page.request.get(str(picture)).headers["content-type"].startswith("image/")


def test_a_collection_leads_to_its_items_and_a_show_to_its_seasons(admin: Site) -> None:
    page = admin.open(f"{INDEX}libraries/1/collections")
    page.locator("pre.json a", has_text=re.compile(r"\d{5,}")).first.click()
    page.wait_for_url(re.compile(rf"{INDEX}collections/\d+$"))
    expect(page.locator("pre.json")).to_contain_text('"items": [')
    page = admin.open(f"{INDEX}libraries/2/items?size=1&details=summary")
    page.locator("pre.json b", has_text='"childCount"').locator("+ a").click()
    page.wait_for_url(re.compile(rf"{INDEX}items/\d+/children$"))
    expect(page.locator("pre.json")).to_contain_text('"type": "season"')


@at_both_widths
def test_the_parameters_are_a_form_that_asks(admin: Site) -> None:
    page = admin.open(f"{INDEX}libraries/1/items")
    page.get_by_label("size").fill("3")
    page.get_by_label("sort").select_option("year:desc")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url(f"**{INDEX}libraries/1/items?size=3&sort=year%3Adesc")
    expect(page.locator("nav.pages")).to_contain_text("1–3 of 240")
    expect(page.get_by_label("size")).to_have_value("3")
    page.get_by_label("libraryKey").fill("2")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url(f"**{INDEX}libraries/2/items?size=3&sort=year%3Adesc")
    page = admin.open(INDEX)
    page.get_by_text("Open plex-search", exact=True).click()
    page.get_by_label("query for plex-search").fill("the")
    page.get_by_role("button", name="Send plex-search").click()
    expect(page.locator("pre.json")).to_contain_text('"matchReason"')
    page.get_by_label("limit").fill("2")
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("pre.json b", has_text='"matchReason"')).to_have_count(2)
    admin.check("search")


@at_both_widths
def test_a_refused_parameter_is_reported_beside_its_field(admin: Site) -> None:
    admin.expect_status(400, 404)
    page = admin.open(f"{INDEX}libraries/1/items?size=999&genre=%3Cscript%3E")
    expect(page.get_by_role("alert")).to_contain_text("VALIDATION_ERROR")
    expect(page.locator("#size-help .wrong")).to_be_visible()
    expect(page.get_by_label("genre")).to_have_value("<script>")
    admin.check("refused-parameter")
    page = admin.open(f"{INDEX}libraries/99/items")
    expect(page.get_by_role("alert")).to_contain_text("LIBRARY_NOT_FOUND")


def test_the_headers_are_shown_as_a_program_gets_them(admin: Site) -> None:
    page = admin.open(f"{INDEX}server")
    headers = page.locator(".headers")
    for name, value in {
        "X-Plex-Cache-Status": "MISS",
        "X-Plex-Cache-Age": "0",
        "X-Plex-Response-Time": "ms",
        "X-RateLimit-Limit": "20",
        "X-RateLimit-Remaining": "19",
        "X-Request-ID": "req-plex-server-",
        "Cache-Control": "max-age=1800, private",
    }.items():
        row = headers.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))
        expect(row).to_contain_text(value)
    page.reload()
    expect(headers.get_by_role("row", name="X-Plex-Cache-Status")).to_contain_text("HIT")
    expect(headers.get_by_role("row", name="X-RateLimit-Remaining")).to_contain_text("18")


def test_a_session_opens_no_door_for_programs(admin: Site) -> None:
    page = admin.open(INDEX)
    for headers in ({"Accept": "application/json"}, {"Accept": "*/*"}):
        answer = page.request.get(f"{INDEX}libraries", headers=headers)
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/json"
    for method in ("post", "delete", "put"):
        answer = getattr(page.request, method)(f"{INDEX}libraries", headers={"Accept": "text/html"})
        assert answer.status == 401


def test_a_page_is_not_cached_after_signing_out(admin: Site) -> None:
    page = admin.open(f"{INDEX}libraries")
    answer = page.request.get(f"{INDEX}libraries", headers={"Accept": "text/html"})
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
