"""The fast path: a repeated request is answered from the cache before URL resolution and DRF.

The full path (URL, DRF, serializers, service) works out which cached response a request means.
This middleware remembers that per path and query string, so that a hit costs one round trip to the
store. It uses the full path's own functions to count the request, read the entry and write the
response, and decides nothing else: a request that is not a plain, fresh hit of a signed-in user
goes on, counted already.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from accounts import identity_cache
from accounts.tokens import TokenRefused
from medianest import store
from medianest.api.limits import remember_reading, set_rate_limit_headers, user_hit
from medianest.api.middleware import name_request
from medianest.store import Reading
from plex_integration.caching import entry, metrics
from plex_integration.caching.entry import Head
from plex_integration.caching.response_cache import CachedResponse, found_in
from plex_integration.caching.responses import to_http
from plex_integration.configuration import runtime
from plex_integration.policies import Policy

MAX_REQUESTS = 10_000
MAX_REQUEST_BYTES = 1024
# What clients send for JSON; anything else goes through DRF's content negotiation.
_JSON = ("*/*", "application/json", "application/json, text/plain, */*")


@dataclass(frozen=True)
class KnownRequest:
    """The cached response that a path and query string mean.

    It holds while the lists of the catalog that it was derived from are current. `key` is the
    response's name in the store, `route` the name of the URL.
    """

    policy: Policy
    key: str
    route: str
    scope: str
    catalog_heads: Mapping[str, Head]


_lock = Lock()
_known: LRUCache[tuple[str, str], KnownRequest] = LRUCache(MAX_REQUESTS)


def remember(request: HttpRequest, known: KnownRequest) -> None:
    """Remember what a request means; not a request longer than 1 KiB."""
    identity = _identity(request)
    if sum(len(part.encode()) for part in identity) <= MAX_REQUEST_BYTES:
        with _lock:
            _known[identity] = known


def forget() -> None:
    """Forget every request."""
    with _lock:
        _known.clear()


class FastPathMiddleware:
    """Answer fresh hits; pass every other request on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with _lock:
            known = _known.get(_identity(request))
        if known and _is_plain(request):
            user_id = _user_id(request)
            if user_id and (response := _hit(request, known, user_id)):
                return response
        return self.get_response(request)


def _hit(request: HttpRequest, known: KnownRequest, user_id: str) -> HttpResponse | None:
    if not _is_current_scope(known.scope):
        return None
    request.get_host()  # refuses a foreign host, as the full path does
    reading = store.current().read(known.key, hit=user_hit(user_id, known.policy.limit))
    remember_reading(request, reading)
    cached = _fresh(reading, known)
    if cached is None or reading.verdict is None:
        return None
    name_request(request, known.route)
    response = to_http(request, cached)
    set_rate_limit_headers(response, reading.verdict)
    metrics.record_response(known.policy.name, metrics.HIT)
    return response


def _is_current_scope(scope: str) -> bool:
    try:
        connection = runtime.current().connection
    except DatabaseError:
        return False  # the full path answers 503
    return connection is not None and connection.scope == scope


def _fresh(reading: Reading, known: KnownRequest) -> CachedResponse | None:
    """Return the response if the request is within its limit and nothing has changed."""
    if reading.verdict is None or not reading.verdict.is_allowed or not reading.is_available:
        return None
    if not all(entry.is_current(head, reading.tags) for head in known.catalog_heads.values()):
        return None
    cached = found_in(reading, runtime.ttl(known.policy))
    return cached if cached and cached.is_fresh else None


def _identity(request: HttpRequest) -> tuple[str, str]:
    return request.path_info, request.META.get("QUERY_STRING", "")


def _is_plain(request: HttpRequest) -> bool:
    """Tell whether the client wants JSON, and accepts a cached response."""
    meta = request.META
    return (
        request.method == "GET"
        and meta.get("HTTP_ACCEPT", "*/*") in _JSON
        and "HTTP_CACHE_CONTROL" not in meta
    )


def _user_id(request: HttpRequest) -> str | None:
    """Return the signed-in user's id; without one, the full path reports what is wrong."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme != "Bearer":
        return None
    try:
        user, _ = identity_cache.signed_in(token)
    except (TokenRefused, DatabaseError):
        return None
    return str(user.pk)
