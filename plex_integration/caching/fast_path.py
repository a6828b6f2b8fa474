"""The fast path: a repeated request is answered from the cache before Django.

`respond` decides; it does no I/O. It yields what must be read, and is sent the result: ASGI and
WSGI read it each in their own way (`fast_path_layers`). A hit costs one round trip to the store and
no query, whoever the user is. The first of its kind in a worker also reads what the request means.
Headers, body and limit are made by the functions that the full path uses. A request that is not a
plain, fresh hit of a signed-in user goes on, counted already.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from accounts import stamps, verified_tokens
from accounts.plex_links import UNUSABLE_VIEW
from accounts.tokens import TokenRefused
from medianest.api.exceptions import RateLimitExceeded
from medianest.api.limits import WINDOW, rate_limit_headers, user_hit
from medianest.api.middleware import identify, response_time
from medianest.serving.outer_headers import SAFE
from medianest.serving.request_head import RequestHead
from medianest.serving.responses import PlainResponse, around, problem_response
from medianest.store import Counting, FastReading, Reading, Stamp, StampedHit, Verdict
from plex_integration.caching import (
    access_checks,
    entry,
    entry_cache,
    known_requests,
    metrics,
    views,
)
from plex_integration.caching import projection as projections
from plex_integration.caching.entry import Entry
from plex_integration.caching.entry_cache import HeldEntry
from plex_integration.caching.known_requests import Identity, KnownRequest
from plex_integration.caching.projection import Projection
from plex_integration.caching.response_cache import CachedResponse, response_of
from plex_integration.caching.responses import VARY, render
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Scope
from plex_integration.configuration.runtime import Snapshot
from plex_integration.policies import POLICIES

PREFIX = "/api/v1/plex/"
_POLICIES = {policy.name: policy for policy in POLICIES}


@dataclass(frozen=True)
class ReadSettings:
    """Read the settings, from the database if necessary. Its result: a Snapshot or None."""


@dataclass(frozen=True)
class ReadSettingsLater:
    """Read the settings in the background."""


@dataclass(slots=True)
class ReadFast:
    """Count the request and read a value, or its first bytes. Its result: a FastReading."""

    key: str
    stamped: StampedHit
    size: int | None
    scope: str


@dataclass(frozen=True)
class ReadValue:
    """Read a value alone. Its result: bytes or None."""

    key: str


@dataclass(frozen=True)
class Project:
    """Make a sparse response of a cached one. Its result: an Entry or None."""

    key: str
    whole: Entry
    projection: Projection


@dataclass(frozen=True)
class LoadUser:
    """Load a user's stamp from the database into the store. Its result: whether that worked."""

    user_id: str


@dataclass(frozen=True)
class CheckUserLater:
    """Compare a user's stamp with the database in the background."""

    user_id: str
    seen: Stamp


@dataclass(frozen=True)
class CheckAccessLater:
    """Check in the background whether a viewer still has access to Plex."""

    user_id: str


