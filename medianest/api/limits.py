"""Rate limits: whose requests count together, how many are allowed, and the headers about it.

Must not import `rest_framework.views`: DRF loads this module, through the authentication classes,
while it loads that one. `throttling` plugs these limits into DRF.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from medianest.store import Hit, Reading, Verdict

WINDOW = 60
"""Seconds that every limit counts over, sliding."""

READING = "medianest.throttling.reading"
"""Where a request carries what the store answered when it was counted."""


@dataclass(frozen=True)
class Limit:
    """How many requests a client may make within the window, over all endpoints of a scope."""

    scope: str
    requests: int


_current_requests: Callable[[Limit], int] = attrgetter("requests")


def use_requests(current_requests: Callable[[Limit], int]) -> None:
    """Set the function that returns how many requests a limit allows now.

    Without one it is the limit's own number. An app whose operator can change limits sets it.
    """
    global _current_requests
    _current_requests = current_requests


def requests_allowed(limit: Limit) -> int:
    """Return how many requests a limit allows in its window now."""
    return _current_requests(limit)


def user_hit(user_id: str, limit: Limit, requests: int | None = None) -> Hit:
    """Return the hit that counts a request of a user.

    `requests` is how many the limit allows now; without it, it is looked up. The braces put the
    window into the cluster slot of the user's stamp.
    """
    allowed = requests_allowed(limit) if requests is None else requests
    return Hit(f"{limit.scope}:{{{user_id}}}", allowed, WINDOW, expires=False)


def address_hit(request: HttpRequest, limit: Limit, prefix: str = "address:") -> Hit:
    """Return the hit that counts a request of an address.

    Addresses are unbounded in number, so their windows expire and may be evicted.
    """
    key = f"{limit.scope}:{prefix}{hashed(client_address(request))}"
    return Hit(key, requests_allowed(limit), WINDOW, expires=True)


def client_address(request: HttpRequest) -> str:
    """Return the address a request came from.

    X-Forwarded-For is trusted for as many hops as there are own proxies (PROXY_COUNT): the client
    itself wrote everything to the left of those.
    """
    if settings.PROXY_COUNT:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= settings.PROXY_COUNT and hops[-settings.PROXY_COUNT]:
            return str(hops[-settings.PROXY_COUNT])
    return str(request.META.get("REMOTE_ADDR", ""))


def hashed(value: str) -> str:
    """Return a hash that can be part of a key: what clients send never is."""
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def remember_reading(request: HttpRequest, reading: Reading) -> None:
    """Attach what the store answered when it counted a request, so that it is counted once."""
    request.META[READING] = reading


def reading_of(request: HttpRequest) -> Reading | None:
    """Return what the store answered when it counted this request; None if it did not yet."""
    reading: Reading | None = request.META.get(READING)
    return reading


def rate_limit_headers(scope: str, verdict: Verdict) -> list[tuple[str, str]]:
    """Return the headers about a limit: its size, what is left of it, when it is full again.

    `RateLimit` and `RateLimit-Policy` say the same as structured fields, under the limit's name
    (draft-ietf-httpapi-ratelimit-headers-10).
    """
    return [
        ("RateLimit", f'"{scope}";r={verdict.remaining};t={verdict.retry_after}'),
        ("RateLimit-Policy", _policy(scope, verdict.limit)),
        ("X-RateLimit-Limit", str(verdict.limit)),
        ("X-RateLimit-Remaining", str(verdict.remaining)),
        ("X-RateLimit-Reset", str(verdict.reset)),
    ]


@lru_cache(maxsize=256)
def _policy(scope: str, requests: int) -> str:
    return f'"{scope}";q={requests};w={WINDOW}'


def set_rate_limit_headers(response: HttpResponseBase, scope: str, verdict: Verdict) -> None:
    """Set the headers about a limit."""
    for name, value in rate_limit_headers(scope, verdict):
        response[name] = value
