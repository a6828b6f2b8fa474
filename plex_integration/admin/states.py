"""The state of what the service depends on, each in one sentence."""

import time

from django.conf import settings

from medianest import store
from medianest.store import Condition
from plex_integration.admin.labels import timestamp
from plex_integration.admin.missing import missing_token
from plex_integration.caching import invalidation
from plex_integration.caching.breaker import FAILURES, PAUSE
from plex_integration.caching.invalidation import Status
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection
from plex_integration.errors import PlexServerUnavailable
from plex_integration.plex import Diagnosis, diagnose

MAX_SECONDS = 2.0
"""How long the page waits for Plex."""
NO_REDIS = "Not configured. This process caches responses and counts limits by itself."


def plex() -> Diagnosis:
    """Return whether Plex responds, and its libraries."""
    try:
        connection = runtime.required_connection()
    except PlexServerUnavailable as problem:
        row = PlexConnection.objects.first()
        return Diagnosis(False, missing_token(row) if row else str(problem.detail))
    return diagnose(connection, MAX_SECONDS)


def redis() -> str:
    """Return whether Redis is used and responds."""
    if not settings.REDIS_URL:
        return NO_REDIS
    began = time.perf_counter()
    condition = store.current().condition()
    if condition is Condition.UNAVAILABLE:
        return "Unavailable. Responses are not cached, and each process counts limits by itself."
    if condition is Condition.FULL:
        return "Full: it refuses writes. New responses are not cached. Give it more memory."
    return f"Available. Responded in {(time.perf_counter() - began) * 1000:.1f} ms."


def breaker() -> str:
    """Return whether requests to Plex are stopped after repeated failures."""
    connection = runtime.current().connection
    return breaker_sentence(
        store.current().breaker.failures(connection.server) if connection else 0
    )


def breaker_sentence(failures: int) -> str:
    """Say what the circuit breaker does after so many failures in a row."""
    if failures == 0:
        return "Normal. No recent failures."
    if failures < FAILURES:
        return f"Normal. Recent failures in a row: {failures}."
    return (
        f"Open after {failures} failures in a row. "
        f"Plex gets one request every {PAUSE:g} seconds until it responds."
    )


def listener() -> str:
    """Return whether changes in Plex are received."""
    status = invalidation.status()
    if status is None:
        return "Not running. Responses are cached until their cache time is over."
    return listener_sentence(status)


def listener_sentence(status: Status) -> str:
    """Say whether the listener is connected, and when it received a change."""
    if status.problem:
        return f"Not connected since {timestamp(status.since)}: {status.problem}."
    if not status.changed:
        return f"Connected since {timestamp(status.since)}. No change received yet."
    return (
        f"Connected since {timestamp(status.since)}. "
        f"Last change received {timestamp(status.changed)}."
    )
