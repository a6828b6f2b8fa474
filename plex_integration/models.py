"""The app's models, where Django looks for them; loading them also connects their signals."""

from plex_integration.configuration import changes
from plex_integration.configuration.models import CacheStatus, PlexConnection, PolicyChange
from plex_integration.writing.locks import WriteLock

__all__ = ["CacheStatus", "PlexConnection", "PolicyChange", "WriteLock", "changes"]
