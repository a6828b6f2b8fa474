"""The status of the service, its banner, and the page of the cache, as an operator sees them."""

import re
from typing import Any

import requests
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import USER, Site, in_light_and_dark, stop_clock
from tests.service import until

HOME = "/admin/"
PARTS = "/admin/plex_integration/cachestatus/service/"
CACHE = "/admin/plex_integration/cachestatus/"


def send(admin: Site, *paths: str) -> None:
    """Send requests to the API, with the token of a user."""
    user = {"username": USER[0], "password": USER[1]}
    answer = admin.page.request.post("/api/v1/auth/token", data=user)
    headers = {"Authorization": f"Bearer {answer.json()['data']['access']}", "Accept": "*/*"}
    for path in paths:
        admin.page.request.get(f"/api/v1/plex/{path}", headers=headers)


def line(page: Page, name: str) -> Locator:
    return page.locator(f'[data-line="{name}"]')


def settled(admin: Site) -> None:
    """Wait until all processes have reported themselves: a test begins with an empty Redis."""

    def is_known() -> bool:
        parts = admin.page.request.get(PARTS).text()
        return 'data-line="Listener" data-state="OK"' in parts

    until(is_known, 30, "the listener is known")


@in_light_and_dark
def test_the_first_page_shows_how_the_service_is(admin: Site) -> None:
    settled(admin)
    page = admin.open(HOME)
    expect(page.get_by_role("heading", name="Status")).to_be_visible()
    for name in ("Plex", "Redis", "Database", "Migrations", "Listener", "Workers", "Pictures"):
        expect(line(page, name)).to_contain_text("OK")
    expect(page.get_by_role("region", name="Problems")).to_have_count(0)
    expect(page.get_by_role("table", name="Processes")).to_contain_text("Listener")
    admin.check("admin-status")
    page.get_by_role("link", name="Go to the list of pages").click()
    expect(page.get_by_role("link", name="Cache status", exact=True).first).to_be_in_viewport()


@in_light_and_dark
def test_the_status_refreshes_itself_and_announces_what_has_changed(
    admin: Site, faults: str
) -> None:
    settled(admin)
    admin.page.clock.install()
    page = admin.open(HOME)
    news, plex = page.locator("#refresh-news"), line(page, "Plex")
    expect(plex).to_contain_text("OK")
    requests.post(faults, json={"kind": "status", "status": 503}, timeout=10)
    until(lambda: refreshed(page, plex, "Problem"), 60, "the page shows that Plex is unavailable")
    expect(news).to_contain_text("Plex: Problem")
    banner = page.get_by_role("region", name="Problems")
    expect(banner).to_contain_text("Plex is unavailable. Starting up")
    admin.check("admin-status-problem")
    admin.open("/admin/accounts/user/")
    expect(banner.get_by_role("link", name="Open the Plex connection")).to_be_visible()
    admin.check("admin-banner")
    requests.delete(faults, timeout=10)
    page = admin.open(HOME)
    until(lambda: refreshed(page, plex, "OK"), 60, "the page shows that Plex is available")
    expect(banner).to_have_count(0)


def refreshed(page: Page, shown: Locator, state: str) -> bool:
    """Let 10 seconds pass on the page, and tell whether the line shows the state."""
    page.clock.run_for(10_000)
    return state in shown.inner_text()


def requests_for_parts(page: Page) -> list[str]:
    """Return a list that grows with the requests for the parts of the status."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if PARTS in request.url else None)
    return sent


def test_refreshing_pauses_when_the_operator_wants_and_while_the_page_is_hidden(
    admin: Site,
) -> None:
    stop_clock(admin.page)
    page = admin.open(HOME)
    sent = requests_for_parts(page)
    page.get_by_role("button", name="Pause refreshing").click()
    page.clock.run_for(60_000)
    assert sent == []
    with page.expect_response(f"**{PARTS}"):
        page.get_by_role("button", name="Refresh again").click()
    hide(page, True)
    page.clock.run_for(60_000)
    assert len(sent) == 1
    with page.expect_response(f"**{PARTS}"):
        hide(page, False)


def hide(page: Page, is_hidden: Any) -> None:
    """Let the page believe that another tab is in front of it, or not any more."""
    page.evaluate(
        """(isHidden) => {
            Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        is_hidden,
    )


