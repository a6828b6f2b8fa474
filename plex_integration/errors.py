"""The error table's rows about Plex, and the whole table.

Problem
├── PlexServerUnavailable   503  Plex does not answer
├── PlexUnauthorized        401  Plex refuses this service's token
├── PlexApiError            502  Plex sends a response that cannot be used
├── LibraryNotFound, CollectionNotFound, ItemNotFound, PlaylistNotFound, ImageNotFound   404
├── SmartCollection, SmartPlaylist, IdempotencyKeyReused, WriteInProgress                409
└── SearchQueryTooShort     400
"""

from medianest.api.exceptions import GENERAL_PROBLEMS, Problem


class PlexServerUnavailable(Problem):
    """Plex refused the connection, timed out, is starting up, or no server is configured."""

    code = "PLEX_SERVER_UNAVAILABLE"
    status_code = 503
    default_detail = "Plex server is not accessible."
    headers = {"Retry-After": "5"}


class PlexUnauthorized(Problem):
    """Plex answered 401 or 403 to this service's own token."""

    code = "PLEX_UNAUTHORIZED"
    status_code = 401
    default_detail = "Plex refuses the credentials this service is configured with."
    headers = {"WWW-Authenticate": "Plex"}
    is_upstream = True


class PlexApiError(Problem):
    """Plex sent any other response that cannot be used."""

    code = "PLEX_API_ERROR"
    status_code = 502
    default_detail = "Plex sent a response that this service cannot use."


class LibraryNotFound(Problem):
    """No library has this key."""

    code = "LIBRARY_NOT_FOUND"
    status_code = 404
    default_detail = "Specified library does not exist."


class CollectionNotFound(Problem):
    """No collection has this key."""

    code = "COLLECTION_NOT_FOUND"
    status_code = 404
    default_detail = "Collection not found."


class ItemNotFound(Problem):
    """No item has this key."""

    code = "ITEM_NOT_FOUND"
    status_code = 404
    default_detail = "Item not found."


class PlaylistNotFound(Problem):
    """No playlist has this key."""

    code = "PLAYLIST_NOT_FOUND"
    status_code = 404
    default_detail = "Playlist not found."


class ImageNotFound(Problem):
    """The item has no picture of this kind."""

    code = "IMAGE_NOT_FOUND"
    status_code = 404
    default_detail = "There is no such picture."


class SmartCollection(Problem):
    """The items of a smart collection come from its filter and cannot be added or removed."""

    code = "SMART_COLLECTION"
    status_code = 409
    default_detail = "The items of a smart collection come from its filter and cannot be changed."


class SmartPlaylist(Problem):
    """The items of a smart playlist come from its filter and cannot be added or removed."""

    code = "SMART_PLAYLIST"
    status_code = 409
    default_detail = "The items of a smart playlist come from its filter and cannot be changed."


class IdempotencyKeyReused(Problem):
    """The Idempotency-Key was already used with a different request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    status_code = 409
    default_detail = "This Idempotency-Key was used for another request."


class WriteInProgress(Problem):
    """Another write to the same target, or with the same Idempotency-Key, is still running."""

    code = "WRITE_IN_PROGRESS"
    status_code = 409
    default_detail = "Another write to this has not finished yet. Try again."


class SearchQueryTooShort(Problem):
    """The search query has fewer than 2 characters."""

    code = "SEARCH_QUERY_TOO_SHORT"
    status_code = 400
    default_detail = "Search query must be at least 2 characters."


_PLEX_PROBLEMS: tuple[type[Problem], ...] = (
    PlexServerUnavailable,
    PlexUnauthorized,
    LibraryNotFound,
    CollectionNotFound,
    ItemNotFound,
    PlaylistNotFound,
    ImageNotFound,
    SmartCollection,
    SmartPlaylist,
    IdempotencyKeyReused,
    WriteInProgress,
    SearchQueryTooShort,
    PlexApiError,
)

TABLE: dict[str, type[Problem]] = {
    problem.code: problem for problem in (*_PLEX_PROBLEMS, *GENERAL_PROBLEMS)
}
"""Every error code the API can answer with. The documentation and the schema are held to it."""
