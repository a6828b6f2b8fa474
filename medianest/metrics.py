"""`/metrics` for Prometheus: what all workers of this machine counted, and the service's state.

Imported only where METRICS_TOKEN is set. What is stored or shared is read for each request, from
where the admin's pages read it. All of it runs in the request's thread, so that it needs no
connection to the database of its own; only Plex is checked in the background.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hmac import compare_digest

from cachetools.func import ttl_cache
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from medianest import store
from medianest.api.error_views import refusal
from medianest.api.exceptions import MethodNotAllowed, Unauthorized
from medianest.monitoring import processes
from medianest.monitoring.metrics_folder import MetricsFolder
from medianest.monitoring.version import VERSION, commit
from medianest.store import Condition, Overview
from plex_integration.admin.service import plex_check
from plex_integration.admin.service.database import DatabaseFacts, facts, pending_migrations
from plex_integration.admin.stored import StoredEntries, stored_entries
from plex_integration.caching import invalidation
from plex_integration.caching.breaker import FAILURES
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.images import disk_cache

ENTRIES_SECONDS = 60
"""How often the cached entries are counted, which walks through the keys of Redis."""


@csrf_exempt
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics, in the text format that every Prometheus reads."""
    if not _is_allowed(request):
        return refusal(request, Unauthorized("Send the METRICS_TOKEN as a bearer token."))
    if request.method not in ("GET", "HEAD"):
        return refusal(request, MethodNotAllowed(headers={"Allow": "GET, HEAD"}))
    registry = CollectorRegistry()
    registry.register(_Counted())
    registry.register(_State())
    return HttpResponse(
        generate_latest(registry),
        content_type=CONTENT_TYPE_PLAIN_0_0_4,
        headers={"Cache-Control": "no-store"},
    )


