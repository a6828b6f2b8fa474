"""The API as pages for a developer's browser: the same response with a form, links and headers.

A page holds no script. Its form goes to the index, which removes blank parameters and redirects
(`plex_integration.index`). Only clients that prefer HTML get a page; every other client gets JSON.
Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from rest_framework import serializers
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from medianest.api.middleware import elapsed_ms, request_id
from medianest.api.operations import of_path
from medianest.api.renderers import EnvelopeRenderer
from medianest.api.routes import name_of, path_of

_OWN_PATH = re.compile(r"/api/v1/[A-Za-z0-9/?&=._~%:+-]*")


@dataclass
class Input:
    """A parameter as an input of a page's form."""

    name: str
    help: str = ""
    value: str = ""
    default: str = ""
    required: bool = False
    choices: list[str] = field(default_factory=list)
    bounds: tuple[int | None, int | None] | None = None
    errors: list[str] = field(default_factory=list)


class BrowsableRenderer(BrowsableAPIRenderer):
    """Render a response as a page: DRF's renderer with its own template and context."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        context = dict(renderer_context or {})
        self.template = getattr(context["view"], "page", "plex_integration/page.html")
        page: str = super().render(data, accepted_media_type, context)
        # The page shows the headers of the JSON response. The page itself must not be cached.
        response = context["response"]
        for name in ("ETag", "Age"):
            response.headers.pop(name, None)
        response["Cache-Control"] = "no-store"
        return page

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        view, request = renderer_context["view"], renderer_context["request"]
        response = renderer_context["response"]
        body = json.loads(
            EnvelopeRenderer().render(data, "application/json", dict(renderer_context))
        )
        match = request.resolver_match
        error = body.get("error", {})
        return {
            "title": name_of(request),
            "description": _description(view, request),
            "route": match.url_name if match else "",
            "visitor": getattr(request._request, "user", None),
            "request": request,
            "response": response,
            "headers": self.headers_of(request, response),
            "inputs": _inputs(view, request, error.get("details")) if match else [],
            "pages": _neighbors(request, body.get("data")),
            "writes": [each for each in of_path(path_of(request)) if each.method != "GET"],
            "must_sign_in": error.get("code") == "UNAUTHORIZED",
            "error": error,
            "details": error.get("details"),
            "data": body.get("data"),
            "json": self.linked(body),
        }

    def headers_of(self, request: Request, response: Response) -> list[tuple[str, str]]:
        """Return the headers of the JSON response, sorted."""
        headers = {
            **dict(response.items()),
            "Content-Type": "application/json",
            "X-Request-ID": request_id(request._request),
        }
        if request.path.startswith("/api/v1/plex"):
            headers["X-Plex-Response-Time"] = f"{elapsed_ms(request._request)}ms"
        return sorted(headers.items())

    def link(self, value: Any, name: str, holder: Mapping[str, Any]) -> str | None:
        """Return the page that a member's value names; None where it names none."""
        is_own = isinstance(value, str) and _OWN_PATH.fullmatch(
            value.removeprefix(settings.PUBLIC_URL)
        )
        return value if is_own else None

    def linked(self, body: Any) -> SafeString:
        """Format JSON with line breaks, escaped for HTML, with links where a value names a page."""
        return mark_safe("".join(self._formatted(body, "", "", {})))  # noqa: S308 - it escapes

    def _formatted(
        self, value: Any, indent: str, name: str, holder: Mapping[str, Any]
    ) -> Iterator[str]:
        deeper = indent + "  "
        if isinstance(value, dict) and value:
            yield "{\n"
            for number, (each, member) in enumerate(value.items()):
                yield ",\n" if number else ""
                yield format_html("{}<b>{}</b>: ", deeper, _json(each))
                # A reference to a library has no type of its own kind in it.
                about = {"type": "library", **value} if name == "library" else value
                yield from self._formatted(member, deeper, each, about)
            yield f"\n{indent}}}"
        elif isinstance(value, list) and value:
            yield "[\n"
            for number, element in enumerate(value):
                yield ",\n" if number else ""
                yield deeper
                yield from self._formatted(element, deeper, name.removesuffix("s"), {})
            yield f"\n{indent}]"
        else:
            target = self.link(value, name, holder)
            text = escape(_json(value))
            yield format_html('<a href="{}">{}</a>', target, text) if target else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _description(view: Any, request: Request) -> str:
    handler = getattr(view, getattr(view, "action", "") or (request.method or "").lower(), None)
    text = (handler.__doc__ or "").partition("\n\n")[0] if handler else ""
    return " ".join(text.replace("`", "").split())


def _inputs(view: Any, request: Request, details: Any) -> list[Input]:
    """Return the parameters of the path, then those of the view's query."""
    path = request.resolver_match.kwargs if request.resolver_match else {}
    wrong = details if isinstance(details, dict) else {}
    inputs = [
        Input(name, "Part of the path.", str(value), required=True) for name, value in path.items()
    ]
    endpoint = getattr(view, "endpoint", None)
    query = endpoint().query if endpoint else None
    for name, parameter in query().fields.items() if query else ():
        given = request.query_params.get(name, "")
        inputs.append(_input(name, parameter, given, list(map(str, wrong.get(name, ())))))
    return inputs


def _input(
    name: str, parameter: serializers.Field[Any, Any, Any, Any], given: str, wrong: list[str]
) -> Input:
    shown = Input(name, str(parameter.help_text or "").replace("`", ""), given, errors=wrong)
    if parameter.default is not serializers.empty:
        shown.default = str(parameter.default)
    shown.required = parameter.required
    if isinstance(parameter, serializers.ChoiceField):
        shown.choices = [str(choice) for choice in parameter.choices]
    elif isinstance(parameter, serializers.BooleanField):
        shown.choices = ["true", "false"]
    elif isinstance(parameter, serializers.IntegerField):
        shown.bounds = (parameter.min_value, parameter.max_value)
    return shown


def _neighbors(request: Request, data: Any) -> dict[str, Any] | None:
    """Return the addresses of the previous and the next page, where the response is a page."""
    pagination = data.get("pagination") if isinstance(data, dict) else None
    if not pagination:
        return None
    start, size, total = pagination["start"], pagination["size"], pagination["total"]
    return {
        "first": min(start + 1, total),
        "last": min(start + size, total),
        "total": total,
        "before": _page_at(request, max(0, start - size), size) if start else "",
        "after": _page_at(request, start + size, size) if start + size < total else "",
    }


def _page_at(request: Request, start: int, size: int) -> str:
    return "?" + urlencode(request.query_params.dict() | {"start": start, "size": size})
