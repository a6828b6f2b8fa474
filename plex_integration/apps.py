"""The app, and the checks that Django runs when it starts."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


class PlexIntegrationConfig(AppConfig):
    """Name the app and register its checks."""

    name = "plex_integration"
    verbose_name = "Plex integration"

    def ready(self) -> None:
        checks.register(plex_is_configured)


def plex_is_configured(**_: Any) -> list[checks.CheckMessage]:
    """Report an environment without a Plex server: until the admin has one, requests get 503."""
    if settings.PLEX_URL and settings.PLEX_TOKEN:
        return []
    return [
        checks.Info(
            "The environment names no Plex server: without one in the admin, requests get 503.",
            hint="Connect the server in the admin, or set PLEX_URL and PLEX_TOKEN.",
            id="plex_integration.I001",
        )
    ]
