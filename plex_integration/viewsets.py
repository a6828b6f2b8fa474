"""What the viewsets of reading, writing and images share: limits, ids in the path, metrics."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from medianest import store
from medianest.api.exceptions import Problem
from medianest.api.limits import reading_of, user_hit
from medianest.api.schema import Endpoint
from medianest.api.throttling import RateLimitedView, SlidingWindowThrottle
from medianest.store import Hit, Reading
from plex_integration.caching import metrics
from plex_integration.errors import (
    CollectionNotFound,
    ItemNotFound,
    LibraryNotFound,
    PlaylistNotFound,
)
from plex_integration.plex.ids import is_id
from plex_integration.policies import WRITES, Policy

NOT_FOUND: Mapping[str, type[Problem]] = {
    "libraryKey": LibraryNotFound,
    "collectionKey": CollectionNotFound,
    "playlistKey": PlaylistNotFound,
    "ratingKey": ItemNotFound,
}
"""The path parameters that are Plex ids, and the error for a value that cannot be an id."""


class PolicyThrottle(SlidingWindowThrottle):
    """Count what a user reads in the window of the view's policy."""

    def hit(self, request: Request, view: APIView) -> Hit | None:
        """Return the user's hit; None for a request that reads nothing or has no user."""
        policy: Policy | None = getattr(view, "policy", None)
        is_read = request.method in ("GET", "HEAD")
        if policy is None or not is_read or not request.user.is_authenticated:
            return None
        return user_hit(str(request.user.pk), policy.limit)


class WriteThrottle(SlidingWindowThrottle):
    """Count everything a user writes, dry runs too, in one window."""

    def hit(self, request: Request, view: APIView) -> Hit | None:
        """Return the user's hit; None for a request that writes nothing or has no user."""
        is_write = request.method not in SAFE_METHODS and getattr(view, "action", None)
        if not is_write or not request.user.is_authenticated:
            return None
        return user_hit(str(request.user.pk), WRITES)


class PlexViewSet(RateLimitedView, ViewSet):
    """A path of the API: its policy, its throttles, and the ids in it."""

    policy: ClassVar[Policy | None] = None
    throttle_classes = [PolicyThrottle, WriteThrottle]

    def endpoint(self) -> Endpoint:
        """Describe the current action."""
        raise NotImplementedError

    @property
    def default_response_headers(self) -> dict[str, str]:
        """The headers that DRF sets on every response; `Allow` only on a 405 and for OPTIONS.

        So a response has the same headers whether it comes through DRF or the fast path.
        """
        headers: dict[str, str] = super().default_response_headers
        if self.action not in (None, "metadata"):
            del headers["Allow"]
        return headers

    def counted_reading(self) -> Reading:
        """Return what the store answered when this request was counted."""
        reading = reading_of(self.request._request)
        if reading is None:
            raise TypeError("a request is counted before it is answered")
        if reading.is_available and reading.tags.raw is None:
            # An empty store: create the versions before anything depends on them.
            versions = store.current().values.tag_versions()
            return reading if versions is None else replace(reading, tags=versions)
        return reading

    def path_ids(self) -> dict[str, str]:
        """Return the ids in the path. Raises the 404 of the first that cannot be an id."""
        for name, value in self.kwargs.items():
            if name in NOT_FOUND and not is_id(value):
                raise NOT_FOUND[name]
        return dict(self.kwargs)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Count the response to a counted request in the metrics of the policy."""
        final = super().finalize_response(request, response, *args, **kwargs)
        is_read = request.method in ("GET", "HEAD") and reading_of(request._request)
        if self.policy and is_read and (outcome := metrics.outcome(final)):
            metrics.record_response(self.policy.name, outcome)
        return final
