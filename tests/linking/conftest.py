"""Sign-ins with Plex over real HTTP: the service, and a simulated plex.tv."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from accounts import tokens
from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.configuration.models import ViewerSettings
from plex_integration.linking import pins
from plex_integration.linking.pins import PlexPin
from plex_simulator import Simulator
from tests.conftest import Client
from tests.service import until

PINS = "/auth/plex/pins"
PLEX_TV = "/api/v2/"


@pytest.fixture
def plextv(plex: Simulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The simulated plex.tv, which allows more frequent requests than the real one."""
    settings.PLEX_TV_URL = plex.url
    monkeypatch.setattr(pins, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(pins, "SPACING_SECONDS", 0.02)
    return plex


@dataclass
class Started:
    """A PIN as its client has it."""

    client: Client
    id: str
    secret: str
    body: dict[str, Any]

    @property
    def row(self) -> PlexPin:
        return PlexPin.objects.get(pk=self.id)

    def get(self, client: Client | None = None, secret: str | None = None) -> Any:
        """Ask for the result; by default as the client that started."""
        headers = {"X-Pin-Secret": self.secret if secret is None else secret}
        return (client or self.client).get(f"{PINS}/{self.id}", headers=headers)

    def end(self) -> Any:
        """Wait until the result is there; return the response with it."""
        (response,) = until(self._ended, 10, "the PIN is finished")
        return response

    def _ended(self) -> list[Any]:
        response = self.get()
        is_pending = response.status_code == 200 and (
            response.json()["data"]["status"] == "pending"
        )
        return [] if is_pending else [response]  # an error is falsy


Start = Callable[[Client], Started]


@pytest.fixture
def start(plextv: Simulator) -> Start:
    """Return a function that starts a PIN as a client."""

    def begin(client: Client) -> Started:
        response = client.post(PINS, json={})
        assert response.status_code == 201, response.text
        body = response.json()["data"]
        return Started(client, body["id"], body["secret"], body)

    return begin


@pytest.fixture
def sign_in(start: Start, plextv: Simulator) -> Callable[..., Any]:
    """Return a function that signs in with an account of Plex; its result is the response."""

    def finish(client: Client, account: Any = None) -> Any:
        pin = start(client)
        plextv.link_pin(pin.row.plex_id, account)
        return pin.end()

    return finish


def client_of(server: Any, user: User) -> Client:
    """Return a client that is signed in as a user."""
    return Client(server.url, tokens.issue(user).access)


def rules(**values: Any) -> None:
    """Set the rules for viewers."""
    ViewerSettings(**values).save()


def linked(user: User, account_id: int, **values: Any) -> PlexLink:
    """Link a user to an account by hand."""
    link = PlexLink(user=user, account_id=account_id, viewer_id=account_id, **values)
    link.account_token = "an-old-token-of-the-account"
    link.server_token = "an-old-token-for-the-server"
    link.save()
    return link


def ended(response: Any, status: int, code: str) -> Any:
    """Check that a response is this error, and return what is under `error`."""
    body = response.json()
    assert (response.status_code, body["error"]["code"]) == (status, code), response.text
    assert response.headers["Cache-Control"] == "no-store"
    return body["error"]
