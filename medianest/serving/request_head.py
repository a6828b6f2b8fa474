"""The head of a request as it is read before Django: by ASGI or WSGI, without its body."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

JSON_TYPES = frozenset(
    {
        "*/*",
        "application/json",
        "application/json, text/plain, */*",
        "application/json, application/problem+json",
        "application/problem+json, application/json",
        "application/problem+json",
    }
)
"""What clients accept that want JSON; anything else goes through DRF's content negotiation."""

# The headers that decide about a response that does not come from Django.
_NAMES = (
    "accept",
    "accept-encoding",
    "authorization",
    "cache-control",
    "content-length",
    "host",
    "if-none-match",
    "origin",
    "transfer-encoding",
    "x-forwarded-proto",
    "x-request-id",
)
_ASGI_NAMES = {name.encode(): name for name in _NAMES}
_ENVIRON_NAMES = {
    "CONTENT_LENGTH" if name == "content-length" else f"HTTP_{name.upper().replace('-', '_')}": name
    for name in _NAMES
}
MAX_HEADER_LENGTH = 4096


def path_of(scope: Mapping[str, Any]) -> str:
    """Return the path of an ASGI request below the prefix that the server serves it at."""
    path: str = scope["path"]
    root = scope.get("root_path")
    return path.removeprefix(root) if root else path


def _forwarded_scheme(scheme: str, forwarded: str) -> str:
    """Return how the request reached the proxy, if it is believed, as Django reads it."""
    is_believed = bool(settings.SECURE_PROXY_SSL_HEADER)
    if not is_believed:
        return scheme
    return "https" if forwarded.partition(",")[0].strip() == "https" else "http"


@dataclass(slots=True)
class RequestHead:
    """A request's method, address and headers; `started` is a moment of `time.monotonic()`."""

    method: str
    scheme: str
    path: str
    query: str
    headers: Mapping[str, str]
    started: float

    @classmethod
    def of_scope(cls, scope: Mapping[str, Any]) -> "RequestHead | None":
        """Read an ASGI request; None for one that Django must judge."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            wanted = _ASGI_NAMES.get(name)
            if wanted is not None:
                if wanted in headers or len(value) > MAX_HEADER_LENGTH:
                    return None
                headers[wanted] = value.decode("latin-1")
        try:
            query = scope["query_string"].decode("ascii")
        except UnicodeDecodeError:
            return None
        scheme = scope["scheme"]
        if "x-forwarded-proto" in headers:
            scheme = _forwarded_scheme(scheme, headers["x-forwarded-proto"])
        return cls(scope["method"], scheme, path_of(scope), query, headers, time.monotonic())

    @classmethod
    def of_environ(cls, environ: Mapping[str, Any]) -> "RequestHead | None":
        """Read a WSGI request; None for one that Django must judge."""
        headers: dict[str, str] = {}
        for key, name in _ENVIRON_NAMES.items():
            value = environ.get(key, "")
            if len(value) > MAX_HEADER_LENGTH:
                return None
            if value:
                headers[name] = value
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        if not (path.isascii() and query.isascii()):
            return None
        scheme = environ["wsgi.url_scheme"]
        if "x-forwarded-proto" in headers:
            scheme = _forwarded_scheme(scheme, headers["x-forwarded-proto"])
        return cls(environ["REQUEST_METHOD"], scheme, path, query, headers, time.monotonic())

    @property
    def wants_json(self) -> bool:
        """Tell whether this is a plain GET, without a body, of a client that wants JSON."""
        headers = self.headers
        return (
            self.method == "GET"
            and headers.get("accept", "*/*") in JSON_TYPES
            and headers.get("content-length", "0") == "0"
            and "transfer-encoding" not in headers
        )
