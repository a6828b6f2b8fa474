"""The profiles of a Plex Home: listing them, and switching to one, with and without a PIN."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from accounts.models import User
from accounts.plex_links import PlexLink
from plex_simulator import Simulator
from plex_simulator.models import Account
from tests.conftest import Client
from tests.linking.conftest import client_of, ended, linked
from tests.service import until
from tests.writing.conftest import SMALL

LIST = "/auth/plex/home-users"
SWITCHES = r"^/api/v2/home/users/[^/]+/switch"
PIN = "4913"
SignIn = Callable[..., Any]


@pytest.fixture
def plex(settings: Any) -> Iterator[Simulator]:
    """A simulated Plex of this test's own, to which accounts can be added."""
    with Simulator(seed=11, **SMALL) as simulator:
        settings.PLEX_URL = simulator.url
        settings.PLEX_TOKEN = simulator.owner_token
        settings.PLEX_TIMEOUT = 10
        yield simulator


@pytest.fixture
def kid(plextv: Simulator) -> Account:
    """A managed profile that sees one library."""
    return plextv.add_account("Kid", restriction_profile="little_kid", libraries=["1"])


@pytest.fixture
def protected(plextv: Simulator) -> Account:
    """A profile that is protected by a PIN, and sees another library."""
    return plextv.add_account("Grandpa", pin=PIN, libraries=["2"])


@pytest.fixture
def ada(server: Any, user: User, kid: Account, protected: Account, sign_in: SignIn) -> Client:
    """A client whose user has linked the account of the Plex Home's administrator."""
    client = client_of(server, user)
    assert sign_in(client).status_code == 200
    return client


def switch(client: Client, profile: Account, **body: str) -> Any:
    return client.post(f"{LIST}/{profile.uuid}/switch", json=body)


def libraries(client: Client) -> list[str]:
    shown = client.data("/plex/libraries")["libraries"]
    return [each["key"].removeprefix("/library/sections/") for each in shown]


def pms_status(plex: Simulator, token: str | None) -> int:
    """Return what the Plex Media Server answers to a token."""
    headers = {"X-Plex-Token": token or ""}
    return requests.get(f"{plex.url}/library/sections", headers=headers, timeout=10).status_code


def test_the_profiles_are_listed_without_what_is_private(
    ada: Client, kid: Account, protected: Account, plextv: Simulator
) -> None:
    response = ada.get(LIST)
    users = {each["name"]: each for each in response.json()["data"]["users"]}
    assert users["Kid"] == {
        "uuid": kid.uuid,
        "name": "Kid",
        "admin": False,
        "restricted": True,
        "restrictionProfile": "little_kid",
        "protected": False,
        "current": False,
    }
    assert users["Grandpa"]["protected"] is True
    assert users["Grandpa"]["restrictionProfile"] is None
    (current,) = [each for each in users.values() if each["current"]]
    assert current["admin"] is True
    assert response.headers["Cache-Control"] == "no-store"
    assert "@" not in response.text


def test_after_a_switch_the_user_reads_as_the_profile_and_never_from_the_accounts_cache(
    ada: Client, kid: Account, plextv: Simulator
) -> None:
    everything = libraries(ada)
    assert len(everything) > 1
    data = switch(ada, kid).json()["data"]
    assert data["profile"] == {"uuid": kid.uuid, "name": "Kid"}
    assert (data["account"]["id"], data["state"], data["server"]) == (7_000_001, "active", True)
    assert libraries(ada) == ["1"]
    link = PlexLink.objects.get()
    assert link.viewer_id == kid.plex_tv_id
    assert link.server_token == kid.server_token
    assert pms_status(plextv, link.server_token) == 200
    assert pms_status(plextv, link.profile_token) == 401
    (current,) = [each["uuid"] for each in ada.data(LIST)["users"] if each["current"]]
    assert current == kid.uuid


def test_the_user_switches_back_to_the_account_itself(
    ada: Client, kid: Account, plextv: Simulator
) -> None:
    everything = libraries(ada)
    assert switch(ada, kid).status_code == 200
    assert switch(ada, plextv.accounts.owner).json()["data"]["profile"] is None
    link = PlexLink.objects.get()
    assert (link.viewer_id, link.profile_uuid, link.profile_token) == (7_000_001, "", "")
    assert pms_status(plextv, link.server_token) == 200
    assert libraries(ada) == everything
    assert ada.get(LIST).status_code == 200  # the account's new token