Step = (
    ReadSettings
    | ReadSettingsLater
    | ReadFast
    | ReadValue
    | Project
    | LoadUser
    | CheckUserLater
    | CheckAccessLater
)


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that was counted and must be answered by the full path.

    `is_miss` tells that the full path will ask Plex: the cache has no fresh response.
    """

    reading: Reading
    is_miss: bool


Steps = Generator[Step, Any, PlainResponse | Passed | None]


def respond(head: RequestHead) -> Steps:
    """Return the response to a fresh hit; else what is known of a counted request, or None."""
    token = _token(head) if _is_eligible(head) else None
    if token is None:
        return None
    snapshot = runtime.held()
    if snapshot is None or runtime.must_read(snapshot):
        snapshot = yield ReadSettings()
    elif runtime.should_read(snapshot):
        yield ReadSettingsLater()
    view = views.last_seen(token.payload["user_id"])
    scope = _scope(snapshot, view) if snapshot else None
    if snapshot is None or scope is None:
        return None
    known = yield from _known((scope.name, head.path, head.query))
    if known is None or around(head, 200, VARY) is None:
        return None  # unknown, or a foreign host: Django refuses it
    stamped = _stamped_hit(token, known, snapshot)
    held = entry_cache.get(known.key)
    read = ReadFast(known.key, stamped, entry.IDENTITY_BYTES if held else None, scope.versions)
    reading: FastReading = yield read
    if reading.counted.counting is Counting.UNKNOWN_USER:
        if not (yield LoadUser(stamped.user_id)):
            return None
        reading = yield read
    verdict, stamp = reading.counted.verdict, reading.counted.stamp
    if stamp is not None and stamps.is_due(stamp):
        yield CheckUserLater(stamped.user_id, stamp)
    if verdict is None:
        return None
    if not verdict.is_allowed:
        metrics.record_response(known.policy, metrics.REFUSED)
        return _refusal(head, known, verdict, stamped.user_id)
    has_same_view = stamp is not None and stamp.scope == view
    if stamp is not None and not has_same_view:
        views.remember(stamped.user_id, stamp.scope)
    cached, is_miss = None, False
    is_usable = has_same_view and reading.is_available
    if is_usable and _is_current(known, snapshot, scope, reading):
        # A check that is required is left to the full path: Plex is asked once.
        if access_checks.is_due(scope, reading.tags):
            yield CheckAccessLater(stamped.user_id)
        cached = yield from _cached(known, snapshot, reading, held)
        is_miss = cached is None
    if cached is not None and known.projection is not None:
        cached = yield from _projected(known.key, cached, known.projection)
    if cached is None:
        counted = Reading(verdict, [], reading.tags, reading.is_available, scope.versions)
        return Passed(counted, is_miss)
    metrics.record_response(known.policy, metrics.HIT)
    return _response(head, known, cached, verdict, stamped.user_id)


def _is_eligible(head: RequestHead) -> bool:
    return (
        head.wants_json
        and head.path.startswith(PREFIX)
        and "cache-control" not in head.headers
        and "host" in head.headers
    )


def _token(head: RequestHead) -> Any:
    """Return the verified token; without one, the full path reports what is wrong."""
    scheme, _, raw = head.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer":
        return None
    try:
        return verified_tokens.verified(raw)
    except TokenRefused:
        return None


def _known(identity: Identity) -> Generator[Step, Any, KnownRequest | None]:
    known = known_requests.get(identity)
    if known is None and not known_requests.is_too_long(identity):
        written = yield ReadValue(known_requests.key(identity))
        known = known_requests.read(identity, written)
    return known


def _scope(snapshot: Snapshot, view: str) -> Scope | None:
    """Return the scope of a view; None if there is nothing to see in it."""
    if snapshot.connection is None or view == UNUSABLE_VIEW:
        return None
    if view:
        return snapshot.connection.viewer_scope(view)
    return None if snapshot.viewers.refuses_unlinked else snapshot.connection.scope


def _stamped_hit(token: Any, known: KnownRequest, snapshot: Snapshot) -> StampedHit:
    limit = _POLICIES[known.policy].limit
    user_id, stamp = token.payload["user_id"], token.payload["stamp"]
    hit = user_hit(user_id, limit, snapshot.requests.get(limit.scope, limit.requests))
    return StampedHit(hit, user_id, stamp)


def _is_current(
    known: KnownRequest, snapshot: Snapshot, scope: Scope, reading: FastReading
) -> bool:
    """Tell whether settings, access and catalog are those that the request was known under."""
    if not runtime.is_current(snapshot, reading.tags):
        return False
    if access_checks.is_required(scope, reading.tags):
        return False
    for head in known.catalog_heads:  # noqa: SIM110 - this runs for every hit
        if not entry.is_current(head, reading.tags):
            return False
    return True


def _cached(
    known: KnownRequest, snapshot: Snapshot, reading: FastReading, held: HeldEntry | None
) -> Generator[Step, Any, CachedResponse | None]:
    """Return the fresh response; an entry that this process has not read yet is read."""
    if held is None or held.identity != reading.value:
        written = reading.value if held is None else None
        if held is not None and reading.value:
            written = yield ReadValue(known.key)
        held = HeldEntry.of(written) if written else None
        if held is None:
            return None
        entry_cache.hold(known.key, held)
    if not held.is_current(reading.tags):
        return None
    policy = _POLICIES[known.policy]
    cached = response_of(held.entry, snapshot.ttls.get(policy.name, policy.ttl))
    return cached if cached.is_fresh else None


def _projected(
    key: str, cached: CachedResponse, projection: Projection
) -> Generator[Step, Any, CachedResponse | None]:
    """Return the response with sparse items; those that this process has not made are made."""
    whole = cached.entry
    sparse = projections.held(key, whole, projection)
    if sparse is None:
        sparse = yield Project(key, whole, projection)
    return None if sparse is None else replace(cached, entry=sparse)


def _refusal(
    head: RequestHead, known: KnownRequest, verdict: Verdict, user_id: str
) -> PlainResponse:
    problem = RateLimitExceeded(verdict.limit, WINDOW, verdict.retry_after)
    response = problem_response(head, problem, known.route, known.ignored)
    response.headers += rate_limit_headers(_scope_of_limit(known), verdict)
    response.endpoint, response.user_id = known.route, user_id
    return response


def _scope_of_limit(known: KnownRequest) -> str:
    return _POLICIES[known.policy].limit.scope


def _response(
    head: RequestHead, known: KnownRequest, cached: CachedResponse, verdict: Verdict, user_id: str
) -> PlainResponse:
    identity = identify(head.headers.get("x-request-id"), known.route)
    rendered = render(
        cached,
        identity,
        known,
        if_none_match=head.headers.get("if-none-match", ""),
        accept_encoding=head.headers.get("accept-encoding", ""),
    )
    return PlainResponse(
        rendered.status,
        [
            *rendered.headers,
            *rate_limit_headers(_scope_of_limit(known), verdict),
            ("X-Request-ID", identity),
            *response_time(head.path, head.started),
        ],
        rendered.body,
        around(head, rendered.status, VARY) or SAFE,
        known.route,
        user_id,
    )
