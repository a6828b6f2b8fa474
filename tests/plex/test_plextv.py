"""The client of plex.tv, against a server on raw sockets: requests, answers, refusals, secrets."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from plex_integration.errors import (
    HomePinWrong,
    HomeProfileNotFound,
    PlexApiError,
    PlexTvUnavailable,
)
from plex_integration.plex.plextv import accounts, home, http, pins
from plex_integration.plex.plextv.accounts import Account
from plex_integration.plex.plextv.home import Profile
from plex_integration.plex.plextv.http import AccountTokenRefused, Client, PlexTvBusy
from tests.pace import Stopwatch
from tests.plex.conftest import PlexTv, ok

TOKEN = "token-of-an-account"
SERVER = "f76e8a11"
KID = Profile(33542084, "f7a3c8f863873771", "Kid", False, True, "little_kid", False)
ADMIN = Profile(2737029, "d320a7e6324aacd5", "admin", True, False, "", True)


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry of an account's resources."""
    shown = {"clientIdentifier": SERVER, "provides": "server", "accessToken": "server-token"}
    return shown | changes


def test_the_operator_and_viewers_are_different_clients(plextv: PlexTv) -> None:
    plextv.sends({"id": 7, "code": "ABCD", "expiresIn": 900})
    pins.create_pin(Client.OPERATOR)
    operator = plextv.last
    pins.create_pin(Client.VIEWERS)
    identifiers = [each.header("X-Plex-Client-Identifier") for each in (operator, plextv.last)]
    assert identifiers[1] == f"{identifiers[0]}-viewers"
    assert (operator.path, plextv.last.path) == ("/api/v2/pins", "/api/v2/pins?strong=true")


def test_a_viewer_signs_in_at_a_page_that_gets_the_code_and_the_way_back(settings: Any) -> None:
    settings.PLEX_TV_URL = "https://plex.tv"
    address = pins.auth_url("abc", "https://client.example/?a=b&c=d")
    page, _, values = address.partition("#?")
    assert page == "https://app.plex.tv/auth"
    assert "code=abc&" in values
    assert "context%5Bdevice%5D%5Bproduct%5D=MediaNest" in values
    assert "forwardUrl=https%3A%2F%2Fclient.example%2F%3Fa%3Db%26c%3Dd" in values
    assert "forwardUrl" not in pins.auth_url("abc")


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_a_pin_that_plextv_does_not_know_has_expired(plextv: PlexTv, status: str) -> None:
    plextv.refuses(status, 1020)
    with pytest.raises(pins.PinExpired):
        pins.token_for_pin(7, Client.VIEWERS)


@pytest.mark.parametrize("content", [{"id": 7, "authToken": None}, {"id": 7}])
def test_a_pin_has_no_token_before_somebody_signs_in(plextv: PlexTv, content: Any) -> None:
    plextv.sends(content)
    assert pins.token_for_pin(7, Client.VIEWERS) is None


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"username": "ada", "title": "Ada L."}, "ada"),
        ({"username": "", "title": "Kid"}, "Kid"),
        ({"username": "ada@example.com", "title": "Ada"}, "Ada"),
        ({"username": "ada@example.com", "title": "ada@example.com"}, ""),
        ({"username": None, "title": 7, "friendlyName": "A"}, "A"),
        ({"title": "a\nb"}, ""),
        ({"username": "x" * 200}, "x" * 150),
    ],
)
def test_the_name_of_an_account_never_contains_its_mail_address(
    plextv: PlexTv, user: dict[str, Any], name: str
) -> None:
    plextv.sends({"id": 555, "email": "ada@example.com", "authToken": TOKEN} | user)
    assert accounts.read_account(TOKEN) == Account(555, name)
    assert plextv.last.header("X-Plex-Token") == TOKEN
    assert plextv.last.path == "/api/v2/user"


@pytest.mark.parametrize("content", [[], {}, {"id": "555"}, {"id": True}, {"id": None}])
def test_an_account_without_a_number_is_unusable(plextv: PlexTv, content: Any) -> None:
    plextv.sends(content)
    with pytest.raises(PlexTvUnavailable):
        accounts.read_account(TOKEN)


