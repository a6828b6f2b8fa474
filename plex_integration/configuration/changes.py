"""Announce changed settings to every process, once the change is committed.

Every process holds a snapshot of the rows (`runtime`) and compares its version with the one in the
store, so it is enough to invalidate the tag `SETTINGS`. A changed connection also invalidates every
cached response.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from medianest import store
from medianest.store import EVERYTHING
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection, PolicyChange, ViewerSettings


@receiver([post_save, post_delete], sender=PlexConnection)
def announce_connection(**_: Any) -> None:
    """Announce a changed connection, and clear the cache."""
    transaction.on_commit(partial(_announce, [runtime.SETTINGS, EVERYTHING]))


@receiver([post_save, post_delete], sender=PolicyChange)
@receiver([post_save, post_delete], sender=ViewerSettings)
def announce_settings(**_: Any) -> None:
    """Announce a changed cache time, rate limit or rule for viewers."""
    transaction.on_commit(partial(_announce, [runtime.SETTINGS]))


def learn_identity(url: str, machine_identifier: str) -> None:
    """Save which server answers at the address of the connection, and announce it."""
    row = PlexConnection.objects.filter(url=url).exclude(machine_identifier=machine_identifier)
    if row.update(machine_identifier=machine_identifier):
        transaction.on_commit(partial(_announce, [runtime.SETTINGS]))
    else:
        # Another process has just saved the same: this one holds the settings from before.
        runtime.reload()


def _announce(tags: Sequence[str]) -> None:
    store.current().values.invalidate_tags(tags)
    runtime.reload()
