"""Linking the signed-in user to a Plex account, looking at the link, and removing it."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.configuration.models import PlexConnection
from plex_simulator import Simulator
from tests.api.test_true_schema import validate
from tests.conftest import Client
from tests.linking.conftest import PINS, Start, client_of, ended, linked, rules
from tests.service import until

OWNER = 7_000_001
UNLINKED = {
    "linked": False,
    "state": None,
    "account": None,
    "profile": None,
    "server": False,
    "linkedAt": None,
}
SignIn = Callable[..., Any]


@pytest.fixture
def other(transactional_db: None) -> User:
    user: User = User.objects.create_user("grace")
    return user


@pytest.fixture
def ada(user: User, server: Any, plextv: Simulator) -> Client:
    """A client that is signed in as `user`."""
    return client_of(server, user)


def test_a_user_links_an_account_while_signing_in_is_switched_off(
    ada: Client, user: User, sign_in: SignIn, plextv: Simulator
) -> None:
    rules(plex_sign_in=False)
    assert ada.data("/auth/plex") == UNLINKED
    data = sign_in(ada).json()["data"]
    link = ada.data("/auth/plex")
    assert data == {"status": "complete", "link": link}
    assert (link["linked"], link["state"], link["server"]) == (True, "active", True)
    assert link["account"]["id"] == OWNER
    assert "@" not in link["account"]["name"]
    assert link["profile"] is None
    assert PlexLink.objects.get().user == user


def test_a_user_who_was_created_for_an_account_sees_nothing_without_the_link(
    anonymous: Client, sign_in: SignIn, plextv: Simulator
) -> None:
    rules(create_users=True)
    friend = plextv.add_account("Nadia", libraries=["2"])
    client = Client(anonymous.root, sign_in(anonymous, friend).json()["data"]["access"])
    seen = client.data("/plex/libraries")
    assert [library["id"] for library in seen["libraries"]] == ["2"]
    assert client.delete("/auth/plex").status_code == 200
    for _ in range(2):
        error = client.error("/plex/libraries", 403, "PLEX_LINK_REQUIRED")
        assert error["details"] == {"reason": ["not_linked"]}


def test_only_the_user_who_started_gets_the_result(
    ada: Client, other: User, server: Any, anonymous: Client, start: Start, plextv: Simulator
) -> None:
    pin = start(ada)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "complete", 10, "the PIN is finished")
    ended(pin.get(anonymous), 404, "PIN_NOT_FOUND")
    ended(pin.get(client_of(server, other)), 404, "PIN_NOT_FOUND")
    assert pin.get().json()["data"]["status"] == "complete"


def test_a_bad_token_neither_starts_nor_reads_a_pin(
    ada: Client, server: Any, start: Start, plextv: Simulator
) -> None:
    pin = start(ada)
    bad = Client(server.url, "not-a-token")
    ended(bad.post(PINS, json={}), 401, "UNAUTHORIZED")
    ended(pin.get(bad), 401, "UNAUTHORIZED")


def test_an_account_of_another_user_is_not_taken_and_its_token_is_stored(
    ada: Client, other: User, sign_in: SignIn, plextv: Simulator
) -> None:
    link = linked(other, OWNER)
    ended(sign_in(ada), 409, "PLEX_ACCOUNT_LINKED")
    link.refresh_from_db()
    assert link.user == other
    assert link.account_token == plextv.owner_token


def test_linking_another_account_replaces_the_link(
    ada: Client, user: User, sign_in: SignIn, plextv: Simulator
) -> None:
    linked(user, 42)
    assert sign_in(ada).status_code == 200
    assert PlexLink.objects.get().account_id == OWNER


def test_a_user_who_is_deleted_meanwhile_is_not_linked(
    ada: Client, user: User, start: Start, plextv: Simulator
) -> None:
    pin = start(ada)
    user.delete()
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "failed", 10, "the PIN is finished")
    assert not PlexLink.objects.exists()


def test_a_user_who_is_deactivated_meanwhile_is_not_linked(
    ada: Client, user: User, start: Start, plextv: Simulator
) -> None:
    pin = start(ada)
    User.objects.update(is_active=False)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "failed", 10, "the PIN is finished")
    assert not PlexLink.objects.exists()


def test_the_link_is_removed_once_or_twice(ada: Client, user: User, sign_in: SignIn) -> None:
    assert sign_in(ada).status_code == 200
    for _ in range(2):
        response = ada.delete("/auth/plex")
        assert (response.status_code, response.json()["data"]) == (200, UNLINKED)
        assert response.headers["Cache-Control"] == "no-store"
    assert not PlexLink.objects.exists()


@pytest.mark.parametrize("state", list(PlexLink.State))
def test_a_link_is_as_the_document_says_in_every_state(ada: Client, user: User, state: str) -> None:
    linked(user, OWNER, state=state)
    body = ada.get("/auth/plex").json()
    assert body["data"]["state"] == state
    validate(body, "/auth/plex", 200)


def test_a_link_whose_tokens_are_of_another_encryption_key_says_to_sign_in_again(
    ada: Client, user: User, settings: Any
) -> None:
    linked(user, OWNER)
    settings.ENCRYPTION_KEY = "another-key-another-key-another-key"
    link = ada.data("/auth/plex")
    assert (link["linked"], link["state"], link["server"]) == (True, "revoked", False)


@pytest.mark.parametrize("method", ["get", "delete"])
def test_the_link_is_for_signed_in_users(anonymous: Client, user: User, method: str) -> None:
    ended(getattr(anonymous, method)("/auth/plex"), 401, "UNAUTHORIZED")


def test_another_server_at_the_same_address_is_noticed_at_the_next_sign_in(
    ada: Client, user: User, sign_in: SignIn, plextv: Simulator
) -> None:
    assert sign_in(ada).status_code == 200
    known = PlexConnection.objects.get().machine_identifier
    PlexConnection.objects.update(machine_identifier="another")
    assert sign_in(ada).status_code == 200
    assert PlexConnection.objects.get().machine_identifier == known
