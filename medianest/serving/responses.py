"""Responses that do not come from Django, and how ASGI and WSGI send them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from medianest.api import renderers
from medianest.api.exceptions import Problem, error_body
from medianest.api.middleware import identify, response_time
from medianest.serving.outer_headers import SAFE, OuterHeaders, encoded, outer_headers
from medianest.serving.request_head import RequestHead

Scope = MutableMapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# What the middleware looks at in a path is only whether it belongs to the API, and whether it is a
# health check.
_API, _PAGES = "/api/v1/plex", "/"
_HEALTH_CHECKS = ("/api/v1/health", "/api/v1/health/live")
# Not a path of Plex, whose responses say how long they took: nobody knows when this one came in.
_NO_HEAD = RequestHead("GET", "http", "/api/", "", {}, 0.0)


@dataclass(slots=True)
class PlainResponse:
    """A whole response; `headers` are those that it has beside the middleware's, `outer`."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    outer: OuterHeaders

    async def send(
        self, send: Send, before_end: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Send it by ASGI. `before_end` runs when the client has all of it but the end."""
        headers = [*encoded(self.headers), *self.outer.encoded]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if before_end is None:
            await send({"type": "http.response.body", "body": self.body})
            return
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await before_end()
        await send({"type": "http.response.body"})

    def start(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Send it by WSGI."""
        start_response(
            f"{self.status} {HTTPStatus(self.status).phrase}", [*self.headers, *self.outer.text]
        )
        return [self.body]


def around(head: RequestHead, status: int, vary: str) -> OuterHeaders | None:
    """Return the middleware's headers for a response to this request; None if it refuses it."""
    host = head.headers.get("host", "")
    path = _API if head.path.startswith("/api/") else _PAGES
    if head.path in _HEALTH_CHECKS:
        path = head.path
    return outer_headers(head.scheme, host, head.headers.get("origin", ""), path, status, vary)


def problem_response(
    head: RequestHead | None, problem: Problem, route: str = "api"
) -> PlainResponse:
    """Return an error in the envelope; None stands for a request whose head is not readable."""
    head = head or _NO_HEAD
    identity = identify(head.headers.get("x-request-id"), route)
    body = renderers.failure(renderers.encode(error_body(problem)), renderers.metadata_of(identity))
    headers: Mapping[str, str] = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Request-ID": identity,
        **problem.headers,
        **dict(response_time(head.path, head.started)),
    }
    outer = around(head, problem.status_code, "Accept") or SAFE
    return PlainResponse(problem.status_code, list(headers.items()), body, outer)
