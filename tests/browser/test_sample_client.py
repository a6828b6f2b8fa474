"""The sample client at /: what a web developer reads first works as it reads."""

import re
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from plex_integration.management.commands.demo import SIMULATED_TOKEN
from tests.browser.conftest import USER, Site, at_both_widths, in_light_and_dark
from tests.test_demo import ROOT, Demo

DOCUMENT = ROOT / "tests" / "document"


def sign_in(site: Site, password: str = USER[1]) -> Page:
    page = site.open("/")
    page.get_by_label("Name").fill(USER[0])
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def posters_are_there(page: Page, count: int) -> None:
    expect(page.locator(".posters li")).to_have_count(count)
    page.wait_for_function(
        """() => [...document.images]
            .filter(image => image.getBoundingClientRect().top < innerHeight)
            .every(image => image.complete && image.naturalWidth > 0)"""
    )


@in_light_and_dark
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


@in_light_and_dark
def test_a_visitor_searches_chooses_a_type_and_shows_more(site: Site) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    page.get_by_label("Search all libraries").fill("the <b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Results for “the <b>”")
    expect(page.get_by_role("status")).to_have_text("Nothing found")
    page.get_by_label("Search all libraries").fill("the")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_have_text("The first 48 results")
    site.check("client-search")
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("status")).to_have_text("The first 96 results")
    expect(page.locator(".posters li").nth(48).get_by_role("link")).to_be_focused()
    types = page.get_by_role("navigation", name="Types")
    types.get_by_role("link", name="Shows").click()
    expect(types.locator("[aria-current]")).to_have_text("Shows")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d+ results$"))
    page.go_back()
    expect(page.get_by_role("status")).to_have_text("The first 96 results")


@at_both_widths
def test_a_visitor_sees_what_is_new(site: Site) -> None:
    page = sign_in(site)
    page.get_by_role("link", name="Recently added").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recently added")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d+ titles in the last 30 days$"))
    posters_are_there(page, 48)
    site.check("client-recent")


@in_light_and_dark
def test_the_page_of_a_movie_shows_all_about_it(site: Site) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    page.goto("/#/item/1072")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hugo and the Observatory")
    expect(page.get_by_role("status")).to_have_text("Movie · 2026 · gb/PG · 2 h 40 min")
    assert page.title() == "Hugo and the Observatory – MediaNest"
    expect(page.get_by_text("A cartographer teaches Arlo to read")).to_be_visible()
    expect(page.locator("dt:has-text('Directors') + dd")).to_have_text("Ulrich Beaumont")
    expect(page.locator(".people li")).to_have_count(9)
    expect(page.locator(".people li").first).to_contain_text("Greta Fontaine")
    expect(page.locator("dt:has-text('Video') + dd")).to_contain_text("3840 × 1602")
    expect(page.locator("dt:has-text('Subtitles') + dd")).to_contain_text("German (SRT)")
    expect(page.locator(".chapters li")).to_have_count(6)
    expect(page.locator(".chapters li").nth(1)).to_have_text("Chapter 226:35")
    sites = page.locator("dt:has-text('Other sites') + dd").get_by_role("link")
    expect(sites).to_have_text(["IMDb", "TMDB", "TheTVDB"])
    expect(sites.first).to_have_attribute("href", "https://www.imdb.com/title/tt2775914")
    for each in sites.all():
        expect(each).to_have_attribute("rel", "noreferrer")
    posters_are_there(page, 0)
    site.check("client-movie")
    page.locator("dt:has-text('Genres') + dd").get_by_role("link", name="Drama").click()
    expect(page.get_by_role("status")).to_contain_text("Drama only")


@at_both_widths
def test_a_visitor_goes_from_a_show_to_an_episode_and_back(site: Site) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    page.goto("/#/item/1001028")
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text("Midnight in Silverlake")
    expect(page.get_by_role("heading", name="Seasons")).to_be_visible()
    posters_are_there(page, 2)
    site.check("client-show")
    page.locator(".posters").get_by_role("link", name="Season 1").click()
    expect(title).to_have_text("Season 1")
    posters_are_there(page, 7)
    expect(page.locator(".posters li small").first).to_have_text("S1 E1")
    site.check("client-season")
    page.locator(".posters").get_by_role("link", name="Midnight in Pinecrest").click()
    expect(title).to_have_text("Midnight in Pinecrest")
    path = page.get_by_role("navigation", name="Breadcrumb").get_by_role("link")
    expect(path).to_have_text(["TV Shows", "Midnight in Silverlake", "Season 1"])
    site.check("client-episode")
    page.go_back()
    expect(title).to_have_text("Season 1")
    path.last.click()
    expect(title).to_have_text("Midnight in Silverlake")


@at_both_widths
def test_a_visitor_opens_an_album_and_a_playlist(site: Site) -> None:
    page = sign_in(site)
    page.get_by_role("link", name="Music").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Music")
    page.locator(".posters a").first.click()
    expect(page.get_by_role("heading", name="Albums")).to_be_visible()
    page.locator(".posters a").first.click()
    expect(page.get_by_role("heading", name="Tracks")).to_be_visible()
    page.get_by_role("link", name="Playlists").click()
    expect(page.get_by_role("status")).to_have_text("4 playlists")
    posters_are_there(page, 4)
    expect(page.get_by_role("link", name="Playlists")).to_be_in_viewport(ratio=1)
    site.check("client-playlists")
    page.get_by_role("link", name="Rainy Sunday").click()
    expect(page.get_by_role("status")).to_have_text("9 items")
    site.check("client-playlist")


