"""What the sample client shows when something fails, and how its user goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import USER, Site, in_light_and_dark, stop_clock
from tests.browser.test_sample_client import (
    continue_with_plex,
    posters_are_there,
    sign_in,
    sign_in_with_plex,
)

END_ACCESS_TOKEN = """{
    const [key] = Object.keys(sessionStorage);
    sessionStorage[key] = JSON.stringify({ ...JSON.parse(sessionStorage[key]), access: 'ended' });
}"""
SERVICE_UNAVAILABLE = {"code": "SERVICE_UNAVAILABLE", "message": "The service is unavailable."}


def fail(route: Route, status: int, error: dict[str, Any], **headers: str) -> None:
    """Respond with an error in the service's envelope."""
    body = {"success": False, "error": error, "metadata": {"requestId": "req-of-the-test"}}
    route.fulfill(status=status, json=body, headers=headers)


def title_of(page: Page) -> Any:
    return expect(page.get_by_role("heading", level=1))


@in_light_and_dark
def test_an_unavailable_plex_is_not_an_empty_result(site: Site, faults: str) -> None:
    site.expect_status(503)
    page = sign_in(site)
    posters_are_there(page, 24)
    requests.post(faults, json={"kind": "status", "status": 503}, timeout=10)
    page.get_by_label("Search all libraries").fill("the")
    page.keyboard.press("Enter")
    title_of(page).to_have_text("Not available right now")
    expect(page.get_by_role("status")).to_contain_text("Plex")
    expect(page.get_by_text("Nothing found")).to_have_count(0)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    site.check("client-unavailable")
    requests.delete(faults, timeout=10)
    # The page tries again by itself, as soon as the service says that it may.
    title_of(page).to_have_text("Results for “the”")


@in_light_and_dark
def test_old_data_is_marked_with_its_age_while_plex_is_unavailable(site: Site, faults: str) -> None:
    site.expect_status(503)
    page = sign_in(site)
    posters_are_there(page, 24)
    requests.post(faults, json={"kind": "status", "status": 503}, timeout=10)
    # A request for a fresh response gets the cached one when Plex fails.
    fresh = {"Cache-Control": "no-cache"}
    site.context.route(
        "**/libraries/1/items?*",
        lambda route: route.continue_(headers=route.request.headers | fresh),
    )
    page.get_by_role("link", name="MediaNest").click()
    notice = page.get_by_role("alert")
    expect(notice).to_have_text("Plex is unavailable. Showing data from less than a minute ago.")
    posters_are_there(page, 24)
    site.check("client-stale")
    requests.delete(faults, timeout=10)
    page.get_by_role("link", name="Playlists").click()
    expect(notice).to_have_text("")


