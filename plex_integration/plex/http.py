"""Send requests to Plex: python-plexapi's server class with bounded, translated requests.

python-plexapi builds the URLs and the headers. Sending, reading, limits and errors are this
service's own; docs/architecture.md says why.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

import requests
from plexapi.base import PlexObject
from plexapi.server import PlexServer

from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexApiError
from plex_integration.plex.errors import raise_for_status, translate_errors
from plex_integration.plex.transport import enforce_deadline, new_session, remaining_seconds
from plex_integration.plex.xml import MAX_BYTES, parse_xml

T = TypeVar("T")

_CHUNK = 65536


class PlexHttp(PlexServer):
    """A Plex server, as python-plexapi knows it, that sends no request when it is created.

    Without a `session` it has one of its own.

    Every method raises this service's own errors. All but `stream` need a deadline:
    `with enforce_deadline(…)`.
    """

    def __init__(self, connection: Connection, session: requests.Session | None = None) -> None:
        # The parent's constructor sends a request, and adds every token to a global set.
        self._baseurl = connection.url
        self._token = connection.token
        self._verify = connection.verify
        self._session = session or new_session(connection.verify)
        self._timeout = connection.seconds
        self._showSecrets = False
        PlexObject.__init__(self, self, None, self.key)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def query(
        self,
        key: str,
        method: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Element:
        """GET a path and return the parsed response.

        The path must begin with a slash, because python-plexapi appends it to the address as text:
        `@evil.example/` would change the host.
        """
        if not key.startswith("/"):
            raise ValueError("a path on the Plex server begins with a slash")
        with translate_errors():
            return self._get(key, headers or {}, params, _read_xml)

    def get_bytes(
        self, key: str, headers: Mapping[str, str], params: Mapping[str, Any] | None, max_bytes: int
    ) -> bytes:
        """GET a path and return the body; raise PlexApiError if it is too large."""
        with translate_errors():
            return self._get(key, headers, params, partial(_read, max_bytes=max_bytes))

    def send(self, method: str, key: str, params: Mapping[str, str]) -> bytes:
        """Send a write exactly once and return the body, which may be empty.

        A write without a response may have been executed, so it is never retried here. It gets a
        connection of its own, so that it cannot be lost on one that Plex has just closed.
        """
        # python-plexapi encodes a blank as %20, never as a plus.
        query = urlencode(params, quote_via=quote, safe="")
        with (
            translate_errors(),
            new_session(self._verify) as session,
            self._request(session, method, key, {}, query) as response,
        ):
            raise_for_status(response.status_code, (200, 201, 204))
            return _read(response, MAX_BYTES)

    def create(self, key: str, params: Mapping[str, str]) -> Element:
        """POST a write exactly once and return the parsed response."""
        with translate_errors():
            return parse_xml([self.send("POST", key, params)])

    @contextmanager
    def stream(self, key: str, content_type: str, max_silence: float) -> Iterator[Iterator[bytes]]:
        """GET an endless response and return its bytes as they arrive, once it has begun.

        Raises PlexServerUnavailable after `max_silence` seconds without a byte.
        """
        # A compressed stream would arrive late, and in pieces of any size.
        headers = {"Accept": content_type, "Accept-Encoding": "identity"}
        with translate_errors(), enforce_deadline(time.monotonic() + max_silence):
            response = self._request(self._session, "GET", key, headers, None)
        with self._session, response:
            raise_for_status(response.status_code)
            if not response.headers.get("Content-Type", "").startswith(content_type):
                raise PlexApiError
            yield _pieces(response, max_silence)

    def _get(
        self,
        key: str,
        headers: Mapping[str, str],
        params: Any,
        read: Callable[[requests.Response], T],
    ) -> T:
        try:
            return self._get_once(key, headers, params, read)
        except requests.ConnectionError as error:
            if not _is_disconnect(error):
                raise
            # Plex may close an idle connection at the moment it is used again: retry once.
            return self._get_once(key, headers, params, read)

    def _get_once(
        self,
        key: str,
        headers: Mapping[str, str],
        params: Any,
        read: Callable[[requests.Response], T],
    ) -> T:
        with self._request(self._session, "GET", key, headers, params) as response:
            raise_for_status(response.status_code)
            return read(response)

    def _request(
        self,
        session: requests.Session,
        method: str,
        key: str,
        headers: Mapping[str, str],
        params: Any,
    ) -> requests.Response:
        return session.request(
            method,
            self.url(key),  # type: ignore[no-untyped-call]
            headers=self._headers(**headers),  # type: ignore[no-untyped-call]
            params=params,
            timeout=remaining_seconds(),
            allow_redirects=False,  # requests would send the token to the new host
            stream=True,
        )


def _read_xml(response: requests.Response) -> Element:
    return parse_xml(_blocks(response))


def _blocks(response: requests.Response) -> Iterator[bytes]:
    """Collect what arrives to blocks of about 64 KiB: Plex may send a byte at a time."""
    block = bytearray()
    for chunk in response.iter_content(_CHUNK):
        remaining_seconds()
        block += chunk
        if len(block) >= _CHUNK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _read(response: requests.Response, max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise PlexApiError
    return bytes(body)


def _pieces(response: requests.Response, max_silence: float) -> Iterator[bytes]:
    while True:
        with translate_errors(), enforce_deadline(time.monotonic() + max_silence):
            piece: bytes = response.raw.read1(_CHUNK, decode_content=False)
        if not piece:
            return
        yield piece


def _is_disconnect(error: requests.ConnectionError) -> bool:
    # requests keeps the cause only as an argument of an argument.
    description = repr(error)
    return "RemoteDisconnected" in description or "ConnectionResetError" in description
