"""The lines about what the service depends on: Plex, Redis, the database and the listener."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from medianest import store
from medianest.store import Condition, Facts, Overview
from plex_integration.admin import states
from plex_integration.admin.labels import age, counted, milliseconds, timestamp
from plex_integration.admin.missing import missing_token
from plex_integration.admin.service import plex_check
from plex_integration.admin.service.database import DatabaseFacts
from plex_integration.admin.service.lines import Line, State
from plex_integration.admin.service.plex_check import PlexCheck
from plex_integration.caching import invalidation
from plex_integration.caching.breaker import FAILURES
from plex_integration.configuration.connection import Connection
from plex_integration.configuration.models import PlexConnection

NO_CONNECTION = "No Plex server is connected, so requests for Plex get 503."
NO_LISTENER = "No listener is running: a change in Plex shows when the cache time is over."
MIGRATE = "Run manage.py migrate."
_NAMES = {"default": "Redis", "limits": "Redis for limits"}
_CONDITIONS = {
    Condition.FULL: "It is full and refuses writes: new responses are not cached. "
    "Give it more memory, or the eviction policy volatile-lru.",
    Condition.UNAVAILABLE: "It is unavailable: responses are not cached. "
    "Start it, and check its address and password in the settings.",
}
MIN_REDIS = (6, 0)
"""The oldest Redis whose protocol the client library speaks."""


UNKNOWN = Line("Plex", State.PROBLEM, ["The database does not say which server is connected."])


def plex(connection: Connection | None, checked: PlexCheck | None, overview: Overview) -> Line:
    """Return whether Plex responds, since when, and what the breaker does.

    `checked` is what this process found; another worker may have checked since.
    """
    if connection is None:
        row = PlexConnection.objects.first()
        token = [missing_token(row)] if row else []
        return Line("Plex", State.PROBLEM, [NO_CONNECTION, *token])
    check = plex_check.known(connection, overview) or checked
    is_open = overview.failures >= FAILURES
    is_working = check is not None and check.is_connected and not is_open
    sentences = [*_found(check), f"Address: {address_of(connection)}.", _breaker(overview)]
    if check is None and not is_open:
        return Line("Plex", State.ATTENTION, sentences)
    return Line("Plex", State.OK if is_working else State.PROBLEM, sentences)


def redis() -> Iterator[Line]:
    """Return the state of each Redis: its version, its memory, and what the service keeps there."""
    if not settings.REDIS_URL:
        yield Line("Redis", State.UNUSED, [states.NO_REDIS])
    for alias, facts in store.current().facts().items():
        yield _redis(_NAMES[alias], facts)


def database(facts: DatabaseFacts) -> Line:
    """Return the kind, the size and the speed of the database."""
    responded = milliseconds(facts.seconds * 1000)
    return Line(
        "Database",
        State.OK,
        [f"{facts.kind}.", f"{filesizeformat(facts.size)}.", f"Responded in {responded}."],
    )


def migrations(pending: list[str]) -> Line:
    """Return which migrations are pending."""
    if not pending:
        return Line("Migrations", State.OK, ["The database is up to date."])
    return Line("Migrations", State.PROBLEM, [f"Pending: {', '.join(pending)}.", MIGRATE])


def listener(written: bytes | None) -> Line:
    """Return whether changes in Plex are received."""
    status = invalidation.parsed(written)
    if not settings.REDIS_URL:
        return Line("Listener", State.UNUSED, ["It needs Redis.", NO_LISTENER])
    if status is None:
        return Line("Listener", State.ATTENTION, [NO_LISTENER, "Start manage.py plex_listen."])
    state = State.PROBLEM if status.problem else State.OK
    return Line("Listener", state, [states.listener_sentence(status)])


def _found(check: PlexCheck | None) -> Iterator[str]:
    if check is None:
        yield "Not checked yet: the first check takes long."
        return
    yield check.message
    verb = "Connected" if check.is_connected else "Not connected"
    yield f"{verb} since {timestamp(check.since)}. Checked {age(check.age)} ago."


def address_of(connection: Connection) -> str:
    """Return the address of a connection without a user and a password."""
    parts = urlsplit(connection.url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _breaker(overview: Overview) -> str:
    return f"Circuit breaker: {states.breaker_sentence(overview.failures)}"


def _redis(name: str, facts: Facts | None) -> Line:
    if facts is None:
        return Line(name, State.PROBLEM, [_CONDITIONS[Condition.UNAVAILABLE]])
    sentences = [*_about(facts), f"Responded in {milliseconds(facts.seconds * 1000)}."]
    if facts.condition is Condition.OK:
        wrong = [*_too_old(facts), *_policy(name, facts)]
        return Line(name, State.ATTENTION if wrong else State.OK, [*wrong, *sentences])
    return Line(name, State.PROBLEM, [_CONDITIONS[facts.condition], *sentences])


def _too_old(facts: Facts) -> Iterator[str]:
    version = str(facts.about.get("redis_version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers and numbers < MIN_REDIS:
        yield f"Redis {version} is too old. Install Redis 6 or newer, or Valkey."


def _policy(name: str, facts: Facts) -> Iterator[str]:
    """Say whether a full Redis would evict the counts of limits, or refuse writes."""
    policy = str(facts.about.get("maxmemory_policy", ""))
    has_limits = name == _NAMES["limits"] or not settings.REDIS_LIMITS_URL
    if policy.startswith("allkeys") and has_limits:
        yield (
            f"Its eviction policy {policy} also evicts the counts of rate limits. "
            "Set maxmemory-policy to volatile-lru, or REDIS_LIMITS_URL to another Redis."
        )
    elif policy == "noeviction" and facts.about.get("maxmemory") and name == _NAMES["default"]:
        yield (
            "With its eviction policy noeviction it refuses writes when it is full. "
            "Set maxmemory-policy to volatile-lru."
        )


def _about(facts: Facts) -> Iterator[str]:
    about = facts.about
    if version := about.get("valkey_version") or about.get("redis_version"):
        yield f"{'Valkey' if 'valkey_version' in about else 'Redis'} {version}."
    if used := about.get("used_memory"):
        limit = about.get("maxmemory")
        of = f" of {filesizeformat(limit)}" if limit else ", without a limit"
        yield f"Memory: {filesizeformat(used)}{of}."
    if facts.keys is not None:
        yield f"{counted(facts.keys, 'key')} in the service's database."