@pytest.mark.parametrize(
    ("resources", "token"),
    [
        ([entry()], "server-token"),
        ([entry(provides="client, server,player")], "server-token"),
        ([entry(clientIdentifier="other", accessToken="x"), entry()], "server-token"),
        ([entry(provides="player", owned=True), entry()], "server-token"),
        ([], None),
        ([entry(clientIdentifier="other")], None),
        ([entry(provides="media-server-proxy")], None),
        ([entry(provides=None), "nonsense", None], None),
    ],
)
def test_the_token_is_that_of_the_entry_of_this_server(
    plextv: PlexTv, resources: Any, token: str | None
) -> None:
    plextv.sends(resources)
    assert accounts.read_server_token(TOKEN, SERVER) == token


@pytest.mark.parametrize("token", [None, "", 7, "with blank", "ümlaut"])
def test_an_entry_without_a_usable_token_says_nothing_about_the_access(
    plextv: PlexTv, token: Any
) -> None:
    plextv.sends([entry(accessToken=token)])
    with pytest.raises(PlexTvUnavailable):
        accounts.read_server_token(TOKEN, SERVER)


def test_a_token_that_expires_by_itself_is_refused_with_what_to_do(plextv: PlexTv) -> None:
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl"
    plextv.sends([entry(accessToken=jwt)])
    with pytest.raises(PlexApiError, match="Ask the operator to update this service") as refused:
        accounts.read_server_token(TOKEN, SERVER)
    assert jwt not in repr(refused.value)


def test_the_list_of_an_account_with_many_devices_is_read(plextv: PlexTv) -> None:
    players = [entry(provides="player", connections=["x" * 1000]) for _ in range(1000)]
    plextv.sends([*players, entry()])
    assert accounts.read_server_token(TOKEN, SERVER) == "server-token"


def test_the_profiles_of_a_home_are_read(plextv: PlexTv) -> None:
    kid = {
        "id": 33542084,
        "uuid": "f7a3c8f863873771",
        "title": "Kid",
        "username": None,
        "restricted": True,
        "restrictionProfile": "little_kid",
        "admin": False,
        "protected": False,
    }
    admin = {
        "id": 2737029,
        "uuid": "d320a7e6324aacd5",
        "title": "a@example.com",
        "username": "admin",
        "email": "a@example.com",
        "restricted": False,
        "restrictionProfile": None,
        "admin": True,
        "protected": True,
    }
    plextv.sends({"id": 4711, "users": [admin, kid]})
    assert home.read_profiles(TOKEN) == [ADMIN, KID]


@pytest.mark.parametrize("protected", [None, "1", "false", [], 2])
def test_a_list_that_does_not_say_who_is_protected_is_not_used(
    plextv: PlexTv, protected: Any
) -> None:
    plextv.sends({"users": [{"id": 1, "uuid": "abc", "title": "A", "protected": protected}]})
    with pytest.raises(PlexTvUnavailable):
        home.read_profiles(TOKEN)


@pytest.mark.parametrize("content", [[], {}, {"users": None}, {"users": [None]}])
def test_a_home_that_cannot_be_read_is_not_an_empty_one(plextv: PlexTv, content: Any) -> None:
    plextv.sends(content)
    with pytest.raises(PlexTvUnavailable):
        home.read_profiles(TOKEN)


def test_a_switch_returns_the_token_of_the_profile(plextv: PlexTv) -> None:
    plextv.sends({"id": ADMIN.id, "authToken": "profile-token", "pin": "1234"}, "201 Created")
    switched = home.switch(TOKEN, ADMIN, "1234")
    assert (switched.id, switched.token) == (ADMIN.id, "profile-token")
    assert "profile-token" not in repr(switched)
    request = plextv.last
    assert request.head.startswith(f"POST /api/v2/home/users/{ADMIN.uuid}/switch?pin=1234 ")
    assert request.header("Content-Length") == "0"
    home.switch(TOKEN, ADMIN, "")
    assert "pin" not in plextv.last.path


