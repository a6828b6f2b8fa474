"""The headers that the middleware sets on a response, for responses that do not pass it.

The project's own middleware runs around an empty response, once for each combination of what it
looks at, so that these responses have the same headers as all others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse

from medianest.api.middleware import NO_PAGE


@dataclass(frozen=True, slots=True)
class OuterHeaders:
    """Headers as WSGI sends them, and as ASGI does."""

    text: tuple[tuple[str, str], ...]
    encoded: tuple[tuple[bytes, bytes], ...]


# What differs from response to response, and what only the server knows.
_OWN = frozenset({"content-type", "content-length", "x-request-id", "x-plex-response-time"})
_RESPONSE = "medianest.outer_headers.response"


class _Middleware(BaseHandler):
    """The middleware of the project around the response that the request carries."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()

    def _get_response(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = request.META[_RESPONSE]
        return response

    def around(self, response: HttpResponse, request: HttpRequest) -> HttpResponse:
        """Return what the middleware makes of a response.

        Not by `get_response`, which would also log the status as that of a real request.
        """
        request.META[_RESPONSE] = response
        found: HttpResponse = self._middleware_chain(request)  # type: ignore[attr-defined]
        return found


@lru_cache(maxsize=1)
def _middleware() -> _Middleware:
    return _Middleware()


@lru_cache(maxsize=1024)
def outer_headers(
    scheme: str, host: str, origin: str, path: str, status: int, vary: str, content_type: str
) -> OuterHeaders | None:
    """Return the headers that the middleware sets on a response with this `Vary` and type.

    `Vary` is among them, since the middleware adds to it. None: the middleware does not let the
    request through, for example because of a foreign host. `path` is one of few: it is cached by.
    """
    headers = [(b"host", host.encode("latin-1"))]
    if origin:
        headers.append((b"origin", origin.encode("latin-1")))
    request = ASGIRequest(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": headers,
            "scheme": scheme,
        },
        BytesIO(),
    )
    inner = HttpResponse(status=status, content_type=content_type, headers={"Vary": vary})
    response = _middleware().around(inner, request)
    if response is not inner:
        return None
    text = tuple((name, value) for name, value in response.items() if name.lower() not in _OWN)
    return OuterHeaders(text, tuple(encoded(text)))


@lru_cache(maxsize=256)
def _encoded_name(name: str) -> bytes:
    return name.lower().encode("latin-1")


def encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI sends them."""
    return [(_encoded_name(name), value.encode("latin-1")) for name, value in headers]


_SAFE = (("Content-Security-Policy", NO_PAGE), ("X-Content-Type-Options", "nosniff"))
SAFE = OuterHeaders(_SAFE, tuple(encoded(_SAFE)))
"""The headers of an error where the middleware refuses the request, or its head is not readable."""


def prepare() -> None:
    """Load the middleware, which reads files."""
    _middleware()


def forget() -> None:
    """Forget the headers: the settings have changed."""
    _middleware.cache_clear()
    outer_headers.cache_clear()