@pytest.mark.parametrize("body", [{}, {"pin": ""}, None])
def test_a_protected_profile_needs_its_pin_before_plextv_gets_a_request(
    ada: Client, protected: Account, plextv: Simulator, body: Any
) -> None:
    response = ada.post(f"{LIST}/{protected.uuid}/switch", json=body)
    assert "pin" in ended(response, 400, "VALIDATION_ERROR")["details"]
    assert plextv.count(SWITCHES) == 0
    assert PlexLink.objects.get().viewer_id == 7_000_001


def test_a_profile_that_was_protected_a_moment_ago_needs_its_pin(
    ada: Client, kid: Account, plextv: Simulator
) -> None:
    assert not next(each for each in ada.data(LIST)["users"] if each["name"] == "Kid")["protected"]
    kid.pin = PIN
    ended(switch(ada, kid), 400, "VALIDATION_ERROR")
    assert plextv.count(SWITCHES) == 0


def test_a_protected_profile_opens_with_its_pin(ada: Client, protected: Account) -> None:
    assert switch(ada, protected, pin=PIN).status_code == 200
    assert libraries(ada) == ["2"]


def test_the_sixth_wrong_pin_within_a_minute_is_not_tried(
    ada: Client, protected: Account, plextv: Simulator
) -> None:
    for _ in range(5):
        ended(switch(ada, protected, pin="0000"), 403, "HOME_PIN_WRONG")
    response = switch(ada, protected, pin=PIN)
    assert ended(response, 429, "RATE_LIMIT_EXCEEDED")["details"]["limit"] == 5
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert plextv.count(SWITCHES) == 5
    assert PlexLink.objects.get().viewer_id == 7_000_001


def test_right_pins_are_not_counted(ada: Client, protected: Account) -> None:
    assert [switch(ada, protected, pin=PIN).status_code for _ in range(7)] == [200] * 7


@pytest.mark.parametrize("uuid", ["unknown", "a" * 100, "%2e%2e"])
def test_an_unknown_profile_is_not_found(ada: Client, plextv: Simulator, uuid: str) -> None:
    response = ada.post(f"{LIST}/{uuid}/switch", json={})
    ended(response, 404, "HOME_PROFILE_NOT_FOUND")
    assert plextv.count(SWITCHES) == 0


@pytest.mark.parametrize(
    ("fault", "options"),
    [("status", {"status": 503}), ("status", {"status": 429}), ("html", {}), ("disconnect", {})],
)
def test_no_switch_happens_while_the_list_cannot_be_read(
    ada: Client, kid: Account, plextv: Simulator, fault: str, options: dict[str, Any]
) -> None:
    plextv.fault(fault, r"^/api/v2/home/users$", **options)
    ended(switch(ada, kid), 503, "PLEX_TV_UNAVAILABLE")
    ended(ada.get(LIST), 503, "PLEX_TV_UNAVAILABLE")
    assert plextv.count(SWITCHES) == 0
    link = PlexLink.objects.get()
    assert (link.viewer_id, link.state) == (7_000_001, "active")


@pytest.mark.parametrize(
    ("fault", "options"),
    [("status", {"status": 503}), ("status", {"status": 429}), ("html", {}), ("disconnect", {})],
)
@pytest.mark.parametrize("path", [SWITCHES, "/api/v2/resources"])
def test_a_switch_that_plextv_does_not_finish_changes_nothing(
    ada: Client, kid: Account, plextv: Simulator, path: str, fault: str, options: dict[str, Any]
) -> None:
    plextv.fault(fault, path, **options)
    ended(switch(ada, kid), 503, "PLEX_TV_UNAVAILABLE")
    link = PlexLink.objects.get()
    assert (link.viewer_id, link.state) == (7_000_001, "active")
    plextv.heal()
    assert len(libraries(ada)) > 1


def test_a_profiles_refused_token_says_nothing_about_the_account(
    ada: Client, kid: Account, plextv: Simulator
) -> None:
    plextv.fault("status", "/api/v2/resources", status=401)
    ended(switch(ada, kid), 503, "PLEX_TV_UNAVAILABLE")
    link = PlexLink.objects.get()
    assert (link.viewer_id, link.state) == (7_000_001, "active")


def test_a_link_that_is_removed_during_a_switch_stays_removed(
    ada: Client, kid: Account, plextv: Simulator
) -> None:
    plextv.fault("slow", "/api/v2/resources", times=1, delay=30)
    with ThreadPoolExecutor(1) as pool:
        switching = pool.submit(switch, ada, kid)
        until(lambda: plextv.faults[0]["left"] == 0, 10, "plex.tv has switched")
        PlexLink.objects.all().delete()
        plextv.heal()
        error = ended(switching.result(), 403, "PLEX_LINK_REQUIRED")
    assert error["details"] == {"reason": ["not_linked"]}
    assert not PlexLink.objects.exists()


