"""Responses that do not come from Django, and how ASGI and WSGI send them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from medianest.api import error_views, renderers
from medianest.api.exceptions import Problem
from medianest.api.ignored import ignored_metadata
from medianest.api.middleware import identify, response_time
from medianest.api.negotiation import JSON
from medianest.api.request_facts import FACTS
from medianest.monitoring import recent_errors
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
    """A whole response; `headers` are those that it has beside the middleware's, `outer`.

    `endpoint` is the name of the URL, and `user_id` who asked, where they are known.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    outer: OuterHeaders
    endpoint: str = ""
    user_id: str = ""

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


def around(
    head: RequestHead, status: int, vary: str, content_type: str = JSON
) -> OuterHeaders | None:
    """Return the middleware's headers for a response to this request; None if it refuses it."""
    host = head.headers.get("host", "")
    path = _API if head.path.startswith("/api/") else _PAGES
    if head.path in _HEALTH_CHECKS:
        path = head.path
    origin = head.headers.get("origin", "")
    return outer_headers(head.scheme, host, origin, path, status, vary, content_type)


def add_facts(carrier: Mapping[str, Any], response: PlainResponse) -> None:
    """Fill in the facts of a request, where they are collected, from its response."""
    if facts := carrier.get(FACTS):
        facts.endpoint, facts.user_id = response.endpoint, response.user_id


def problem_response(
    head: RequestHead | None, problem: Problem, route: str = "api", ignored: Sequence[str] = ()
) -> PlainResponse:
    """Return an error; None stands for a request whose head is not readable.

    `ignored` are the request's query parameters that have no effect.
    """
    head = head or _NO_HEAD
    identity = identify(head.headers.get("x-request-id"), route)
    recent_errors.record(problem.code, identity)
    metadata = renderers.metadata_of(identity) | ignored_metadata(ignored)
    accept = head.headers.get("accept", "")
    content_type, body = error_views.write(problem, accept, metadata)
    headers: Mapping[str, str] = {
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Request-ID": identity,
        **problem.headers,
        **dict(response_time(head.path, head.started)),
    }
    outer = around(head, problem.status_code, "Accept", content_type) or SAFE
    return PlainResponse(problem.status_code, list(headers.items()), body, outer)
