"""A real browser in front of the running demo, and what must hold on every page it opens.

Chromium is Debian's: `apt-get install chromium`. Where there is none these tests are skipped, or
fail where BROWSER_TESTS=required. Screenshots are left in var/screenshots.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.service import free_port
from tests.test_demo import ROOT, Demo

SCREENSHOTS = ROOT / "var" / "screenshots"
WIDTHS = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# No name of any other host can be resolved: what asks for one fails, and is seen.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
ADMIN = ("admin", "medianest-admin")
USER = ("demo", "medianest-demo")
# The tests whose file has the name run in the group.
GROUPS = {"test_docs": "swagger", "test_sample_client": "client"}
# How many milliseconds to wait for what a test expects, also on a busy machine.
PATIENCE = 60_000
expect.set_options(PATIENCE)

at_both_widths = pytest.mark.parametrize("site", list(WIDTHS), indirect=True)
in_light_and_dark = pytest.mark.parametrize(
    "site", [*WIDTHS, *(f"{width}-dark" for width in WIDTHS)], indirect=True
)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser tests in three groups, each with one demo and one browser.

    The tests of a group run one after another: Django refuses database access while Playwright's
    event loop runs, so tests that use the database must not come in between.
    """
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            group = next((GROUPS[name] for name in GROUPS if name in item.path.name), "browser")
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="package")
def chromium() -> str:
    """Return where Chromium is."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        say = pytest.fail if os.environ.get("BROWSER_TESTS") == "required" else pytest.skip
        say("No Chromium here. Install it for the browser tests: apt-get install chromium")
    return found


@pytest.fixture(scope="package")
def demo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, on free ports and its own state."""
    state = tmp_path_factory.mktemp("browser") / "state"
    running = Demo(state, "--port", str(free_port()), "--plex-port", str(free_port()))
    try:
        yield running.ready()
    finally:
        running.process.terminate()
        running.process.wait(30)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, ALONE])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def origin(demo: Demo) -> str:
    return demo.origin


@pytest.fixture(scope="package")
def plex_origin(demo: Demo) -> str:
    """The origin of the demo's simulated Plex and plex.tv."""
    return plex_origin_of(demo)


def plex_origin_of(demo: Demo) -> str:
    (origin,) = re.findall(r"^  Plex +(http\S+) ", demo.output, re.MULTILINE)
    return str(origin)


@pytest.fixture
def faults(plex_origin: str) -> Iterator[str]:
    """The address that switches faults of the demo's simulated Plex on, until the test ends."""
    yield f"{plex_origin}/simulator/faults"
    requests.delete(f"{plex_origin}/simulator/faults", timeout=10)


@pytest.fixture(scope="package")
def admin_session(browser: Browser, origin: str) -> Any:
    """The cookies of an administrator who has signed in at the admin."""
    context = browser.new_context(base_url=origin)
    page = context.new_page()
    page.goto("/admin/")
    sign_in_at_the_admin(page)
    page.locator("#user-tools").wait_for()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(autouse=True)
def _full_limits(demo: Demo) -> None:
    """Begin every test with empty caches and full limits."""
    empty_caches(demo)


def empty_caches(demo: Demo) -> None:
    (port,) = re.findall(r"^Starting valkey at 127\.0\.0\.1:(\d+)", demo.output, re.MULTILINE)
    with redis.Redis("127.0.0.1", int(port)) as client:
        client.flushall()


