"""Report every request when its response is sent: to the log, and to the metrics.

Reports are written when the last byte was given to the server: in the event loop, or under WSGI in
the request's thread. Without any, these layers are left out, which costs nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPMethod
from typing import Any

from medianest.api.request_facts import FACTS, RequestFacts
from medianest.serving.outer_headers import encoded
from medianest.serving.responses import Application, Message, Receive, Scope, Send

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True)
class FinishedRequest:
    """A request and its response; "" and None stand for what is unknown or missing.

    It has no path, no query and no address of a client: these may hold what is secret or personal.
    The status is None if the client was gone before there was a response.
    """

    method: str
    endpoint: str = ""
    user_id: str = ""
    status: int | None = None
    request_id: str = ""
    cache_status: str = ""
    limit: str = ""
    """The header `RateLimit`."""
    seconds: float = 0.0


Report = Callable[[FinishedRequest], None]


class _Watched:
    """A request and its response, as far as they have come."""

    def __init__(self, method: str, facts: RequestFacts, reports: Sequence[Report]) -> None:
        self._facts, self._reports = facts, reports
        self._request = FinishedRequest(method if method in HTTPMethod.__members__ else "OTHER")
        self._began = self._ended = time.monotonic()

    def start(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        """Take the status and the headers of the response; their names are lower case."""
        self._request.status = status
        self._request.request_id = headers.get(b"x-request-id", b"").decode("latin-1")
        self._request.cache_status = headers.get(b"x-plex-cache-status", b"").decode("latin-1")
        self._request.limit = headers.get(b"ratelimit", b"").decode("latin-1")

    def proceed(self) -> None:
        """Take the time: a part of the response is sent."""
        self._ended = time.monotonic()

    def finish(self) -> None:
        """Report the request."""
        request = self._request
        request.endpoint, request.user_id = self._facts.endpoint, self._facts.user_id
        request.seconds = self._ended - self._began
        for report in self._reports:
            report(request)


class FinishedRequests:
    """Report each request under ASGI."""

    def __init__(self, app: Application, reports: Sequence[Report]) -> None:
        self._app, self._reports = app, reports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        facts = scope.setdefault(FACTS, RequestFacts())
        watched = _Watched(scope["method"], facts, self._reports)
        try:
            await self._app(scope, receive, _WatchedSend(watched, send))
        finally:
            watched.finish()


class _WatchedSend:
    """A `send` that watches what passes."""

    def __init__(self, watched: _Watched, send: Send) -> None:
        self._watched, self._send = watched, send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in message["headers"]}
            self._watched.start(message["status"], headers)
        await self._send(message)
        self._watched.proceed()


class WsgiFinishedRequests:
    """Report each request under WSGI."""

    def __init__(self, app: WsgiApplication, reports: Sequence[Report]) -> None:
        self._app, self._reports = app, reports

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        facts = environ.setdefault(FACTS, RequestFacts())
        watched = _Watched(environ["REQUEST_METHOD"], facts, self._reports)
        return _WatchedBody(watched, self._app(environ, _WatchedStart(watched, start_response)))


class _WatchedStart:
    """A `start_response` that watches the head of the response."""

    def __init__(self, watched: _Watched, start_response: Callable[..., Any]) -> None:
        self._watched, self._start_response = watched, start_response

    def __call__(self, status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        self._watched.start(int(status[:3]), dict(encoded(headers)))
        return self._start_response(status, headers, *rest)


class _WatchedBody:
    """The body of a response; the request is reported when the server closes it."""

    def __init__(self, watched: _Watched, body: Iterable[bytes]) -> None:
        self._watched, self._body = watched, body

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            yield piece
            self._watched.proceed()

    def close(self) -> None:
        """Close the body, and report the request."""
        try:
            if close := getattr(self._body, "close", None):
                close()
        finally:
            self._watched.finish()
