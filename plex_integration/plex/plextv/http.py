"""Send one bounded request to plex.tv, as one of this service's two clients.

401 for a token                            →  AccountTokenRefused
any other 4xx status                       →  PlexTvRefused, with Plex's own code
429                                        →  PlexTvBusy, a PlexTvUnavailable
5xx, no connection, broken TLS, time over,
a redirect, a response that is not JSON    →  PlexTvUnavailable
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError

import requests
from django.conf import settings
from plexapi import BASE_HEADERS
from urllib3.exceptions import HTTPError

from medianest.clocks import seconds_ahead
from medianest.serving import upstream
from plex_integration.errors import PlexApiError, PlexTvUnavailable
from plex_integration.plex.transport import enforce_deadline, new_session, remaining_seconds
from plex_integration.plex.xml import parse_xml

MAX_SECONDS = 5.0
"""How long a request to plex.tv may take, with everything."""
MAX_BYTES = 64 * 1024

_TOKEN = re.compile("[!-~]{1,512}")
_JWT = "eyJ"


class Client(StrEnum):
    """The client identifiers that this service uses at plex.tv.

    plex.tv has one token for an account and a client: a second sign-in replaces the first token.
    The operator, whose token this service uses, may sign in as a viewer too.
    """

    OPERATOR = BASE_HEADERS["X-Plex-Client-Identifier"]
    VIEWERS = f"{OPERATOR}-viewers"


class PlexTvBusy(PlexTvUnavailable):
    """plex.tv limits the requests of this service; `after` is for how many seconds, if it says."""

    after: int | None = None


class UnsupportedToken(PlexApiError):
    """plex.tv issued a token that this service cannot use for long."""

    default_detail = (
        "Plex sent a token of a kind that this service does not support. "
        "Ask the operator to update this service."
    )


class PlexTvRefused(Exception):
    """plex.tv refused a request. `code` is Plex's own code of the error, if it sent one."""

    def __init__(self, status: int, code: int | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.code = code


class AccountTokenRefused(PlexTvRefused):
    """plex.tv does not accept the token as that of an account, or not any more."""


def request(
    method: str,
    path: str,
    client: Client,
    token: str = "",
    params: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Any:
    """Send a request and return the JSON that plex.tv sends; the errors are in the module's table.

    Raises UpstreamNeeded where this thread must not wait.
    """
    headers = _headers(client, token, "application/json")
    try:
        return json.loads(_exchange(method, path, headers, params, max_bytes))
    except (ValueError, RecursionError) as error:
        raise PlexTvUnavailable from error


def request_xml(path: str, client: Client, token: str, max_bytes: int) -> Element:
    """GET what plex.tv has as XML alone, and return its root; the errors are those of `request`."""
    headers = _headers(client, token, "application/xml")
    try:
        return parse_xml([_exchange("GET", path, headers, None, max_bytes)])
    except (ExpatError, PlexApiError) as error:
        raise PlexTvUnavailable from error


def clock_difference(path: str, client: Client) -> float | None:
    """Return by how many seconds plex.tv's clock is ahead of this machine's, at least.

    It is 0 for less than the time that the response took. None if the response has no date.
    Raises PlexTvUnavailable.
    """
    began = time.time()
    with _responding("GET", path, _headers(client, "", "application/json"), None) as response:
        ended = time.time()
        date = response.headers.get("Date", "")
    try:
        seconds = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
    # The date has whole seconds, rounded down.
    return seconds_ahead(seconds, began, ended, resolution=1)


def _exchange(
    method: str,
    path: str,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None,
    max_bytes: int,
) -> bytes:
    """Send a request and return the body of a response that reports success."""
    with _responding(method, path, headers, params) as response:
        body = _read(response, max_bytes)
        _raise_for_status(response, body)
        return body


def usable_token(text: Any) -> str:
    """Return a token that plex.tv sent. Raises PlexTvUnavailable for anything else.

    Raises UnsupportedToken for a JSON Web Token: it expires after days, and only the client that
    made a key pair for it can renew it.
    """
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        raise PlexTvUnavailable
    if text.startswith(_JWT):
        raise UnsupportedToken
    return text


def _headers(client: Client, token: str, accept: str) -> dict[str, str]:
    headers = {**BASE_HEADERS, "X-Plex-Client-Identifier": client.value, "Accept": accept}
    return {**headers, "X-Plex-Token": token} if token else headers


@contextmanager
def _responding(
    method: str, path: str, headers: Mapping[str, str], params: Mapping[str, str] | None
) -> Iterator[requests.Response]:
    """Send a request; the block has the response, and MAX_SECONDS with everything."""
    if not upstream.may_wait():
        raise PlexTvUnavailable
    try:
        with (
            enforce_deadline(time.monotonic() + MAX_SECONDS),
            new_session(verify=True) as session,
            session.request(
                method,
                settings.PLEX_TV_URL + path,
                headers=headers,
                params=params,
                timeout=remaining_seconds(),
                allow_redirects=False,  # requests would send the token to the new host
                stream=True,
            ) as response,
        ):
            yield response
    except (requests.RequestException, HTTPError, OSError) as error:
        raise PlexTvUnavailable from error


def _read(response: requests.Response, max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > max_bytes:
            raise PlexTvUnavailable
    return bytes(body)


def _raise_for_status(response: requests.Response, body: bytes) -> None:
    status = response.status_code
    if status == 429:
        raise _busy(response.headers.get("Retry-After", ""))
    if status == 401:
        raise AccountTokenRefused(status, _code(body))
    if 400 <= status < 500:
        raise PlexTvRefused(status, _code(body))
    if status not in (200, 201):
        raise PlexTvUnavailable


def _busy(retry_after: str) -> PlexTvBusy:
    if not retry_after.isascii() or not retry_after.isdigit() or len(retry_after) > 5:
        return PlexTvBusy()
    busy = PlexTvBusy(headers={"Retry-After": retry_after})
    busy.after = int(retry_after)
    return busy


def _code(body: bytes) -> int | None:
    """Return Plex's own code of an error: {"errors": [{"code": 1041, …}]}."""
    try:
        code = json.loads(body)["errors"][0]["code"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return code if type(code) is int else None
