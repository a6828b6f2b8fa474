"""The ASGI application that a server runs: `medianest.asgi:application`."""

import os

import django

from medianest.serving.early_signals import end_at_sigterm

end_at_sigterm()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medianest.settings")
django.setup(set_prefix=False)

# These modules need Django's applications.
# ruff: noqa: E402
import asyncio
import logging
import sys

from django.conf import settings
from django.db import DatabaseError

from medianest import store
from medianest.database import schema
from medianest.monitoring import processes
from medianest.serving import access_log, outer_headers
from medianest.serving.bodies import BodyLayer
from medianest.serving.finished_requests import FinishedRequests, Report
from medianest.serving.handler import ServiceHandler
from medianest.serving.lifespan import Lifespan
from medianest.serving.live import LiveLayer
from medianest.serving.responses import Application
from medianest.serving.threads import Threads
from plex_integration.caching.fast_path_layers import AsgiFastPath
from plex_integration.configuration import runtime
from plex_integration.linking.polling import poller
from plex_integration.viewers import access

if settings.TRACING:
    from medianest.serving import tracing
    from plex_integration.plex import traced_transport

if settings.METRICS_TOKEN:
    from medianest.monitoring import background, series
    from medianest.serving import request_metrics
    from plex_integration.plex import counted_transport

log = logging.getLogger(__name__)

SIGN_IN_PATHS = frozenset({"/api/v1/auth/token", "/api/v1/auth/sign-in", "/admin/login/"})
"""The paths at which a password is checked."""

SIGN_IN_THREADS = 2
"""How many passwords a worker checks at once: each takes a processor for part of a second."""

SIGN_IN_SECONDS = 20.0
"""How long a sign-in may wait for a thread; it holds none meanwhile."""

GENERAL_QUEUE, WAITING_QUEUE, SIGN_IN_QUEUE = 1024, 1024, 64
"""How many requests may wait for a thread, beyond those that have one."""

SWITCH_SECONDS = 0.001
"""How long a thread may keep the interpreter from the others. With Python's 5 ms the event loop,
which needs it several times for a hit, waits for every busy thread each time."""


class Service:
    """All layers, from the inside out, and what they share."""

    def __init__(self) -> None:
        self.general = Threads("general", settings.GENERAL_THREADS, GENERAL_QUEUE)
        self.waiting = Threads("waiting", settings.WAITING_THREADS, WAITING_QUEUE)
        self.sign_in = Threads("sign-in", SIGN_IN_THREADS, SIGN_IN_QUEUE)
        handler = ServiceHandler(
            self.general,
            self.waiting,
            self.sign_in,
            sign_in_paths=SIGN_IN_PATHS,
            sign_in_patience=SIGN_IN_SECONDS,
            patience=runtime.queue_seconds,
        )
        fast_path = AsgiFastPath(BodyLayer(handler), self.general, self.waiting, access.check_user)
        layers: Application = LiveLayer(fast_path)
        on_start, on_end = [self._start], [self._end]
        reports: list[Report] = []
        if settings.LOG_FORMAT == "json":
            reports.append(access_log.write)
        if settings.METRICS_TOKEN:
            reports.append(request_metrics.record)
            on_start = [self._start_metrics, *on_start]
        if reports:
            layers = FinishedRequests(layers, reports)
        if settings.TRACING:
            layers = tracing.TracingLayer(layers)
            on_start, on_end = [self._start_tracing, *on_start], [*on_end, self._end_tracing]
        self.lifespan = Lifespan(layers, on_start=on_start, on_end=on_end)

    async def _start(self) -> None:
        """Do what blocks before the first request; without a database, read the settings later."""
        sys.setswitchinterval(SWITCH_SECONDS)
        store.current()
        await self.general.run(outer_headers.prepare)
        try:
            await self.general.run(runtime.current)
        except DatabaseError as error:
            log.warning("the settings cannot be read yet: %s", type(error).__name__)
            if schema.is_outdated(error):
                schema.report_outdated()
        # Go on with the sign-ins of a worker that ended.
        poller.wake()
        processes.begin(processes.WORKER, lambda: self.lifespan.requests)

    async def _start_metrics(self) -> None:
        await self.general.run(series.start, settings.METRICS_FOLDER)
        counted_transport.install()
        background.repeat(self._count_jobs)

    def _count_jobs(self) -> None:
        for threads in (self.general, self.waiting, self.sign_in):
            series.THREADS.labels(threads.name).set(threads.size)
            series.JOBS.labels(threads.name).set(threads.jobs)

    async def _start_tracing(self) -> None:
        self._traces = tracing.start()
        traced_transport.install()

    async def _end_tracing(self) -> None:
        """Send the last spans."""
        await asyncio.to_thread(self._traces.shutdown)

    async def _end(self) -> None:
        await asyncio.to_thread(processes.end)
        await store.current().close_loop()
        await asyncio.to_thread(poller.stop)
        for threads in (self.waiting, self.sign_in, self.general):
            await asyncio.to_thread(threads.shutdown)


application: Application = Service().lifespan
