"""Delete expired tokens, sessions and PINs, for installations without a listener."""

from typing import Any

from django.core.management.base import BaseCommand

from plex_integration.management.expired import delete_expired


class Command(BaseCommand):
    """Delete once; the listener does the same once a day."""

    help = "Delete expired tokens, sessions, PINs and locks. Run it daily where no listener runs."

    def handle(self, *args: Any, **options: Any) -> None:
        delete_expired()
