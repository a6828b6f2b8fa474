"""The operator's pages in the admin, used as an operator uses them."""

import re

import requests
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import (
    ADMIN,
    USER,
    Site,
    at_both_widths,
    in_light_and_dark,
    sign_in_at_the_admin,
    stop_clock,
)

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


@in_light_and_dark
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


@in_light_and_dark
def test_an_operator_signs_in_to_plex_by_a_code_and_chooses_a_server(admin: Site) -> None:
    page = connection(admin)
    page.get_by_role("button", name="Sign in to Plex").click()
    admin.check("admin-plex-sign-in")
    enter_code(page)
    # The page goes on by itself when plex.tv has the code.
    expect(page.get_by_role("heading", name="Choose your Plex server")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Attic")).to_contain_text("Offline")
    expect(page.get_by_text("shared by somebody-else")).to_be_visible()
    admin.check("admin-plex-servers")
    page.get_by_role("link", name="Choose Simulated Plex").click()
    expect(page.get_by_role("status")).to_contain_text("Reachable addresses: 1 of 5.")
    saved = page.get_by_role("listitem").filter(has_text="The saved address")
    expect(saved).to_contain_text("Reachable in ")
    expect(saved.get_by_role("radio")).to_be_checked()
    expect(page.get_by_text("Link-local and metadata hosts are not allowed.")).to_be_visible()
    admin.check("admin-plex-addresses")
    page.get_by_role("button", name="Use this address").click()
    expect(page.locator(".messagelist .success").first).to_contain_text("is saved.")
    expect(page.locator(".messagelist .success")).to_have_count(2)
    expect(page.get_by_text("Last test, ")).to_contain_text("Connected to Simulated Plex")
    admin.check("admin-plex-connected")


def test_an_address_that_the_operator_has_selected_stays_selected(admin: Site) -> None:
    page = connection(admin)
    page.get_by_role("button", name="Sign in to Plex").click()
    enter_code(page)
    page.get_by_role("link", name="Choose Attic").click()
    expect(page.get_by_role("status")).to_contain_text("Reachable addresses: 0 of 2.")
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    page.get_by_role("link", name="Choose your Plex server").click()
    page.get_by_role("link", name="Choose Simulated Plex").click()
    other = page.get_by_role("listitem").filter(has_text="169.254.83.107")
    other.get_by_role("radio").check()
    expect(page.get_by_role("status")).to_contain_text("Reachable addresses: 1 of 5.")
    expect(other.get_by_role("radio")).to_be_checked()
    page.get_by_role("button", name="Use this address").click()
    assert message(page).endswith("Link-local and metadata hosts are not allowed.")


def test_an_address_that_is_selected_before_the_script_runs_stays_selected(admin: Site) -> None:
    page = connection(admin)
    page.get_by_role("button", name="Sign in to Plex").click()
    enter_code(page)
    held: list[Route] = []
    page.route("**/addresses*.js", lambda route: held.append(route))
    page.get_by_role("link", name="Choose Simulated Plex").click()
    other = page.get_by_role("listitem").filter(has_text="169.254.83.107")
    other.get_by_role("radio").check()
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(page.get_by_role("status")).to_contain_text("Reachable addresses: 1 of 5.")
    expect(other.get_by_role("radio")).to_be_checked()


def enter_code(page: Page) -> None:
    """Enter the code of the page at the simulated plex.tv, as its owner does."""
    code = page.locator(".code strong").inner_text()
    link = page.locator(".operator li a").get_attribute("href") or ""
    entered = requests.get(link, params={"code": code}, timeout=60)
    assert "Linked" in entered.text


def test_the_page_with_the_code_goes_on_waiting_after_a_request_has_failed(admin: Site) -> None:
    admin.expect_broken_connections()
    page = connection(admin)
    page.get_by_role("button", name="Sign in to Plex").click()
    expect(page.get_by_role("status")).to_contain_text("Waiting")
    page.route("**/sign-in/", lambda route: route.abort("failed"))
    expect(page.get_by_role("status")).to_have_text("The service does not respond. Trying again.")
    page.unroute("**/sign-in/")
    enter_code(page)
    expect(page.get_by_role("heading", name="Choose your Plex server")).to_be_visible()


def test_the_page_with_the_code_sends_one_request_after_the_other(admin: Site) -> None:
    stop_clock(admin.page)
    page = connection(admin)
    page.get_by_role("button", name="Sign in to Plex").click()
    expect(page.locator("#waiting")).to_be_visible()
    held: list[Route] = []
    page.route("**/sign-in/", lambda route: held.append(route))
    page.clock.run_for(20_000)
    # The page has sent its requests before this response arrives.
    page.evaluate("fetch('/api/v1/health/live')")
    assert len(held) == 1
    held[0].continue_()
    while len(held) < 2:
        page.clock.run_for(5_000)


def test_signing_in_to_plex_can_be_cancelled(admin: Site) -> None:
    page = connection(admin)
    page.get_by_role("button", name="Sign in to Plex").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Test connection")).to_be_visible()


@in_light_and_dark
def test_a_cache_time_is_changed_refused_and_reset_and_it_is_recorded(admin: Site) -> None:
    page = admin.open(HOME)
    page.get_by_role("link", name="Cache times and rate limits", exact=True).first.click()
    row = page.get_by_role("row").filter(
        has=page.get_by_role("rowheader", name="/libraries/:libraryKey/items", exact=True)
    )
    row.locator("input").fill("-1")
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator(".errornote")).to_be_visible()
    row.locator("input").fill("3750")
    expect(row.locator("output")).to_have_text("1 h 2 min 30 s")
    row.locator("input").fill("120")
    expect(row.locator("output")).to_have_text("2 min")
    page.get_by_role("button", name="Save").first.click()
    reset = row.get_by_role("button", name="Reset to 600")
    expect(reset).to_be_visible()
    admin.check("admin-policies")
    reset.click()
    expect(row.locator("input")).to_have_value("600")
    page = admin.open(HOME)
    page.get_by_role("link", name="Changes", exact=True).first.click()
    newest = page.locator("#result_list tbody tr").first
    expect(newest).to_contain_text("from 120 to 600 seconds")
    expect(newest).to_contain_text("127.0.0.1")
    admin.check("admin-changes")


