"""What plex.tv tells an account about itself, its servers, its Plex Home and its shares."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import plexapi.myplex
import pytest
import requests
from plexapi.myplex import MyPlexAccount, MyPlexResource, MyPlexUser

from plex_simulator import Simulator
from plex_simulator.models import Account

from .conftest import PlexClient

JSON = {"Accept": "application/json"}
RESOURCES = "/api/v2/resources?includeHttps=1&includeRelay=1&includeIPv6=1"
HOME = "/api/v2/home/users"


@pytest.fixture
def anna(fresh: Simulator) -> Account:
    """A friend who is not in the Plex Home."""
    filters = {"filterMovies": "label!=Kids%2CAdults|contentRating=G"}
    return fresh.add_account("Anna", libraries=["1", "2"], filters=filters)


@pytest.fixture
def kid(fresh: Simulator) -> Account:
    return fresh.add_account("Kid", restriction_profile="little_kid")


@pytest.fixture
def ben(fresh: Simulator) -> Account:
    """A member of the Plex Home with a PIN."""
    return fresh.add_account("Ben", home=True, pin="1234")


def test_a_user_has_the_fields_that_plex_tv_sends(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, kid: Account, ben: Account
) -> None:
    answers = {
        account.name: fresh_client.get("/api/v2/user", token=account.token, **JSON).json
        for account in (fresh.accounts.owner, anna, kid, ben)
    }
    names = "id uuid username title email friendlyName locale confirmed emailOnlyAuth hasPassword"
    names += " protected thumb authToken scrobbleTypes country subscription restricted anonymous"
    names += " home guest homeSize homeAdmin maxHomeSize rememberExpiresAt profile entitlements"
    for answer in answers.values():
        assert {*names.split(), "twoFactorEnabled", "joinedAt"} <= answer.keys()
    facts = {
        name: [answer[key] for key in ("home", "homeAdmin", "homeSize", "restricted", "protected")]
        for name, answer in answers.items()
    }
    assert facts == {
        "Margit": [True, True, 3, False, False],
        "Anna": [False, False, 1, False, False],
        "Kid": [True, False, 3, True, False],
        "Ben": [True, False, 3, False, True],
    }
    assert (answers["Kid"]["username"], answers["Kid"]["email"]) == ("", "")
    assert answers["Kid"]["restrictionProfile"] == "little_kid"
    assert answers["Anna"]["id"] == anna.id


def test_resources_hold_a_foreign_server_and_a_player_beside_the_own_server(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    foreign, server, player = fresh_client.get(RESOURCES, token=anna.token, **JSON).json
    assert server["clientIdentifier"] == fresh.machine_identifier
    assert (server["accessToken"], server["owned"]) == (anna.server_token, False)
    assert [each["relay"] for each in server["connections"]] == [False, True]
    assert (foreign["owned"], foreign["provides"]) == (False, "server")
    assert foreign["clientIdentifier"] != fresh.machine_identifier
    assert fresh_client.get("/library/sections", token=foreign["accessToken"]).status == 401
    assert (player["owned"], player["provides"]) == (True, "client,player,pubsub-player")


def test_an_account_without_access_has_no_entry_of_the_server(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    stranger = fresh.add_account("Stranger", libraries=[])
    found = fresh_client.get(RESOURCES, token=stranger.token, **JSON).json
    assert fresh.machine_identifier not in {each["clientIdentifier"] for each in found}
    assert len(found) == 2


def test_the_home_lists_the_owner_and_the_members(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, kid: Account, ben: Account
) -> None:
    home = fresh_client.get(HOME, token=ben.token, **JSON).json
    keys = ("id", "uuid", "title", "username", "email", "restricted", "restrictionProfile", "admin")
    owner = fresh.accounts.owner
    facts = {
        "Margit": [owner.plex_tv_id, owner.uuid, "Margit", "Margit", owner.email, False, None],
        "Kid": [kid.id, kid.uuid, "Kid", None, None, True, "little_kid"],
        "Ben": [ben.id, ben.uuid, "Ben", "Ben", ben.email, False, None],
    }
    assert {user["title"]: [user[key] for key in keys] for user in home["users"]} == {
        name: [*values, name == "Margit"] for name, values in facts.items()
    }
    protected = {user["title"]: user["protected"] for user in home["users"]}
    assert protected == {"Margit": False, "Kid": False, "Ben": True}
    alone = fresh_client.get(HOME, token=anna.token, **JSON).json
    assert [user["title"] for user in alone["users"]] == ["Anna"]


def test_the_old_home_list_is_xml_and_leaves_out_the_profile_of_who_has_none(
    fresh_client: PlexClient, kid: Account, ben: Account
) -> None:
    root = fresh_client.get("/api/home/users", token=ben.token, **JSON).xml
    assert (root.tag, root.get("size")) == ("MediaContainer", "3")
    _, kid_row, ben_row = root
    assert (kid_row.get("restrictionProfile"), kid_row.get("username")) == ("little_kid", "")
    assert (ben_row.get("restrictionProfile"), ben_row.get("protected")) == (None, "1")


def switch(client: PlexClient, caller: str, account: Account, query: str = "") -> Any:
    return client.post(f"{HOME}/{account.uuid}/switch{query}", token=caller, **JSON)


def test_a_switch_gives_an_account_token_that_the_server_refuses(
    fresh: Simulator, fresh_client: PlexClient, kid: Account, ben: Account
) -> None:
    switched = switch(fresh_client, ben.token, kid)
    assert (switched.status, switched.json["id"], switched.json["pin"]) == (201, kid.id, None)
    token = switched.json["authToken"]
    assert fresh_client.get("/library/sections", token=token).status == 401
    _, server, _ = fresh_client.get(RESOURCES, token=token, **JSON).json
    assert server["accessToken"] == kid.server_token
    assert fresh_client.get("/library/sections", token=kid.server_token).status == 200
    owner = switch(fresh_client, ben.token, fresh.accounts.owner).json["authToken"]
    assert fresh_client.get("/library/sections", token=owner).status == 401
    assert fresh_client.get("/api/v2/user", token=owner, **JSON).json["authToken"] == owner


def test_a_switch_checks_a_pin_only_if_there_is_one(
    fresh_client: PlexClient, kid: Account, ben: Account
) -> None:
    without = switch(fresh_client, kid.token, ben)
    assert (without.status, without.json["pin"]) == (201, "1234")
    assert switch(fresh_client, kid.token, ben, "?pin=1234").status == 201
    wrong = switch(fresh_client, kid.token, ben, "?pin=9999")
    assert (wrong.status, wrong.json["errors"][0]["code"]) == (403, 1041)


def test_a_switch_with_a_bad_token_is_refused_without_a_body(
    fresh_client: PlexClient, kid: Account
) -> None:
    for token in ("nonsense", kid.server_token):
        refused = switch(fresh_client, token, kid)
        assert (refused.status, refused.body) == (401, b"")


def test_nobody_switches_to_an_account_outside_of_the_home(
    fresh_client: PlexClient, anna: Account, ben: Account
) -> None:
    assert switch(fresh_client, ben.token, anna).status == 404
    assert switch(fresh_client, anna.token, ben).status == 404


def test_only_the_owner_reads_shares_and_their_tokens(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, kid: Account
) -> None:
    owner = fresh.accounts.owner
    users = fresh_client.get("/api/users", token=owner.token, **JSON).xml
    assert [user.get("title") for user in users] == ["Oskar", "Anna", "Kid"]
    assert users[1].get("filterMovies") == "label!=Kids%2CAdults|contentRating=G"
    (server,) = users[1]
    assert (server.get("numLibraries"), server.get("allLibraries")) == ("2", "0")
    assert users[2][0].get("allLibraries") == "1"
    path = f"/api/servers/{fresh.machine_identifier}/shared_servers"
    rows = fresh_client.get(path, token=owner.token).xml
    tokens = {row.get("userID"): row.get("accessToken") for row in rows}
    assert tokens == {
        str(account.id): account.server_token for account in (fresh.accounts.viewer, anna, kid)
    }
    assert fresh_client.get(path, token=anna.token).status == 403
    assert list(fresh_client.get("/api/users", token=anna.token).xml) == []
    assert fresh_client.get("/api/servers/another/shared_servers").status == 404


@pytest.fixture
def myplex(fresh: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
    """Let python-plexapi find plex.tv at the simulator."""
    for owner in (MyPlexAccount, MyPlexResource, MyPlexUser):
        for name, value in vars(owner).items():
            if isinstance(value, str) and value.startswith("https://plex.tv/"):
                monkeypatch.setattr(owner, name, value.replace("https://plex.tv", fresh.url))
    monkeypatch.setattr(plexapi.myplex, "TIMEOUT", 5)
    session = requests.Session()
    session.trust_env = False
    yield session
    session.close()


def test_plexapi_reads_accounts_resources_and_shares(
    fresh: Simulator, myplex: requests.Session, anna: Account, kid: Account
) -> None:
    owner = MyPlexAccount(token=fresh.accounts.owner.token, session=myplex)
    assert (owner.title, owner.homeAdmin, owner.homeSize) == ("Margit", True, 2)
    assert "pass" in owner.subscriptionFeatures
    assert {user.title for user in owner.users()} >= {"Anna", "Kid"}
    token = owner.user("Anna").get_token(fresh.machine_identifier)
    assert token == anna.server_token
    friend = MyPlexAccount(token=anna.token, session=myplex)
    resource = friend.resource("Simulated Plex")
    assert resource.accessToken == anna.server_token
    assert fresh.url in {connection.uri for connection in resource.connections}


def test_plexapi_switches_to_a_profile_by_the_old_path(
    fresh: Simulator, myplex: requests.Session, kid: Account
) -> None:
    owner = MyPlexAccount(token=fresh.accounts.owner.token, session=myplex)
    switched = owner.switchHomeUser("Kid")
    assert (switched.title, switched.restricted) == ("Kid", True)
    assert switched.resource("Simulated Plex").accessToken == kid.server_token


class Buttons(HTMLParser):
    """The buttons of a page: the values by the names of the accounts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._value: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._value = dict(attrs).get("value") if tag == "button" else None

    def handle_data(self, data: str) -> None:
        if self._value:
            self.found[data] = self._value
        self._value = None


