"""The list of shares, against a server that sends what plex.tv might."""

from typing import Any

import pytest

from plex_integration.errors import PlexTvUnavailable
from plex_integration.plex.plextv.http import AccountTokenRefused
from plex_integration.plex.plextv.shares import Share, read_shares
from tests.plex.conftest import ok

SERVER = "f76e8a11"


def user(identifier: str = "555", server: str = SERVER, **attributes: str) -> str:
    """Return a share as plex.tv sends it."""
    given = {"id": identifier, "title": "sarah", "username": "sarah"} | attributes
    text = " ".join(f'{name}="{value}"' for name, value in given.items())
    return f'<User {text}><Server id="1" machineIdentifier="{server}"/></User>'


@pytest.fixture
def shares_of(serve: Any, settings: Any) -> Any:
    """Return a function that reads the shares of a plex.tv that sends these users."""

    def read(*users: str, status: str = "200 OK") -> list[Share]:
        body = f"<MediaContainer>{''.join(users)}</MediaContainer>".encode()
        settings.PLEX_TV_URL = serve(ok(body, status)).url
        return read_shares("token-of-the-owner", SERVER)

    return read


def test_a_share_has_its_account_and_its_filters(shares_of: Any) -> None:
    home = user(home="1", restricted="1", username="", filterMovies="label!=A%2CB", filterAll="")
    (share,) = shares_of(home)
    assert share == Share(555, "sarah", True, True, {"filterMovies": "label!=A%2CB"})


def test_shares_of_other_servers_are_left_out(shares_of: Any) -> None:
    assert shares_of(user(server="other")) == []


@pytest.mark.parametrize("name", ["sarah@example.com", "", " "])
def test_a_mail_address_is_no_name(shares_of: Any, name: str) -> None:
    (share,) = shares_of(user(title=name, username=name))
    assert share.name == ""


@pytest.mark.parametrize(
    "identifier",
    ["", "x", "-1", "٣", "9" * 20, "9" * 5000],
    ids=["empty", "text", "negative", "other digits", "20 digits", "5000 digits"],
)
def test_a_user_without_a_usable_id_is_left_out(shares_of: Any, identifier: str) -> None:
    assert [share.id for share in shares_of(user(identifier), user("7"))] == [7]


def test_a_token_that_is_not_an_accounts_is_refused(shares_of: Any) -> None:
    with pytest.raises(AccountTokenRefused):
        shares_of(status="401 Unauthorized")


@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 Error", "302 Found"])
def test_a_plex_tv_that_fails_is_unavailable(shares_of: Any, status: str) -> None:
    with pytest.raises(PlexTvUnavailable):
        shares_of(status=status)


@pytest.mark.parametrize("body", [b"", b"{}", b"<html></html>", b"<MediaContainer>", b"x" * 10])
def test_what_is_no_list_is_unavailable(serve: Any, settings: Any, body: bytes) -> None:
    settings.PLEX_TV_URL = serve(ok(body)).url
    with pytest.raises(PlexTvUnavailable):
        read_shares("token-of-the-owner", SERVER)


def test_a_list_without_an_end_is_not_read_to_the_end(shares_of: Any) -> None:
    with pytest.raises(PlexTvUnavailable):
        shares_of(user(thumb="x" * 5_000_000))