def test_a_cache_time_that_is_entered_before_the_script_runs_is_shown_in_words(admin: Site) -> None:
    page = admin.page
    held: list[Route] = []
    page.route("**/durations*.js", lambda route: held.append(route))
    page.goto(POLICIES, wait_until="commit")
    page.locator("td:has(output) input").first.fill("3750")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(page.locator("td output").first).to_have_text("1 h 2 min 30 s")


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


@at_both_widths
def test_a_user_is_imported_from_plex_explained_and_unlinked(admin: Site) -> None:
    account = {"desktop": "Vera", "phone": "Rufus"}[admin.width]
    page = admin.open(HOME)
    page.get_by_role("link", name="Plex viewers", exact=True).first.click()
    expect(page.get_by_role("link", name="Import users from Plex")).to_be_visible()
    admin.check("admin-plex-viewers")
    page.get_by_role("link", name="Import users from Plex").click()
    expect(page.get_by_role("row", name="Juno")).to_contain_text("cannot sign in")
    admin.check("admin-import")
    page.get_by_role("checkbox", name=f"Import {account}").check()
    page.get_by_role("button", name="Import selected users").click()
    assert message(page) == "1 user imported. The next step is to sign in with Plex."
    expect(page.get_by_role("checkbox", name=f"Import {account}")).to_have_count(0)
    explain(page, account, "1")
    expect(page.locator(".answer")).to_have_text(
        f"{account} was imported and has not signed in with Plex yet."
    )
    admin.check("admin-visibility-refused")
    page = admin.open(HOME)
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("row", name=account).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label="Unlink selected users from Plex")
    admin.check("admin-users-linked")
    page.locator("button[name=index]").click()
    assert message(page) == "1 user unlinked from Plex."


@in_light_and_dark
def test_the_viewers_page_leads_to_the_accounts_that_can_be_imported(admin: Site) -> None:
    page = admin.open(HOME)
    page.get_by_role("link", name="Plex viewers", exact=True).first.click()
    expect(page.get_by_role("heading", name="Import users")).to_be_visible()
    admin.check("admin-viewers")
    page.get_by_role("link", name="Import users from Plex").click()
    accounts = page.get_by_role("region", name="Accounts")
    expect(accounts.get_by_role("checkbox").first).to_be_visible()
    admin.check("admin-import")


@in_light_and_dark
def test_the_page_of_a_user_leads_to_why_something_is_not_seen(admin: Site) -> None:
    page = admin.open(HOME)
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("link", name=USER[0], exact=True).click()
    page.get_by_role("link", name="Why can this user not see this?").last.click()
    expect(page.locator("#id_user")).to_have_value(USER[0])
    explain(page, USER[0], "x")
    expect(page.locator(".errorlist")).to_be_visible()
    admin.check("admin-visibility-invalid")
    explain(page, USER[0], "1")
    expect(page.locator(".answer")).to_contain_text(f"{USER[0]} can see “")
    expect(page.get_by_role("row", name="Server token")).to_contain_text("Passed")
    admin.check("admin-visibility")


def explain(page: Page, user: str, library: str) -> None:
    """Ask why a user does not see a library."""
    page.goto("/admin/plex_integration/visibilitycheck/")
    page.locator("#id_user").fill(user)
    page.locator("#id_kind").select_option("library")
    page.locator("#id_key").fill(library)
    page.get_by_role("button", name="Find out").click()
