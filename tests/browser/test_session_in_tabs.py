"""The session of the TypeScript client in two tabs that share a storage."""

from playwright.sync_api import Page, Route

from tests.browser.conftest import USER, Site

# However long a busy machine holds the renewal, no request is given up.
OPEN = """async () => {
  AbortSignal.timeout = () => new AbortController().signal;
  const { createSession } = await import('/medianest/session.js');
  window.session = createSession({ storage: localStorage });
}"""
EXPIRE = """() => {
  const [[key, text]] = Object.entries(localStorage);
  localStorage.setItem(key, JSON.stringify({ ...JSON.parse(text), access: 'expired' }));
}"""
IS_EXPIRED = "() => Object.values(localStorage).some((text) => text.includes('\"expired\"'))"
# The tab goes on while the request is sent.
BEGIN = "() => { window.sent = session.fetch('/api/v1/auth/session'); }"
WAITING = "async () => (await navigator.locks.query()).pending.length"
STATUS = "async () => (await window.sent).status"


def _tab(page: Page) -> Page:
    page.goto("/")
    page.evaluate(OPEN)
    return page


def test_tabs_with_the_same_expired_token_renew_it_one_at_a_time(site: Site) -> None:
    site.expect_status(401)
    first, second = _tab(site.page), _tab(site.context.new_page())
    first.evaluate("user => session.signIn(...user)", USER)
    first.evaluate(EXPIRE)
    # A tab sees what another one has stored a moment later.
    second.wait_for_function(IS_EXPIRED)
    renewals: list[Route] = []

    def hold_first(route: Route) -> None:
        renewals.append(route)
        if len(renewals) > 1:
            route.continue_()

    site.context.route("**/api/v1/auth/token/refresh", hold_first)
    for tab in (first, second):
        tab.evaluate(BEGIN)
    # One tab has sent the renewal, and the other one waits for it.
    while not renewals or not first.evaluate(WAITING):
        first.wait_for_timeout(50)
    assert len(renewals) == 1
    # The other one may see the new tokens too late, and then try to renew the old ones as well.
    renewals[0].continue_()
    assert [tab.evaluate(STATUS) for tab in (first, second)] == [200, 200]
    assert first.evaluate("session.signedIn")
    assert second.evaluate("session.signedIn")
