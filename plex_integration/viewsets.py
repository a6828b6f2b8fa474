"""What the viewsets of reading, writing and images share: limits, ids in the path, metrics."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from accounts.plex_links import PlexLink
from medianest import store
from medianest.api.exceptions import Problem
from medianest.api.limits import reading_of, user_hit
from medianest.api.schema import Endpoint
from medianest.api.throttling import RateLimitedView, SlidingWindowThrottle
from medianest.store import Hit, Reading
from plex_integration.caching import access_checks, metrics
from plex_integration.configuration.connection import Connection, Scope
from plex_integration.errors import (
    CollectionNotFound,
    ItemNotFound,
    LibraryNotFound,
    LinkReason,
    PlaylistNotFound,
    PlexLinkRequired,
    PlexUnauthorized,
)
from plex_integration.plex.ids import is_id
from plex_integration.policies import WRITES, Policy
from plex_integration.viewers import access
from plex_integration.viewers.connections import connection_of, link_of

T = TypeVar("T")

NOT_FOUND: Mapping[str, type[Problem]] = {
    "libraryKey": LibraryNotFound,
    "collectionKey": CollectionNotFound,
    "playlistKey": PlaylistNotFound,
    "ratingKey": ItemNotFound,
}
"""The path parameters that are Plex ids, and the error for a value that cannot be an id."""


@dataclass(frozen=True)
class Viewed:
    """A user's view of Plex for one request, and the tag versions at which it began."""

    connection: Connection
    reading: Reading

    @property
    def is_check_required(self) -> bool:
        """Tell whether access must be checked before a cached response is served."""
        return access_checks.is_required(self.connection.scope, self.reading.tags)


class PolicyThrottle(SlidingWindowThrottle):
    """Count what a user reads in the window of the view's policy."""

    def hit(self, request: Request, view: APIView) -> Hit | None:
        """Return the user's hit; None for a request that reads nothing or has no user."""
        policy: Policy | None = getattr(view, "policy", None)
        is_read = request.method in getattr(view, "read_methods", ())
        if policy is None or not is_read or not request.user.is_authenticated:
            return None
        return user_hit(str(request.user.pk), policy.limit)


class WriteThrottle(SlidingWindowThrottle):
    """Count everything a user writes, dry runs too, in one window."""

    def hit(self, request: Request, view: APIView) -> Hit | None:
        """Return the user's hit; None for a request that writes nothing or has no user."""
        is_read = request.method in (*SAFE_METHODS, *getattr(view, "read_methods", ()))
        is_write = not is_read and getattr(view, "action", None)
        if not is_write or not request.user.is_authenticated:
            return None
        return user_hit(str(request.user.pk), WRITES)


class PlexViewSet(RateLimitedView, ViewSet):
    """A path of the API: its policy, its throttles, and the ids in it."""

    tag: ClassVar[str]
    policy: ClassVar[Policy | None] = None
    read_methods: ClassVar[Collection[str]] = ("GET", "HEAD")
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

    def plex_link(self) -> PlexLink | None:
        """Return the link whose view of Plex the request has; None for the service's own view."""
        return link_of(self.request.user)

    def in_view(self, respond: Callable[[Viewed], T]) -> T:
        """Return what `respond` makes of the request's view of Plex. Raises PlexLinkRequired.

        When Plex refuses a viewer's token, the view ends. Plex may have issued another token, or
        may only have stopped sharing a library: `respond` is tried once more.
        """
        link = self.plex_link()
        if link is None:
            return respond(self._viewed(None))
        try:
            return self._in_view_of(link, respond)
        except PlexLink.DoesNotExist:
            raise PlexLinkRequired.because(LinkReason.NOT_LINKED) from None

    def _in_view_of(self, link: PlexLink, respond: Callable[[Viewed], T]) -> T:
        access.prepare(link)
        viewed = self._viewed(link)
        try:
            if viewed.is_check_required:
                access.check(link)
                viewed = self._viewed(link)
            return respond(viewed)
        except PlexUnauthorized as error:
            access.refused(link, error)
        try:
            return respond(self._viewed(link))
        except PlexUnauthorized as refused:
            raise PlexUnauthorized("Plex does not allow this to your account.") from refused

    def _viewed(self, link: PlexLink | None) -> Viewed:
        connection = connection_of(link)
        return Viewed(connection, self._counted_reading(connection.scope))

    def _counted_reading(self, scope: Scope) -> Reading:
        """Return what the store answered when this request was counted, for a scope."""
        reading = reading_of(self.request._request)
        if reading is None:
            raise TypeError("a request is counted before it is answered")
        is_of_scope = reading.scope == scope.versions and reading.tags.raw is not None
        if is_of_scope or not reading.is_available:
            return reading
        # The request was counted without knowing the scope, or the store is empty: create the
        # versions before anything depends on them.
        versions = store.current().values.tag_versions(scope.versions)
        return reading if versions is None else replace(reading, tags=versions)

    def path_ids(self) -> dict[str, str]:
        """Return the ids in the path. Raises the 404 of the first that cannot be an id."""
        for name, value in self.kwargs.items():
            if name in NOT_FOUND and not is_id(value):
                raise NOT_FOUND[name]
        return dict(self.kwargs)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Count the response to a counted request in the metrics of the policy."""
        final = super().finalize_response(request, response, *args, **kwargs)
        is_read = request.method in self.read_methods and reading_of(request._request)
        if self.policy and is_read and (outcome := metrics.outcome(final)):
            metrics.record_response(self.policy.name, outcome)
        return final
