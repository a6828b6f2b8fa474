"""From which percentage of its duration on a server counts a video as watched.

Only the owner's token can read that, so this process reads it with the service's own and keeps it
for some minutes.
"""

import logging
from threading import Lock

from cachetools import TTLCache, cached

from medianest.api.exceptions import Problem
from plex_integration.configuration.connection import Connection
from plex_integration.plex import PlexClient

log = logging.getLogger(__name__)

DEFAULT_PERCENT = 90
"""That of a new server."""
KEPT_SECONDS = 300
READ_SECONDS = 2.0

_percents: TTLCache[Connection, int] = TTLCache(64, KEPT_SECONDS)


@cached(_percents, key=lambda connection: connection, lock=Lock())
def played_percent(connection: Connection) -> int:
    """Return the percentage; the default where the server does not say."""
    try:
        return PlexClient(connection, min(READ_SECONDS, connection.seconds)).played_percent()
    except Problem as problem:
        log.warning(
            "the threshold for watched items cannot be read (%s): %d %% is assumed",
            problem.code,
            DEFAULT_PERCENT,
        )
        return DEFAULT_PERCENT


def forget() -> None:
    """Forget the percentages that this process keeps."""
    _percents.clear()
