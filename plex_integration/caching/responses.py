"""A cached response as an HTTP response: its headers, its validator, and the stored bytes.

`render` writes it for both paths, the fast one and the full one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from medianest.api import renderers
from medianest.api.middleware import request_id
from plex_integration.caching.response_cache import CachedResponse

_REFUSED = re.compile(r"q=0(\.0{0,3})?")


VARY = "Authorization, Accept, Accept-Encoding"


@dataclass(slots=True)
class Rendered:
    """A cached response as one request gets it; `headers` has all of its own but `Vary`."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def render(
    cached: CachedResponse, identity: str, *, if_none_match: str, accept_encoding: str
) -> Rendered:
    """Write a response: 304 where the client has it, gzip where the client accepts it.

    `identity` is the request's id; the other two are headers of the request.
    """
    headers = [("Content-Type", "application/json"), *cache_headers(cached)]
    if if_none_match and {cached.entry.head.etag, "W/*"} & _weak(if_none_match):
        return Rendered(304, headers[1:], b"")
    metadata = renderers.encode_plain(renderers.metadata_of(identity) | cache_metadata(cached))
    if _accepts_gzip(accept_encoding):
        body = cached.entry.gzip(metadata)
        headers.append(("Content-Encoding", "gzip"))
    else:
        body = cached.entry.plain(metadata)
    headers.append(("Content-Length", str(len(body))))
    return Rendered(200, headers, body)


def to_http(request: HttpRequest, cached: CachedResponse) -> HttpResponse:
    """Return the response as Django sends it."""
    rendered = render(
        cached,
        request_id(request),
        if_none_match=request.META.get("HTTP_IF_NONE_MATCH", ""),
        accept_encoding=request.META.get("HTTP_ACCEPT_ENCODING", ""),
    )
    response = HttpResponse(rendered.body, status=rendered.status)
    for name, value in (*rendered.headers, ("Vary", VARY)):
        response[name] = value
    return response


def cache_metadata(cached: CachedResponse) -> dict[str, Any]:
    """Return what the envelope's `metadata` says about a cached response."""
    is_cached = cached.status in ("HIT", "STALE")
    metadata: dict[str, Any] = {"cached": is_cached, "cacheAge": cached.age}
    if cached.status == "STALE":
        metadata |= {"stale": True, "staleReason": cached.reason}
    return metadata


def cache_headers(cached: CachedResponse) -> list[tuple[str, str]]:
    """Return the headers that say how a response came, how old it is and how long it is fresh."""
    age = str(cached.age)
    is_stale = cached.status == "STALE"
    return [
        ("ETag", cached.entry.head.etag),
        ("Age", age),
        ("X-Plex-Cache-Age", age),
        ("X-Plex-Cache-Status", cached.status),
        ("Cache-Control", "no-cache, private" if is_stale else f"max-age={cached.ttl}, private"),
    ]


def set_cache_headers(response: Any, cached: CachedResponse) -> None:
    """Set these headers, and `Vary`, on a response of Django."""
    for name, value in (*cache_headers(cached), ("Vary", VARY)):
        response[name] = value


def _weak(header: str) -> set[str]:
    """Return the validators of an If-None-Match as weak ones, which is how they compare."""
    return {each if each.startswith("W/") else f"W/{each}" for each in parse_etags(header)}


@lru_cache(maxsize=256)
def _accepts_gzip(header: str) -> bool:
    """Tell whether a client accepts gzip (RFC 9110 section 12.5.3)."""
    accepted = {}
    for part in header.lower().split(","):
        coding, _, quality = part.partition(";")
        accepted[coding.strip()] = not _REFUSED.fullmatch(quality.replace(" ", ""))
    return accepted.get("gzip", accepted.get("*", False))