def test_a_late_answer_does_not_replace_a_newer_one(admin: Site) -> None:
    stop_clock(admin.page)
    page = admin.open(HOME)
    held: list[Route] = []
    page.route(f"**{PARTS}", lambda route: held.append(route))
    for number in (1, 2):
        page.clock.run_for(10_000)
        while len(held) < number:
            page.wait_for_timeout(50)
    older, newer = held
    _answer(newer, "newer")
    expect(page.locator("#refreshed")).to_have_text("newer")
    with page.expect_event("requestfinished"):
        _answer(older, "older")
    # The page reads the older answer before this response arrives.
    page.evaluate("fetch('/api/v1/health/live')")
    expect(page.locator("#refreshed")).to_have_text("newer")


def _answer(route: Route, text: str) -> None:
    body = f'<span id="refreshed" data-refresh>{text}</span>'
    route.fulfill(body=body, content_type="text/html")


def test_refreshing_ends_with_the_session(admin: Site) -> None:
    admin.page.clock.install()
    page = admin.open(HOME)
    admin.context.clear_cookies()
    page.clock.run_for(10_000)
    expect(page.locator("#refreshed")).to_have_text(
        "You are signed out. Reload the page to sign in."
    )
    expect(page.get_by_role("button", name="Pause refreshing")).to_have_count(0)
    sent = requests_for_parts(page)
    page.clock.run_for(60_000)
    assert sent == []


@in_light_and_dark
def test_the_page_of_the_cache_has_charts_with_axes_and_their_numbers(admin: Site) -> None:
    send(admin, "server", "server", "libraries/77/items", "items/1000/images/thumb")
    until(lambda: "chart-2-title" in admin.page.request.get(CACHE).text(), 20, "all are counted")
    page = admin.open(CACHE)
    chart = page.get_by_role("img", name=re.compile("^.server "))
    expect(chart).to_be_visible()
    page.get_by_text("Numbers of /server").click()
    expect(page.get_by_role("table", name="Numbers of /server")).to_contain_text("Cache hits")
    day = page.get_by_role("table", name="The last 24 hours, all workers")
    expect(day.get_by_role("row", name="Total")).to_be_visible()
    pictures = page.get_by_role("table", name="Pictures on this machine")
    expect(pictures.get_by_role("row", name="Size")).to_contain_text("of 1.0")
    admin.check("admin-cache-status-charts")


def test_what_a_reader_has_opened_stays_open_when_the_page_refreshes(admin: Site) -> None:
    send(admin, "server")
    until(lambda: "chart-1-title" in admin.page.request.get(CACHE).text(), 20, "it is counted")
    admin.page.clock.install()
    page = admin.open(CACHE)
    page.get_by_text("Numbers of /server").click()
    with page.expect_response("**/cachestatus/?parts"):
        page.clock.run_for(30_000)
    expect(page.get_by_role("table", name="Numbers of /server")).to_be_visible()


@in_light_and_dark
def test_pictures_are_cleared_after_a_confirmation(admin: Site) -> None:
    send(admin, "items/1000/images/thumb")
    page = admin.open(CACHE)
    row = page.get_by_role("table", name="Pictures on this machine").get_by_role(
        "row", name=re.compile("^Pictures")
    )
    expect(row.get_by_role("cell")).not_to_have_text("0")
    page.get_by_role("button", name="Clear pictures on this machine…").click()
    expect(
        page.get_by_text("If the service runs on other machines, they keep theirs.")
    ).to_be_visible()
    admin.check("admin-pictures-clear")
    page.get_by_role("button", name="Yes, clear the pictures on this machine").click()
    expect(page.locator(".messagelist .success")).to_have_text("Pictures on this machine cleared.")
    expect(row.get_by_role("cell")).to_have_text("0")
