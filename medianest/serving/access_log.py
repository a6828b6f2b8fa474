"""Write one line for every request, where LOG_FORMAT is json.

A line has no path, no query and no address of a client: these may hold what is secret or personal.
It is written when the last byte was given to the server, in the event loop: whoever reads the log
must not let it wait.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPMethod
from typing import Any

from medianest.api.request_facts import FACTS, RequestFacts
from medianest.logs import FIELDS
from medianest.serving.responses import Application, Message, Receive, Scope, Send

log = logging.getLogger("medianest.access")

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Access:
    """A request and its response, as far as they have come."""

    def __init__(self, method: str, facts: RequestFacts) -> None:
        self._facts = facts
        self._method = method if method in HTTPMethod.__members__ else "OTHER"
        self._began = self._ended = time.monotonic()
        self._status: int | None = None
        self._request_id = self._cache_status = ""

    def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Take the status and the headers of the response."""
        self._status = status
        found = {name.lower(): value for name, value in headers}
        self._request_id = found.get("x-request-id", "")
        self._cache_status = found.get("x-plex-cache-status", "")

    def proceed(self) -> None:
        """Take the time: a part of the response is sent."""
        self._ended = time.monotonic()

    def write(self) -> None:
        """Write the line. A client that did not wait got no response: its status is null."""
        milliseconds = round((self._ended - self._began) * 1000, 1)
        fields = {
            "requestId": self._request_id or None,
            "userId": self._facts.user_id or None,
            "endpoint": self._facts.endpoint or None,
            "method": self._method,
            "status": self._status,
            "cacheStatus": self._cache_status or None,
            "milliseconds": milliseconds,
        }
        endpoint, status = self._facts.endpoint or "-", self._status or "-"
        log.info("%s %s %s", self._method, endpoint, status, extra={FIELDS: fields})


class AccessLogLayer:
    """Write the line of each request under ASGI."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        access = _Access(scope["method"], scope.setdefault(FACTS, RequestFacts()))
        try:
            await self._app(scope, receive, _WatchedSend(access, send))
        finally:
            access.write()


class _WatchedSend:
    """A `send` that shows what passes to the line of the request."""

    def __init__(self, access: _Access, send: Send) -> None:
        self._access, self._send = access, send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message["headers"]
            decoded = ((name.decode(), value.decode("latin-1")) for name, value in headers)
            self._access.start(message["status"], decoded)
        await self._send(message)
        self._access.proceed()


class WsgiAccessLog:
    """Write the line of each request under WSGI."""

    def __init__(self, app: WsgiApplication) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        access = _Access(environ["REQUEST_METHOD"], environ.setdefault(FACTS, RequestFacts()))
        watched = _WatchedStart(access, start_response)
        return _WatchedBody(access, self._app(environ, watched))


class _WatchedStart:
    """A `start_response` that shows the head of the response to the line of the request."""

    def __init__(self, access: _Access, start_response: Callable[..., Any]) -> None:
        self._access, self._start_response = access, start_response

    def __call__(self, status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        self._access.start(int(status[:3]), headers)
        return self._start_response(status, headers, *rest)


class _WatchedBody:
    """The body of a response; the line of the request is written when the server closes it."""

    def __init__(self, access: _Access, body: Iterable[bytes]) -> None:
        self._access, self._body = access, body

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            yield piece
            self._access.proceed()

    def close(self) -> None:
        """Close the body, and write the line."""
        try:
            if close := getattr(self._body, "close", None):
                close()
        finally:
            self._access.write()
