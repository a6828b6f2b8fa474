"""The Plex Media Servers of an operator's account, and the addresses at which to try each of them.

plex.tv lists what each server reported about itself. An address may belong to another network, be
blocked, or lead to another server, so it is only ever a candidate.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from plex_integration.errors import PlexApiError, PlexTvUnavailable
from plex_integration.plex.plextv.accounts import list_resources, provides_server, public_name
from plex_integration.plex.plextv.http import Client, usable_token

MAX_SERVERS = 50
MAX_ADDRESSES = 40
"""How many addresses of a server are tried at most; plex.tv has some ten at most of a usual one."""

_ID = re.compile("[A-Za-z0-9_-]{1,64}")
_MAX_LENGTH = 300
_PLEX_DIRECT = ".plex.direct"


@dataclass(frozen=True)
class Address:
    """An address at which a server may answer. `is_local` and `is_relay` are as plex.tv says."""

    url: str
    is_local: bool = False
    is_relay: bool = False
    is_ipv6: bool = False

    @property
    def is_encrypted(self) -> bool:
        return self.url.startswith("https://")

    @property
    def rank(self) -> tuple[int, bool]:
        """Sort local addresses before remote ones before relays, and encrypted before plain.

        A plain address of the internet comes last: it shows the token to everybody on the way.
        """
        if self.is_local:
            return 0 if self.is_encrypted else 1, self.is_ipv6
        if not self.is_encrypted:
            return 4, self.is_ipv6
        return 3 if self.is_relay else 2, self.is_ipv6


@dataclass(frozen=True)
class AccountServer:
    """A server of an account. `owner` is the name of somebody else who shares it.

    A shared server has neither token nor addresses here. `token` is what the server accepts, "" if
    plex.tv sent none that this service can use. `omitted` is how many addresses were left out.
    """

    machine_identifier: str
    name: str
    version: str
    is_owned: bool
    owner: str
    is_online: bool
    token: str = field(repr=False)
    addresses: Sequence[Address] = ()
    omitted: int = 0


def read_servers(token: str) -> list[AccountServer]:
    """Return the servers of the account that a token belongs to, own and online ones first.

    Raises PlexTvRefused or PlexTvUnavailable.
    """
    resources = list_resources(Client.OPERATOR, token)
    found = [_server(each) for each in resources if _is_usable(each)]
    found.sort(key=lambda server: (not server.is_owned, not server.is_online))
    return found[:MAX_SERVERS]


def _is_usable(resource: Any) -> bool:
    if not provides_server(resource):
        return False
    identifier = resource.get("clientIdentifier")
    return isinstance(identifier, str) and _ID.fullmatch(identifier) is not None


def _server(resource: dict[str, Any]) -> AccountServer:
    identifier = resource["clientIdentifier"]
    is_owned = resource.get("owned") is True
    # Nobody connects to a server of somebody else, so its token and addresses are not read.
    addresses = _addresses(resource) if is_owned else []
    return AccountServer(
        identifier,
        public_name({"title": resource.get("name")}) or identifier,
        public_name({"title": resource.get("productVersion")}),
        is_owned,
        public_name({"title": resource.get("sourceTitle")}),
        resource.get("presence") is True,
        _token(resource.get("accessToken")) if is_owned else "",
        tuple(sorted(addresses[:MAX_ADDRESSES], key=lambda each: each.rank)),
        max(0, len(addresses) - MAX_ADDRESSES),
    )


def _token(text: Any) -> str:
    try:
        return usable_token(text)
    except (PlexTvUnavailable, PlexApiError):
        return ""


def _addresses(resource: dict[str, Any]) -> list[Address]:
    """Return the different addresses of a server; those that are better come first."""
    connections = resource.get("connections")
    if not isinstance(connections, list):
        return []
    usable = sorted(filter(_has_url, connections), key=lambda each: _address(each).rank)
    found: dict[str, Address] = {}
    for connection in usable:
        for address in _variants(connection, resource.get("httpsRequired") is not True):
            found.setdefault(address.url, address)
    return list(found.values())


def _has_url(connection: Any) -> bool:
    url = connection.get("uri") if isinstance(connection, dict) else None
    return isinstance(url, str) and 0 < len(url) <= _MAX_LENGTH


def _address(connection: dict[str, Any]) -> Address:
    return Address(
        connection["uri"].rstrip("/"),
        connection.get("local") is True,
        connection.get("relay") is True,
        connection.get("IPv6") is True,
    )


def _variants(connection: dict[str, Any], is_plain_allowed: bool) -> Iterator[Address]:
    """Yield an address, and the one without TLS of the IP address that a plex.direct name has."""
    address = _address(connection)
    yield address
    if is_plain_allowed and not address.is_relay and (url := _plain_url(connection)):
        yield Address(url, address.is_local, is_ipv6=address.is_ipv6)


def _plain_url(connection: dict[str, Any]) -> str:
    try:
        parts = urlsplit(connection["uri"])
        host, port = parts.hostname or "", parts.port
        ip = ipaddress.ip_address(str(connection.get("address")))
    except ValueError:
        return ""
    if not host.endswith(_PLEX_DIRECT) or port is None:
        return ""
    return f"http://[{ip}]:{port}" if ip.version == 6 else f"http://{ip}:{port}"
