"""The error table's rows about Plex, and the whole table.

Problem
├── PlexServerUnavailable   503  Plex does not answer
├── PlexUnauthorized        401  Plex refuses this service's token
├── PlexApiError            502  Plex sends a response that cannot be used
├── PlexTvUnavailable       503  plex.tv does not answer
├── PlexLinkRequired        403  the user needs a Plex account that can be used
├── PlexAccountLinked       409  the Plex account belongs to another user
├── HomePinWrong            403  plex.tv refuses the PIN of a Plex Home profile
├── LibraryNotFound, CollectionNotFound, ItemNotFound, PlaylistNotFound, ImageNotFound   404
├── PinNotFound, HomeProfileNotFound                                                     404
├── SmartCollection, SmartPlaylist, IdempotencyKeyReused, WriteInProgress                409
└── SearchQueryTooShort     400
"""

from enum import Enum
from typing import Self

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


class PlexTvUnavailable(Problem):
    """plex.tv cannot be reached, fails, or limits this service's requests."""

    code = "PLEX_TV_UNAVAILABLE"
    status_code = 503
    default_detail = "plex.tv is not accessible. Try again."
    headers = {"Retry-After": "5"}


class LinkReason(Enum):
    """Why a user's own view of Plex cannot be used."""

    NOT_LINKED = "not_linked"
    PENDING = "pending"
    REVOKED = "revoked"
    NO_ACCESS = "no_access"


_LINK_MESSAGES = {
    LinkReason.NOT_LINKED: "Link your Plex account.",
    LinkReason.PENDING: "Sign in with Plex once.",
    LinkReason.REVOKED: "Plex refuses your account's token. Sign in with Plex again.",
    LinkReason.NO_ACCESS: "Your Plex account has no access to this server.",
}


class PlexLinkRequired(Problem):
    """The user has no link to a Plex account, or one that cannot be used; `details` says why."""

    code = "PLEX_LINK_REQUIRED"
    status_code = 403
    default_detail = _LINK_MESSAGES[LinkReason.NOT_LINKED]

    @classmethod
    def because(cls, reason: LinkReason) -> Self:
        """Return the error with its message and its details for a reason."""
        return cls(_LINK_MESSAGES[reason], details={"reason": [reason.value]})


class PlexAccountLinked(Problem):
    """The Plex account is linked to another user of this service."""

    code = "PLEX_ACCOUNT_LINKED"
    status_code = 409
    default_detail = "This Plex account is linked to another user."


class PinNotFound(Problem):
    """There is no such PIN, its secret is wrong or missing, or its result was fetched already."""

    code = "PIN_NOT_FOUND"
    status_code = 404
    default_detail = "There is no such PIN."


class HomeProfileNotFound(Problem):
    """The user's Plex Home has no such profile."""

    code = "HOME_PROFILE_NOT_FOUND"
    status_code = 404
    default_detail = "Your Plex Home has no such profile."


class HomePinWrong(Problem):
    """plex.tv refused the PIN of a Plex Home profile."""

    code = "HOME_PIN_WRONG"
    status_code = 403
    default_detail = "The PIN of this profile is wrong."


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
    PlexTvUnavailable,
    PlexLinkRequired,
    PlexAccountLinked,
    PinNotFound,
    HomeProfileNotFound,
    HomePinWrong,
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