def test_too_many_requests_are_tried_again_after_a_countdown(site: Site) -> None:
    site.expect_status(429)
    page = sign_in(site)
    posters_are_there(page, 24)
    error = {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests."}
    # The check of the page needs a running clock, and more time on a busy machine.
    waits = iter(("3600", "30"))
    site.context.route(
        "**/playlists",
        lambda route: fail(route, 429, error, **{"Retry-After": next(waits)}),
        times=2,
    )
    page.get_by_role("link", name="Playlists").click()
    title_of(page).to_have_text("Too many requests")
    site.check("client-limited")
    stop_clock(page)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Trying again in 30 seconds.")).to_be_visible()
    page.get_by_label("Search all libraries").focus()
    page.clock.run_for(29_000)
    expect(page.get_by_text("Trying again in 1 second.")).to_be_visible()
    page.clock.run_for(1_000)
    title_of(page).to_have_text("Playlists")
    expect(page.get_by_label("Search all libraries")).to_be_focused()


def test_a_page_that_the_user_left_is_not_tried_again(site: Site) -> None:
    site.expect_status(429)
    page = sign_in(site)
    posters_are_there(page, 24)
    stop_clock(page)
    error = {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests."}
    requested: list[Route] = []

    def limited(route: Route) -> None:
        requested.append(route)
        fail(route, 429, error, **{"Retry-After": "5"})

    site.context.route("**/playlists", limited)
    page.get_by_role("link", name="Playlists").click()
    title_of(page).to_have_text("Too many requests")
    page.get_by_role("link", name="TV Shows").click()
    title_of(page).to_have_text("TV Shows")
    page.clock.run_for(60_000)
    page.get_by_role("link", name="Music").click()
    title_of(page).to_have_text("Music")
    assert len(requested) == 1


def test_a_lost_connection_is_reported_and_tried_again_when_it_is_back(site: Site) -> None:
    site.expect_broken_connections()
    page = sign_in(site)
    posters_are_there(page, 24)
    site.context.route("**/playlists", lambda route: route.abort("failed"))
    page.get_by_role("link", name="Playlists").click()
    title_of(page).to_have_text("No connection")
    status = expect(page.get_by_role("status"))
    status.to_have_text("The service cannot be reached.")
    site.check("client-no-connection")
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Try again").click()
    # The page says "Loading…" until it has seen the failure.
    status.to_have_text("The service cannot be reached.")
    site.context.unroute("**/playlists")
    page.evaluate("dispatchEvent(new Event('online'))")
    title_of(page).to_have_text("Playlists")


def test_a_request_that_fails_after_the_connection_is_back_is_tried_again(site: Site) -> None:
    site.expect_broken_connections()
    page = sign_in(site)
    posters_are_there(page, 24)

    def fail_after_the_connection_is_back(route: Route) -> None:
        page.evaluate("dispatchEvent(new Event('online'))")
        route.abort("failed")

    site.context.route("**/playlists", fail_after_the_connection_is_back, times=1)
    page.get_by_role("link", name="Playlists").click()
    title_of(page).to_have_text("Playlists")


def test_a_missing_library_is_reported_with_a_link_back(site: Site) -> None:
    site.expect_status(404)
    page = sign_in(site)
    posters_are_there(page, 24)
    page.goto("/#/library/99")
    title_of(page).to_have_text("Not found")
    expect(page.get_by_role("status")).to_have_text("Specified library does not exist.")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    page.get_by_role("link", name="Go to the start page").click()
    title_of(page).to_have_text("Movies")


@pytest.mark.parametrize("address", ["nowhere", "constructor", "%"])
def test_an_address_without_a_view_is_reported(site: Site, address: str) -> None:
    page = sign_in(site)
    posters_are_there(page, 24)
    page.goto(f"/#/{address}")
    expect(page.get_by_role("status")).to_have_text("There is no such page.")


def test_a_user_without_a_library_sees_that(site: Site) -> None:
    def without_libraries(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"data": {"libraries": []}})

    site.context.route("**/plex/libraries", without_libraries)
    page = sign_in(site)
    title_of(page).to_have_text("No libraries")
    expect(page.get_by_role("status")).to_have_text("Nothing is shared with you.")


def test_a_tab_for_plex_that_the_browser_blocks_is_reported(site: Site) -> None:
    page = site.open("/")
    page.evaluate("window.open = () => null")
    page.get_by_role("button", name="Continue with Plex").click()
    expect(page.get_by_role("status")).to_have_text(
        "Allow this page to open another tab, and try again."
    )


def test_a_user_who_has_closed_the_tab_for_plex_can_try_again_at_once(
    site: Site, plex_origin: str
) -> None:
    site.expect_origin(plex_origin)
    page = site.open("/")
    held: list[Route] = []
    site.context.route("**/auth/plex/pins/*", lambda route: held.append(route), times=1)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Continue with Plex").click()
    while not held:
        page.wait_for_timeout(50)
    opened.value.close()
    # The page no longer waits for the first sign-in.
    with page.expect_event("requestfailed", lambda each: each == held[0].request):
        continue_with_plex(site, plex_origin, "Nadia")
    title_of(page).to_have_text("Movies")


def test_the_page_waits_for_plex_no_longer_when_the_user_has_signed_in_another_way(
    site: Site, plex_origin: str
) -> None:
    site.expect_origin(plex_origin)
    page = site.open("/")
    held: list[Route] = []
    site.context.route("**/auth/plex/pins/*", lambda route: held.append(route))
    page.get_by_role("button", name="Continue with Plex").click()
    while not held:
        page.wait_for_timeout(50)
    with page.expect_event("requestfailed", lambda each: each == held[0].request):
        page.get_by_role("button", name="Use demo").click()
    expect(page.get_by_role("status")).to_have_text("240 titles, page 1 of 10")
    assert len(held) == 1


def test_a_sign_in_that_is_refused_late_says_nothing_to_a_user_who_has_signed_in(
    site: Site, plex_origin: str
) -> None:
    site.expect_status(401)
    held: list[Route] = []
    site.context.route("**/auth/token", lambda route: held.append(route))
    page = sign_in(site, "wrong")
    while not held:
        page.wait_for_timeout(50)
    continue_with_plex(site, plex_origin, "Nadia")
    status = expect(page.get_by_role("status"))
    status.to_contain_text("page 1 of")
    with page.expect_event("requestfinished", lambda each: each == held[0].request):
        held[0].continue_()
    # The page reads the refusal before this response arrives.
    page.evaluate("fetch('/api/v1/health/live')")
    status.to_contain_text("page 1 of")


def test_a_sign_in_that_succeeds_late_brings_the_menu_of_its_user(
    site: Site, plex_origin: str
) -> None:
    held: list[Route] = []
    site.context.route("**/auth/token", lambda route: held.append(route))
    page = sign_in(site)
    while not held:
        page.wait_for_timeout(50)
    continue_with_plex(site, plex_origin, "Nadia")
    libraries = page.get_by_role("navigation", name="Libraries").get_by_role("link")
    expect(libraries).to_have_count(5)
    expect(libraries.get_by_text("Music")).to_have_count(0)
    held[0].continue_()
    expect(libraries.get_by_text("Music")).to_be_visible()


def test_a_sign_in_that_must_wait_says_how_long(site: Site) -> None:
    site.expect_status(429)
    error = {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests."}
    site.context.route(
        "**/auth/token", lambda route: fail(route, 429, error, **{"Retry-After": "53"})
    )
    page = sign_in(site)
    expect(page.get_by_role("status")).to_have_text("Too many requests. Try again in 53 seconds.")


@pytest.fixture
def _unlinked(origin: str) -> Iterator[None]:
    """Remove the Plex account that the demo's user has linked in the test."""
    yield
    name, password = USER
    sign_in = {"username": name, "password": password}
    answer = requests.post(f"{origin}/api/v1/auth/token", json=sign_in, timeout=30).json()
    headers = {"Authorization": f"Bearer {answer['data']['access']}"}
    requests.delete(f"{origin}/api/v1/auth/plex", headers=headers, timeout=30).raise_for_status()


@pytest.mark.usefixtures("_unlinked")
def test_a_user_who_needs_a_plex_account_can_link_one(site: Site, plex_origin: str) -> None:
    site.expect_status(403)
    page = sign_in(site)
    posters_are_there(page, 24)
    error = {"code": "PLEX_LINK_REQUIRED", "message": "Sign in with Plex first."}
    site.context.route("**/playlists", lambda route: fail(route, 403, error), times=1)
    page.get_by_role("link", name="Playlists").click()
    title_of(page).to_have_text("Not allowed")
    expect(page.get_by_role("status")).to_have_text("Sign in with Plex first.")
    continue_with_plex(site, plex_origin, "Rufus")
    title_of(page).to_have_text("Playlists")
    libraries = page.get_by_role("navigation", name="Libraries").get_by_role("link")
    expect(libraries).to_have_text(
        ["Movies", "Music", "Continue watching", "Recently added", "Playlists"]
    )
    libraries.first.click()
    title_of(page).to_have_text("Movies")
    expect(page.get_by_role("button", name="Watched").first).to_be_visible()


@pytest.mark.usefixtures("_unlinked")
def test_a_late_answer_for_the_user_before_does_not_replace_the_menu_of_the_next(
    site: Site, plex_origin: str
) -> None:
    site.expect_status(403)
    page = sign_in(site)
    posters_are_there(page, 24)
    error = {"code": "PLEX_LINK_REQUIRED", "message": "Sign in with Plex first."}
    site.context.route("**/playlists", lambda route: fail(route, 403, error), times=1)
    page.get_by_role("link", name="Playlists").click()
    title_of(page).to_have_text("Not allowed")
    held: list[Route] = []
    site.context.route("**/auth/plex", lambda route: held.append(route), times=1)
    continue_with_plex(site, plex_origin, "Rufus")
    while not held:
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Sign out").click()
    title_of(page).to_have_text("Sign in")
    continue_with_plex(site, plex_origin, "Nadia")
    title_of(page).to_have_text("Playlists")
    held[0].fulfill(json={"success": True, "data": {"linked": False}})
    # The page reads the late answer before this response arrives.
    page.evaluate("fetch('/api/v1/health/live')")
    libraries = page.get_by_role("navigation", name="Libraries").get_by_role("link")
    expect(libraries).to_have_text(
        ["Movies", "TV Shows", "Continue watching", "Recently added", "Playlists"]
    )


def test_an_ended_token_is_renewed_without_a_word(site: Site) -> None:
    site.expect_status(401)
    page = sign_in(site)
    posters_are_there(page, 24)
    page.evaluate(END_ACCESS_TOKEN)
    page.reload()
    posters_are_there(page, 24)
    assert "ended" not in page.evaluate("Object.values(sessionStorage)[0]")


@pytest.mark.parametrize("failure", ["no connection", "503"])
def test_a_renewal_that_fails_for_now_does_not_sign_the_user_out(site: Site, failure: str) -> None:
    site.expect_status(401, 503)
    site.expect_broken_connections()
    page = sign_in(site)
    posters_are_there(page, 24)
    page.evaluate(END_ACCESS_TOKEN)
    site.context.route(
        "**/auth/token/refresh",
        lambda route: (
            route.abort("failed")
            if failure == "no connection"
            else fail(route, 503, SERVICE_UNAVAILABLE)
        ),
    )
    page.get_by_role("link", name="Playlists").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    site.context.unroute("**/auth/token/refresh")
    page.get_by_role("button", name="Try again").click()
    title_of(page).to_have_text("Playlists")


def test_a_mark_during_a_renewal_is_sent_again_with_its_method(
    site: Site, plex_origin: str
) -> None:
    site.expect_status(401)
    page = sign_in_with_plex(site, plex_origin, "Nadia")
    posters_are_there(page, 24)
    button = page.get_by_role("button", name="Watched").first
    before = button.get_attribute("aria-pressed")
    page.evaluate(END_ACCESS_TOKEN)
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.method) if "/watched" in each.url else None)
    button.click()
    expect(button).not_to_have_attribute("aria-pressed", str(before))
    expect(button).to_be_focused()
    assert sent == [sent[0]] * 2
    assert sent[0] in ("PUT", "DELETE")
    button.click()
    expect(button).to_have_attribute("aria-pressed", str(before))


