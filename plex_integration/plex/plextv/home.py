"""The profiles of a Plex Home, and switching to one."""

import re
from dataclasses import dataclass, field
from typing import Any

from plex_integration.errors import HomePinWrong, HomeProfileNotFound, PlexTvUnavailable
from plex_integration.plex.plextv.accounts import as_viewer, public_name
from plex_integration.plex.plextv.http import (
    AccountTokenRefused,
    Client,
    PlexTvRefused,
    request,
    usable_token,
)

_UUID = re.compile("[A-Za-z0-9-]{1,64}")
_PATH = "/api/v2/home/users"
_PIN_CODE = 1041


@dataclass(frozen=True)
class Profile:
    """A profile of a Plex Home. `restriction_profile` is "" for one without an age profile."""

    id: int
    uuid: str
    name: str
    is_admin: bool
    is_restricted: bool
    restriction_profile: str
    is_protected: bool


@dataclass(frozen=True)
class Switched:
    """The account-level token of a profile: for plex.tv, while a Plex Media Server refuses it."""

    id: int
    token: str = field(repr=False)


def read_profiles(token: str) -> list[Profile]:
    """Return the profiles of an account's Plex Home; an account without one has none.

    Raises AccountTokenRefused or PlexTvUnavailable, also where plex.tv does not say of every
    profile whether a PIN protects it.
    """
    return _profiles(as_viewer("GET", _PATH, token))


def read_profiles_as_operator(token: str) -> list[Profile]:
    """Return the profiles of the owner's Plex Home, with the token of this service.

    Raises PlexTvRefused or PlexTvUnavailable.
    """
    return _profiles(request("GET", _PATH, Client.OPERATOR, token))


def _profiles(home: Any) -> list[Profile]:
    if not isinstance(home, dict) or not isinstance(home.get("users"), list):
        raise PlexTvUnavailable
    return [_profile(each) for each in home["users"]]


def switch(token: str, profile: Profile, pin: str) -> Switched:
    """Get a token of a profile; `pin` is "" for one without.

    plex.tv checks a PIN only if one is sent, so the caller must require it. Raises HomePinWrong,
    HomeProfileNotFound, AccountTokenRefused, PlexTvUnavailable or UnsupportedToken.
    """
    params = {"pin": pin} if pin else None
    try:
        user = request("POST", f"{_PATH}/{profile.uuid}/switch", Client.VIEWERS, token, params)
    except AccountTokenRefused:
        raise
    except PlexTvRefused as refused:
        raise _switch_error(refused) from None
    if not isinstance(user, dict) or user.get("id") != profile.id:
        raise PlexTvUnavailable
    return Switched(profile.id, usable_token(user.get("authToken")))


def _switch_error(refused: PlexTvRefused) -> Exception:
    if refused.status == 403 and refused.code == _PIN_CODE:
        return HomePinWrong()
    return HomeProfileNotFound() if refused.status == 404 else PlexTvUnavailable()


def _profile(user: Any) -> Profile:
    if not isinstance(user, dict) or not _is_complete(user):
        raise PlexTvUnavailable
    restriction = user.get("restrictionProfile")
    return Profile(
        user["id"],
        user["uuid"],
        public_name(user),
        bool(user.get("admin")),
        bool(user.get("restricted")),
        restriction[:64] if isinstance(restriction, str) else "",
        bool(user["protected"]),
    )


def _is_complete(user: dict[str, Any]) -> bool:
    uuid = user.get("uuid")
    return (
        type(user.get("id")) is int
        and isinstance(uuid, str)
        and _UUID.fullmatch(uuid) is not None
        and user.get("protected") in (True, False)
    )
