"""Follow Plex's notifications, so that answers are fresh before their time is over."""

import contextlib
import logging
import os
import signal
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from plex_integration.caching.invalidation import Listener

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Listen until a signal comes."""

    help = (
        "Follow Plex's notifications and drop the kept answers that a library's change touches. "
        "Runs until it is stopped; one is enough for all workers and machines."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        if not settings.REDIS_URL:
            raise CommandError(
                "REDIS_URL is not set: every process of the service keeps its answers to itself, "
                "where this one cannot reach them. They live as long as README says."
            )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        Listener().run()


def _end(*_: Any) -> NoReturn:
    """End now: there is nothing to tidy up, and an ordinary exit waits for names being resolved.

    What was heard and not yet dropped is dropped by the next start, as all that was missed.
    """
    with contextlib.suppress(Exception):
        log.info("stopped")
    os._exit(0)
