"""Which item types a library lists, and how Plex spells filters of each type."""

from medianest.api.exceptions import Invalid
from plex_integration.errors import PlexApiError
from plex_integration.plex.media import Library

# What a library of each type can list; the first is what it lists by default.
LISTABLE = {
    "movie": ("movie",),
    "show": ("show", "season", "episode"),
    "artist": ("artist", "album", "track"),
    "photo": ("photo", "photoalbum"),
}

# How Plex spells "not yet watched" for each type that can be watched.
UNWATCHED = {
    "movie": "unwatched",
    "show": "unwatchedLeaves",
    "season": "episode.unwatched",
    "episode": "unwatched",
}

# Whose genres an item is found by: seasons and episodes have those of their show, tracks those of
# their album. Plex expects the other type in front of the field.
GENRES_OF = {
    "season": ("show", "show.genre"),
    "episode": ("show", "show.genre"),
    "track": ("album", "album.genre"),
}

# Which types Plex can filter by year, and how; it ignores the filter for any other.
YEAR = {
    "movie": "year",
    "show": "year",
    "episode": "year",
    "album": "year",
    "track": "album.year",
    "photo": "year",
}

# Plex puts items without the value last in descending order; in ascending order on request.
ASCENDING = {"rating:asc": "rating:nullsLast", "year:asc": "year:nullsLast"}


def listable(library: Library, kind: str | None) -> str:
    """Return the type if the library lists it. Raises Invalid, and PlexApiError for its own."""
    allowed = LISTABLE.get(library.type or "", ())
    if not allowed:
        raise PlexApiError(f"Libraries of type {library.type!r} cannot be listed.")
    if kind not in allowed:
        raise Invalid(details={"type": [f"A {library.type} library lists: {', '.join(allowed)}."]})
    return kind
