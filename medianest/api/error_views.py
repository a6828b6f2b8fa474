"""Django's error views: the responses to requests that no view of the API answers.

A browser gets a page, every other client gets JSON.
"""

import sys
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from medianest.api import exceptions, problem_details, renderers
from medianest.api.exceptions import (
    ERROR_HEADERS,
    AccessDenied,
    Invalid,
    NotFound,
    Problem,
    ServiceUnavailable,
)
from medianest.api.middleware import request_id
from medianest.api.negotiation import (
    HTML,
    JSON,
    PROBLEM,
    prefers_page,
    prefers_problem_details,
)
from medianest.monitoring import recent_errors

PAGE = "plex_integration/error.html"
"""The template of an error page. It needs no database and no session."""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refuses before any view: a foreign host, an oversized body."""
    return refusal(request, Invalid("The request is malformed."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that was not sent from a page of this service, or too late."""
    return refusal(request, AccessDenied("This form is not valid any more. Open its page again."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a user who may not open a page of the admin."""
    return refusal(request, AccessDenied())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that belongs to no view."""
    return refusal(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an error outside of the API's views, which Django is handling and logs itself."""
    is_unavailable = exceptions.is_unavailable(sys.exception())
    return refusal(request, ServiceUnavailable() if is_unavailable else Problem())


def refusal(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer a request that reaches no view."""
    recent_errors.record(problem.code, request_id(request))
    accept = request.headers.get("Accept", "")
    media_type, body = write(problem, accept, renderers.metadata(request))
    headers = {**problem.headers, **ERROR_HEADERS}
    return HttpResponse(body, media_type, problem.status_code, headers=headers)


def write(problem: Problem, accept: str, metadata: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return the content type and the body of an error that no view answers."""
    error = exceptions.error_body(problem)
    if prefers_problem_details(accept):
        body = problem_details.body(error, problem.status_code, metadata)
        return PROBLEM, renderers.encode(body)
    if prefers_page(accept):
        title = problem_details.title(problem.code)
        context = {"title": title, "error": error, "status": problem.status_code}
        return f"{HTML}; charset=utf-8", render_to_string(PAGE, context).encode()
    return JSON, renderers.failure(renderers.encode(error), metadata)