def test_a_refused_renewal_ends_the_session_and_keeps_the_page(site: Site) -> None:
    site.expect_status(401)
    page = sign_in(site)
    posters_are_there(page, 24)
    page.evaluate(END_ACCESS_TOKEN)
    error = {"code": "UNAUTHORIZED", "message": "The token is revoked."}
    site.context.route("**/auth/token/refresh", lambda route: fail(route, 401, error))
    page.get_by_role("link", name="Playlists").click()
    title_of(page).to_have_text("Sign in")
    expect(page.get_by_role("status")).to_have_text("Your session has ended. Sign in again.")
    site.check("client-session-ended")
    page.get_by_role("button", name="Use demo").click()
    title_of(page).to_have_text("Playlists")


def test_the_next_user_after_an_ended_session_sees_their_own_libraries(
    site: Site, plex_origin: str
) -> None:
    site.expect_status(401)
    page = sign_in(site)
    posters_are_there(page, 24)
    page.evaluate(END_ACCESS_TOKEN)
    error = {"code": "UNAUTHORIZED", "message": "The token is revoked."}
    site.context.route("**/auth/token/refresh", lambda route: fail(route, 401, error))
    page.get_by_role("link", name="Playlists").click()
    title_of(page).to_have_text("Sign in")
    continue_with_plex(site, plex_origin, "Nadia")
    title_of(page).to_have_text("Playlists")
    libraries = page.get_by_role("navigation", name="Libraries").get_by_role("link")
    expect(libraries).to_have_text(
        ["Movies", "TV Shows", "Continue watching", "Recently added", "Playlists"]
    )


