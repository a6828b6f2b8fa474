"""Rate limits: DRF throttles that count requests in the store's sliding windows.

The store counts exactly, over all workers. A throttle says whose window a request counts in and
which limit applies; the headers come from the store's verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from medianest import store
from medianest.api.exceptions import RateLimitExceeded
from medianest.store import Hit, Reading, Verdict

WINDOW = 60
"""Seconds that every limit counts over, sliding."""

# Where a request carries what the store answered when it was counted.
_READING = "medianest.throttling.reading"


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


def user_hit(user_id: str, limit: Limit) -> Hit:
    """Return the hit that counts a request of a user."""
    return Hit(f"{limit.scope}:{user_id}", requests_allowed(limit), WINDOW, expires=False)


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
    request.META[_READING] = reading


def reading_of(request: HttpRequest) -> Reading | None:
    """Return what the store answered when it counted this request; None if it did not yet."""
    reading: Reading | None = request.META.get(_READING)
    return reading


def set_rate_limit_headers(response: HttpResponseBase, verdict: Verdict) -> None:
    """Set the `X-RateLimit-*` headers: the limit, what is left of it, when it is full again."""
    response["X-RateLimit-Limit"] = str(verdict.limit)
    response["X-RateLimit-Remaining"] = str(verdict.remaining)
    response["X-RateLimit-Reset"] = str(verdict.reset)


class SlidingWindowThrottle(BaseThrottle):
    """Count a request in a sliding window. Subclasses implement `hit`."""

    verdict: Verdict | None = None

    def hit(self, request: Request, view: APIView) -> Hit | None:
        """Return the hit that counts this request; None for a request that is not limited."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request, once; tell whether it is within the limit."""
        hit = self.hit(request, view)
        if hit is None:
            return True
        reading = reading_of(request._request)
        if reading is None:
            reading = store.current().read(hit=hit)
            remember_reading(request._request, reading)
        self.verdict = reading.verdict
        return self.verdict is None or self.verdict.is_allowed

    def wait(self) -> float | None:
        """Return the seconds until the next request is allowed."""
        return None if self.verdict is None else self.verdict.retry_after


class RateLimitedView(APIView):
    """A view whose throttles answer in the envelope and fill the `X-RateLimit-*` headers."""

    _throttles: list[BaseThrottle] | None = None

    def perform_authentication(self, request: Request) -> None:
        """Authenticate, then count the request.

        DRF checks throttles after permissions. Here a request without permission counts as well,
        and 429 comes before 403. DRF's own check finds the request counted.
        """
        super().perform_authentication(request)
        self.check_throttles(request)

    def get_throttles(self) -> list[BaseThrottle]:
        """Return this request's throttles: always the same ones, since they hold its verdict."""
        if self._throttles is None:
            self._throttles = super().get_throttles()
        return self._throttles

    def throttled(self, request: Request, wait: float | None) -> NoReturn:
        """Raise RateLimitExceeded with the limit that was reached."""
        verdict = next(each for each in self._verdicts() if not each.is_allowed)
        raise RateLimitExceeded(verdict.limit, WINDOW, verdict.retry_after)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Set the rate limit headers on every response, errors too."""
        final = super().finalize_response(request, response, *args, **kwargs)
        for verdict in self._verdicts():
            set_rate_limit_headers(final, verdict)
        return final

    def _verdicts(self) -> list[Verdict]:
        verdicts = (getattr(throttle, "verdict", None) for throttle in self._throttles or ())
        return [verdict for verdict in verdicts if verdict is not None]
