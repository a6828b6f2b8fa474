"""The list of an account's servers: which of them are own, and at which addresses to try each."""

from typing import Any

import pytest

from plex_integration.errors import PlexTvUnavailable
from plex_integration.plex.plextv import servers
from plex_integration.plex.plextv.http import AccountTokenRefused, Client
from plex_integration.plex.plextv.servers import AccountServer
from tests.plex.conftest import PlexTv

TOKEN = "token-of-an-account"
HASH = "0123456789abcdef0123456789abcdef"


def entry(*connections: Any, **changes: Any) -> dict[str, Any]:
    """Return an entry of an account's resources, with these connections."""
    return {
        "name": "Box",
        "clientIdentifier": "f76e8a11",
        "provides": "server",
        "productVersion": "1.43.3",
        "owned": True,
        "presence": True,
        "sourceTitle": None,
        "httpsRequired": False,
        "accessToken": "server-token",
        "connections": list(connections),
    } | changes


def connection(uri: str, address: str = "", local: Any = False, **changes: Any) -> dict[str, Any]:
    return {"uri": uri, "address": address, "port": 32400, "local": local, "relay": False} | changes


def direct(address: str, **changes: Any) -> dict[str, Any]:
    """Return a connection by a name below plex.direct."""
    name = address.replace(".", "-").replace(":", "-")
    return connection(f"https://{name}.{HASH}.plex.direct:32400", address, **changes)


def only(plextv: PlexTv, *entries: Any) -> AccountServer:
    plextv.sends(entries)
    (server,) = servers.read_servers(TOKEN)
    return server


def urls(server: AccountServer) -> list[str]:
    return [each.url for each in server.addresses]


def test_a_server_is_read_with_its_own_token(plextv: PlexTv) -> None:
    server = only(plextv, entry(connection("http://10.0.0.1:32400", "10.0.0.1", local=True)))
    assert (server.name, server.version, server.machine_identifier) == ("Box", "1.43.3", "f76e8a11")
    assert (server.is_owned, server.owner, server.is_online) == (True, "", True)
    assert server.token == "server-token"
    assert "server-token" not in repr(server)
    assert urls(server) == ["http://10.0.0.1:32400"]
    assert plextv.last.path.startswith("/api/v2/resources?includeHttps=1&includeRelay=1")
    assert plextv.last.header("X-Plex-Token") == TOKEN
    assert plextv.last.header("X-Plex-Client-Identifier") == Client.OPERATOR


@pytest.mark.parametrize("owned", [False, None, "true", "1", 1])
def test_only_a_server_that_plextv_calls_owned_is_own(plextv: PlexTv, owned: Any) -> None:
    server = only(plextv, entry(owned=owned, sourceTitle="anna", presence=False))
    assert (server.is_owned, server.owner, server.is_online) == (False, "anna", False)


def test_neither_the_token_nor_the_addresses_of_a_shared_server_are_read(plextv: PlexTv) -> None:
    server = only(plextv, entry(direct("203.0.113.5"), owned=False))
    assert (server.token, server.addresses, server.omitted) == ("", (), 0)


def test_the_mail_address_of_an_owner_is_not_shown(plextv: PlexTv) -> None:
    assert only(plextv, entry(owned=False, sourceTitle="anna@example.com")).owner == ""


def test_players_and_what_is_not_understood_are_left_out(plextv: PlexTv) -> None:
    others = [
        entry(provides="client,player", clientIdentifier="tv"),
        entry(provides=None),
        entry(clientIdentifier="../evil"),
        entry(clientIdentifier=7),
        "nonsense",
        None,
    ]
    assert only(plextv, *others, entry(name=None, productVersion=None)).name == "f76e8a11"


def test_own_servers_come_first_and_those_that_are_online_before_others(plextv: PlexTv) -> None:
    plextv.sends(
        [
            entry(clientIdentifier="shared", owned=False),
            entry(clientIdentifier="off", presence=False),
            entry(clientIdentifier="on"),
        ]
    )
    found = servers.read_servers(TOKEN)
    assert [each.machine_identifier for each in found] == ["on", "off", "shared"]


