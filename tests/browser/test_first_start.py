"""The first start: a demo without a connection to Plex, which an administrator makes."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Site, sign_in_at_the_admin
from tests.browser.test_admin_pages import enter_code
from tests.service import free_port, until
from tests.test_demo import Demo


@pytest.fixture(scope="module")
def unconnected(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a demo without a connection."""
    state = tmp_path_factory.mktemp("unconnected") / "state"
    ports = ("--port", str(free_port()), "--plex-port", str(free_port()))
    running = Demo(state, *ports, "--unconnected")
    try:
        yield running.ready().origin
    finally:
        running.process.terminate()
        running.process.wait(30)


@pytest.fixture
def visitor(browser: Browser, unconnected: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    site = Site(browser, unconnected, request.param)
    yield site
    site.close()


in_all_looks = pytest.mark.parametrize(
    "visitor", ["desktop", "desktop-dark", "phone", "phone-dark"], indirect=True
)


@in_all_looks
def test_an_administrator_is_led_to_the_connection_and_may_enter_it_by_hand(visitor: Site) -> None:
    page = visitor.open("/admin/")
    sign_in_at_the_admin(page)
    expect(page.get_by_role("heading", name="Connect your Plex server")).to_be_visible()
    expect(page.get_by_label("Address")).to_be_visible()
    visitor.check("admin-first-start")


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_the_connection_is_made_and_used_after_the_sign_in(visitor: Site, unconnected: str) -> None:
    page = visitor.open("/admin/")
    sign_in_at_the_admin(page)
    page.get_by_role("button", name="Sign in to Plex").click()
    enter_code(page)
    page.get_by_role("link", name="Choose Simulated Plex").click()
    expect(page.get_by_role("status")).to_contain_text("Reachable addresses: 1 of 5.")
    reachable = page.get_by_role("listitem").filter(has_text="Reachable in ")
    expect(reachable.get_by_role("radio")).to_be_checked()
    page.get_by_role("button", name="Use this address").click()
    expect(page.locator(".messagelist .success")).to_have_count(2)
    # Another worker learns of the connection later, and its check of Plex may take long.
    until(lambda: _is_plex_ok(unconnected), 30, "Plex was checked")
    visitor.open("/admin/")
    expect(page.get_by_role("heading", name="Connect your Plex server")).to_have_count(0)


def _is_plex_ok(origin: str) -> bool:
    health = requests.get(f"{origin}/api/v1/health", timeout=60).json()
    return bool(health["data"]["checks"]["plex"] == "ok")


@pytest.mark.parametrize("visitor", ["desktop"], indirect=True)
def test_a_server_is_chosen_without_scripts_too(visitor: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=visitor.origin)
    page = context.new_page()
    page.goto("/admin/plex_integration/plexconnection/")
    sign_in_at_the_admin(page)
    page.get_by_role("button", name="Sign in to Plex").click()
    enter_code(page)
    servers = page.get_by_role("heading", name="Choose your Plex server")
    until(lambda: _is_checked(page, servers), 30, "plex.tv is checked")
    page.get_by_role("link", name="Choose Simulated Plex").click()
    expect(page.get_by_text("Not tested yet.")).to_have_count(5)
    page.get_by_role("button", name="Test the addresses").click()
    reachable = page.get_by_role("listitem").filter(has_text="Reachable in ")
    expect(reachable.get_by_role("radio")).to_be_checked()
    page.get_by_role("button", name="Use this address").click()
    expect(page.locator(".messagelist .success")).to_have_count(2)
    context.close()


def _is_checked(page: Page, servers: Locator) -> bool:
    """Check the code by hand, and tell whether the servers are shown."""
    if not servers.is_visible():
        page.get_by_role("link", name="Check now").click()
    return servers.is_visible()
