"""Users who may write, a simulated Plex that a test may change, and python-plexapi beside it."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from plexapi.server import PlexServer

from accounts import tokens
from accounts.models import User
from accounts.plex_links import PlexLink
from plex_simulator import Simulator
from plex_simulator.models import Account
from tests.conftest import Client

SMALL = {
    "movies": 60, "shows": 4, "seasons": 2, "episodes": 4, "artists": 3, "albums": 2, "tracks": 3,
    "photo_albums": 2, "photos": 4, "videos": 3, "hidden": 2, "collections": 2,
}  # fmt: skip


class Writer(Client):
    """A client whose writes are asserted in one line."""

    def wrote(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        """Write something that must succeed so; return what is under `data`."""
        response = self.request(method, path, **kwargs)
        assert response.status_code == status, response.text
        assert response.headers["Cache-Control"] == "no-store"
        return response.json()["data"]

    def refused(self, method: str, path: str, status: int, code: str, **kwargs: Any) -> Any:
        """Write something that must fail so; return what is under `error`."""
        response = self.request(method, path, **kwargs)
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (status, code), response.text
        assert response.headers["Cache-Control"] == "no-store"
        return error

    def status(self, path: str) -> str:
        """GET a path; return how the answer came."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return response.headers["X-Plex-Cache-Status"]


@pytest.fixture
def plex(settings: Any) -> Iterator[Simulator]:
    """A small simulated Plex of this test's own, which the service is configured with."""
    with Simulator(seed=11, edge_cases=True, **SMALL) as simulator:
        settings.PLEX_URL = simulator.url
        settings.PLEX_TOKEN = simulator.owner_token
        settings.PLEX_TIMEOUT = 10
        yield simulator


@pytest.fixture
def signed_in(
    transactional_db: None, plex: Simulator, server: Any, django_user_model: Any
) -> Iterator[Callable[..., Writer]]:
    """Make another user at each call, with the rights named; return a client signed in as them."""
    numbers = count(1)
    clients: list[Writer] = []

    def sign_in(*rights: str, **attributes: Any) -> Writer:
        user = django_user_model.objects.create(username=f"user{next(numbers)}", **attributes)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client = Writer(server.url, tokens.issue(user).access)
        clients.append(client)
        return client

    yield sign_in
    for client in clients:
        client.close()


def link(plex: Simulator, user: User, account: Account) -> None:
    """Give a user the view that an account has of Plex."""
    made = PlexLink(
        user=user,
        account_id=user.pk,
        viewer_id=account.plex_tv_id,
        machine_identifier=plex.machine_identifier,
        checked_at=timezone.now(),
    )
    made.server_token = account.server_token
    made.save()


@pytest.fixture
def writer(signed_in: Callable[..., Writer]) -> Writer:
    """A user who may do both."""
    return signed_in("manage_collections", "manage_playlists")


@pytest.fixture
def reader(signed_in: Callable[..., Writer]) -> Writer:
    """A user with no rights."""
    return signed_in()


@pytest.fixture
def plexapi(plex: Simulator) -> PlexServer:
    """An independent client of the same Plex."""
    return PlexServer(plex.url, plex.owner_token)


@pytest.fixture
def movies(plex: Simulator) -> list[str]:
    """The rating keys of all movies."""
    return [movie.rating_key for movie in plex.catalogue.items("1", "movie")]


def sent(plex: Simulator) -> list[str]:
    """Return the writes that Plex was sent."""
    return [f"{each.method} {each.path}" for each in plex.requests if each.method != "GET"]
