"""The app, and the checks that Django runs at its start."""

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
    """Warn where no Plex server is configured: every Plex endpoint will answer 503."""
    if settings.PLEX_URL and settings.PLEX_TOKEN:
        return []
    return [
        checks.Info(
            "No Plex server is configured, so the Plex endpoints answer 503.",
            hint="Set PLEX_URL and PLEX_TOKEN; README tells how to find a token.",
            id="plex_integration.I001",
        )
    ]
