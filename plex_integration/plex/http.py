"""One request to Plex: python-plexapi's server with a query that can be trusted.

Statuses, broken XML and requests' exceptions become this service's own errors here, once.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element, ParseError, XMLParser

import requests
from plexapi.base import PlexObject
from plexapi.server import PlexServer
from urllib3.exceptions import HTTPError

from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexApiError, PlexServerUnavailable, PlexUnauthorized
from plex_integration.plex import transport

# The most bytes of one answer, decoded: an unpaged list of 10,000 items has about as many.
MOST_BYTES = 32 * 1024 * 1024

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_REFERENCE = re.compile("&#(x[0-9a-fA-F]+|[0-9]+);")
_ILLEGAL_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class NotThere(PlexApiError):
    """Plex has nothing at this path: 404, or 200 without a body."""


class Server(PlexServer):
    """python-plexapi's server without its first request, and with a query that can be trusted."""

    def __init__(self, to: Connection) -> None:
        # The parent's constructor asks Plex, and remembers every token in a global set.
        self._baseurl = to.url
        self._token = to.token
        self._verify = to.verify
        self._session = transport.session(to.verify)
        self._timeout = to.seconds
        self._showSecrets = False
        PlexObject.__init__(self, self, None, self.key)  # type: ignore[no-untyped-call]

    def query(
        self,
        key: str,
        method: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Element:
        """GET a path and parse the answer; raise this service's own errors.

        The path must begin with a slash: python-plexapi joins it to the address as text.
        """
        if not key.startswith("/"):
            raise ValueError("a path of Plex's begins with a slash")
        with _translated():
            return _parsed(self.body(key, headers or {}, params, MOST_BYTES))

    def body(
        self, key: str, headers: Mapping[str, str], params: Mapping[str, Any] | None, most: int
    ) -> bytes:
        """GET a path's bytes, no more than `most`; raise this service's own errors."""
        with _translated():
            try:
                return self._body(key, headers, params, most)
            except requests.ConnectionError as error:
                if not _hung_up(error):
                    raise
                # Plex may close a kept connection just as it is used again: ask once more.
                return self._body(key, headers, params, most)

    def send(self, method: str, key: str, params: Mapping[str, str]) -> bytes:
        """Send a write, once; return the bytes of the answer, which may be none.

        Raises this service's own errors. Where Plex does not answer nobody knows what it did, so
        it is never asked again here; and a connection of its own keeps it from being lost to one
        that Plex has just closed.
        """
        # As python-plexapi spells it: a blank is %20, never a plus.
        query = urlencode(params, quote_via=quote, safe="")
        with (
            _translated(),
            transport.session(self._verify) as session,
            session.request(
                method,
                self.url(key),  # type: ignore[no-untyped-call]
                headers=self._headers(),  # type: ignore[no-untyped-call]
                params=query,
                timeout=transport.remaining(),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            _refuse(200 if response.status_code in (201, 204) else response.status_code)
            return _read(response, MOST_BYTES)

    @contextmanager
    def stream(self, key: str, content_type: str, silence: float) -> Iterator[Iterator[bytes]]:
        """GET a path whose answer has no end; give its bytes as they come, once it has begun.

        Raises this service's own errors: PlexServerUnavailable after so many seconds of silence.
        """
        # What is compressed on the way comes late, and in any size.
        headers = {"Accept": content_type, "Accept-Encoding": "identity"}
        with _translated(), transport.within(time.monotonic() + silence):
            response = self._session.get(
                self.url(key),  # type: ignore[no-untyped-call]
                headers=self._headers(**headers),  # type: ignore[no-untyped-call]
                timeout=transport.remaining(),
                allow_redirects=False,
                stream=True,
            )
        with self._session, response:
            _refuse(response.status_code)
            if not response.headers.get("Content-Type", "").startswith(content_type):
                raise PlexApiError
            yield _pieces(response, silence)

    def _body(self, key: str, headers: Mapping[str, str], params: Any, most: int) -> bytes:
        with self._session.get(
            self.url(key),  # type: ignore[no-untyped-call]
            headers=self._headers(**headers),  # type: ignore[no-untyped-call]
            params=params,
            timeout=transport.remaining(),
            allow_redirects=False,
            stream=True,
        ) as response:
            _refuse(response.status_code)
            return _read(response, most)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn every foreign exception of a call into one of this service's, most specific first."""
    try:
        yield
    except requests.exceptions.ContentDecodingError as error:
        raise PlexApiError from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise PlexApiError from error
    except (requests.RequestException, HTTPError, TimeoutError, OSError) as error:
        raise PlexServerUnavailable from error
    except ParseError as error:
        raise PlexApiError from error


def _read(response: requests.Response, most: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > most:
            raise PlexApiError
    return bytes(body)


def _pieces(response: requests.Response, silence: float) -> Iterator[bytes]:
    while True:
        with _translated(), transport.within(time.monotonic() + silence):
            piece: bytes = response.raw.read1(65536, decode_content=False)
        if not piece:
            return
        yield piece


def _hung_up(error: requests.ConnectionError) -> bool:
    told = repr(error)
    return "RemoteDisconnected" in told or "ConnectionResetError" in told


def _refuse(status: int) -> None:
    if status in (401, 403):
        raise PlexUnauthorized
    if status == 404:
        raise NotThere
    if status == 503:
        raise PlexServerUnavailable("Plex server is starting up or under maintenance.")
    if status != 200:
        raise PlexApiError(f"Plex answered with status {status}.")


def _parsed(body: bytes) -> Element:
    if not body.strip():
        raise NotThere
    # expat takes bytes with a UTF-16 mark, or with NULs, for UTF-16 whatever encoding it is told:
    # these are never given to it as they are, or a DOCTYPE could be spelled so.
    if b"\x00" in body or body.startswith(_UTF_16_MARKS):
        body = _repaired(body)
    try:
        root = _tree(body)
    except ParseError:
        # Plex passes control characters of file names and tags on, which XML does not allow.
        root = _tree(_repaired(body))
    if root.tag != "MediaContainer":
        raise PlexApiError
    return root


def _repaired(body: bytes) -> bytes:
    text = _ILLEGAL_IN_XML.sub("", body.decode("utf-8", "replace"))
    return _REFERENCE.sub(_legal_reference, text).encode()


def _legal_reference(found: re.Match[str]) -> str:
    """Return a character's number as it was written; nothing where XML cannot hold it."""
    digits = found[1]
    if len(digits) > 10:
        return ""
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    is_legal = code in (9, 10, 13) or 32 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD
    return found[0] if is_legal or 0x10000 <= code <= 0x10FFFF else ""


def _tree(body: bytes) -> Element:
    # Entities are only ever declared in a DOCTYPE, and Plex sends none.
    if b"<!DOCTYPE" in body:
        raise PlexApiError
    parser = XMLParser(encoding="utf-8")  # noqa: S314 - no DOCTYPE, no more than MOST_BYTES
    parser.feed(body)
    root: Element = parser.close()
    return root
