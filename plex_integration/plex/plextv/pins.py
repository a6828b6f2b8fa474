"""Sign in to Plex with a PIN: someone signs in at plex.tv, and this service gets a token.

One client identifier for all workers, so that any worker can check a PIN that another one created.
Reference: https://developer.plex.tv/pms/ (pins)
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from plexapi import BASE_HEADERS

from plex_integration.errors import PlexTvUnavailable
from plex_integration.plex.plextv.http import (
    Client,
    PlexTvBusy,
    PlexTvRefused,
    clock_difference,
    request,
    usable_token,
)

DEFAULT_LIFETIME = 900
"""How many seconds a PIN is valid if plex.tv does not say."""

_PATH = "/api/v2/pins"
_EXPIRED_PIN = 1
_CODE = re.compile("[A-Za-z0-9]{1,64}")
_PLEX_TV, _AUTH_PAGE = "https://plex.tv", "https://app.plex.tv/auth"


class PinExpired(Exception):
    """Nobody signed in in time, or plex.tv does not know the PIN any more."""


@dataclass(frozen=True)
class Pin:
    """A PIN: its code, for the page where someone signs in, and the seconds until it expires."""

    id: int
    code: str
    seconds: int


def create_pin(client: Client) -> Pin:
    """Request a PIN. Raises PlexTvUnavailable or PlexTvRefused.

    The operator's has a short code, to enter by hand at `link_url`. A viewer's has a long one,
    which is only for `auth_url`.
    """
    params = {"strong": "true"} if client is Client.VIEWERS else None
    pin = _object(request("POST", _PATH, client, params=params))
    pin_id, code = pin.get("id"), pin.get("code")
    if type(pin_id) is not int or not isinstance(code, str) or not _CODE.fullmatch(code):
        raise PlexTvUnavailable
    return Pin(pin_id, code, _lifetime(pin.get("expiresIn")))


def token_for_pin(pin_id: int, client: Client) -> str | None:
    """Return the token of a PIN; None until somebody has signed in.

    Raises PinExpired, PlexTvUnavailable or PlexTvRefused, and UnsupportedToken.
    """
    try:
        pin = _object(request("GET", f"{_PATH}/{pin_id:d}", client))
    except PlexTvRefused as refused:
        if refused.status in (404, 410):
            raise PinExpired from None
        raise
    token = pin.get("authToken")
    return usable_token(token) if token else None


def check_plex_tv() -> None:
    """Ask for a PIN that expired long ago, which needs no account. Raises PlexTvUnavailable."""
    with suppress(PinExpired, PlexTvRefused, PlexTvBusy):
        token_for_pin(_EXPIRED_PIN, Client.VIEWERS)


def plex_tv_clock() -> float | None:
    """Return by how many seconds plex.tv's clock is ahead of this machine's, as its date tells.

    Raises PlexTvUnavailable.
    """
    return clock_difference(f"{_PATH}/{_EXPIRED_PIN}", Client.VIEWERS)


def link_url() -> str:
    """Return the address of the page where a code is entered by hand."""
    return f"{settings.PLEX_TV_URL}/link"


def auth_url(code: str, forward_url: str = "") -> str:
    """Return the address where a browser signs in for a viewer's PIN, and then goes on."""
    page = _AUTH_PAGE if settings.PLEX_TV_URL == _PLEX_TV else f"{settings.PLEX_TV_URL}/auth"
    values = {
        "clientID": Client.VIEWERS.value,
        "code": code,
        "context[device][product]": BASE_HEADERS["X-Plex-Product"],
    }
    return f"{page}#?{urlencode(values | ({'forwardUrl': forward_url} if forward_url else {}))}"


def _object(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise PlexTvUnavailable
    return content


def _lifetime(seconds: Any) -> int:
    is_plausible = type(seconds) is int and 0 < seconds <= DEFAULT_LIFETIME * 4
    return seconds if is_plausible else DEFAULT_LIFETIME
