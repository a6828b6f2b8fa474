"""The servers and addresses that the simulated plex.tv lists."""

from typing import Any

from plex_simulator import Simulator
from plex_simulator.default_servers import add_servers

from .conftest import PlexClient, control

RESOURCES = "/api/v2/resources?includeHttps=1&includeRelay=1&includeIPv6=1"
JSON = {"Accept": "application/json"}
HASH = "0123456789abcdef0123456789abcdef"


def listed(client: PlexClient, path: str = RESOURCES, token: str = "owner") -> dict[str, Any]:
    """Return the entries of an account's list by their names."""
    return {each["name"]: each for each in client.get(path, token=token, **JSON).json}


def test_the_owner_has_the_servers_that_were_added_and_nobody_else_has_them(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.add_server("Attic", "attic", [{"uri": "http://192.0.2.1:32400"}], online=False)
    fresh.add_server("Anna's", "annas", owned=False)
    attic, annas = listed(fresh_client)["Attic"], listed(fresh_client)["Anna's"]
    assert (attic["clientIdentifier"], attic["owned"], attic["presence"]) == ("attic", True, False)
    assert (attic["ownerId"], attic["sourceTitle"]) == (None, None)
    assert (annas["owned"], annas["sourceTitle"], annas["connections"]) == (
        False,
        "somebody-else",
        [],
    )
    assert "Attic" not in listed(fresh_client, token=fresh.accounts.viewer.token)


def test_an_address_is_described_as_plex_tv_does(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.add_address(f"https://172-17-0-2.{HASH}.plex.direct:32400", local=True)
    fresh.add_address(f"https://2001-db8--7.{HASH}.plex.direct:32400")
    fresh.add_address("https://plex.example.com")
    _, docker, ipv6, own, relay = listed(fresh_client)["Simulated Plex"]["connections"]
    assert docker == {
        "protocol": "https",
        "address": "172.17.0.2",
        "port": 32400,
        "uri": f"https://172-17-0-2.{HASH}.plex.direct:32400",
        "local": True,
        "relay": False,
        "IPv6": False,
    }
    assert (ipv6["address"], ipv6["IPv6"]) == ("2001:db8::7", True)
    assert (own["address"], own["port"]) == ("plex.example.com", 443)
    assert relay["relay"] is True


def test_relays_are_listed_only_for_clients_that_ask_for_them(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    path = "/api/v2/resources?includeHttps=1"
    (direct,) = listed(fresh_client, path)["Simulated Plex"]["connections"]
    assert direct["uri"] == fresh.url


def test_another_process_adds_and_removes_servers_and_addresses(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    control(fresh, "POST", "addresses", uri="http://192.0.2.1:32400", local=True)
    addresses = [{"uri": "http://192.0.2.2:32400"}]
    control(fresh, "POST", "servers", name="B", machine_identifier="b", addresses=addresses)
    found = listed(fresh_client)
    assert found["Simulated Plex"]["connections"][1]["uri"] == "http://192.0.2.1:32400"
    assert found["B"]["connections"][0]["uri"] == "http://192.0.2.2:32400"
    assert control(fresh, "POST", "servers", name="C")[0] == 400
    control(fresh, "DELETE", "servers")
    found = listed(fresh_client)
    assert "B" not in found
    assert len(found["Simulated Plex"]["connections"]) == 2


def test_the_demo_has_a_server_that_is_off_and_addresses_where_nothing_answers(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    add_servers(fresh)
    found = listed(fresh_client)
    assert found["Attic"]["presence"] is False
    assert len(found["Simulated Plex"]["connections"]) == 4
