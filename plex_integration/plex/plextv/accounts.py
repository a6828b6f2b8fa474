"""Who a Plex account is, and which token a Plex Media Server accepts from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from plex_integration.errors import PlexTvUnavailable
from plex_integration.plex.plextv.http import (
    AccountTokenRefused,
    Client,
    PlexTvRefused,
    request,
    usable_token,
)

MAX_RESOURCES_BYTES = 2 * 1024 * 1024
"""An account may have hundreds of players, and each entry lists its addresses."""
MAX_NAME = 150

_ALL_ADDRESSES = {"includeHttps": "1", "includeRelay": "1", "includeIPv6": "1"}


@dataclass(frozen=True)
class Account:
    """A Plex account: its numeric id, which never changes, and a name that may be ""."""

    id: int
    name: str


def read_account(token: str) -> Account:
    """Return the account of a viewer's token. Raises AccountTokenRefused or PlexTvUnavailable."""
    user = as_viewer("GET", "/api/v2/user", token)
    if not isinstance(user, dict) or type(user.get("id")) is not int:
        raise PlexTvUnavailable
    return Account(user["id"], public_name(user))


def read_server_token(token: str, machine_identifier: str) -> str | None:
    """Return the token that a Plex Media Server accepts from an account or profile.

    None if the account has no access to this server. Raises AccountTokenRefused,
    PlexTvUnavailable, and UnsupportedToken.
    """
    with _other_refusals_as_unavailable():
        resources = list_resources(Client.VIEWERS, token)
    for each in resources:
        if provides_server(each) and each.get("clientIdentifier") == machine_identifier:
            return usable_token(each.get("accessToken"))
    return None


def list_resources(client: Client, token: str) -> list[Any]:
    """Return what plex.tv lists of an account: its servers and players.

    Raises PlexTvRefused or PlexTvUnavailable.
    """
    resources = request(
        "GET", "/api/v2/resources", client, token, _ALL_ADDRESSES, MAX_RESOURCES_BYTES
    )
    if not isinstance(resources, list):
        raise PlexTvUnavailable
    return resources


def provides_server(resource: Any) -> bool:
    """Tell whether an entry of that list is a Plex Media Server."""
    if not isinstance(resource, dict) or not isinstance(resource.get("provides"), str):
        return False
    return "server" in [each.strip() for each in resource["provides"].split(",")]


def as_viewer(
    method: str,
    path: str,
    token: str,
    params: dict[str, str] | None = None,
) -> Any:
    """Send a request with a viewer's token and return the JSON.

    Only 401 says anything about the token: any other refusal is PlexTvUnavailable.
    """
    with _other_refusals_as_unavailable():
        return request(method, path, Client.VIEWERS, token, params)


@contextmanager
def _other_refusals_as_unavailable() -> Iterator[None]:
    try:
        yield
    except AccountTokenRefused:
        raise
    except PlexTvRefused as error:
        raise PlexTvUnavailable from error


def public_name(user: dict[str, Any]) -> str:
    """Return what to call an account: plex.tv also puts mail addresses into its names."""
    for name in (user.get("username"), user.get("title"), user.get("friendlyName")):
        if isinstance(name, str) and name.strip() and "@" not in name and name.isprintable():
            return name.strip()[:MAX_NAME]
    return ""