def test_a_sign_out_that_the_service_does_not_know_of_is_reported(site: Site) -> None:
    site.expect_status(503)
    page = sign_in(site)
    posters_are_there(page, 24)
    site.context.route("**/auth/logout", lambda route: fail(route, 503, SERVICE_UNAVAILABLE))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text(
        "Signed out in this browser only: The service is unavailable."
    )
    assert page.evaluate("sessionStorage.length") == 0


def test_a_view_that_was_left_ends_its_requests_and_replaces_nothing(site: Site) -> None:
    held: list[Route] = []
    page = sign_in(site)
    posters_are_there(page, 24)
    site.context.route("**/recently-added?*", lambda route: held.append(route))
    with page.expect_request("**/recently-added?*"):
        page.get_by_role("link", name="Recently added").click()
    with page.expect_event("requestfailed") as ended:
        page.get_by_role("link", name="TV Shows").click()
    assert "/recently-added?" in ended.value.url
    assert ended.value.failure == "net::ERR_ABORTED"
    title_of(page).to_have_text("TV Shows")
    expect(page.get_by_role("status")).to_contain_text("page 1 of 2")


def test_a_mark_that_is_stored_late_leaves_the_next_view_alone(
    site: Site, plex_origin: str
) -> None:
    page = sign_in_with_plex(site, plex_origin, "Nadia")
    posters_are_there(page, 24)
    held: list[Route] = []
    site.context.route("**/watched", lambda route: held.append(route))
    with page.expect_request("**/watched"):
        page.get_by_role("button", name="Watched").first.click()
    page.get_by_role("link", name="TV Shows").click()
    title_of(page).to_have_text("TV Shows")
    requested: list[str] = []
    page.on("request", lambda each: requested.append(each.url))
    with page.expect_event("requestfinished", lambda each: "/watched" in each.url):
        held[0].fulfill(json={"success": True, "data": {}})
    # A view that is opened again requests its items before this response arrives.
    page.evaluate("fetch('/api/v1/health/live')")
    assert not [url for url in requested if "/items?" in url]


