"""`GET /api/v1/plex/`: what there is to ask, read from the URLs themselves."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from medianest.api.exceptions import Invalid

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Endpoint:
    """A method of an address, and its parameters: `{…}` in the URL stands for the first of them."""

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

        `open=<name>` goes to that endpoint with the other parameters, without those left blank:
        this is what the pages' forms ask.
        """
        if opened := request.query_params.get("open"):
            return HttpResponseRedirect(_address(opened, request.query_params.dict()))
        return Response(
            {
                "endpoints": [asdict(endpoint) for endpoint in endpoints()],
                "documentation": reverse("docs"),
                "schema": reverse("schema"),
            }
        )


def endpoints() -> Iterator[Endpoint]:
    """Go through the URLs in their order: those of reading, writing and pictures alike."""
    for pattern in get_resolver("plex_integration.urls").url_patterns:
        if not isinstance(pattern, URLPattern):
            continue
        callback: Any = pattern.callback
        if callback.cls is IndexView:
            continue
        route = str(pattern.pattern)
        keys = _PARAMETER.findall(route)
        query = callback.initkwargs.get("query")
        for method, handler in _handlers(callback):
            fields = query().fields if query and method == "GET" else {}
            yield Endpoint(
                name=str(pattern.name),
                method=method,
                url=reverse("plex-index") + _PARAMETER.sub(r"{\1}", route),
                description=" ".join((handler.__doc__ or "").split("\n\n")[0].split()),
                required=keys + [name for name, field in fields.items() if field.required],
                parameters=keys + list(fields),
            )


def _handlers(callback: Any) -> Iterator[tuple[str, Any]]:
    view, actions = callback.cls, getattr(callback, "actions", None)
    actions = actions or {
        method: method for method in view.http_method_names if hasattr(view, method)
    }
    for method, action in actions.items():
        if method not in ("head", "options"):
            yield method.upper(), getattr(view, action)


def _address(name: str, given: dict[str, str]) -> str:
    """Return the address of an endpoint. Raises Invalid that names what is missing."""
    known = next((each for each in endpoints() if each.name == name), None)
    if known is None:
        raise Invalid(details={"open": ["There is no such endpoint."]})
    keys = re.findall(r"{(\w+)}", known.url)
    try:
        path = reverse(name, kwargs={key: given[key] for key in keys})
    except (KeyError, NoReverseMatch) as error:
        raise Invalid(details={key: ["Give a value without a slash."] for key in keys}) from error
    asked = {
        key: value
        for key, value in given.items()
        if value.strip() and key != "open" and key not in keys
    }
    return f"{path}?{urlencode(asked)}" if asked else path
