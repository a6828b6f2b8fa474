"""The app's models, where Django looks for them; loading them also connects their signals."""

from plex_integration.configuration import changes
from plex_integration.configuration.models import (
    CacheStatus,
    PlexConnection,
    PolicyChange,
    ViewerSettings,
    VisibilityCheck,
)
from plex_integration.linking.pins import PlexPin, PollSchedule
from plex_integration.writing.locks import WriteLock

__all__ = [
    "CacheStatus",
    "PlexConnection",
    "PlexPin",
    "PolicyChange",
    "PollSchedule",
    "ViewerSettings",
    "VisibilityCheck",
    "WriteLock",
    "changes",
]
