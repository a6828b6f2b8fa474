"""Middleware around every request: its id, its clock, and the content security policy."""

import logging
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from secrets import token_hex
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def content_policy(**more: str) -> str:
    """Return the content policy of a page: this origin only, nothing inline, and `more` sources."""
    sources = dict.fromkeys(("script", "style", "img", "font", "connect"), "'self'")
    for name, extra in more.items():
        sources[name] = f"{sources.get(name, '')} {extra}".strip()
    return "; ".join(
        [
            "default-src 'none'",
            *(f"{name}-src {source}" for name, source in sources.items()),
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
    )


PAGE = content_policy()
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"

_current_id: ContextVar[str] = ContextVar("request_id", default="-")


def request_id(request: HttpRequest) -> str:
    """Return the id in this request's envelope, header and log lines."""
    identity: str = request.META["medianest.request_id"]
    return identity


STARTED = "medianest.started"
"""Where a request carries the moment of `time.monotonic()` at which it came in."""


def elapsed_ms(request: HttpRequest) -> int:
    """Return the milliseconds since the request came in."""
    return _milliseconds_since(request.META[STARTED])


def response_time(path: str, started: float) -> list[tuple[str, str]]:
    """Return the header with the time since a request came in; none for other paths than Plex's."""
    if not path.startswith("/api/v1/plex"):
        return []
    return [("X-Plex-Response-Time", f"{_milliseconds_since(started)}ms")]


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def request_deadline(request: HttpRequest, seconds: float) -> float:
    """Return the moment of `time.monotonic()` that is so many seconds after the request came in.

    Time that it waited for a thread counts as well.
    """
    started: float = request.META[STARTED]
    return started + seconds


def identify(given: str | None, route: str) -> str:
    """Return the id of a request: the one its client gave if that is well-formed, or a new one."""
    if given and _CLIENT_ID.fullmatch(given):
        return given
    return f"req-{route}-{token_hex(16)}"


class RequestLogFilter(logging.Filter):
    """Add the id of the current request to every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.requestId = _current_id.get()
        return True


class RequestMiddleware:
    """Give the request an id, start its clock, and set the headers that carry both.

    The id is `req-<route>-<unique>`, or the client's own `X-Request-ID` where that is 1 to 64
    letters, digits, dots, underscores and hyphens. Before the URL is resolved the route is `api`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META.setdefault(STARTED, time.monotonic())
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        if _CLIENT_ID.fullmatch(given):
            _name(request, given)
        else:
            request.META["medianest.unique"] = unique = token_hex(16)
            _name(request, f"req-api-{unique}")
        response = self.get_response(request)
        response["X-Request-ID"] = request_id(request)
        if response.status_code == 304:
            # Django sets 0, but it may only be the length of a 200 (RFC 9110 section 8.6).
            del response["Content-Length"]
            del response["Content-Type"]
        for name, value in response_time(request.path_info, request.META[STARTED]):
            response[name] = value
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        if match and match.url_name:
            name_request(request, match.url_name)
        return None


def name_request(request: HttpRequest, route: str) -> None:
    """Put the route into the request's id, unless the client sent its own id."""
    if unique := request.META.get("medianest.unique"):
        _name(request, f"req-{route}-{unique}")


def _name(request: HttpRequest, identity: str) -> None:
    request.META["medianest.request_id"] = identity
    _current_id.set(identity)


class TimingMiddleware:
    """Let the pages that may read a response also read its `Server-Timing`, as browsers ask for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if origin := response.get("Access-Control-Allow-Origin"):
            response["Timing-Allow-Origin"] = origin
        return response


class ContentPolicyMiddleware:
    """Set the content security policy, unless the view has set its own.

    A response that is not a page may load nothing, should a browser ever show it as one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # A 304 does not change the headers that the browser has cached, the policy among them.
        if response.status_code != 304 and "Content-Security-Policy" not in response:
            is_page = response.get("Content-Type", "").startswith("text/html")
            response["Content-Security-Policy"] = PAGE if is_page else NO_PAGE
        return response
