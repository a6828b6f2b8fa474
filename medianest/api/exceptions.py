"""The errors of the API, and the handler that translates every other exception of a view.

    Problem                    500  a defect of this service; the base class of all others
    ├── Invalid                400  a bad parameter or body
    ├── Unauthorized           401  no token, or one that is not valid
    ├── AccessDenied           403
    ├── NotFound               404  no such path
    ├── MethodNotAllowed       405
    ├── NotAcceptable          406
    ├── UnsupportedMediaType   415
    ├── RequestTimeout         408  the body did not come in time
    ├── PayloadTooLarge        413
    ├── UriTooLong             414
    ├── RateLimitExceeded      429
    └── ServiceUnavailable     503  the database is unavailable
        └── Overloaded         503  too many requests at once

Apps add their own rows by subclassing `Problem`. Raise what you mean where you know it;
`exception_handler` translates the exceptions of Django and DRF once.
"""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from medianest.api.middleware import request_id
from medianest.api.negotiation import prefers_page, prefers_problem_details
from medianest.api.problem_details import ProblemRenderer
from medianest.database import schema
from medianest.monitoring import recent_errors

log = logging.getLogger(__name__)

ERROR_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}
"""What every error has: nobody may cache it, and its form depends on what the client accepts."""

CHALLENGE = 'Bearer realm="api"'


