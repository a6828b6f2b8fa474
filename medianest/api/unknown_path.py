"""The response to unknown paths under /api: NOT_FOUND, with the right path where that is known."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.encoding import escape_uri_path
from django.views.decorators.csrf import csrf_exempt

from medianest.api.error_views import refusal
from medianest.api.exceptions import NotFound


@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    """Answer every method with NOT_FOUND."""
    match = request.resolver_match
    path = _path_without_slash(request.path_info, match.func) if match else None
    if path is None:
        return refusal(request, NotFound())
    message = f"There is nothing at this path. Leave out the slash at its end: {path}"
    return refusal(request, NotFound(message, details={"path": [path]}))


def _path_without_slash(path: str, unknown: Callable[..., Any]) -> str | None:
    """Return the path without the slash at its end, if an endpoint has that path.

    It is named and not redirected to: a client may repeat a redirected POST as a GET.
    """
    shorter = path.rstrip("/")
    if shorter == path or not shorter.startswith("/api/"):
        return None
    return escape_uri_path(shorter) if resolve(shorter).func is not unknown else None
