"""A Plex server and a plex.tv of the test's own, and users who are linked to its accounts."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.caching import access_checks
from plex_integration.configuration.models import PlexConnection
from plex_integration.viewers import access
from plex_simulator import Simulator
from plex_simulator.models import Account
from tests.conftest import Client
from tests.images.conftest import SMALL
from tests.service import House, Service, Valkey

PLEX_TV = "/api/v2/"
RESOURCES = "/api/v2/resources"
SECTIONS = "/library/sections"
LIST = "/library/sections/1/all"
ITEMS = "/plex/libraries/1/items?size=5&details=summary"


@pytest.fixture
def home(plex: Simulator, settings: Any) -> Iterator[Simulator]:
    """A small Plex with its plex.tv, of which the test may take everything from everybody."""
    with Simulator(seed=23, **SMALL) as simulator:
        settings.PLEX_URL, settings.PLEX_TOKEN = simulator.url, simulator.owner_token
        settings.PLEX_TV_URL = simulator.url
        yield simulator


@pytest.fixture(params=["one process", "Redis"])
def each_store(request: Any) -> None:
    """Both kinds of store: the rules are the same."""
    if request.param == "Redis":
        request.getfixturevalue("shared")


@dataclass
class Viewer:
    """A user of the service, the user's Plex account, and a client that is signed in."""

    account: Account
    user: User
    client: Client

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": str(self.client.headers["Authorization"])}

    @property
    def link(self) -> PlexLink:
        link: PlexLink = PlexLink.objects.get(user=self.user)
        return link


def link_to(user: User, account: Account, plex: Simulator, **values: Any) -> PlexLink:
    """Link a user to an account of a simulated Plex, as a sign-in an hour ago did."""
    link = PlexLink(
        user=user,
        account_id=account.plex_tv_id,
        machine_identifier=plex.machine_identifier,
        checked_at=timezone.now() - timedelta(hours=1),
    )
    link.view_as(account.plex_tv_id)
    link.account_token, link.server_token = account.token, account.server_token
    for name, value in values.items():
        setattr(link, name, value)
    link.save()
    return link


MakeViewer = Callable[..., Viewer]


@pytest.fixture
def viewer_of(home: Simulator, transactional_db: None, server: Any) -> MakeViewer:
    """Return a function that links a new user to an account, and signs the user in."""

    def make(account: Account, **values: Any) -> Viewer:
        user = User.objects.create(username=f"user of {account.name}", password="!")
        link_to(user, account, home, **values)
        return Viewer(account, user, Client(server.url, tokens.issue(user).access))

    return make


@pytest.fixture
def anna(home: Simulator, viewer_of: MakeViewer) -> Viewer:
    """A viewer of movies and shows."""
    return viewer_of(home.add_account("Anna", libraries=("1", "2")))


Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Return a function that moves the clock by which checks of access are due."""

    def move(seconds: float) -> None:
        moved = SimpleNamespace(time=lambda: time.time() + seconds)
        monkeypatch.setattr(access_checks, "time", moved)

    return move


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow requests to plex.tv about an account as often as needed."""
    monkeypatch.setattr(access, "RENEW_PAUSE", timedelta(0))


def reason_of(response: Any) -> str:
    """Return why a link is required, as a response says."""
    body = response.json()
    assert response.status_code == 403, response.text
    assert body["error"]["code"] == "PLEX_LINK_REQUIRED"
    (reason,) = body["error"]["details"]["reason"]
    return str(reason)


def started_with(house: House, valkey: Valkey, plex: Simulator) -> Service:
    """Start two workers on a copy of the test's database, in front of the test's Plex."""
    PlexConnection.objects.all().delete()
    return house.service(
        valkey,
        workers=2,
        DATABASE_URL=house.databases.save(),
        PLEX_URL=plex.url,
        PLEX_TOKEN=plex.owner_token,
        PLEX_TV_URL=plex.url,
    )
