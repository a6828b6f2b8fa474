"""Start the service as it runs in production."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

APPLICATION = "medianest.asgi:application"
# docs/deployment.md explains them. The kill timeout is above the longest time that a request may
# take: PLEX_TIMEOUT is at most 120 seconds.
OPTIONS = (
    "--interface asgi --loop uvloop --no-ws --backpressure 4096 --respawn-failed-workers "
    "--workers-kill-timeout 125"
)

JSON_LOGS = settings.BASE_DIR / "medianest" / "json_logs.json"
"""Granian's own lines as JSON."""


class Command(BaseCommand):
    """Become Granian, so that it receives the signals of a supervisor."""

    help = (
        "Start the service with Granian; it runs until it is stopped. WORKERS is the number of "
        "worker processes: by default 2 with REDIS_URL, and 1 without."
    )
    # The service also starts while the database is unavailable.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
        parser.add_argument("--port", default=8000, type=int, help="the port to listen on")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        place = f"--host {host} --port {port} --workers {settings.WORKERS}"
        argv = [sys.executable, "-m", "granian", *place.split(), *OPTIONS.split(), APPLICATION]
        environment = os.environ | {"PYTHONPATH": _module_path()}
        if settings.LOG_FORMAT == "json":
            environment.setdefault("GRANIAN_LOG_CONFIG", str(JSON_LOGS))
        os.execve(sys.executable, argv, environment)  # noqa: S606, no shell is wanted


def _module_path() -> str:
    """Return where Granian finds the service, from whatever folder it is started."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(settings.BASE_DIR), *([given] if given else [])])
