"""The API as pages, for a developer's browser: the same answer, with forms, links and headers.

A page holds no script. Its form asks the index, which drops what was left blank and sends the
browser on (`plex_integration.index`). Programs get JSON whatever they accept besides.
Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from rest_framework import serializers
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from medianest.api.middleware import elapsed_ms, request_id
from medianest.api.renderers import EnvelopeRenderer

_LIBRARY = re.compile(r"/library/sections/([0-9]+)")
_OWN_PATH = re.compile(r"/api/v1/[A-Za-z0-9/?&=._~%:+-]*")
_PAGES = {"collection": "plex-collection-detail", "playlist": "plex-playlist"}
_PARENTS = ("show", "season", "artist", "album", "photoalbum")


@dataclass
class Input:
    """A parameter as a form's field."""

    name: str
    help: str = ""
    value: str = ""
    default: str = ""
    required: bool = False
    choices: list[str] = field(default_factory=list)
    bounds: tuple[int | None, int | None] | None = None
    errors: list[str] = field(default_factory=list)


class PageRenderer(BrowsableAPIRenderer):
    """Render an answer as a page: DRF's renderer with a template and a context of our own."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        context = dict(renderer_context or {})
        self.template = getattr(context["view"], "page", "plex_integration/page.html")
        page: str = super().render(data, accepted_media_type, context)
        # What the headers say of the answer is shown on the page; the page itself is for once.
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
            "title": _title(match),
            "description": _description(view, request),
            "route": match.url_name if match else "",
            "visitor": getattr(request._request, "user", None),
            "request": request,
            "response": response,
            "headers": _headers(request, response),
            "inputs": _inputs(view, request, error.get("details")) if match else [],
            "pages": _neighbours(request, body.get("data")),
            "other_methods": [
                method
                for method in view.allowed_methods
                if method not in ("GET", "HEAD", "OPTIONS")
            ],
            "must_sign_in": error.get("code") == "UNAUTHORIZED",
            "error": error,
            "data": body.get("data"),
            "answer": linked(body),
        }


def linked(body: Any) -> SafeString:
    """Write JSON with line breaks, escaped for HTML, ids that have a page as links to it."""
    return mark_safe("".join(_written(body, "", "", {})))  # noqa: S308 - _written escapes


def _written(value: Any, indent: str, name: str, holder: Mapping[str, Any]) -> Iterator[str]:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        yield "{\n"
        for number, (each, member) in enumerate(value.items()):
            yield ",\n" if number else ""
            yield format_html("{}<b>{}</b>: ", deeper, _json(each))
            # A library that something belongs to is told by its name alone.
            about = {"type": "library", **value} if name == "library" else value
            yield from _written(member, deeper, each, about)
        yield f"\n{indent}}}"
    elif isinstance(value, list) and value:
        yield "[\n"
        for number, element in enumerate(value):
            yield ",\n" if number else ""
            yield deeper
            yield from _written(element, deeper, name.removesuffix("s"), {})
        yield f"\n{indent}]"
    else:
        target = _target(value, name, holder)
        text = escape(_json(value))
        yield format_html('<a href="{}">{}</a>', target, text) if target else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _target(value: Any, name: str, holder: Mapping[str, Any]) -> str | None:
    """Return the page that a member names, if one does."""
    if isinstance(value, str) and _OWN_PATH.fullmatch(value):
        return value
    text, kind, key = str(value), holder.get("type"), holder.get("ratingKey")
    if name == "key" and (library := _LIBRARY.fullmatch(text)):
        return reverse("plex-library-items", args=[library[1]])
    if name == "id" and holder.get("title") is not None and "ratingKey" not in holder:
        return _library(text, holder)
    if name in ("key", "ratingKey") and isinstance(key, str) and key.isdigit():
        return reverse(_PAGES.get(str(kind), "plex-item"), args=[key])
    if name in ("parentRatingKey", "grandparentRatingKey") and text.isdigit():
        return reverse("plex-item", args=[text])
    if name in ("childCount", "seasonCount") and kind in _PARENTS and isinstance(key, str):
        return reverse("plex-item-children", args=[key])
    return None


def _library(text: str, holder: Mapping[str, Any]) -> str | None:
    is_library = holder.keys() == {"id", "title", "type"} or _LIBRARY.fullmatch(
        str(holder.get("key"))
    )
    return reverse("plex-library-items", args=[text]) if is_library and text.isdigit() else None


def _title(match: Any) -> str:
    name = match.url_name if match else ""
    return name.removeprefix("plex-").replace("-", " ").capitalize() or "MediaNest"


def _description(view: Any, request: Request) -> str:
    handler = getattr(view, getattr(view, "action", "") or (request.method or "").lower(), None)
    return " ".join((handler.__doc__ or "").split("\n\n")[0].split()) if handler else ""


def _headers(request: Request, response: Response) -> list[tuple[str, str]]:
    """Return what a program is told in the headers, the edge's own among them."""
    told = {
        **dict(response.items()),
        "Content-Type": "application/json",
        "X-Request-ID": request_id(request._request),
    }
    if request.path.startswith("/api/v1/plex"):
        told["X-Plex-Response-Time"] = f"{elapsed_ms(request._request)}ms"
    return sorted(told.items())


def _inputs(view: Any, request: Request, details: Any) -> list[Input]:
    """Return the parameters of the path, then those of the view's query."""
    path = request.resolver_match.kwargs if request.resolver_match else {}
    wrong = details if isinstance(details, dict) else {}
    inputs = [
        Input(name, "Part of the path.", str(value), required=True) for name, value in path.items()
    ]
    query = getattr(view, "query", None)
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


def _neighbours(request: Request, data: Any) -> dict[str, Any] | None:
    """Return the addresses of the pages before and after, where the answer is a page of many."""
    pagination = data.get("pagination") if isinstance(data, dict) else None
    if not pagination:
        return None
    start, size, total = pagination["start"], pagination["size"], pagination["total"]

    def at(beginning: int) -> str:
        return "?" + urlencode(request.query_params.dict() | {"start": beginning, "size": size})

    return {
        "first": min(start + 1, total),
        "last": min(start + size, total),
        "total": total,
        "before": at(max(0, start - size)) if start else "",
        "after": at(start + size) if start + size < total else "",
    }