def _is_allowed(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected: str = settings.METRICS_TOKEN
    return scheme.lower() == "bearer" and compare_digest(token.encode(), expected.encode())


class _Counted(Collector):
    """What the workers counted, in their files."""

    def collect(self) -> Iterable[Metric]:
        folder = MetricsFolder(settings.METRICS_FOLDER)
        try:
            with folder.locked():
                found: Iterable[Metric] = MultiProcessCollector.merge(folder.files())
        except OSError:
            yield _gauge("metrics_folder_up", "Whether METRICS_FOLDER can be used.", 0)
        else:
            yield _gauge("metrics_folder_up", "Whether METRICS_FOLDER can be used.", 1)
            yield from found


class _State(Collector):
    """The state of the service and of what it depends on."""

    def collect(self) -> Iterator[Metric]:
        build = _labelled("build_info", "The version of the service.", "version", "commit")
        build.add_metric([VERSION, commit()], 1)
        yield build
        database = _database_facts()
        yield from _database(database)
        connection = _connection(is_database_up=database is not None)
        server = connection.server if connection else ""
        overview = store.current().overview(server, invalidation.KEY)
        yield from _plex(connection, overview)
        yield from _processes(overview)
        if settings.REDIS_URL:
            yield from _redis()
            yield from _listener(overview)
        if overview.condition is not Condition.UNAVAILABLE:
            yield from _entries()
        yield from _pictures()


def _connection(*, is_database_up: bool) -> Connection | None:
    """Return the connection to Plex; without a database, the last that this worker knew."""
    with suppress(DatabaseError):
        snapshot = runtime.current() if is_database_up else runtime.held()
        return snapshot.connection if snapshot else None
    return None


def _database_facts() -> tuple[DatabaseFacts, int] | None:
    """Return what the database says about itself, and how many migrations are pending."""
    try:
        return facts(), len(pending_migrations())
    except DatabaseError:
        return None


def _database(found: tuple[DatabaseFacts, int] | None) -> Iterator[Metric]:
    yield _gauge("database_up", "Whether the database answers.", found is not None)
    if found:
        about, pending = found
        yield _gauge("database_size_bytes", "The size of the database.", about.size)
        yield _gauge("database_response_seconds", "How long a query took.", about.seconds)
        yield _gauge("database_pending_migrations", "Migrations that were not run.", pending)


def _plex(connection: Connection | None, overview: Overview) -> Iterator[Metric]:
    checked = plex_check.refresh(connection) if connection else None
    if checked or not connection:
        is_up = checked is not None and checked.is_connected
        yield _gauge("plex_up", "Whether Plex answered the last check.", is_up)
    is_open = overview.failures >= FAILURES
    yield _gauge("plex_breaker_open", "Whether the circuit breaker stops requests.", is_open)
    yield _gauge("plex_failures_in_a_row", "What the circuit breaker counts.", overview.failures)


def _processes(overview: Overview) -> Iterator[Metric]:
    """Count the processes of all machines, unless Redis could not tell."""
    if overview.condition is Condition.UNAVAILABLE:
        return
    counts: dict[tuple[str, str], int] = {}
    for each in processes.running(overview.reports):
        key = (each.role, each.version)
        counts[key] = counts.get(key, 0) + 1
    found = _labelled("processes", "Processes of all machines that run.", "role", "version")
    for labels, number in counts.items():
        found.add_metric(labels, number)
    yield found


def _redis() -> Iterator[Metric]:
    up = _labelled("redis_up", "Whether Redis answers.", "redis")
    full = _labelled("redis_full", "Whether Redis refuses writes.", "redis")
    used = _labelled("redis_memory_bytes", "The memory that Redis uses.", "redis")
    most = _labelled("redis_memory_max_bytes", "What it may use; 0 is no limit.", "redis")
    for name, said in store.current().facts().items():
        up.add_metric([name], said is not None and said.condition is not Condition.UNAVAILABLE)
        if said is None:
            continue
        full.add_metric([name], said.condition is Condition.FULL)
        for family, key in ((used, "used_memory"), (most, "maxmemory")):
            if key in said.about:
                family.add_metric([name], said.about[key])
    yield from (up, full, used, most)


def _listener(overview: Overview) -> Iterator[Metric]:
    if overview.condition is Condition.UNAVAILABLE:
        return
    status = invalidation.parsed(overview.values[0])
    yield _gauge("listener_up", "Whether a listener runs.", status is not None)
    is_connected = status is not None and not status.problem
    yield _gauge("listener_connected", "Whether it follows Plex's notifications.", is_connected)
    if status and status.changed:
        moment = "When it last received a change."
        yield _gauge("listener_last_change_timestamp_seconds", moment, status.changed)


def _entries() -> Iterator[Metric]:
    entries = _labelled("cache_entries", "Cached responses that are current.", "policy")
    size = _labelled("cache_entry_bytes", "The size of these responses.", "policy")
    stored, is_all = _stored()
    for policy, found in stored.items():
        entries.add_metric([policy], found.entries)
        size.add_metric([policy], found.size)
    yield from (entries, size)
    yield _gauge("cache_entries_complete", "0: there are more than could be counted.", is_all)


@ttl_cache(maxsize=1, ttl=ENTRIES_SECONDS, timer=time.monotonic)
def _stored() -> tuple[dict[str, StoredEntries], bool]:
    found, is_all = stored_entries()
    return dict(found), is_all


def _pictures() -> Iterator[Metric]:
    cache = disk_cache.current()
    space = cache.space()
    yield _gauge("pictures_bytes", "The size of the pictures on this machine.", cache.used())
    yield _gauge("pictures_max_bytes", "What they may occupy.", cache.max_bytes)
    yield _gauge("pictures_writable", "Whether they can be cached.", space.is_writable)
    if space.free is not None:
        yield _gauge("pictures_disk_free_bytes", "What is free on their disk.", space.free)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"medianest_{name}", documentation, value=value)


def _labelled(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"medianest_{name}", documentation, labels=labels)