def test_the_items_of_a_long_collection_come_page_by_page(site: Site) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    page.goto("/#/collection/11001008")
    expect(page.get_by_role("status")).to_have_text("150 items, page 1 of 7")
    first = page.locator(".posters a").first.inner_text()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("status")).to_have_text("150 items, page 2 of 7")
    expect(page.locator(".posters a", has_text=first)).to_have_count(0)
    page.goto("/#/collection/11001008?page=7")
    posters_are_there(page, 6)
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)


def test_a_library_is_sorted_as_chosen_on_every_page(site: Site) -> None:
    page = sign_in(site)
    page.get_by_role("link", name="Year").click()
    expect(page.locator(".posters small").first).to_have_text("2026")
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("status")).to_have_text("240 titles, page 2 of 10")
    assert "sort=year" in page.url


def test_back_returns_to_the_place_where_a_page_was_left(site: Site) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    page.locator(".posters a").last.scroll_into_view_if_needed()
    left_at = page.evaluate("scrollY")
    assert left_at > 0
    page.locator(".posters a").last.click()
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_be_visible()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    page.wait_for_function("top => scrollY === top", arg=left_at)


def test_a_link_leads_to_its_page_after_the_sign_in(site: Site) -> None:
    page = site.open("/#/item/1072")
    page.get_by_label("Name").fill(USER[0])
    page.get_by_label("Password").fill(USER[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hugo and the Observatory")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_role("navigation", name="Libraries")).to_be_hidden()
    assert page.evaluate("sessionStorage.length") == 0


@in_light_and_dark
def test_the_demo_shows_its_users_on_the_sign_in_page(site: Site) -> None:
    page = site.open("/")
    expect(page.get_by_role("button", name="Use demo / medianest-demo")).to_be_visible()
    site.check("client-demo-users")
    page.get_by_role("button", name="Use demo / medianest-demo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Movies")


def test_the_documents_examples_work_in_the_page_as_written(site: Site) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    get_token = """const getToken = () =>
        JSON.parse(sessionStorage.getItem(Object.keys(sessionStorage)[0])).access;"""
    browse = _example("browse-library.js") + "return browseMovieLibrary(1, 10);"
    found = page.evaluate(f"(async () => {{ {get_token} {browse} }})()")
    assert len(found["items"]) == 10
    assert found["pagination"] == {"start": 10, "size": 10, "total": 240, "hasMore": True}
    search = _example("search-and-filter.js") + "return searchAndFilter('the', {type: 'show'});"
    shows = page.evaluate(f"(async () => {{ {get_token} {search} }})()")
    assert {each["type"] for each in shows} == {"show"}


def _example(name: str) -> str:
    return (DOCUMENT / name).read_text().split("// Usage")[0]


def sign_in_with_plex(site: Site, plex_origin: str, name: str) -> Page:
    page = site.open("/")
    continue_with_plex(site, plex_origin, name)
    return page


def continue_with_plex(site: Site, plex_origin: str, name: str) -> None:
    site.expect_origin(plex_origin)
    with site.page.expect_popup() as opened:
        site.page.get_by_role("button", name="Continue with Plex").click()
    opened.value.get_by_role("button", name=name).click()
    expect(site.page.get_by_role("button", name="Sign out")).to_be_visible()


@at_both_widths
def test_a_visitor_signs_in_with_plex_and_marks_what_they_have_watched(
    site: Site, plex_origin: str
) -> None:
    page = sign_in_with_plex(site, plex_origin, "Nadia")
    posters_are_there(page, 24)
    libraries = page.get_by_role("navigation", name="Libraries")
    expect(libraries.get_by_role("link")).to_have_text(
        ["Movies", "TV Shows", "Continue watching", "Recently added", "Playlists"]
    )
    site.check("client-plex-library")
    button = page.get_by_role("button", name="Watched", pressed=False).first
    poster = page.locator(".posters li").filter(has=button).first
    title = poster.get_by_role("link").inner_text()
    button.click()
    marked = page.locator(".posters li").filter(has_text=title).first
    expect(marked.get_by_role("button", name="Watched", pressed=True)).to_be_visible()
    marked.get_by_role("button", name="Watched").click()
    expect(marked.get_by_role("button", name="Watched", pressed=False)).to_be_visible()
    libraries.get_by_role("link", name="Continue watching").click()
    expect(page.locator(".posters progress").first).to_be_visible()
    site.check("client-on-deck")


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
    expect(page.locator(".posters li", has_text=title)).to_have_count(1)
    expect(page.locator(".posters a b, .posters img[src=x]")).to_have_count(0)


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
    posters_are_there(page, page.locator(".posters li").count())
    site.check("client-collection")


def test_an_item_without_a_picture_is_a_neutral_tile(site: Site) -> None:
    def without_pictures(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"thumbUrl"', '"none"'))

    site.context.route("**/libraries/1/items?*", without_pictures)
    page = sign_in(site)
    expect(page.locator(".posters span.picture")).to_have_count(24)
    site.check("client-tiles")
