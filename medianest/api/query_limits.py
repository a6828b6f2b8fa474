"""Refuse query strings that no client needs, before anything parses, logs or remembers them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from medianest.api.error_views import refusal
from medianest.api.exceptions import Invalid, Problem, UriTooLong

MAX_BYTES = 8 * 1024
MAX_PARAMETERS = 100


class QueryLimitsMiddleware:
    """Answer 414 or 400 to a request whose query string is too long or has too many parameters."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        problem = _problem(request.META.get("QUERY_STRING", ""))
        return self.get_response(request) if problem is None else refusal(request, problem)


def _problem(query: str) -> Problem | None:
    if len(query) > MAX_BYTES:
        return UriTooLong()
    if query.count("&") >= MAX_PARAMETERS:
        return Invalid(
            "Too many parameters.", details={"query": [f"At most {MAX_PARAMETERS} parameters."]}
        )
    return None
