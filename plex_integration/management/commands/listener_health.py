"""Tell whether the listener of this machine runs, for the health check of its container."""

import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from medianest import store
from medianest.monitoring import processes
from medianest.store import Condition


class Command(BaseCommand):
    """Look for a report that the listener wrote to Redis a moment ago."""

    help = "Tell whether a listener runs on this machine; end with 1 and the reason if none does."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("REDIS_URL is not set: the listener needs it.")
        overview = store.current().overview("")
        if overview.condition is Condition.UNAVAILABLE:
            raise CommandError("Redis is unavailable, so it is not known whether a listener runs.")
        host = socket.gethostname()
        listeners = [
            each
            for each in processes.running(overview.reports)
            if (each.role, each.host) == (processes.LISTENER, host)
        ]
        if not listeners:
            raise CommandError(
                f"No listener on {host} has reported itself in the last "
                f"{processes.MAX_AGE:.0f} seconds."
            )
        age = min(each.age for each in listeners)
        self.stdout.write(f"The listener runs; it reported itself {age:.0f} seconds ago.")
