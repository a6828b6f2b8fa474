"""How an account loses its tokens and its access, and how plex.tv fails."""

import http.client

import pytest

from plex_simulator import Simulator
from plex_simulator.models import Account

from .conftest import PlexClient, control

JSON = {"Accept": "application/json"}
SECTIONS, USER, RESOURCES = "/library/sections", "/api/v2/user", "/api/v2/resources"


@pytest.fixture
def anna(fresh: Simulator) -> Account:
    return fresh.add_account("Anna")


def server_tokens(fresh: Simulator, client: PlexClient, token: str) -> list[str]:
    """Return the access token that plex.tv sends for the server, or nothing."""
    found = client.get(RESOURCES, token=token, **JSON).json
    identifier = fresh.machine_identifier
    return [each["accessToken"] for each in found if each["clientIdentifier"] == identifier]


def test_revoked_account_tokens_leave_the_server_token_alone(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    token = anna.token
    switched = fresh.accounts.switch(anna)
    fresh.revoke_account_tokens(anna)
    assert [fresh_client.get(USER, token=each).status for each in (token, switched)] == [401, 401]
    assert fresh_client.get(SECTIONS, token=anna.server_token).status == 200


def test_a_revoked_owner_keeps_access_to_the_server(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.revoke_account_tokens(fresh.accounts.owner)
    assert fresh_client.get(USER, token=fresh.owner_token).status == 401
    assert fresh_client.get(SECTIONS, token=fresh.owner_token).status == 200


def test_a_removed_share_is_missing_at_plex_tv_and_refused_by_the_server(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    assert server_tokens(fresh, fresh_client, anna.token) == [anna.server_token]
    fresh.remove_share(anna)
    assert server_tokens(fresh, fresh_client, anna.token) == []
    assert fresh_client.get(SECTIONS, token=anna.server_token).status == 401
    assert fresh_client.get(USER, token=anna.token).status == 200


def test_a_rotated_server_token_replaces_the_old_one(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    old = anna.server_token
    fresh.rotate_server_token(anna)
    (new,) = server_tokens(fresh, fresh_client, anna.token)
    assert fresh_client.get(SECTIONS, token=old).status == 401
    assert fresh_client.get(SECTIONS, token=new).status == 200


def test_plex_tv_can_send_a_jwt_that_the_server_refuses(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    owner = fresh.accounts.owner
    fresh.issue_jwt(owner)
    (jwt,) = server_tokens(fresh, fresh_client, owner.token)
    assert jwt.startswith("eyJ")
    assert jwt.count(".") == 2
    assert fresh_client.get(SECTIONS, token=jwt).status == 401
    switched = fresh.accounts.switch(owner)
    assert server_tokens(fresh, fresh_client, switched) == [owner.server_token]
    fresh.rotate_server_token(owner)
    assert server_tokens(fresh, fresh_client, owner.token) == [owner.server_token]


def test_the_control_api_revokes_and_replaces_tokens(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    old, token = anna.server_token, anna.token
    assert control(fresh, "POST", "accounts/Anna/server-token") == {}
    assert anna.server_token != old
    assert control(fresh, "POST", "accounts/Anna/server-token", kind="jwt") == {}
    assert server_tokens(fresh, fresh_client, token)[0].startswith("eyJ")
    assert control(fresh, "DELETE", "accounts/Anna/tokens") == {}
    assert fresh_client.get(USER, token=token).status == 401


@pytest.mark.parametrize("retry_after", [None, 7])
def test_plex_tv_alone_can_limit_requests(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, retry_after: int | None
) -> None:
    fresh.fault("status", path="/api/", status=429, retry_after=retry_after)
    limited = fresh_client.get(USER, token=anna.token, **JSON)
    assert (limited.status, limited.json["errors"][0]["code"]) == (429, 1003)
    expected = None if retry_after is None else str(retry_after)
    assert limited.headers["Retry-After"] == expected
    in_xml = fresh_client.get(USER, token=anna.token).xml
    assert in_xml[0].get("message") == "API rate limit exceeded"
    assert fresh_client.get(SECTIONS, token=anna.server_token).status == 200


@pytest.mark.parametrize("status", [500, 502, 503])
def test_plex_tv_alone_can_fail(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, status: int
) -> None:
    fresh.fault("status", path="/api/", status=status)
    failed = fresh_client.get(USER, token=anna.token, **JSON)
    assert (failed.status, failed.headers["Content-Type"]) == (status, "text/html")
    assert fresh_client.get(SECTIONS, token=anna.server_token).status == 200


def test_plex_tv_alone_can_be_unavailable_or_behind_a_sign_in_page(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    fresh.fault("disconnect", path="/api/", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        fresh_client.get(USER, token=anna.token)
    fresh.fault("html", path="/api/")
    page = fresh_client.get(USER, token=anna.token, **JSON)
    assert (page.status, page.body[:15]) == (200, b"<!DOCTYPE html>")
    assert fresh_client.get(SECTIONS, token=anna.server_token).status == 200


def test_a_fault_of_plex_tv_can_look_like_a_revoked_token(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    fresh.fault("status", path=USER, status=401, times=1)
    refused = fresh_client.get(USER, token=anna.token, **JSON)
    assert (refused.status, refused.json["errors"][0]["code"]) == (401, 1001)
    assert fresh_client.get(USER, token=anna.token).status == 200
