"""The sample client at /: what a web developer reads first works as it reads."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from plex_integration.management.commands.demo import SIMULATED_TOKEN
from tests.browser.conftest import USER, Site, at_both_widths
from tests.test_demo import ROOT, Demo

CLIENT = (ROOT / "sample_client" / "client.js").read_text()


def sign_in(site: Site, password: str = USER[1]) -> Page:
    page = site.open("/")
    page.get_by_label("Name").fill(USER[0])
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def posters_are_there(page: Page, count: int) -> None:
    expect(page.locator("#posters li")).to_have_count(count)
    page.wait_for_function(
        """() => [...document.images]
            .filter(image => image.getBoundingClientRect().top < innerHeight)
            .every(image => image.complete && image.naturalWidth > 0)"""
    )


@at_both_widths
def test_a_visitor_signs_in_and_browses_a_library_page_by_page(site: Site) -> None:
    site.expect_status(401)
    page = sign_in(site, "wrong")
    expect(page.get_by_role("status")).to_have_text("The username or password is wrong.")
    site.check("client-sign-in")
    page = sign_in(site)
    expect(page.get_by_role("heading", level=1)).to_have_text("Movies")
    expect(page.get_by_role("status")).to_have_text("240 titles, page 1 of 10")
    posters_are_there(page, 24)
    site.check("client-library")
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("status")).to_have_text("240 titles, page 2 of 10")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("link", name="Previous page").click()
    expect(page.get_by_role("status")).to_have_text("240 titles, page 1 of 10")
    page.get_by_role("link", name="TV Shows").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("TV Shows")


@at_both_widths
def test_a_visitor_searches_and_sees_what_is_new(site: Site) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    page.get_by_label("Search all libraries").fill("the <b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Results for “the <b>”")
    page.get_by_label("Search all libraries").fill("the")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d+ results$"))
    site.check("client-search")
    page.get_by_role("link", name="Recently added").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recently added")
    expect(page.locator("#posters li").first).to_be_visible()
    site.check("client-recent")


@pytest.fixture
def renamed(demo: Demo) -> Iterator[Callable[[str, str], None]]:
    """A function that renames an item of the demo's simulated Plex until the end of the test."""
    (plex,) = re.findall(r"^  Plex +(http\S+) ", demo.output, re.MULTILINE)
    titles: dict[str, str] = {}

    def rename(key: str, title: str) -> None:
        headers = {"X-Plex-Token": SIMULATED_TOKEN, "Accept": "application/json"}
        found = requests.get(f"{plex}/library/metadata/{key}", headers=headers, timeout=10).json()
        titles[key] = found["MediaContainer"]["Metadata"][0]["title"]
        requests.put(f"{plex}/simulator/items/{key}", json={"title": title}, timeout=10)

    yield rename
    for key, title in titles.items():
        requests.put(f"{plex}/simulator/items/{key}", json={"title": title}, timeout=10)


def test_markup_in_a_title_is_shown_as_text(
    site: Site, renamed: Callable[[str, str], None]
) -> None:
    title = "<b>Bold</b> & <img src=x> Choices"
    renamed("1000", title)
    page = sign_in(site)
    page.get_by_label("Search all libraries").fill("choices")
    page.keyboard.press("Enter")
    expect(page.locator("#posters li", has_text=title)).to_have_count(1)
    expect(page.locator("#posters b b, #posters img[src=x]")).to_have_count(0)


@at_both_widths
def test_a_visitor_opens_a_collection_by_the_keyboard_alone(site: Site) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    page.get_by_role("link", name="Collections").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Collections of Movies")
    site.check("client-collections")
    page.keyboard.press("Tab")
    title = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    posters_are_there(page, page.locator("#posters li").count())
    site.check("client-collection")


def test_an_ended_token_is_renewed_without_a_word(site: Site) -> None:
    site.expect_status(401)
    page = sign_in(site)
    posters_are_there(page, 24)
    ended = """{
        const tokens = JSON.parse(sessionStorage.tokens);
        sessionStorage.tokens = JSON.stringify({ ...tokens, access: 'ended' });
    }"""
    page.evaluate(ended)
    page.reload()
    posters_are_there(page, 24)
    assert page.evaluate("JSON.parse(sessionStorage.tokens).access") != "ended"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def unavailable(route: Route) -> None:
    error = {"code": "SERVICE_UNAVAILABLE", "message": "The service is unavailable."}
    route.fulfill(status=503, json={"success": False, "error": error})


def test_a_renewal_that_fails_for_now_does_not_sign_the_user_out(site: Site) -> None:
    site.expect_status(401, 503)
    page = sign_in(site)
    posters_are_there(page, 24)
    page.evaluate("sessionStorage.tokens = sessionStorage.tokens.replace('access', 'ended')")
    site.context.route("**/auth/token/refresh", unavailable)
    page.reload()
    expect(page.get_by_role("status")).to_have_text("The service is unavailable.")
    site.context.unroute("**/auth/token/refresh")
    page.reload()
    posters_are_there(page, 24)


def test_a_sign_out_that_the_service_does_not_know_of_is_reported(site: Site) -> None:
    site.expect_status(503)
    page = sign_in(site)
    posters_are_there(page, 24)
    site.context.route("**/auth/logout", unavailable)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text(
        "Signed out in this browser only: The service is unavailable."
    )
    assert page.evaluate("sessionStorage.length") == 0


def test_a_late_response_does_not_replace_the_view_opened_after_it(site: Site) -> None:
    held: list[Route] = []
    page = sign_in(site)
    posters_are_there(page, 24)
    site.context.route("**/recently-added?*", lambda route: held.append(route))
    with page.expect_request("**/recently-added?*"):
        page.get_by_role("link", name="Recently added").click()
    page.get_by_role("link", name="TV Shows").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("TV Shows")
    with page.expect_response("**/recently-added?*") as late:
        held[0].continue_()
    late.value.finished()
    page.evaluate("new Promise(resolve => setTimeout(resolve, 200))")
    assert page.get_by_role("heading", level=1).inner_text() == "TV Shows"


def test_an_item_without_a_picture_is_a_neutral_tile(site: Site) -> None:
    def without_pictures(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"thumbUrl"', '"none"'))

    site.context.route("**/libraries/1/items?*", without_pictures)
    page = sign_in(site)
    expect(page.locator("#posters .tile")).to_have_count(24)
    site.check("client-tiles")


def test_what_plex_fails_at_is_told(site: Site) -> None:
    site.expect_status(404)
    page = sign_in(site)
    posters_are_there(page, 24)
    page.goto("/#/library/99")
    expect(page.get_by_role("status")).to_have_text("Specified library does not exist.")


def test_the_client_is_made_of_the_documents_own_examples() -> None:
    for name in ("browse-library.js", "search-and-filter.js"):
        example = _plain(ROOT / "tests" / "document" / name).split("// Usage")[0]
        example = example.replace("pageSize = 50)", "pageSize = 50, library = 1)")
        example = example.replace("/libraries/1/items", "/libraries/${library}/items")
        assert example.strip() in CLIENT


def _plain(path: Path) -> str:
    return re.sub(r"[ \t]+$", "", path.read_text(), flags=re.MULTILINE)