def send_form(client: PlexClient, **fields: str) -> Any:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    client.connection.request("POST", "/auth", body=urlencode(fields), headers=headers)
    response = client.connection.getresponse()
    return response.status, response.headers.get("Location"), response.read().decode()


def test_a_person_chooses_the_account_to_sign_in_with(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, kid: Account
) -> None:
    headers = {**JSON, "X_Plex_Client_Identifier": "tests"}
    pin = fresh_client.post("/api/v2/pins?strong=true", None, **headers).json
    page = fresh_client.get("/auth", token=None).body.decode()
    buttons = Buttons(page).found
    assert buttons.keys() == {"Margit", "Oskar", "Anna"}  # managed accounts cannot sign in
    assert "location.hash" in page
    choice = {"code": pin["code"], "clientID": "tests", "account": buttons["Anna"]}
    back = "http://127.0.0.1:8000/done?x=1"
    status, location, _ = send_form(fresh_client, **choice, forwardUrl=back)
    assert (status, location) == (303, back)
    found = fresh_client.get(f"/api/v2/pins/{pin['id']}", token=None, **headers).json
    assert found["authToken"] == anna.token
    status, location, content = send_form(fresh_client, **choice, forwardUrl="javascript:alert(1)")
    assert (status, location, "Linked." in content) == (200, None, True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"code": "nothing"}, "no such code"),
        ({"clientID": "another"}, "no such code"),
        ({"account": "nobody"}, "no such account"),
    ],
)
def test_a_sign_in_with_wrong_values_is_reported(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, wrong: dict[str, str], message: str
) -> None:
    headers = {**JSON, "X_Plex_Client_Identifier": "tests"}
    pin = fresh_client.post("/api/v2/pins?strong=true", None, **headers).json
    choice = {"code": pin["code"], "clientID": "tests", "account": anna.uuid} | wrong
    _, location, content = send_form(fresh_client, **choice, forwardUrl="http://127.0.0.1/")
    assert (location, message in content) == (None, True)
    found = fresh_client.get(f"/api/v2/pins/{pin['id']}", token=None, **headers).json
    assert found["authToken"] is None
    assert anna.token not in json.dumps(found)
