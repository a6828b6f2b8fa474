"""What an administrator meets who signs in before the service knows a Plex server."""

from typing import Any

import pytest
from django.test import Client as Browser

from accounts.models import User
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection
from plex_simulator import Simulator
from tests.admin.conftest import CONNECTION, STATUS, messages_of, shown
from tests.conftest import Client

PASSWORD = "correct-horse-battery-staple"
PAGE, ADD = f"{CONNECTION}1/change/", f"{CONNECTION}add/"
LOGIN = "/admin/login/"


@pytest.fixture
def unconnected(plex: Simulator, settings: Any) -> Simulator:
    """A Plex that the environment does not name."""
    settings.PLEX_URL = settings.PLEX_TOKEN = ""
    return plex


@pytest.fixture
def address_alone(plex: Simulator, settings: Any) -> Simulator:
    """A Plex of which the environment names the address, and no token."""
    settings.PLEX_TOKEN = ""
    return plex


def after_sign_in(superuser: User, destination: str = "/admin/", **changes: Any) -> str:
    """Sign in with a password and return where this leads."""
    for name, value in changes.items():
        setattr(superuser, name, value)
    superuser.set_password(PASSWORD)
    superuser.save()
    form = {"username": "root", "password": PASSWORD, "next": destination}
    location: str = Browser().post(LOGIN, form).headers["Location"]
    return location


def test_an_administrator_who_signs_in_before_plex_is_connected_lands_on_the_connection(
    unconnected: Simulator, superuser: User
) -> None:
    assert after_sign_in(superuser) == CONNECTION


def test_an_address_without_a_token_leads_to_the_connection_too(
    address_alone: Simulator, superuser: User
) -> None:
    assert after_sign_in(superuser) == CONNECTION


def test_an_administrator_lands_on_the_index_once_plex_is_connected(
    plex: Simulator, superuser: User
) -> None:
    assert after_sign_in(superuser) == "/admin/"


def test_staff_who_may_not_change_the_connection_land_on_the_index(
    unconnected: Simulator, superuser: User
) -> None:
    assert after_sign_in(superuser, is_superuser=False) == "/admin/"


def test_an_administrator_who_wanted_another_page_gets_it(
    unconnected: Simulator, superuser: User
) -> None:
    assert after_sign_in(superuser, STATUS) == STATUS


def test_a_failed_sign_in_leads_nowhere(unconnected: Simulator, superuser: User) -> None:
    form = {"username": "root", "password": "wrong", "next": "/admin/"}
    assert Browser().post(LOGIN, form).status_code == 200


def test_the_page_of_the_first_connection_offers_to_sign_in_to_plex(
    unconnected: Simulator, boss: Browser
) -> None:
    settings_page = boss.get(ADD)
    assert "Connect your Plex server" in shown(settings_page)
    assert f'action="{CONNECTION}sign-in/"' in settings_page.content.decode()
    assert "Test connection" not in shown(settings_page)


def test_an_address_alone_creates_the_connection_whose_token_is_missing(
    address_alone: Simulator, boss: Browser, api: Client
) -> None:
    runtime.current()
    row = PlexConnection.objects.get()
    assert (row.url, row.token) == (address_alone.url, "")
    page = shown(boss.get(PAGE))
    assert "Connect your Plex server" in page
    assert "The address is known; the token is missing." in page
    for status in (STATUS, "/admin/"):
        assert "No token yet. Enter one, or sign in to Plex." in shown(boss.get(status))
    api.error("/plex/server", 503, "PLEX_SERVER_UNAVAILABLE")
    assert address_alone.count() == 0


def test_only_the_token_is_missing_where_the_address_is_known(
    address_alone: Simulator, boss: Browser
) -> None:
    runtime.current()
    form = {
        "url": address_alone.url,
        "token": address_alone.accounts.owner.server_token,
        "tls": "verify",
        "seconds": "10",
    }
    assert boss.post(PAGE, form).status_code == 302
    assert "Connected" in messages_of(boss.post(f"{CONNECTION}test/"))[-1]


def test_a_connected_page_does_not_ask_to_connect(boss: Browser) -> None:
    runtime.current()
    assert "Connect your Plex server" not in shown(boss.get(PAGE))
