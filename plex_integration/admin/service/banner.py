"""What is wrong now, for the banner of every page: from what is known already, without asking Plex.

It costs one round trip to Redis, and a query for the migrations every 10 seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.urls import reverse

from accounts.models import User
from medianest import store
from medianest.store import Condition, Overview
from plex_integration.admin.labels import counted
from plex_integration.admin.service import dependencies, machine, plex_check
from plex_integration.admin.service.database import pending_migrations
from plex_integration.caching import invalidation
from plex_integration.caching.breaker import FAILURES
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.images import disk_cache

MAX_CHECK_AGE = 60.0
"""For how many seconds a failed check of Plex stands; nothing says later that Plex is back."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: a sentence, and a page that helps."""

    text: str
    url: str = ""
    link: str = ""


def problems(user: User | AnonymousUser) -> list[Problem]:
    """Return what is wrong now. Raises DatabaseError where the database is unavailable."""
    migrations = list(_migrations())
    try:
        connection = runtime.current().connection
    except DatabaseError:
        # The tables of the settings are those of another version. The page may work all the same.
        return migrations
    overview = store.current().overview(connection.server if connection else "", invalidation.KEY)
    plex = list(_plex(user, connection, overview))
    return [
        *plex,
        *_redis(overview),
        # A listener without Plex is no problem of its own.
        *([] if plex else _listener(overview)),
        *migrations,
        *_disk(),
    ]


def _plex(
    user: User | AnonymousUser, connection: Connection | None, overview: Overview
) -> Iterator[Problem]:
    page = {}
    if user.is_superuser:
        url = reverse("admin:plex_integration_plexconnection_changelist")
        page = {"url": url, "link": "Open the Plex connection" if connection else "Connect to Plex"}
    if connection is None:
        yield Problem(dependencies.NO_CONNECTION, **page)
    elif reason := _reason(connection, overview):
        yield Problem(f"Plex is unavailable. {reason}", **page)


def _reason(connection: Connection, overview: Overview) -> str | None:
    """Say why Plex is unavailable; None if it is not, as far as is known."""
    check = plex_check.known(connection, overview)
    if check and not check.is_connected and check.age < MAX_CHECK_AGE:
        return check.message
    if overview.failures >= FAILURES:
        return f"It failed {overview.failures} times in a row."
    return None


def _redis(overview: Overview) -> Iterator[Problem]:
    if overview.condition is Condition.UNAVAILABLE:
        yield Problem(
            "Redis is unavailable. Responses are not cached, "
            "and each process counts rate limits by itself."
        )
    elif overview.condition is Condition.FULL:
        yield Problem("Redis is full. New responses are not cached.")


def _listener(overview: Overview) -> Iterator[Problem]:
    if not settings.REDIS_URL or overview.condition is Condition.UNAVAILABLE:
        return
    status = invalidation.parsed(overview.values[0])
    if status is None:
        yield Problem(dependencies.NO_LISTENER)
    elif status.problem:
        yield Problem(f"The listener is not connected to Plex: {status.problem}.")


def _migrations() -> Iterator[Problem]:
    if pending := pending_migrations():
        number = counted(len(pending), "migration")
        yield Problem(f"The database is not up to date: {number} pending. {dependencies.MIGRATE}")


def _disk() -> Iterator[Problem]:
    if settings.PICTURES_MIB:
        problem = machine.disk_problem(disk_cache.current().space())
        if problem:
            yield Problem(problem)
