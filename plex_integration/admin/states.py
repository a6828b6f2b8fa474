"""The state of what the service depends on, each in one sentence."""

import time
from datetime import UTC, datetime

from django.conf import settings

from medianest import store
from medianest.store import Condition
from plex_integration.caching import invalidation
from plex_integration.caching.breaker import FAILURES, PAUSE
from plex_integration.configuration import runtime
from plex_integration.errors import PlexServerUnavailable
from plex_integration.plex import Diagnosis, diagnose

MAX_SECONDS = 2.0
"""How long the page waits for Plex."""


def plex() -> Diagnosis:
    """Return whether Plex responds, and its libraries."""
    try:
        connection = runtime.required_connection()
    except PlexServerUnavailable as problem:
        return Diagnosis(False, str(problem.detail))
    return diagnose(connection, MAX_SECONDS)


def redis() -> str:
    """Return whether Redis is used and responds."""
    if not settings.REDIS_URL:
        return "Not configured. This process caches responses and counts limits by itself."
    began = time.perf_counter()
    condition = store.current().condition()
    if condition is Condition.UNAVAILABLE:
        return "Unavailable. Responses are not cached, and each process counts limits by itself."
    if condition is Condition.FULL:
        return "Full: it refuses writes. New responses are not cached. Give it more memory."
    return f"Available. Responded in {(time.perf_counter() - began) * 1000:.1f} ms."


def breaker() -> str:
    """Return whether requests to Plex are stopped after repeated failures."""
    failures = store.current().breaker.failures()
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
    if status.problem:
        return f"Not connected since {_timestamp(status.since)}: {status.problem}."
    if not status.changed:
        return f"Connected since {_timestamp(status.since)}. No change received yet."
    return (
        f"Connected since {_timestamp(status.since)}. "
        f"Last change received {_timestamp(status.changed)}."
    )


def _timestamp(epoch_seconds: float) -> str:
    return f"{datetime.fromtimestamp(epoch_seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