def test_the_token_of_another_profile_is_not_used(plextv: PlexTv) -> None:
    plextv.sends({"id": KID.id, "authToken": "profile-token"})
    with pytest.raises(PlexTvUnavailable):
        home.switch(TOKEN, ADMIN, "1234")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        ("403 Forbidden", 1041, HomePinWrong),
        ("403 Forbidden", 1000, PlexTvUnavailable),
        ("403 Forbidden", None, PlexTvUnavailable),
        ("404 Not Found", 1002, HomeProfileNotFound),
        ("401 Unauthorized", None, AccountTokenRefused),
        ("401 Unauthorized", 1041, AccountTokenRefused),
        ("429 Too Many Requests", 1003, PlexTvBusy),
    ],
)
def test_a_refused_switch_says_why(
    plextv: PlexTv, status: str, code: int | None, error: type[Exception]
) -> None:
    plextv.refuses(status, code)
    with pytest.raises(error):
        home.switch(TOKEN, ADMIN, "1234")


CALLS: list[Callable[[], Any]] = [
    lambda: accounts.read_account(TOKEN),
    lambda: accounts.read_server_token(TOKEN, SERVER),
    lambda: home.read_profiles(TOKEN),
    lambda: home.switch(TOKEN, KID, ""),
]


@pytest.mark.parametrize("call", CALLS)
def test_only_401_says_that_a_token_is_refused(plextv: PlexTv, call: Callable[[], Any]) -> None:
    plextv.refuses("401 Unauthorized", 1001)
    with pytest.raises(AccountTokenRefused):
        call()
    for status in ("400 Bad Request", "403 Forbidden", "422 Unprocessable", "503 Unavailable"):
        plextv.refuses(status)
        with pytest.raises(PlexTvUnavailable):
            call()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        ok("<html>"),
        ok(""),
        ok("[" * 100_000),
        ok("x" * 100_000),
        ok("{}", "302 Found", Location="http://127.0.0.1:1/"),
        ok("{}", "500 Error"),
        ok("{}", "520 Odd"),
        b"nonsense\r\n\r\n",
    ],
)
def test_an_answer_that_cannot_be_used_is_no_refusal(plextv: PlexTv, answer: bytes | None) -> None:
    plextv.answer = answer
    for call in (*CALLS, lambda: pins.token_for_pin(7, Client.VIEWERS)):
        with pytest.raises(PlexTvUnavailable):
            call()
    assert {each.path.partition("?")[0] for each in plextv.server.requests} == {
        "/api/v2/user",
        "/api/v2/resources",
        "/api/v2/home/users",
        f"/api/v2/home/users/{KID.uuid}/switch",
        "/api/v2/pins/7",
    }


def test_an_answer_that_never_ends_is_cut_off(
    plextv: PlexTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_SECONDS", 0.5)
    plextv.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    watch = Stopwatch()
    with pytest.raises(PlexTvUnavailable):
        accounts.read_account(TOKEN)
    assert watch.keeps(2), watch


@pytest.mark.parametrize(
    ("sent", "after", "header"),
    [
        ("7", 7, "7"),
        ("", None, "5"),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None, "5"),
        ("-1", None, "5"),
    ],
)
def test_how_long_to_wait_comes_from_plextvs_limit(
    plextv: PlexTv, sent: str, after: int | None, header: str
) -> None:
    plextv.sends({"errors": [{"code": 1003}]}, "429 Too Many Requests", Retry_After=sent)
    with pytest.raises(PlexTvBusy) as busy:
        accounts.read_account(TOKEN)
    assert busy.value.after == after
    assert busy.value.headers["Retry-After"] == header


def test_no_token_and_no_pin_reaches_the_log(
    plextv: PlexTv, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    plextv.sends({"id": ADMIN.id, "authToken": "profile-token", "pin": "98765"}, "201 Created")
    home.switch(TOKEN, ADMIN, "98765")
    plextv.refuses("403 Forbidden", 1041)
    with pytest.raises(HomePinWrong):
        home.switch(TOKEN, ADMIN, "98765")
    plextv.answer = None
    with pytest.raises(PlexTvUnavailable) as lost:
        home.switch(TOKEN, ADMIN, "98765")
    logging.getLogger("medianest").error("failed", exc_info=lost.value)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[-1] == "failed"
    for secret in ("98765", TOKEN, "profile-token"):
        assert not any(secret in line for line in lines)
