"""The operator's pages in the admin, used as an operator uses them."""

import re

import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADMIN, USER, Site, at_both_widths, sign_in_at_the_admin
from tests.test_demo import Demo

HOME = "/admin/"
POLICIES = "/admin/plex_integration/policychange/"
STATUS = "/admin/plex_integration/cachestatus/"


def connection(site: Site) -> Page:
    """Open the connection's page from the admin's index."""
    page = site.open(HOME)
    page.get_by_role("link", name="Plex connection", exact=True).first.click()
    expect(page.get_by_role("button", name="Test connection")).to_be_visible()
    return page


def message(page: Page) -> str:
    last = page.locator(".messagelist li").last
    expect(last).to_be_visible()
    return last.inner_text()


@at_both_widths
def test_an_operator_signs_in_and_sees_the_pages(site: Site) -> None:
    page = site.open(HOME)
    sign_in_at_the_admin(page, (ADMIN[0], "wrong"))
    expect(page.locator(".errornote")).to_be_visible()
    site.check("admin-sign-in")
    sign_in_at_the_admin(page)
    for name in ("Plex connection", "Cache times and rate limits", "Cache status", "Users"):
        expect(page.get_by_role("link", name=name, exact=True).first).to_be_visible()
    site.check("admin-home")


@at_both_widths
def test_the_connection_is_shown_without_its_token_and_tested(admin: Site) -> None:
    page = connection(admin)
    expect(page.get_by_role("textbox", name="Token")).to_have_value("")
    page.get_by_role("button", name="Test connection").click()
    assert re.search(r"Plex|librar", message(page)), message(page)
    expect(page.locator(".messagelist .success")).to_be_visible()
    admin.check("admin-connection")


def test_a_changed_connection_is_saved_and_a_bad_one_is_refused(admin: Site) -> None:
    page = connection(admin)
    seconds = page.locator("#id_seconds")
    before = seconds.input_value()
    seconds.fill("7")
    page.get_by_role("button", name="Save").click()
    assert message(page) == "Connection saved. Takes effect within 2 seconds."
    page.locator("#id_url").fill("http://169.254.169.254/")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".errorlist").first).to_be_visible()
    admin.check("admin-connection-refused")
    page = connection(admin)
    page.locator("#id_seconds").fill(before)
    page.get_by_role("button", name="Save").click()
    assert message(page) == "Connection saved. Takes effect within 2 seconds."


@at_both_widths
def test_an_operator_signs_in_to_plex_by_a_code(admin: Site, demo: Demo) -> None:
    page = connection(admin)
    page.get_by_role("button", name="Sign in to Plex").click()
    code = page.locator(".code strong").inner_text()
    admin.check("admin-plex-sign-in")
    link = page.locator(".operator li a").get_attribute("href") or ""
    entered = requests.get(link, params={"code": code}, timeout=60)
    assert "Linked" in entered.text
    # The page reloads by itself until plex.tv has the code.
    expect(page.locator(".messagelist .success").first).to_contain_text("Signed in to Plex")
    expect(page.locator(".messagelist .success")).to_have_count(2)


def test_signing_in_to_plex_can_be_cancelled(admin: Site) -> None:
    page = connection(admin)
    page.get_by_role("button", name="Sign in to Plex").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Test connection")).to_be_visible()


@at_both_widths
def test_a_cache_time_is_changed_refused_and_reset(admin: Site) -> None:
    page = admin.open(HOME)
    page.get_by_role("link", name="Cache times and rate limits", exact=True).first.click()
    row = page.get_by_role("row").filter(
        has=page.get_by_role("rowheader", name="/libraries/:libraryKey/items", exact=True)
    )
    row.locator("input").fill("-1")
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator(".errornote")).to_be_visible()
    row.locator("input").fill("120")
    page.get_by_role("button", name="Save").first.click()
    reset = row.get_by_role("button", name="Reset to 600")
    expect(reset).to_be_visible()
    admin.check("admin-policies")
    reset.click()
    expect(row.locator("input")).to_have_value("600")


@at_both_widths
def test_the_cache_status_counts_and_clears_after_a_confirmation(admin: Site) -> None:
    page = admin.open("/api/v1/plex/server")
    page.reload()
    page = admin.open(STATUS)
    expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
    row = page.get_by_role("table", name="Cached now").get_by_role("row", name="/server")
    expect(row.get_by_role("cell").first).to_have_text("1")
    admin.check("admin-cache-status")
    page.get_by_role("button", name="Clear everything…").click()
    expect(page.get_by_role("button", name=re.compile("^Yes, clear"))).to_be_visible()
    admin.check("admin-cache-clear")
    page.get_by_role("button", name=re.compile("^Yes, clear")).click()
    assert message(page) == "Cache cleared."
    expect(row.get_by_role("cell").first).to_have_text("0")


def test_the_tokens_of_a_user_are_revoked(admin: Site) -> None:
    answer = admin.page.request.post(
        "/api/v1/auth/token", data={"username": USER[0], "password": USER[1]}
    )
    refresh = answer.json()["data"]["refresh"]
    page = admin.open(HOME)
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("row", name=re.compile(r"\bdemo\b")).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label="Revoke all tokens of selected users")
    admin.check("admin-users")
    page.locator("button[name=index]").click()
    assert message(page) == "All tokens of 1 user revoked."
    refused = page.request.post("/api/v1/auth/token/refresh", data={"refresh": refresh})
    assert refused.status == 401
