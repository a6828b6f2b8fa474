"""What a request's URL pattern says: its name in words, and its path with `{parameters}`."""

import re

from rest_framework.request import Request

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def name_of(request: Request) -> str:
    """Return the name of the route in words, such as "Library items"."""
    match = request.resolver_match
    name = match.url_name if match and match.url_name else ""
    name = name.removeprefix("plex-").removeprefix("auth-")
    return name.replace("-", " ").capitalize() or "MediaNest"


def path_of(request: Request) -> str:
    """Return the path as the OpenAPI document writes it, such as `/api/v1/plex/items/{id}`."""
    match = request.resolver_match
    return template_of(match.route) if match else ""


def template_of(route: str) -> str:
    """Return a Django route as a path of the OpenAPI document."""
    return "/" + _PARAMETER.sub(r"{\1}", route).removeprefix("/")
