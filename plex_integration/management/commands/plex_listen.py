"""Follow Plex's notifications, so that responses are fresh before their time to live is over."""

import contextlib
import logging
import os
import signal
import threading
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from medianest.monitoring import processes
from plex_integration.caching.invalidation import Listener
from plex_integration.management.expired import attempt, delete_daily

if settings.METRICS_TOKEN:
    from medianest.monitoring import series
    from plex_integration.plex import counted_transport

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Listen until a signal arrives."""

    help = (
        "Follow Plex's notifications and invalidate the cached responses that a change affects. "
        "Once a day, delete expired tokens and sessions. "
        "Runs until it is stopped; one is enough for all workers and machines."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        if not settings.REDIS_URL:
            raise CommandError(
                "REDIS_URL is not set: every process of the service has a cache of its own, "
                "which this process cannot reach. Responses are cached for their time to live."
            )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        if settings.METRICS_TOKEN:
            series.start(settings.METRICS_FOLDER)
            counted_transport.install()
        # The first time before it listens, so that a start does one thing after the other.
        seconds = attempt()
        threading.Thread(
            target=delete_daily, args=[seconds], name="delete-expired", daemon=True
        ).start()
        processes.begin(processes.LISTENER)
        Listener().run()


def _end(*_: Any) -> NoReturn:
    """Exit at once: an ordinary exit would wait for name resolutions that are still running.

    Nothing is lost: the next start clears the cache, because it may have missed changes.
    """
    with contextlib.suppress(Exception):
        log.info("stopped")
    os._exit(0)
