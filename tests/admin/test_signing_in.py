"""Signing in to Plex from the admin: the code, the waiting, and every way it can end."""

import time
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from plex_integration.admin import sign_in
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection
from plex_simulator import Simulator
from tests.admin.conftest import CONNECTION, shown, told

SIGN_IN = f"{CONNECTION}sign-in/"
PAGE = f"{CONNECTION}1/change/"
PINS = "/api/v2/pins"


@pytest.fixture
def plextv(plex: Simulator, settings: Any) -> Simulator:
    """The simulated plex.tv; the service's own token is an old one."""
    settings.PLEX_TV_URL = plex.url
    settings.PLEX_TOKEN = "an-old-token-of-somebody"
    return plex


@pytest.fixture
def begun(boss: Browser, plextv: Simulator) -> Browser:
    """A browser that shows a code."""
    runtime.current()
    assert boss.post(SIGN_IN).headers["Location"] == SIGN_IN
    return boss


def pin(browser: Browser) -> dict[str, Any]:
    kept: dict[str, Any] = browser.session["plex_integration.pin"]
    return kept


def later(browser: Browser, **changes: Any) -> Any:
    """Reload the page when it is time to ask again."""
    session = browser.session
    session["plex_integration.pin"] = pin(browser) | {"asked": 0} | changes
    session.save()
    return browser.get(SIGN_IN)


def failed(response: Any, browser: Browser) -> str:
    assert response.headers["Location"] == PAGE
    assert "plex_integration.pin" not in browser.session
    assert PlexConnection.objects.get().token == "an-old-token-of-somebody"
    return told(response)[-1]


def test_the_code_and_the_place_to_type_it_in_are_shown(begun: Browser, plextv: Simulator) -> None:
    page = begun.get(SIGN_IN)
    assert f'href="{plextv.url}/link"' in page.content.decode()
    assert f" {pin(begun)['code']} " in shown(page)
    assert "it is good for 15 more minutes" in shown(page)
    assert page.context["reloaded_every"] == 5


def test_a_linked_code_becomes_the_token_and_is_tried(begun: Browser, plextv: Simulator) -> None:
    assert later(begun).status_code == 200
    plextv.link_pin(pin(begun)["id"])
    done = later(begun)
    assert done.headers["Location"] == PAGE
    assert PlexConnection.objects.get().token == plextv.owner_token
    said = told(done)
    assert said[0] == "Signed in to Plex: the new token is in force within 2 seconds."
    assert said[1].startswith("Connected to Simulated Plex")
    (entry,) = LogEntry.objects.all()
    assert entry.get_change_message() == "Signed in to Plex. Changed Token."
    assert plextv.owner_token not in str(begun.session.items())
    assert begun.get(SIGN_IN).headers["Location"] == PAGE


def test_every_request_names_the_same_client(begun: Browser, plextv: Simulator) -> None:
    later(begun)
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


def test_reloading_often_asks_plextv_slowly(begun: Browser, plextv: Simulator) -> None:
    for _ in range(5):
        begun.get(SIGN_IN)
    assert plextv.count(f"{PINS}/") == 0
    later(begun)
    begun.get(SIGN_IN)
    assert plextv.count(f"{PINS}/") == 1


def test_an_expired_code_is_told(begun: Browser, plextv: Simulator) -> None:
    plextv.expire_pin(pin(begun)["id"])
    assert failed(later(begun), begun) == sign_in.ENDED


def test_a_code_whose_time_is_over_is_not_asked_for(begun: Browser, plextv: Simulator) -> None:
    assert failed(later(begun, until=time.time()), begun) == sign_in.ENDED
    assert plextv.count(f"{PINS}/") == 0


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429])
def test_a_refusal_while_waiting_is_told(begun: Browser, plextv: Simulator, status: int) -> None:
    plextv.fault("status", PINS, status=status)
    assert failed(later(begun), begun) == sign_in.REFUSED


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        ("status", {"status": 429}, sign_in.REFUSED),
        ("html", {}, sign_in.REFUSED),
        ("empty", {}, sign_in.REFUSED),
        ("huge", {"size": 1024 * 1024}, sign_in.REFUSED),
        ("redirect", {"to": "http://127.0.0.1:1/"}, sign_in.REFUSED),
        ("status", {"status": 500}, sign_in.AWAY),
        ("disconnect", {}, sign_in.AWAY),
    ],
)
def test_what_hinders_the_beginning_is_told(
    boss: Browser, plextv: Simulator, fault: str, options: Any, message: str
) -> None:
    runtime.current()
    plextv.fault(fault, PINS, **options)
    answer = boss.post(SIGN_IN)
    assert answer.headers["Location"] == PAGE
    assert told(answer) == [message]


def test_while_plextv_is_away_the_page_goes_on_waiting(begun: Browser, plextv: Simulator) -> None:
    plextv.fault("disconnect", PINS)
    assert "plex.tv cannot be reached now. Trying again." in shown(later(begun))
    plextv.heal()
    plextv.link_pin(pin(begun)["id"])
    assert later(begun).headers["Location"] == PAGE


def test_a_token_does_not_go_to_an_address_that_was_changed_meanwhile(
    begun: Browser, plextv: Simulator
) -> None:
    plextv.link_pin(pin(begun)["id"])
    row = PlexConnection.objects.get()
    row.url = "http://127.0.0.1:1"
    row.save()
    assert failed(later(begun), begun) == sign_in.MOVED


def test_signing_in_can_be_cancelled(begun: Browser) -> None:
    assert begun.post(SIGN_IN, {"cancel": "yes"}).headers["Location"] == PAGE
    assert begun.get(SIGN_IN).headers["Location"] == PAGE


def test_without_an_address_there_is_nothing_to_sign_in_for(
    boss: Browser, plextv: Simulator, settings: Any
) -> None:
    settings.PLEX_URL = ""
    assert told(boss.post(SIGN_IN)) == [sign_in.NO_ADDRESS]
    assert plextv.requests == ()


def test_only_superusers_sign_in_to_plex(staff: Any, plextv: Simulator) -> None:
    allowed = staff("change_plexconnection", "view_plexconnection")
    assert allowed.post(SIGN_IN).status_code == 403
    assert allowed.get(SIGN_IN).status_code == 403
    assert plextv.requests == ()
