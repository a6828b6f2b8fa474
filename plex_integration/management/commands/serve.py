"""Start the service as it runs in production."""

import os
import socket
import sys
from argparse import ArgumentTypeError
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plex_integration.management.ports import read_port

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
        parser.add_argument(
            "--host", default="127.0.0.1", type=_address, help="the IP address to listen on"
        )
        # Not 0, which chooses a free port: Granian does not print which one that is.
        parser.add_argument("--port", default=8000, type=read_port, help="the port to listen on")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        _check_port(host, port)
        place = f"--host {host} --port {port} --workers {settings.WORKERS}"
        argv = [sys.executable, "-m", "granian", *place.split(), *OPTIONS.split(), APPLICATION]
        environment = os.environ | {"PYTHONPATH": _module_path()}
        if settings.LOG_FORMAT == "json":
            environment.setdefault("GRANIAN_LOG_CONFIG", str(JSON_LOGS))
        os.execve(sys.executable, argv, environment)  # noqa: S606, no shell is wanted


def _address(text: str) -> str:
    # Granian does not look names up.
    try:
        return str(ip_address(text))
    except ValueError as error:
        message = f"{text!r} is not an IP address such as 127.0.0.1, 0.0.0.0 or ::1"
        raise ArgumentTypeError(message) from error


def _check_port(host: str, port: int) -> None:
    """Refuse a port on which another program listens.

    Granian would share it with another service of the same user (SO_REUSEPORT), and each would get
    some of the connections. Like other servers, this ignores connections of a service that has
    stopped listening (SO_REUSEADDR), so a restart need not wait for them. It does not see a service
    that begins to start at the same time, because that one does not listen yet.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"Cannot listen on {host}, port {port}: {error.strerror}"
            raise CommandError(message) from error


def _module_path() -> str:
    """Return where Granian finds the service, from whatever folder it is started."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(settings.BASE_DIR), *([given] if given else [])])
