"""The circuit breaker in front of each Plex server: one that fails gets a request per pause."""

from collections.abc import Iterator
from contextlib import contextmanager

from medianest import store
from medianest.api.exceptions import Problem
from medianest.serving import upstream
from plex_integration.caching import failures
from plex_integration.errors import PlexServerUnavailable

FAILURES = 5
"""Failures in a row that open the breaker."""
PAUSE = 2.0
"""Seconds between two requests while it is open: Plex is found again well within 5 seconds."""


@contextmanager
def guard(server: str, *, counts_failures: bool = True) -> Iterator[None]:
    """Run requests to a Plex server, and record whether it responded.

    Raises PlexServerUnavailable, without calling Plex, while the breaker is open or too many other
    requests wait for Plex; and UpstreamNeeded where this thread must not wait. Only
    PlexServerUnavailable counts as a failure: with any other error Plex has responded. It does not
    count for requests that have less time than Plex may take.
    """
    if not upstream.may_wait():
        raise failures.busy()
    breaker = store.current().breaker
    wait = breaker.seconds_until_allowed(server, FAILURES, PAUSE)
    if wait > 0:
        raise PlexServerUnavailable(headers={"Retry-After": str(max(1, round(wait + 0.5)))})
    try:
        yield
    except PlexServerUnavailable:
        if counts_failures:
            breaker.record_failure(server, FAILURES)
        raise
    except Problem:
        breaker.record_success(server)
        raise
    breaker.record_success(server)
