"""A cached response as an HTTP response: its headers, its validator, and the stored bytes."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from medianest.api import renderers
from plex_integration.caching.response_cache import CachedResponse

_REFUSED = re.compile(r"q=0(\.0{0,3})?")


def to_http(request: HttpRequest, cached: CachedResponse) -> HttpResponse:
    """Return the response: 304 where the client has it, gzip where the client accepts it."""
    etag = cached.entry.head.etag
    if {etag, "W/*"} & _weak(request.META.get("HTTP_IF_NONE_MATCH", "")):
        response = HttpResponse(status=304)
    else:
        response = _with_body(request, cached)
    set_cache_headers(response, cached)
    return response


def cache_metadata(cached: CachedResponse) -> dict[str, Any]:
    """Return what the envelope's `metadata` says about a cached response."""
    is_cached = cached.status in ("HIT", "STALE")
    metadata: dict[str, Any] = {"cached": is_cached, "cacheAge": cached.age}
    if cached.status == "STALE":
        metadata |= {"stale": True, "staleReason": cached.reason}
    return metadata


def set_cache_headers(response: Any, cached: CachedResponse) -> None:
    """Set the headers that say how a response came, how old it is and how long it is fresh."""
    response["ETag"] = cached.entry.head.etag
    response["Age"] = response["X-Plex-Cache-Age"] = str(cached.age)
    response["X-Plex-Cache-Status"] = cached.status
    response["Cache-Control"] = (
        "no-cache, private" if cached.status == "STALE" else f"max-age={cached.ttl}, private"
    )
    response["Vary"] = "Authorization, Accept, Accept-Encoding"


def _with_body(request: HttpRequest, cached: CachedResponse) -> HttpResponse:
    metadata = renderers.encode(renderers.metadata(request) | cache_metadata(cached))
    headers = {}
    if _accepts_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
        body = cached.entry.gzip(metadata)
        headers["Content-Encoding"] = "gzip"
    else:
        body = cached.entry.plain(metadata)
    headers["Content-Length"] = str(len(body))
    return HttpResponse(body, content_type="application/json", headers=headers)


def _weak(header: str) -> set[str]:
    """Return the validators of an If-None-Match as weak ones, which is how they compare."""
    return {each if each.startswith("W/") else f"W/{each}" for each in parse_etags(header)}


def _accepts_gzip(header: str) -> bool:
    """Tell whether a client accepts gzip (RFC 9110 section 12.5.3)."""
    if header == "gzip, deflate, br":  # what most clients send, word for word
        return True
    accepted = {}
    for part in header.lower().split(","):
        coding, _, quality = part.partition(";")
        accepted[coding.strip()] = not _REFUSED.fullmatch(quality.replace(" ", ""))
    return accepted.get("gzip", accepted.get("*", False))