class Problem(exceptions.APIException):
    """A defect of this service.

    All errors are subclasses. Each has a code of the table, a status, a message and details.
    `is_upstream` marks errors that another server caused: they are logged like the service's own.
    """

    code = "INTERNAL_ERROR"
    status_code = 500
    default_detail = "The service failed. The error is in its log under this request's id."
    headers: dict[str, str] = {}
    is_upstream = False

    def __init__(
        self, message: str | None = None, details: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.details = details
        self.headers = {**self.headers, **(headers or {})}


class Invalid(Problem):
    """A bad parameter or body; `details` is {parameter: [messages]}."""

    code = "VALIDATION_ERROR"
    status_code = 400
    default_detail = "A parameter is not valid."


class Unauthorized(Problem):
    """There is no token, or it is malformed, expired or revoked."""

    code = "UNAUTHORIZED"
    status_code = 401
    default_detail = "Sign in: a valid access token is needed."
    headers = {"WWW-Authenticate": CHALLENGE}


class AccessDenied(Problem):
    """The user is signed in, but not allowed to do this."""

    code = "ACCESS_DENIED"
    status_code = 403
    default_detail = "You are not allowed to do this."


class NotFound(Problem):
    """No endpoint has this path."""

    code = "NOT_FOUND"
    status_code = 404
    default_detail = "There is nothing at this path."


class MethodNotAllowed(Problem):
    """The path exists, but does not accept this method."""

    code = "METHOD_NOT_ALLOWED"
    status_code = 405
    default_detail = "This path does not accept this method."


class NotAcceptable(Problem):
    """The client accepts no media type that this service sends."""

    code = "NOT_ACCEPTABLE"
    status_code = 406
    default_detail = "This service sends application/json."


class UnsupportedMediaType(Problem):
    """The request body has a media type that this service does not read."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status_code = 415
    default_detail = "Send the body as application/json."


class RequestTimeout(Problem):
    """The client did not send the request body in time."""

    code = "REQUEST_TIMEOUT"
    status_code = 408
    default_detail = "The request body did not arrive in time."


class PayloadTooLarge(Problem):
    """The request body is larger than any that this service reads."""

    code = "PAYLOAD_TOO_LARGE"
    status_code = 413
    default_detail = "The request body is too large."


class UriTooLong(Problem):
    """The query string is longer than any that this service reads."""

    code = "URI_TOO_LONG"
    status_code = 414
    default_detail = "The query string is too long: it may have 8 KiB."


class RateLimitExceeded(Problem):
    """Too many requests; `details` is {limit, window, retryAfter}, the last two in seconds."""

    code = "RATE_LIMIT_EXCEEDED"
    status_code = 429
    default_detail = "Too many requests. Wait and try again."

    def __init__(self, limit: int, window: int, retry_after: int) -> None:
        super().__init__(
            details={"limit": limit, "window": window, "retryAfter": retry_after},
            headers={"Retry-After": str(retry_after)},
        )


class ServiceUnavailable(Problem):
    """The service's own database is unavailable."""

    code = "SERVICE_UNAVAILABLE"
    status_code = 503
    default_detail = "The service's database is not accessible."
    headers = {"Retry-After": "5"}


class Overloaded(ServiceUnavailable):
    """No thread is free: the queue is full, or the request has waited in it for too long."""

    default_detail = "The service is busy. Try again."
    headers = {"Retry-After": "1"}


GENERAL_PROBLEMS: tuple[type[Problem], ...] = (
    Invalid,
    Unauthorized,
    AccessDenied,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    UnsupportedMediaType,
    RequestTimeout,
    PayloadTooLarge,
    UriTooLong,
    RateLimitExceeded,
    ServiceUnavailable,
    Problem,
)
"""The rows of the error table that every app shares, in the table's order."""

# Exceptions of Django and DRF with the row they become, most specific first.
_FOREIGN: list[tuple[type[Exception], type[Problem]]] = [
    (exceptions.NotAuthenticated, Unauthorized),
    (exceptions.AuthenticationFailed, Unauthorized),
    (exceptions.PermissionDenied, AccessDenied),
    (DjangoPermissionDenied, AccessDenied),
    (exceptions.NotFound, NotFound),
    (Http404, NotFound),
    (exceptions.MethodNotAllowed, MethodNotAllowed),
    (exceptions.NotAcceptable, NotAcceptable),
    (exceptions.UnsupportedMediaType, UnsupportedMediaType),
]


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Answer any exception of a view with its row of the error table; log the service's defects."""
    problem = _translated(error)
    recent_errors.record(problem.code, request_id(context["request"]))
    if problem.code == Problem.code:
        log.error("unhandled %s", type(error).__name__, exc_info=error)
    elif problem.status_code >= 500 or problem.is_upstream:
        cause = type(problem.__cause__ or error).__name__
        log.warning("%s for %s: %s", problem.code, _route(context["request"]), cause)
    request = context["request"]
    request.accepted_renderer = _renderer(request)
    request.accepted_media_type = request.accepted_renderer.media_type
    return Response(
        error_body(problem),
        status=problem.status_code,
        headers={**problem.headers, **ERROR_HEADERS},
        exception=True,
    )


def _renderer(request: Request) -> Any:
    """Return what renders an error: the view's own renderer, if that renders errors."""
    accept = request.headers.get("Accept", "")
    if prefers_problem_details(accept):
        return ProblemRenderer()
    renderers: Any = tuple(api_settings.DEFAULT_RENDERER_CLASSES)
    own = getattr(request, "accepted_renderer", None)
    if isinstance(own, renderers):
        return own
    json, page = renderers
    return page() if prefers_page(accept) else json()


def _route(request: Request) -> str:
    """Return the pattern that a request's path matches: the path itself is the client's text."""
    match = request.resolver_match
    return match.route if match else "no path"


def is_unavailable(error: BaseException | None) -> bool:
    """Tell whether the database could not be used; what an operator must do is logged."""
    if schema.is_outdated(error):
        schema.report_outdated()
        return True
    return isinstance(error, OperationalError | InterfaceError)


def _translated(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if is_unavailable(error):
        return ServiceUnavailable()
    if isinstance(error, exceptions.ParseError):
        return Invalid("The body is not valid JSON.", details={"body": ["Not valid JSON."]})
    if isinstance(error, SuspiciousOperation):  # too many parameters, too large a body
        return Invalid(
            "The request is malformed.", details={"request": ["Malformed or too large."]}
        )
    if isinstance(error, exceptions.ValidationError):
        detail: Any = error.detail
        details = detail if isinstance(detail, dict) else {"body": detail}
        if "non_field_errors" in details:
            details["body"] = details.pop("non_field_errors")
        return Invalid(f"Not valid: {', '.join(sorted(details))}.", details=details)
    if isinstance(error, exceptions.NotAcceptable) and error.available_renderers:
        sent = ", ".join(each.media_type for each in error.available_renderers)
        return NotAcceptable(f"This path sends {sent}.")
    for foreign, problem in _FOREIGN:
        if isinstance(error, foreign):
            has_reason = isinstance(error, exceptions.AuthenticationFailed) and error.args
            return problem(str(error.args[0]) if has_reason else None)
    return Problem()


def error_body(problem: Problem) -> dict[str, Any]:
    """Return what is under `error` in the envelope."""
    body = {"code": problem.code, "message": str(problem.detail)}
    if problem.details is not None:
        body["details"] = problem.details
    return body
