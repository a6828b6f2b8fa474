"""What becomes known of a request while it is answered: for the log, and beyond its layers.

A layer outside the application puts `RequestFacts` into the ASGI scope or the WSGI environment,
under `FACTS`. Without it nothing is collected, which costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

FACTS = "medianest.facts"


@dataclass(slots=True)
class RequestFacts:
    """The name of the URL, such as "plex-library-items", and the user; "" where it is unknown."""

    endpoint: str = ""
    user_id: str = ""


class RequestFactsMiddleware:
    """Fill in the facts of a request that Django answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if facts := _facts_of(request):
            match = request.resolver_match
            # Without a name of its own, `view_name` is that of a class.
            facts.endpoint = match.view_name if match and match.url_name else ""
            facts.user_id = _user_id(request)
        return response


def _facts_of(request: HttpRequest) -> RequestFacts | None:
    carrier: Mapping[str, Any] = getattr(request, "scope", request.META)
    return carrier.get(FACTS)


def _user_id(request: HttpRequest) -> str:
    """Return the id of the user who was authenticated, without authenticating anybody here."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        # Django's user of the session, which it reads from the database when it is first needed.
        user = getattr(request, "_cached_user", None)
    return str(getattr(user, "pk", None) or "")
