"""The error table, and the one door every error leaves by.

    Problem
    ├── PlexServerUnavailable   503  Plex does not answer
    ├── PlexUnauthorized        401  Plex refuses this service's token
    ├── PlexApiError            502  Plex answers nonsense
    ├── LibraryNotFound, CollectionNotFound, ItemNotFound, PlaylistNotFound, ImageNotFound   404
    ├── SmartCollection, SmartPlaylist, IdempotencyKeyReused, WriteInProgress   409
    ├── SearchQueryTooShort     400
    ├── RateLimitExceeded       429  the user, or an address, asks too often
    └── …                            the rest of the table: what HTTP and Django themselves raise

Raise what you mean where you know it; `exception_handler` translates strangers once.
"""

import json
import logging
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from plex_integration import envelope

log = logging.getLogger(__name__)

CHALLENGE = 'Bearer realm="api"'


class Problem(exceptions.APIException):
    """An error as the API answers it: a code of the table, a status, a message, details."""

    code = "INTERNAL_ERROR"
    status_code = 500
    default_detail = "The service made a mistake. It has been logged under this request's id."
    headers: dict[str, str] = {}

    def __init__(
        self, message: str | None = None, details: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.details = details
        self.headers = {**self.headers, **(headers or {})}


class PlexServerUnavailable(Problem):
    """Plex refused, timed out, hung or is starting up; or none is configured."""

    code = "PLEX_SERVER_UNAVAILABLE"
    status_code = 503
    default_detail = "Plex server is not accessible."
    headers = {"Retry-After": "5"}


class PlexUnauthorized(Problem):
    """Plex answered 401 or 403 to this service's own token."""

    code = "PLEX_UNAUTHORIZED"
    status_code = 401
    default_detail = "Plex refuses the credentials this service is configured with."
    headers = {"WWW-Authenticate": "Plex"}


class PlexApiError(Problem):
    """Any other answer of Plex that is no answer."""

    code = "PLEX_API_ERROR"
    status_code = 502
    default_detail = "Plex sent an answer this service cannot use."


class LibraryNotFound(Problem):
    """No library has this key."""

    code = "LIBRARY_NOT_FOUND"
    status_code = 404
    default_detail = "Specified library does not exist."


class CollectionNotFound(Problem):
    """No collection has this key."""

    code = "COLLECTION_NOT_FOUND"
    status_code = 404
    default_detail = "Collection not found."


class ItemNotFound(Problem):
    """No item has this key."""

    code = "ITEM_NOT_FOUND"
    status_code = 404
    default_detail = "Item not found."


class PlaylistNotFound(Problem):
    """No playlist has this key."""

    code = "PLAYLIST_NOT_FOUND"
    status_code = 404
    default_detail = "Playlist not found."


class SmartCollection(Problem):
    """A smart collection's items come from its query: they are not put in or taken out."""

    code = "SMART_COLLECTION"
    status_code = 409
    default_detail = "A smart collection chooses its items itself."


class SmartPlaylist(Problem):
    """A smart playlist's items come from its query."""

    code = "SMART_PLAYLIST"
    status_code = 409
    default_detail = "A smart playlist chooses its items itself."


class IdempotencyKeyReused(Problem):
    """The same Idempotency-Key came with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    status_code = 409
    default_detail = "This Idempotency-Key was used for another request."


class WriteInProgress(Problem):
    """Another write to the same thing, or with the same key, has not ended."""

    code = "WRITE_IN_PROGRESS"
    status_code = 409
    default_detail = "Another write to this has not ended yet. Ask again."


class ImageNotFound(Problem):
    """The item has no picture of this kind."""

    code = "IMAGE_NOT_FOUND"
    status_code = 404
    default_detail = "There is no such picture."


class SearchQueryTooShort(Problem):
    """The query has fewer than 2 characters."""

    code = "SEARCH_QUERY_TOO_SHORT"
    status_code = 400
    default_detail = "Search query must be at least 2 characters."


class Invalid(Problem):
    """A bad parameter or body; `details` is {parameter: [messages]}."""

    code = "VALIDATION_ERROR"
    status_code = 400
    default_detail = "A parameter is not valid."


class Unauthorized(Problem):
    """No token, or a bad, expired or revoked one."""

    code = "UNAUTHORIZED"
    status_code = 401
    default_detail = "Sign in: a valid access token is needed."
    headers = {"WWW-Authenticate": CHALLENGE}


class AccessDenied(Problem):
    """Signed in, but not allowed."""

    code = "ACCESS_DENIED"
    status_code = 403
    default_detail = "You are not allowed to do this."


class NotFound(Problem):
    """No such path."""

    code = "NOT_FOUND"
    status_code = 404
    default_detail = "There is nothing at this path."


class MethodNotAllowed(Problem):
    """The path is there, the method is not."""

    code = "METHOD_NOT_ALLOWED"
    status_code = 405
    default_detail = "This path does not take this method."


class NotAcceptable(Problem):
    """The client accepts no type this service writes."""

    code = "NOT_ACCEPTABLE"
    status_code = 406
    default_detail = "This service answers application/json."


class UnsupportedMediaType(Problem):
    """The body is of a type this service does not read."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status_code = 415
    default_detail = "Send the body as application/json."


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
    """The service's own database is not there."""

    code = "SERVICE_UNAVAILABLE"
    status_code = 503
    default_detail = "The service's database is not accessible."
    headers = {"Retry-After": "5"}


# Every code the API can answer with. README's table and the schema are held to this one.
TABLE: dict[str, type[Problem]] = {
    problem.code: problem
    for problem in (
        PlexServerUnavailable,
        PlexUnauthorized,
        LibraryNotFound,
        CollectionNotFound,
        ItemNotFound,
        PlaylistNotFound,
        ImageNotFound,
        SmartCollection,
        SmartPlaylist,
        IdempotencyKeyReused,
        WriteInProgress,
        SearchQueryTooShort,
        PlexApiError,
        Invalid,
        Unauthorized,
        AccessDenied,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        UnsupportedMediaType,
        RateLimitExceeded,
        ServiceUnavailable,
        Problem,
    )
}

# Foreign exceptions and what they mean here, most specific first.
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
    (OperationalError, ServiceUnavailable),
    (InterfaceError, ServiceUnavailable),
]


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Answer any exception of a view with its row of the table; log the service's own defects."""
    problem = _translated(error)
    if problem.code == Problem.code:
        log.error("unhandled %s", type(error).__name__, exc_info=error)
    elif problem.status_code >= 500 or isinstance(problem, PlexUnauthorized):
        log.warning("%s: %s", problem.code, problem.__cause__ or type(error).__name__)
    return Response(
        _body(problem),
        status=problem.status_code,
        headers={**problem.headers, "Cache-Control": "no-store"},
        exception=True,
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses before any view: a foreign host, an oversized body."""
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    return _edge(request, Invalid("The request is malformed."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that no view has."""
    if not _is_api(request):
        return defaults.page_not_found(request, exception)
    return _edge(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a crash outside every view; Django has logged it."""
    if not _is_api(request):
        return defaults.server_error(request)
    return _edge(request, Problem())


def _translated(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.ParseError):
        return Invalid("The body is not valid JSON.", details={"body": ["Not valid JSON."]})
    if isinstance(error, SuspiciousOperation):  # too many parameters, too large a body
        return Invalid(
            "The request is malformed.", details={"request": ["Too much, or malformed."]}
        )
    if isinstance(error, exceptions.ValidationError):
        told: Any = error.detail
        details = told if isinstance(told, dict) else {"body": told}
        if "non_field_errors" in details:
            details["body"] = details.pop("non_field_errors")
        return Invalid(f"Not valid: {', '.join(sorted(details))}.", details=details)
    for foreign, ours in _FOREIGN:
        if isinstance(error, foreign):
            says_why = isinstance(error, exceptions.AuthenticationFailed) and error.args
            return ours(str(error.args[0]) if says_why else None)
    return Problem()


def _body(problem: Problem) -> dict[str, Any]:
    body = {"code": problem.code, "message": str(problem.detail)}
    if problem.details is not None:
        body["details"] = problem.details
    return body


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _edge(request: HttpRequest, problem: Problem) -> HttpResponse:
    error = json.dumps(_body(problem)).encode()
    return HttpResponse(
        envelope.failure(error, envelope.metadata(request)),
        status=problem.status_code,
        content_type="application/json",
        headers={**problem.headers, "Cache-Control": "no-store"},
    )
