"""The servers and players of an account: /api/v2/resources.

Every account also has access to the server of somebody else, which comes first, and owns a player,
so that a client which takes the first server, or anything that is owned, goes wrong. The owner also
has the servers that a test has added.
"""

from typing import Any

from plex_simulator.messages import Request, Response
from plex_simulator.plextv.responses import respond
from plex_simulator.plextv.servers import PLEX_DIRECT, Address, OtherServer
from plex_simulator.plextv.site import Caller, Site

FOREIGN_SERVER = "f0e1d2c3b4a5968778695a4b3c2d1e0f01234567"
FOREIGN_OWNER_ID = 2_639_453
PLAYER = "living-room-tv"

_SERVER = {
    "product": "Plex Media Server",
    "platform": "Linux",
    "platformVersion": "22.04.3 LTS (Jammy Jellyfish)",
    "device": "PC",
    "createdAt": "2021-03-14T15:09:26Z",
    "lastSeenAt": "2024-01-01T00:00:00Z",
    "provides": "server",
    "synced": False,
    "relay": True,
    "presence": True,
    "httpsRequired": False,
    "publicAddressMatches": True,
    "dnsRebindingProtection": False,
    "natLoopbackSupported": False,
    "searchEnabled": True,
}


def list_resources(site: Site, request: Request, caller: Caller) -> Response:
    found = [_foreign_server(request, caller)]
    if caller.account.has_access:
        found.append(_own_server(site, request, caller))
    if caller.account.is_owner:
        found += [_other_server(each, request) for each in site.other_servers]
    return respond(request, "resources", [*found, _player()])


def _own_server(site: Site, request: Request, caller: Caller) -> dict[str, Any]:
    account, owner = caller.account, site.accounts.owner
    direct = Address(request.url, local=True)
    relay = _relay("203-0-113-10", site.server.machine_identifier)
    return {
        **_SERVER,
        "name": site.server.name,
        "productVersion": site.server.version,
        "clientIdentifier": site.server.machine_identifier,
        "ownerId": None if account.is_owner else owner.plex_tv_id,
        "sourceTitle": None if account.is_owner else owner.name,
        "publicAddress": "203.0.113.10",
        "accessToken": _access_token(caller),
        "owned": account.is_owner,
        "home": account.home and not account.is_owner,
        "connections": _connections(request, direct, *site.more_addresses, relay),
    }


def _other_server(server: OtherServer, request: Request) -> dict[str, Any]:
    return {
        **_SERVER,
        "name": server.name,
        "productVersion": "1.43.3.10828-00f62d37d",
        "clientIdentifier": server.machine_identifier,
        "ownerId": None if server.owned else FOREIGN_OWNER_ID,
        "sourceTitle": None if server.owned else "somebody-else",
        "publicAddress": "203.0.113.10",
        "accessToken": server.access_token,
        "owned": server.owned,
        "home": False,
        "presence": server.online,
        "connections": _connections(request, *server.addresses),
    }


def _access_token(caller: Caller) -> str:
    """Return the server token; a token of a home switch gets it even if others get a JWT."""
    account = caller.account
    if account.jwt is None or caller.token in account.switch_tokens:
        return account.server_token
    return account.jwt


def _foreign_server(request: Request, caller: Caller) -> dict[str, Any]:
    """Describe a server that belongs to somebody else, and is at an address that nobody has."""
    remote = Address(f"https://203-0-113-5.{FOREIGN_SERVER[:32]}{PLEX_DIRECT}:32400")
    return {
        **_SERVER,
        "name": "Somebody Else's Server",
        "productVersion": "1.43.3.10828-00f62d37d",
        "clientIdentifier": FOREIGN_SERVER,
        "ownerId": FOREIGN_OWNER_ID,
        "sourceTitle": "somebody-else",
        "publicAddress": "203.0.113.5",
        "accessToken": f"foreign-{caller.account.uuid}",
        "owned": False,
        "home": False,
        "connections": _connections(request, remote, _relay("203-0-113-6", FOREIGN_SERVER)),
    }


def _player() -> dict[str, Any]:
    return {
        "name": "Living Room TV",
        "product": "Plex for Android (TV)",
        "productVersion": "10.1.0",
        "platform": "Android",
        "platformVersion": "12",
        "device": "TV",
        "clientIdentifier": PLAYER,
        "createdAt": "2021-03-14T15:09:26Z",
        "lastSeenAt": "2024-01-01T00:00:00Z",
        "provides": "client,player,pubsub-player",
        "ownerId": None,
        "sourceTitle": None,
        "publicAddress": "203.0.113.10",
        "accessToken": None,
        "owned": True,
        "home": False,
        "synced": False,
        "relay": False,
        "presence": False,
        "connections": [],
    }


def _relay(host: str, machine_identifier: str) -> Address:
    return Address(f"https://{host}.{machine_identifier[:32]}{PLEX_DIRECT}:8443", relay=True)


def _connections(request: Request, *addresses: Address) -> list[dict[str, Any]]:
    """Describe addresses; those of relays only if the client asks for them."""
    with_relay = request.flag("includeRelay")
    return [each.describe() for each in addresses if with_relay or not each.relay]
