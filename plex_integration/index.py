"""`GET /api/v1/plex/`: all endpoints and their parameters, read from the URLs themselves."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from medianest.api.exceptions import Invalid
from medianest.api.schema import Endpoint
from plex_integration.viewsets import PlexViewSet

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class ListedEndpoint:
    """A method of a path and its parameters: each `{…}` in the URL is one of them."""

    name: str
    method: str
    url: str
    description: str
    required: list[str]
    parameters: list[str]


class IndexView(APIView):
    """The index of all endpoints."""

    schema = None
    page = "plex_integration/index.html"

    def get(self, request: Request) -> HttpResponseBase:
        """List all endpoints.

        `open=<name>` redirects to that endpoint with the other parameters, without blank ones:
        the forms of the browsable API use it.
        """
        if name := request.query_params.get("open"):
            return HttpResponseRedirect(_url_of(name, request.query_params.dict()))
        return Response(
            {
                "endpoints": [asdict(endpoint) for endpoint in endpoints()],
                "documentation": reverse("docs"),
                "schema": reverse("schema"),
            }
        )


def endpoints() -> Iterator[ListedEndpoint]:
    """List every method of every path, in the order of the URLs."""
    for pattern in _patterns(get_resolver("plex_integration.urls").url_patterns):
        viewset: Any = getattr(pattern.callback, "cls", None)
        if viewset is None or not issubclass(viewset, PlexViewSet):
            continue
        actions: dict[str, str] = getattr(pattern.callback, "actions", {})
        for method, action in actions.items():
            if method not in ("head", "options"):
                yield _listed(pattern, viewset, method, action)


def _patterns(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns)
        else:
            yield pattern


def _listed(
    pattern: URLPattern, viewset: type[PlexViewSet], method: str, action: str
) -> ListedEndpoint:
    route = str(pattern.pattern)
    keys = _PARAMETER.findall(route)
    endpoint: Endpoint = viewset(action=action).endpoint()
    fields = endpoint.query().fields if endpoint.query and method == "get" else {}
    return ListedEndpoint(
        name=str(pattern.name),
        method=method.upper(),
        url=reverse("plex-index") + _PARAMETER.sub(r"{\1}", route),
        description=_first_paragraph(getattr(viewset, action).__doc__),
        required=keys + [name for name, field in fields.items() if field.required],
        parameters=keys + list(fields),
    )


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _url_of(name: str, given: dict[str, str]) -> str:
    """Return the URL of an endpoint. Raises Invalid that names what is missing."""
    endpoint = next((each for each in endpoints() if each.name == name), None)
    if endpoint is None:
        raise Invalid(details={"open": ["There is no such endpoint."]})
    keys = re.findall(r"{(\w+)}", endpoint.url)
    try:
        path = reverse(name, kwargs={key: given[key] for key in keys})
    except (KeyError, NoReverseMatch) as error:
        raise Invalid(details={key: ["Give a value without a slash."] for key in keys}) from error
    query = {
        key: value
        for key, value in given.items()
        if value.strip() and key != "open" and key not in keys
    }
    return f"{path}?{urlencode(query)}" if query else path