class Site:
    """One visitor's browser window on the demo, and all that went wrong in it."""

    def __init__(self, browser: Browser, origin: str, look: str, session: Any = None) -> None:
        self.origin, self.look = origin, look
        self.width, _, scheme = look.partition("-")
        size = WIDTHS[self.width]
        self.context: BrowserContext = browser.new_context(
            base_url=origin,
            viewport=size,  # type: ignore[arg-type]
            storage_state=session,
            reduced_motion="reduce",
            color_scheme="dark" if scheme else "light",
        )
        self.context.set_default_timeout(PATIENCE)
        self.expected: set[str] = set()
        self.others: list[str] = []
        self.faults: list[str] = []
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.faults.append(f"page: {error.error}"))
        self.context.on("request", lambda request: self._look(request.url))
        self.page: Page = self.context.new_page()

    def open(self, path: str) -> Page:
        self.page.goto(path)
        return self.page

    def expect_status(self, *statuses: int) -> None:
        """Let answers of these statuses pass, which Chromium tells as errors."""
        self.expected |= set(map(str, statuses))

    def expect_broken_connections(self) -> None:
        """Let requests fail that the test cuts off, which Chromium tells as errors."""
        self.expected.add("ERR_FAILED")

    def expect_origin(self, origin: str) -> None:
        """Let the visitor's other tabs open pages of this origin."""
        self.others.append(f"{origin}/")

    def check(self, name: str, *accepted: str) -> None:
        """Keep a screenshot, and hold the page against axe-core and the window's width.

        `accepted` are the rules of axe-core that the page breaks in what others have written.
        """
        # A click returns when the next page begins to arrive, with no document in it yet.
        self.page.wait_for_load_state()
        self.shoot(name)
        self.assert_accessible(*accepted)
        wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{wide} pixels beyond the window"

    def shoot(self, name: str) -> None:
        """Keep a screenshot: of the whole page, unless it is too long for one."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        is_short = self.page.evaluate("document.documentElement.scrollHeight < 5000")
        path = SCREENSHOTS / f"{name}-{self.look}.png"
        self.page.screenshot(path=path, full_page=is_short)

    def assert_accessible(self, *accepted: str) -> None:
        # Preloading makes axe write style sheets into the page, which the policy forbids.
        options = {"resultTypes": ["violations"], "preload": False}
        found = Axe().run(self.page, options=options).response["violations"]
        serious = [
            f"{fault['id']} ({fault['impact']}): {fault['help']}: {node['html'][:200]}"
            for fault in found
            if fault["impact"] in ("serious", "critical") and fault["id"] not in accepted
            for node in fault["nodes"]
        ]
        assert not serious, "\n".join(serious)

    def close(self) -> None:
        self.context.close()
        assert not self.faults, "\n".join(self.faults)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        match = re.search(r"(?:responded with a status of |net::)(\w+)", message.text)
        if not match or match[1] not in self.expected:
            where = message.location.get("url", "")
            self.faults.append(f"console {message.type}: {message.text} ({where})")

    def _look(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "data:", "blob:", *self.others)):
            self.faults.append(f"a request elsewhere: {url}")


@pytest.fixture
def site(request: pytest.FixtureRequest, browser: Browser, origin: str) -> Iterator[Site]:
    """A visitor who has not signed in; at desktop width, or as the decorators above say."""
    site = Site(browser, origin, getattr(request, "param", "desktop"))
    yield site
    site.close()


@pytest.fixture
def admin(site: Site, admin_session: Any) -> Site:
    """The same window, signed in at the admin."""
    site.context.add_cookies(admin_session["cookies"])
    return site


def stop_clock(page: Page) -> None:
    """Let time pass on the page only where the test lets it."""
    page.clock.install(time=0)
    # Until the clock stops, time passes; a clock cannot be set back.
    page.clock.pause_at(3_600_000)


def sign_in_at_the_api(page: Page, user: tuple[str, str] = USER) -> None:
    """Fill in the sign-in form of the browsable API."""
    page.get_by_label("Username").fill(user[0])
    page.get_by_label("Password").fill(user[1])
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_in_at_the_admin(page: Page, user: tuple[str, str] = ADMIN) -> None:
    """Fill in the admin's sign-in form."""
    page.get_by_label("Username").fill(user[0])
    page.get_by_label("Password").fill(user[1])
    page.get_by_role("button", name="Log in").click()