@pytest.mark.parametrize("path", [LIST, "switch"])
def test_a_refused_token_revokes_the_link(
    ada: Client, kid: Account, plextv: Simulator, path: str
) -> None:
    plextv.revoke_account_tokens(plextv.accounts.owner)
    response = switch(ada, kid) if path == "switch" else ada.get(path)
    error = ended(response, 403, "PLEX_LINK_REQUIRED")
    assert error["details"] == {"reason": ["revoked"]}
    assert PlexLink.objects.get().state == "revoked"
    assert ada.data("/auth/plex")["server"] is False
    before = plextv.count("/api/v2/home")
    ended(ada.get(LIST), 403, "PLEX_LINK_REQUIRED")
    assert plextv.count("/api/v2/home") == before


def test_a_profile_without_access_is_not_switched_to(ada: Client, plextv: Simulator) -> None:
    nobody = plextv.add_account("Nobody", restricted=True, libraries=[])
    error = ended(switch(ada, nobody), 403, "PLEX_LINK_REQUIRED")
    assert error["details"] == {"reason": ["no_access"]}
    link = PlexLink.objects.get()
    assert (link.viewer_id, link.state) == (7_000_001, "active")


def test_users_who_picked_the_same_profile_share_its_newest_tokens(
    ada: Client, kid: Account, plextv: Simulator, server: Any, sign_in: SignIn
) -> None:
    parent = plextv.add_account("Parent", home=True)
    grace: User = User.objects.create_user("grace")
    second = client_of(server, grace)
    assert sign_in(second, parent).status_code == 200
    assert switch(ada, kid).status_code == 200
    assert switch(second, kid).status_code == 200
    first_link, second_link = PlexLink.objects.order_by("pk")
    assert first_link.profile_token == second_link.profile_token
    assert first_link.server_token == second_link.server_token == kid.server_token
    assert first_link.view == second_link.view
    assert libraries(ada) == libraries(second) == ["1"]


def test_a_switch_to_somebody_with_an_own_link_renews_that_link(
    ada: Client, plextv: Simulator, server: Any, sign_in: SignIn
) -> None:
    parent = plextv.add_account("Parent", home=True)
    grace: User = User.objects.create_user("grace")
    second = client_of(server, grace)
    assert sign_in(second, parent).status_code == 200
    assert switch(ada, parent).status_code == 200
    assert second.get(LIST).status_code == 200  # the token from the switch
    mine, other = PlexLink.objects.get(user__username="ada"), PlexLink.objects.get(user=grace)
    assert mine.profile_token == other.account_token
    assert mine.view == other.view


def test_a_new_sign_in_keeps_the_profile(
    ada: Client, kid: Account, plextv: Simulator, sign_in: SignIn
) -> None:
    assert switch(ada, kid).status_code == 200
    assert sign_in(ada).status_code == 200
    assert ada.data("/auth/plex")["profile"] == {"uuid": kid.uuid, "name": "Kid"}
    assert libraries(ada) == ["1"]
    assert ada.get(LIST).status_code == 200


def test_a_new_sign_in_leaves_a_profile_whose_token_is_refused(
    ada: Client, kid: Account, plextv: Simulator, sign_in: SignIn
) -> None:
    assert switch(ada, kid).status_code == 200
    plextv.revoke_account_tokens(kid)
    assert sign_in(ada).status_code == 200
    assert ada.data("/auth/plex")["profile"] is None
    assert len(libraries(ada)) > 1


def test_the_profiles_need_a_link(server: Any, user: User, plextv: Simulator) -> None:
    client = client_of(server, user)
    for response in (client.get(LIST), client.post(f"{LIST}/abc/switch", json={})):
        error = ended(response, 403, "PLEX_LINK_REQUIRED")
        assert error["details"] == {"reason": ["not_linked"]}
    linked(user, 42, state=PlexLink.State.PENDING)
    error = ended(client.get(LIST), 403, "PLEX_LINK_REQUIRED")
    assert error["details"] == {"reason": ["pending"]}
    assert plextv.count("/api/") == 0


def test_a_token_of_another_encryption_key_needs_a_new_sign_in(
    server: Any, user: User, plextv: Simulator
) -> None:
    linked(user, 42)
    PlexLink.objects.update(encrypted_account_token="of-another-key")
    error = ended(client_of(server, user).get(LIST), 403, "PLEX_LINK_REQUIRED")
    assert error["details"] == {"reason": ["revoked"]}
