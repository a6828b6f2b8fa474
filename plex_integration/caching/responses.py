"""A fetched answer as an HTTP response: freshness, validators, and the stored bytes as they are."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from medianest.api import renderers
from plex_integration.caching.response_cache import Fetched, ttl
from plex_integration.policies import Policy

_NEVER = re.compile(r"q=0(\.0{0,3})?")


def reply(request: HttpRequest, policy: Policy, fetched: Fetched) -> HttpResponse:
    """Answer with the entry: 304 where the client has it, gzip where it is taken."""
    etag = fetched.entry.head.etag
    if {etag, "W/*"} & _weak(request.META.get("HTTP_IF_NONE_MATCH", "")):
        response = HttpResponse(status=304)
    else:
        about = renderers.encode(renderers.metadata(request) | freshness(fetched))
        if _takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            body = fetched.entry.gzip(about)
            response = HttpResponse(body, content_type="application/json")
            response["Content-Encoding"] = "gzip"
        else:
            body = fetched.entry.plain(about)
            response = HttpResponse(body, content_type="application/json")
        response["Content-Length"] = str(len(body))
    mark(response, policy, fetched)
    return response


def freshness(fetched: Fetched) -> dict[str, Any]:
    """Return what `metadata` says of an answer that can be kept."""
    is_kept = fetched.status in ("HIT", "STALE")
    about: dict[str, Any] = {"cached": is_kept, "cacheAge": fetched.age}
    if fetched.status == "STALE":
        about |= {"stale": True, "staleReason": fetched.reason}
    return about


def mark(response: Any, policy: Policy, fetched: Fetched) -> None:
    """Say how the answer came, how old it is, and how long it may be kept."""
    response["ETag"] = fetched.entry.head.etag
    response["Age"] = response["X-Plex-Cache-Age"] = str(fetched.age)
    response["X-Plex-Cache-Status"] = fetched.status
    response["Cache-Control"] = (
        "no-cache, private"
        if fetched.status == "STALE"
        else f"max-age={ttl(policy, fetched.entry)}, private"
    )
    response["Vary"] = "Authorization, Accept, Accept-Encoding"


def _weak(header: str) -> set[str]:
    """Return the validators of an If-None-Match as weak ones, which is how they compare."""
    return {each if each.startswith("W/") else f"W/{each}" for each in parse_etags(header)}


def _takes_gzip(header: str) -> bool:
    """Tell whether a client takes gzip (RFC 9110 section 12.5.3)."""
    if header == "gzip, deflate, br":  # what most clients say, word for word
        return True
    taken = {}
    for part in header.lower().split(","):
        coding, _, quality = part.partition(";")
        taken[coding.strip()] = not _NEVER.fullmatch(quality.replace(" ", ""))
    return taken.get("gzip", taken.get("*", False))
