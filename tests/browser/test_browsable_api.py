"""The API in a browser: an index, a form for each endpoint, an answer whose links lead on."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Site, at_both_widths, sign_in_at_the_admin

INDEX = "/api/v1/plex/"


@at_both_widths
def test_a_visitor_is_told_to_sign_in_and_comes_back_signed_in(site: Site) -> None:
    site.expect_status(401)
    page = site.open(f"{INDEX}libraries")
    expect(page.get_by_role("heading", name="Sign in first")).to_be_visible()
    expect(page.locator("pre.json")).to_contain_text('"code": "UNAUTHORIZED"')
    expect(page.locator(".headers")).to_contain_text('Bearer realm="api"')
    site.check("signed-out")
    page.get_by_role("link", name="Sign in to the admin").click()
    sign_in_at_the_admin(page)
    page.wait_for_url(f"**{INDEX}libraries")
    expect(page.locator("pre.json")).to_contain_text('"totalMediaItems"')
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in first")).to_be_visible()


@at_both_widths
def test_the_index_leads_to_every_endpoint(admin: Site) -> None:
    page = admin.open(INDEX)
    expect(page.get_by_role("heading", name="Index")).to_be_visible()
    admin.check("index")
    answer = page.request.get(INDEX, headers={"Accept": "text/html"})
    assert answer.status == 200
    page.get_by_label("libraryKey for plex-collections").fill("1")
    page.get_by_role("button", name="Open plex-collections").click()
    page.wait_for_url(f"**{INDEX}libraries/1/collections")
    expect(page.get_by_role("heading", name="Collections")).to_be_visible()


@at_both_widths
def test_a_library_leads_to_its_items_and_an_item_to_its_details(admin: Site) -> None:
    page = admin.open(INDEX)
    page.get_by_role("link", name=f"{INDEX}libraries", exact=True).click()
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
    page.get_by_label("query for plex-search").fill("the")
    page.get_by_role("button", name="Open plex-search").click()
    expect(page.locator("pre.json")).to_contain_text('"matchReason"')
    page.get_by_label("limit").fill("2")
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("pre.json")).to_contain_text('"matchReason"')
    admin.check("search")


@at_both_widths
def test_a_refused_parameter_is_told_beside_its_field(admin: Site) -> None:
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


def test_a_page_is_not_kept_after_signing_out(admin: Site) -> None:
    page = admin.open(f"{INDEX}libraries")
    answer = page.request.get(f"{INDEX}libraries", headers={"Accept": "text/html"})
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
