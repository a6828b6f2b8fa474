"""The errors of each operation, and the responses that say so."""

from typing import Any

from medianest.api import exceptions
from medianest.api.exceptions import Problem
from plex_integration import errors
from plex_integration.openapi import envelopes, headers

_PLEX = (errors.PlexUnauthorized, errors.PlexApiError, errors.PlexServerUnavailable)
_SIGNED_IN = (exceptions.Unauthorized, exceptions.RateLimitExceeded)
_BODY = (
    exceptions.Invalid,
    exceptions.UnsupportedMediaType,
    exceptions.RequestTimeout,
    exceptions.PayloadTooLarge,
)
_WRITTEN = (
    *_BODY,
    *_SIGNED_IN,
    errors.IdempotencyKeyReused,
    errors.WriteInProgress,
    *_PLEX,
)
_WRITING = (*_WRITTEN, exceptions.AccessDenied)
_WATCHING = (*_WRITTEN, errors.PlexLinkRequired, errors.ItemNotFound)
_ALWAYS = (exceptions.NotAcceptable, exceptions.ServiceUnavailable, Problem)

# What each operation can fail with, besides what every one can.
PROBLEMS: dict[str, tuple[type[Problem], ...]] = {
    "getServer": (*_SIGNED_IN, *_PLEX),
    "listLibraries": (*_SIGNED_IN, *_PLEX),
    "listLibraryItems": (exceptions.Invalid, errors.LibraryNotFound, *_SIGNED_IN, *_PLEX),
    "search": (exceptions.Invalid, errors.SearchQueryTooShort, *_SIGNED_IN, *_PLEX),
    "listRecentlyAdded": (exceptions.Invalid, errors.LibraryNotFound, *_SIGNED_IN, *_PLEX),
    "listLibraryCollections": (exceptions.Invalid, errors.LibraryNotFound, *_SIGNED_IN, *_PLEX),
    "getCollection": (exceptions.Invalid, errors.CollectionNotFound, *_SIGNED_IN, *_PLEX),
    "getItem": (exceptions.Invalid, errors.ItemNotFound, *_SIGNED_IN, *_PLEX),
    "listItemChildren": (exceptions.Invalid, errors.ItemNotFound, *_SIGNED_IN, *_PLEX),
    "listItems": (exceptions.Invalid, *_SIGNED_IN, *_PLEX),
    "findItems": (*_BODY, *_SIGNED_IN, *_PLEX),
    "lookUpItems": (exceptions.Invalid, *_SIGNED_IN, *_PLEX),
    "listOnDeck": (exceptions.Invalid, *_SIGNED_IN, *_PLEX),
    "listLibraryGenres": (errors.LibraryNotFound, *_SIGNED_IN, *_PLEX),
    "listPlaylists": (exceptions.Invalid, *_SIGNED_IN, *_PLEX),
    "getPlaylist": (exceptions.Invalid, errors.PlaylistNotFound, *_SIGNED_IN, *_PLEX),
    "getItemImage": (
        exceptions.Invalid,
        errors.ItemNotFound,
        errors.ImageNotFound,
        *_SIGNED_IN,
        *_PLEX,
    ),
    "createCollection": (errors.LibraryNotFound, *_WRITING),
    "editCollection": (errors.CollectionNotFound, errors.SmartCollection, *_WRITING),
    "deleteCollection": (errors.CollectionNotFound, *_WRITING),
    "addCollectionItems": (errors.CollectionNotFound, errors.SmartCollection, *_WRITING),
    "removeCollectionItem": (
        errors.CollectionNotFound,
        errors.ItemNotFound,
        errors.SmartCollection,
        *_WRITING,
    ),
    "moveCollectionItem": (
        errors.CollectionNotFound,
        errors.ItemNotFound,
        errors.SmartCollection,
        *_WRITING,
    ),
    "createPlaylist": _WRITING,
    "editPlaylist": (errors.PlaylistNotFound, *_WRITING),
    "deletePlaylist": (errors.PlaylistNotFound, *_WRITING),
    "addPlaylistItems": (errors.PlaylistNotFound, errors.SmartPlaylist, *_WRITING),
    "removePlaylistItem": (
        errors.PlaylistNotFound,
        errors.ItemNotFound,
        errors.SmartPlaylist,
        *_WRITING,
    ),
    "movePlaylistItem": (
        errors.PlaylistNotFound,
        errors.ItemNotFound,
        errors.SmartPlaylist,
        *_WRITING,
    ),
    "markWatched": _WATCHING,
    "markUnwatched": _WATCHING,
    "setProgress": _WATCHING,
    "signIn": (*_BODY, *_SIGNED_IN),
    "refreshToken": (*_BODY, *_SIGNED_IN),
    "verifyToken": (*_BODY, *_SIGNED_IN),
    "signOut": (*_BODY, *_SIGNED_IN),
    "getSession": _SIGNED_IN,
    "createPlexPin": (*_BODY, *_SIGNED_IN, exceptions.AccessDenied, errors.PlexTvUnavailable),
    "getPlexPin": (
        *_SIGNED_IN,
        exceptions.AccessDenied,
        errors.PinNotFound,
        errors.PlexLinkRequired,
        errors.PlexAccountLinked,
        errors.PlexApiError,
    ),
    "getPlexLink": _SIGNED_IN,
    "deletePlexLink": _SIGNED_IN,
    "listPlexHomeUsers": (*_SIGNED_IN, errors.PlexLinkRequired, errors.PlexTvUnavailable),
    "switchPlexHomeUser": (
        *_BODY,
        *_SIGNED_IN,
        errors.PlexLinkRequired,
        errors.HomeProfileNotFound,
        errors.HomePinWrong,
        *_PLEX,
        errors.PlexTvUnavailable,
    ),
    "getHealth": (),
    "getLiveness": (),
}


_HEADERS = {
    401: (headers.CHALLENGE,),
    429: (headers.RETRY_AFTER,),
    503: (headers.RETRY_AFTER,),
}
"""The headers that errors with a status have, besides those of every response."""


def responses(operation_id: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the error responses of an operation by status: a component's name, and its content."""
    possible: tuple[type[Problem], ...] = (*PROBLEMS[operation_id], *_ALWAYS)
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in possible:
        by_status.setdefault(problem.status_code, []).append(problem)
    return {
        str(status): (_name(problems), _response(status, problems))
        for status, problems in sorted(by_status.items())
    }


def _name(problems: list[type[Problem]]) -> str:
    return "Or".join(problem.code.title().replace("_", "") for problem in problems)


def _response(status: int, problems: list[type[Problem]]) -> dict[str, Any]:
    schema = envelopes.failure([problem.code for problem in problems])
    return {
        "description": " ".join(f"`{each.code}`: {each.default_detail}" for each in problems),
        "headers": headers.references((*headers.PLAIN, *_HEADERS.get(status, ()))),
        "content": {"application/json": {"schema": schema}},
    }