def test_a_mark_that_fails_late_says_nothing_on_the_next_view(site: Site, plex_origin: str) -> None:
    site.expect_status(503)
    page = sign_in_with_plex(site, plex_origin, "Nadia")
    posters_are_there(page, 24)
    held: list[Route] = []
    site.context.route("**/watched", lambda route: held.append(route))
    with page.expect_request("**/watched"):
        page.get_by_role("button", name="Watched").first.click()
    page.get_by_role("link", name="TV Shows").click()
    status = expect(page.get_by_role("status"))
    status.to_contain_text("page 1 of 2")
    with page.expect_event("requestfinished", lambda each: "/watched" in each.url):
        fail(held[0], 503, SERVICE_UNAVAILABLE)
    # The page reads the failure before this response arrives.
    page.evaluate("fetch('/api/v1/health/live')")
    status.to_contain_text("page 1 of 2")


def test_loading_is_shown_while_a_response_is_awaited(site: Site) -> None:
    held: list[Route] = []
    page = sign_in(site)
    posters_are_there(page, 24)
    site.context.route("**/playlists", lambda route: held.append(route))
    with page.expect_request("**/playlists"):
        page.get_by_role("link", name="Playlists").click()
    expect(page.get_by_role("status")).to_have_text("Loading…")
    expect(page.locator("#content")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(page.get_by_role("status")).to_have_text("4 playlists")
    expect(page.locator("#content")).not_to_have_attribute("aria-busy", "true")


def test_a_picture_that_cannot_be_loaded_is_a_neutral_tile(site: Site) -> None:
    site.expect_broken_connections()
    site.context.route("**/images/**", lambda route: route.abort("failed"))
    page = sign_in(site)
    expect(page.locator(".posters span.picture").first).to_be_visible()
    site.check("client-broken-pictures")
