"""Quick sign-ins, as many users as wanted, and simulators that a test may change."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from accounts import tokens
from plex_simulator import Simulator
from tests.conftest import Client

SMALL = {
    "movies": 30, "shows": 4, "seasons": 2, "episodes": 4, "artists": 3, "albums": 2, "tracks": 3,
    "photo_albums": 2, "photos": 4, "videos": 3, "hidden": 2, "collections": 2,
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hash passwords by a weak, fast method: hundreds of users sign in."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def newcomer(
    transactional_db: None, server: Any, django_user_model: Any
) -> Iterator[Callable[[], Client]]:
    """Make another user at each call; return a client that is signed in as them."""
    numbers = count(1)
    clients: list[Client] = []

    def sign_in() -> Client:
        user = django_user_model.objects.create_user(f"newcomer{next(numbers)}")
        client = Client(server.url, tokens.issue(user).access)
        clients.append(client)
        return client

    yield sign_in
    for client in clients:
        client.close()


@pytest.fixture
def own_plex(plex: Simulator, settings: Any) -> Iterator[Simulator]:
    """A small simulated Plex of this test's own, whose catalogue it may change."""
    with Simulator(seed=11, edge_cases=True, **SMALL) as simulator:
        settings.PLEX_URL = simulator.url
        settings.PLEX_TOKEN = simulator.owner_token
        yield simulator
