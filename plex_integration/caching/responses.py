"""A cached response as an HTTP response: its headers, its validator, and the stored bytes.

`render` writes it for both paths, the fast one and the full one.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from medianest.api import renderers
from medianest.api.ignored import ignored_metadata
from medianest.api.middleware import request_id
from medianest.api.negotiation import accepts_gzip
from plex_integration.caching.known_requests import KnownRequest
from plex_integration.caching.page_links import link_header
from plex_integration.caching.response_cache import CachedResponse
from plex_integration.policies import POLICIES, REVALIDATED_FOR

VARY = "Authorization, Accept, Accept-Encoding"

HAVE_VIEWER_STATE = frozenset(each.name for each in POLICIES if each.has_viewer_state)


@dataclass(slots=True)
class Rendered:
    """A cached response as one request gets it; `headers` has all of its own but `Vary`."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def render(
    cached: CachedResponse,
    identity: str,
    known: KnownRequest,
    *,
    if_none_match: str,
    accept_encoding: str,
) -> Rendered:
    """Write a response: 304 where the client has it, gzip where the client accepts it.

    `identity` is the request's id, and `known` what it means; the other two are headers of it.
    """
    headers = [("Content-Type", "application/json"), *cache_headers(cached, known)]
    if if_none_match and {cached.entry.head.etag, "W/*"} & _weak(if_none_match):
        return Rendered(304, headers[1:], b"")
    about = renderers.metadata_of(identity) | cache_metadata(cached)
    if known.ignored:
        about |= ignored_metadata(known.ignored)
    metadata = renderers.encode_plain(about)
    if accepts_gzip(accept_encoding):
        body = cached.entry.gzip(metadata)
        headers.append(("Content-Encoding", "gzip"))
    else:
        body = cached.entry.plain(metadata)
    headers.append(("Content-Length", str(len(body))))
    return Rendered(200, headers, body)


def to_http(request: HttpRequest, cached: CachedResponse, known: KnownRequest) -> HttpResponse:
    """Return the response as Django sends it."""
    rendered = render(
        cached,
        request_id(request),
        known,
        if_none_match=_if_none_match(request),
        accept_encoding=request.META.get("HTTP_ACCEPT_ENCODING", ""),
    )
    response = HttpResponse(rendered.body, status=rendered.status)
    for name, value in (*rendered.headers, ("Vary", VARY)):
        response[name] = value
    return response


def _if_none_match(request: HttpRequest) -> str:
    """Return the header; only GET and HEAD are answered with 304 (RFC 9110 section 13.1.2)."""
    is_conditional = request.method in ("GET", "HEAD")
    header: str = request.META.get("HTTP_IF_NONE_MATCH", "") if is_conditional else ""
    return header


def cache_metadata(cached: CachedResponse) -> dict[str, Any]:
    """Return what the envelope's `metadata` says about a cached response."""
    is_cached = cached.status in ("HIT", "STALE")
    metadata: dict[str, Any] = {"cached": is_cached, "cacheAge": cached.age}
    if cached.status == "STALE":
        metadata |= {"stale": True, "staleReason": cached.reason}
    return metadata


def cache_headers(cached: CachedResponse, known: KnownRequest) -> list[tuple[str, str]]:
    """Return the headers that say how a response came, how old it is and how long it is fresh.

    With them are links to the other pages, and how long Plex took if it was asked.
    """
    age = str(cached.age)
    headers = [
        ("ETag", cached.entry.head.etag),
        ("Age", age),
        ("X-Plex-Cache-Age", age),
        ("X-Plex-Cache-Status", cached.status),
        ("Cache-Status", _cache_status(cached)),
        ("Cache-Control", _cache_control(cached, known.policy)),
    ]
    if links := link_header(known.page, cached.entry.head):
        headers.append(("Link", links))
    if cached.plex_ms is not None:
        headers.append(("Server-Timing", f"plex;dur={cached.plex_ms}"))
    return headers


def _cache_status(cached: CachedResponse) -> str:
    """Return the same as `X-Plex-Cache-Status` in the form of RFC 9211."""
    match cached.status:
        case "HIT":
            return f"MediaNest; hit; ttl={cached.ttl - cached.age}"
        case "STALE":
            return f"MediaNest; hit; ttl={cached.ttl - cached.age}; detail={cached.reason}"
        case "MISS":
            return f"MediaNest; fwd={cached.forwarded}; stored"
    return "MediaNest; fwd=bypass"


def _cache_control(cached: CachedResponse, policy: str) -> str:
    if cached.status == "STALE":
        return "no-cache, private"
    fresh = f"max-age={cached.ttl}, private"
    if policy in HAVE_VIEWER_STATE or cached.ttl == 0:
        return fresh
    return f"{fresh}, stale-while-revalidate={REVALIDATED_FOR}"


def set_cache_headers(response: Any, cached: CachedResponse, known: KnownRequest) -> None:
    """Set these headers, and `Vary`, on a response of Django."""
    for name, value in (*cache_headers(cached, known), ("Vary", VARY)):
        response[name] = value


def _weak(header: str) -> set[str]:
    """Return the validators of an If-None-Match as weak ones, which is how they compare."""
    return {each if each.startswith("W/") else f"W/{each}" for each in parse_etags(header)}
