"""Sign in to Plex with a PIN: someone enters a code at plex.tv, and this service gets a token.

Two plain requests and one client identifier for all workers, so that any worker can check a PIN
that another one created. python-plexapi's MyPlexPinLogin cannot do that, and hides errors;
docs/architecture.md says why it is not used. Reference: https://developer.plex.tv/pms/ (pins)
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

from medianest.serving import upstream
from plex_integration.plex.transport import enforce_deadline, new_session, remaining_seconds

# How long a page waits for plex.tv.
MAX_SECONDS = 5.0
MAX_BYTES = 64 * 1024
# How long a PIN is valid if plex.tv does not say.
DEFAULT_LIFETIME = 900

_CODE = re.compile("[A-Za-z0-9]{1,64}")
_TOKEN = re.compile("[!-~]{1,256}")


class PlexTvUnavailable(Exception):
    """plex.tv does not respond at the moment; a later request may succeed."""


class PlexTvRefused(Exception):
    """plex.tv refused the request, or sent a response that cannot be used."""


class PinExpired(Exception):
    """The code was not entered in time, or plex.tv does not know it any more."""


@dataclass(frozen=True)
class Pin:
    """A code to enter at plex.tv, and the seconds until it expires."""

    id: int
    code: str
    seconds: int


def link_url() -> str:
    """Return the address of the page where a code is entered."""
    return f"{settings.PLEX_TV_URL}/link"


def create_pin() -> Pin:
    """Request a code. Raises PlexTvUnavailable or PlexTvRefused."""
    status, pin = _request("POST", "/api/v2/pins")
    pin_id, code = pin.get("id"), pin.get("code")
    if status not in (200, 201) or type(pin_id) is not int or not _matches(_CODE, code):
        raise PlexTvRefused
    return Pin(pin_id, str(code), _lifetime(pin.get("expiresIn")))


def token_for_pin(pin_id: int) -> str | None:
    """Return the token of a PIN; None until its code is entered.

    Raises PinExpired, PlexTvUnavailable or PlexTvRefused.
    """
    status, pin = _request("GET", f"/api/v2/pins/{pin_id:d}")
    if status == 404:
        raise PinExpired
    token = pin.get("authToken")
    if status != 200 or (token and not _matches(_TOKEN, token)):
        raise PlexTvRefused
    return token or None


def _request(method: str, path: str) -> tuple[int, dict[str, Any]]:
    """Send a request to plex.tv; return the status and the JSON object, empty if there is none.

    Raises PlexTvUnavailable, and UpstreamNeeded where this thread must not wait.
    """
    if not upstream.may_wait():
        raise PlexTvUnavailable
    try:
        status, body = _send(method, path)
    except (requests.RequestException, HTTPError, OSError) as error:
        raise PlexTvUnavailable from error
    if status >= 500:
        raise PlexTvUnavailable
    try:
        pin = json.loads(body)
    except (ValueError, RecursionError):
        pin = None
    return status, pin if isinstance(pin, dict) else {}


def _send(method: str, path: str) -> tuple[int, bytes]:
    with (
        enforce_deadline(time.monotonic() + MAX_SECONDS),
        new_session(verify=True) as session,
        session.request(
            method,
            settings.PLEX_TV_URL + path,
            headers={**BASE_HEADERS, "Accept": "application/json"},
            timeout=remaining_seconds(),
            allow_redirects=False,
            stream=True,
        ) as response,
    ):
        return response.status_code, _read(response)


def _read(response: requests.Response) -> bytes:
    body = b""
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > MAX_BYTES:
            raise PlexTvRefused
    return body


def _lifetime(seconds: Any) -> int:
    is_plausible = type(seconds) is int and 0 < seconds <= DEFAULT_LIFETIME * 4
    return seconds if is_plausible else DEFAULT_LIFETIME


def _matches(pattern: "re.Pattern[str]", text: Any) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None
