"""The part of plex.tv that gives this service a token: a code that somebody types in there.

Two plain requests, with the one client identifier that every worker has: whichever of them is
asked can tell whether the code was linked. https://developer.plex.tv/pms/ (pins).
"""

import json
import re
import time
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from plexapi import BASE_HEADERS
from urllib3.exceptions import HTTPError

from plex_integration.plex import transport

# The most seconds that a page waits for plex.tv.
SECONDS = 5.0
MOST_BYTES = 64 * 1024
# A code lives so long where plex.tv does not say.
LIFETIME = 900

_CODE = re.compile("[A-Za-z0-9]{1,64}")
_TOKEN = re.compile("[!-~]{1,256}")


class PlexTvAway(Exception):
    """plex.tv does not answer now: ask again."""


class PlexTvRefused(Exception):
    """plex.tv answers, but not with what was asked for."""


class PinEnded(Exception):
    """The code was not linked in time, or plex.tv does not know it any more."""


@dataclass(frozen=True)
class Pin:
    """A code to type in at plex.tv, and the seconds it is good for."""

    id: int
    code: str
    seconds: int


def link_page() -> str:
    """Return the address of the page where a code is typed in."""
    return f"{settings.PLEX_TV_URL}/link"


def new_pin() -> Pin:
    """Ask for a code. Raises PlexTvAway, PlexTvRefused."""
    status, told = _ask("POST", "/api/v2/pins")
    identity, code, seconds = told.get("id"), told.get("code"), told.get("expiresIn")
    if status not in (200, 201) or type(identity) is not int or not _is(_CODE, code):
        raise PlexTvRefused
    if type(seconds) is not int or not 0 < seconds <= LIFETIME * 4:
        seconds = LIFETIME
    return Pin(identity, str(code), seconds)


def token_of(pin: int) -> str | None:
    """Ask for a code's token; None until it is linked.

    Raises PinEnded, PlexTvAway, PlexTvRefused.
    """
    status, told = _ask("GET", f"/api/v2/pins/{pin:d}")
    if status == 404:
        raise PinEnded
    token = told.get("authToken")
    if status != 200 or (token and not _is(_TOKEN, token)):
        raise PlexTvRefused
    return token or None


def _ask(method: str, path: str) -> tuple[int, dict[str, Any]]:
    headers = {**BASE_HEADERS, "Accept": "application/json"}
    try:
        with (
            transport.within(time.monotonic() + SECONDS),
            transport.session(verify=True) as session,
            session.request(
                method,
                settings.PLEX_TV_URL + path,
                headers=headers,
                timeout=transport.remaining(),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = b""
            for chunk in response.iter_content(8192):
                body += chunk
                if len(body) > MOST_BYTES:
                    raise PlexTvRefused
            status = response.status_code
    except (requests.RequestException, HTTPError, OSError) as error:
        raise PlexTvAway from error
    if status >= 500:
        raise PlexTvAway
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    return status, told if isinstance(told, dict) else {}


def _is(shape: "re.Pattern[str]", text: Any) -> bool:
    return isinstance(text, str) and shape.fullmatch(text) is not None
