"""DRF throttles that count requests exactly, over all workers, in the store's sliding windows."""

from typing import Any, NoReturn

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from medianest import store
from medianest.api.exceptions import RateLimitExceeded
from medianest.api.limits import (
    WINDOW,
    reading_of,
    remember_reading,
    set_rate_limit_headers,
)
from medianest.store import Hit, Verdict


class SlidingWindowThrottle(BaseThrottle):
    """Count a request in a sliding window. Subclasses implement `hit`."""

    verdict: Verdict | None = None
    scope = ""
    """The name of the limit that the request was counted against."""

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
        self.verdict, self.scope = reading.verdict, hit.scope
        return self.verdict is None or self.verdict.is_allowed

    def wait(self) -> float | None:
        """Return the seconds until the next request is allowed."""
        return None if self.verdict is None else self.verdict.retry_after


class RateLimitedView(APIView):
    """A view whose throttles answer in the envelope and set the headers about their limits."""

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
        verdict = next(each for _, each in self._verdicts() if not each.is_allowed)
        raise RateLimitExceeded(verdict.limit, WINDOW, verdict.retry_after)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Set the rate limit headers on every response, errors too."""
        final = super().finalize_response(request, response, *args, **kwargs)
        for scope, verdict in self._verdicts():
            set_rate_limit_headers(final, scope, verdict)
        return final

    def _verdicts(self) -> list[tuple[str, Verdict]]:
        windows = (
            each for each in self._throttles or () if isinstance(each, SlidingWindowThrottle)
        )
        return [(each.scope, each.verdict) for each in windows if each.verdict is not None]
