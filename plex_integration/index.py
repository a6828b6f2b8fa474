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

from medianest.api import operations
from medianest.api.exceptions import Invalid
from medianest.api.operations import Operation
from medianest.api.public_url import public_url
from medianest.api.routes import template_of
from medianest.api.schema import Endpoint
from plex_integration.openapi.generation import document
from plex_integration.viewsets import PlexViewSet

_KEY = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class ListedEndpoint:
    """A method of a path and its parameters: each `{…}` in the URL is one of them."""

    name: str
    method: str
    url: str
    subject: str
    operationId: str
    summary: str
    description: str
    documentation: str
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
                "documentation": public_url(reverse("docs")),
                "schema": public_url(reverse("schema")),
            }
        )


def endpoints() -> list[ListedEndpoint]:
    """List every method of every path: subject after subject, in the order of the URLs."""
    listed = list(_endpoints())
    subjects = list(dict.fromkeys(each.subject for each in listed))
    return sorted(listed, key=lambda each: subjects.index(each.subject))


def _endpoints() -> Iterator[ListedEndpoint]:
    for pattern in _patterns(get_resolver("plex_integration.urls").url_patterns):
        viewset: Any = getattr(pattern.callback, "cls", None)
        if viewset is None or not issubclass(viewset, PlexViewSet):
            continue
        actions: dict[str, str] = getattr(pattern.callback, "actions", {})
        url = reverse("plex-index") + template_of(str(pattern.pattern)).removeprefix("/")
        for operation in operations.of_path(url):
            viewed = viewset(action=actions[operation.method.lower()])
            yield _listed(pattern, viewed.endpoint(), operation)


def _patterns(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns)
        else:
            yield pattern


def _listed(pattern: URLPattern, endpoint: Endpoint, operation: Operation) -> ListedEndpoint:
    keys = _KEY.findall(operation.path)
    fields = endpoint.query().fields if endpoint.query and operation.method == "GET" else {}
    return ListedEndpoint(
        name=str(pattern.name),
        method=operation.method,
        url=operation.path,
        subject=operation.subject,
        operationId=operation.id,
        summary=operation.summary,
        description=operation.description,
        documentation=public_url(operation.url),
        required=keys + [name for name, field in fields.items() if field.required],
        parameters=keys + list(fields),
    )


def _url_of(name: str, given: dict[str, str]) -> str:
    """Return the URL of an endpoint. Raises Invalid that names what is missing."""
    endpoint = next((each for each in endpoints() if each.name == name), None)
    if endpoint is None:
        raise Invalid(details={"open": ["There is no such endpoint."]})
    keys = _KEY.findall(endpoint.url)
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


operations.use_document(document)
