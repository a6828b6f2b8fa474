"""Signing in to Plex from the admin: the code, the waiting page, and every result."""

import time
from typing import Any

import pytest
from django.test import Client as Browser

from plex_integration.admin import sign_in
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection
from plex_simulator import Simulator
from tests.admin.conftest import CONNECTION, messages_of, shown

SIGN_IN = f"{CONNECTION}sign-in/"
SERVERS = f"{CONNECTION}servers/"
PAGE = f"{CONNECTION}1/change/"
PINS = "/api/v2/pins"


@pytest.fixture
def plextv(plex: Simulator, settings: Any) -> Simulator:
    """The simulated plex.tv; the service has an old token."""
    settings.PLEX_TV_URL = plex.url
    settings.PLEX_TOKEN = "an-old-token-of-somebody"
    return plex


@pytest.fixture
def started(boss: Browser, plextv: Simulator) -> Browser:
    """A browser with a started sign-in."""
    runtime.current()
    assert boss.post(SIGN_IN).headers["Location"] == SIGN_IN
    return boss


def pin(browser: Browser) -> dict[str, Any]:
    stored: dict[str, Any] = browser.session["plex_integration.sign_in"]
    return stored


def later(browser: Browser, **changes: Any) -> Any:
    """Reload the page when plex.tv may be checked again."""
    session = browser.session
    session["plex_integration.sign_in"] = pin(browser) | {"checked": 0} | changes
    session.save()
    return browser.get(SIGN_IN)


def failed(response: Any, browser: Browser) -> str:
    assert response.headers["Location"] == PAGE
    assert "plex_integration.sign_in" not in browser.session
    assert PlexConnection.objects.get().token == "an-old-token-of-somebody"
    return messages_of(response)[-1]


def test_the_code_and_the_link_to_enter_it_are_shown(started: Browser, plextv: Simulator) -> None:
    page = started.get(SIGN_IN)
    assert f'href="{plextv.url}/link"' in page.content.decode()
    assert f" {pin(started)['code']} " in shown(page)
    assert "It expires in 15 minutes." in shown(page)
    assert page.context["reload_seconds"] == 5


def test_an_entered_code_leads_to_the_servers_of_the_account(
    started: Browser, plextv: Simulator
) -> None:
    assert later(started).status_code == 200
    plextv.link_pin(pin(started)["id"])
    done = later(started)
    assert done.headers["Location"] == SERVERS
    assert plextv.owner_token not in str(started.session.items())
    assert started.get(SIGN_IN).headers["Location"] == SERVERS
    assert PlexConnection.objects.get().token == "an-old-token-of-somebody"


def test_signing_in_again_forgets_the_account_from_before(
    started: Browser, plextv: Simulator
) -> None:
    plextv.link_pin(pin(started)["id"])
    later(started)
    started.post(SIGN_IN)
    assert started.get(SERVERS).headers["Location"] == PAGE


def test_every_request_has_the_same_client_identifier(started: Browser, plextv: Simulator) -> None:
    later(started)
    clients = [
        {name.lower(): value for name, value in dict(each.headers).items()}.get(
            "x-plex-client-identifier"
        )
        for each in plextv.requests
        if each.path.startswith(PINS)
    ]
    assert len(clients) == 2
    assert len(set(clients)) == 1
    assert str(clients[0]).startswith("medianest-")


def test_frequent_reloads_check_plextv_at_most_every_few_seconds(
    started: Browser, plextv: Simulator
) -> None:
    for _ in range(5):
        started.get(SIGN_IN)
    assert plextv.count(f"{PINS}/") == 0
    later(started)
    started.get(SIGN_IN)
    assert plextv.count(f"{PINS}/") == 1


def test_an_expired_code_is_reported(started: Browser, plextv: Simulator) -> None:
    plextv.expire_pin(pin(started)["id"])
    assert failed(later(started), started) == sign_in.EXPIRED


def test_a_code_is_not_checked_after_it_expired(started: Browser, plextv: Simulator) -> None:
    assert failed(later(started, expires=time.time()), started) == sign_in.EXPIRED
    assert plextv.count(f"{PINS}/") == 0


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_refusal_while_waiting_is_reported(
    started: Browser, plextv: Simulator, status: int
) -> None:
    plextv.fault("status", PINS, status=status)
    assert failed(later(started), started) == sign_in.REFUSED


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        ("status", {"status": 400}, sign_in.REFUSED),
        ("status", {"status": 429}, sign_in.UNAVAILABLE),
        ("html", {}, sign_in.UNAVAILABLE),
        ("empty", {}, sign_in.UNAVAILABLE),
        ("huge", {"size": 1024 * 1024}, sign_in.UNAVAILABLE),
        ("redirect", {"to": "http://127.0.0.1:1/"}, sign_in.UNAVAILABLE),
        ("status", {"status": 500}, sign_in.UNAVAILABLE),
        ("disconnect", {}, sign_in.UNAVAILABLE),
    ],
)
def test_a_sign_in_that_cannot_start_is_reported(
    boss: Browser, plextv: Simulator, fault: str, options: Any, message: str
) -> None:
    runtime.current()
    plextv.fault(fault, PINS, **options)
    answer = boss.post(SIGN_IN)
    assert answer.headers["Location"] == PAGE
    assert messages_of(answer) == [message]


@pytest.mark.parametrize(
    ("fault", "options"), [("disconnect", {}), ("status", {"status": 429}), ("html", {})]
)
def test_the_page_keeps_waiting_while_plextv_is_unavailable(
    started: Browser, plextv: Simulator, fault: str, options: Any
) -> None:
    plextv.fault(fault, PINS, **options)
    assert "plex.tv is unavailable. Trying again." in shown(later(started))
    plextv.heal()
    plextv.link_pin(pin(started)["id"])
    assert later(started).headers["Location"] == SERVERS


def test_signing_in_can_be_cancelled(started: Browser) -> None:
    assert started.post(SIGN_IN, {"cancel": "yes"}).headers["Location"] == PAGE
    assert started.get(SIGN_IN).headers["Location"] == PAGE


def test_signing_in_needs_no_address(boss: Browser, plextv: Simulator, settings: Any) -> None:
    settings.PLEX_URL = ""
    assert boss.post(SIGN_IN).headers["Location"] == SIGN_IN
    assert f" {pin(boss)['code']} " in shown(boss.get(SIGN_IN))


def test_only_superusers_sign_in_to_plex(staff: Any, plextv: Simulator) -> None:
    allowed = staff("change_plexconnection", "view_plexconnection")
    assert allowed.post(SIGN_IN).status_code == 403
    assert allowed.get(SIGN_IN).status_code == 403
    assert plextv.requests == ()