def test_addresses_are_local_before_remote_before_relay_and_encrypted_before_plain(
    plextv: PlexTv,
) -> None:
    server = only(
        plextv,
        entry(
            connection(f"https://1-2-3-4.{HASH}.plex.direct:8443", "1.2.3.4", relay=True),
            direct("203.0.113.5"),
            connection("https://plex.example.com", "plex.example.com"),
            direct("2001:db8::1", local=True, IPv6=True),
            direct("10.0.0.1", local=True),
        ),
    )
    assert urls(server) == [
        f"https://10-0-0-1.{HASH}.plex.direct:32400",
        f"https://2001-db8--1.{HASH}.plex.direct:32400",
        "http://10.0.0.1:32400",
        "http://[2001:db8::1]:32400",
        f"https://203-0-113-5.{HASH}.plex.direct:32400",
        "https://plex.example.com",
        f"https://1-2-3-4.{HASH}.plex.direct:8443",
        "http://203.0.113.5:32400",
    ]
    assert [each.is_relay for each in server.addresses].count(True) == 1
    assert [each.is_local for each in server.addresses] == [True] * 4 + [False] * 4


def test_a_server_that_requires_https_is_not_tried_without(plextv: PlexTv) -> None:
    server = only(plextv, entry(direct("10.0.0.1", local=True), httpsRequired=True))
    assert urls(server) == [f"https://10-0-0-1.{HASH}.plex.direct:32400"]


def test_an_address_is_listed_once_and_without_a_slash_at_the_end(plextv: PlexTv) -> None:
    plain = connection("http://10.0.0.1:32400/", "10.0.0.1", local=True)
    server = only(plextv, entry(plain, plain, direct("10.0.0.1", local=True)))
    assert urls(server) == [f"https://10-0-0-1.{HASH}.plex.direct:32400", "http://10.0.0.1:32400"]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        {},
        {"uri": None},
        {"uri": ["http://x"]},
        connection(""),
        connection("http://" + "x" * 300),
        connection("https://a.plex.direct:32400", address="evil.example/@"),
    ],
)
def test_a_connection_that_is_not_understood_adds_no_address_of_its_own(
    plextv: PlexTv, bad: Any
) -> None:
    server = only(plextv, entry(bad, connection("http://10.0.0.1:32400", local=True)))
    assert "http://10.0.0.1:32400" in urls(server)
    assert not [url for url in urls(server) if "evil" in url or len(url) > 300]


def test_the_list_of_addresses_is_bounded_and_says_how_many_are_left_out(plextv: PlexTv) -> None:
    server = only(plextv, entry(*(direct(f"10.0.0.{n}", local=True) for n in range(100))))
    assert len(server.addresses) == servers.MAX_ADDRESSES
    assert server.omitted == 200 - servers.MAX_ADDRESSES
    plain = [each.url for each in server.addresses if not each.is_encrypted]
    assert len(plain) == servers.MAX_ADDRESSES // 2


@pytest.mark.parametrize("connections", [None, "nonsense", {}, []])
def test_a_server_may_have_no_addresses(plextv: PlexTv, connections: Any) -> None:
    assert only(plextv, entry(connections=connections)).addresses == ()


@pytest.mark.parametrize("token", [None, "", 7, "with blank", "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2"])
def test_a_server_without_a_token_that_this_service_can_use_has_none(
    plextv: PlexTv, token: Any
) -> None:
    assert only(plextv, entry(accessToken=token)).token == ""


def test_many_servers_are_bounded(plextv: PlexTv) -> None:
    plextv.sends([entry(clientIdentifier=f"server-{n}") for n in range(300)])
    assert len(servers.read_servers(TOKEN)) == servers.MAX_SERVERS


@pytest.mark.parametrize("content", [{}, None, "nonsense"])
def test_a_list_that_is_none_means_that_plextv_is_unavailable(plextv: PlexTv, content: Any) -> None:
    plextv.sends(content)
    with pytest.raises(PlexTvUnavailable):
        servers.read_servers(TOKEN)


def test_a_refused_token_differs_from_an_unavailable_plextv(plextv: PlexTv) -> None:
    plextv.refuses("401 Unauthorized", 1001)
    with pytest.raises(AccountTokenRefused):
        servers.read_servers(TOKEN)
