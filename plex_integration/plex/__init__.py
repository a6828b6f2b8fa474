"""The only door to Plex: nothing outside this room imports plexapi or requests.

`Plex` is one answer's conversation with a server: one identity, one deadline for all its calls
together. Its methods name what is wanted and return media types; no plexapi object, element
or foreign exception leaves. What Plex sends is mapped from python-plexapi's elements, not from its
objects, whose attribute reads can ask Plex again, and whose casts lie about odd data.

`follow` listens to what Plex tells by itself: changes of libraries. `try_out` tells an operator
in one sentence what is so.

    requests' exceptions, bad XML, statuses  →  PlexServerUnavailable, PlexUnauthorized,
                                                PlexApiError
    404, or 200 without a body               →  NotThere, a PlexApiError where nobody expects it
"""

from plex_integration.plex.client import IDS_PER_CALL, TYPE_NUMBERS, Plex, is_plex_up
from plex_integration.plex.events import Change, ItemChanged, LibraryChanged, Missed, follow
from plex_integration.plex.diagnostics import Trial, try_out

__all__ = [
    "IDS_PER_CALL",
    "TYPE_NUMBERS",
    "Change",
    "ItemChanged",
    "LibraryChanged",
    "Missed",
    "Plex",
    "Trial",
    "follow",
    "is_plex_up",
    "try_out",
]
