"""The writing endpoints: who may, how often, and what was asked.

They share their paths with the reading ones, so this is no view of its own: `urls` joins both.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import tokens
from plex_integration.configuration import connection
from plex_integration import policies
from plex_integration.configuration.connection import Connection
from plex_integration.writing import collections, idempotency, playlists, execution
from plex_integration.writing.idempotency import Answered, Once, Unfinished
from plex_integration.writing.serializers import (
    CollectionBody,
    CollectionDeletedPayload,
    CollectionEdit,
    CollectionWrittenPayload,
    ItemsBody,
    PlaceQuery,
    PlaylistBody,
    PlaylistDeletedPayload,
    PlaylistEdit,
    PlaylistWrittenPayload,
    PositionBody,
    WriteQuery,
)
from plex_integration.writing.operation import Outcome, Work
from medianest.api.exceptions import AccessDenied, Problem, Unauthorized
from plex_integration.errors import (
    CollectionNotFound,
    ItemNotFound,
    LibraryNotFound,
    PlaylistNotFound,
    PlexServerUnavailable,
)
from plex_integration.plex.editing import CollectionEditor, PlaylistEditor
from plex_integration.reading.catalog import KeptLists
from medianest.api.throttling import Turn
from medianest.api.serializers import Body, Payload
from plex_integration.plex.ids import is_id

COLLECTIONS, PLAYLISTS = "accounts.manage_collections", "accounts.manage_playlists"
METHODS = ["post", "put", "patch", "delete"]

ONCE = OpenApiParameter(
    idempotency.HEADER,
    {"type": "string", "minLength": 1, "maxLength": idempotency.LONGEST},
    OpenApiParameter.HEADER,
    description="A text of the client's own choice. The same request under the same key is done "
    "once, and answered the same again for 24 hours. A dry run does not use it.",
)


@dataclass(frozen=True)
class Asked:
    """What a write is given: where it goes, the kept lists, its deadline, and what was asked."""

    to: Connection
    lists: KeptLists
    deadline: float
    query: Mapping[str, Any]
    body: Mapping[str, Any]

    def collections(self) -> CollectionEditor:
        """Begin to edit collections."""
        return CollectionEditor(self.to, self._seconds(), self.lists.libraries())

    def playlists(self) -> PlaylistEditor:
        """Begin to edit playlists."""
        return PlaylistEditor(self.to, self._seconds(), self.lists.libraries())

    def _seconds(self) -> float:
        return self.deadline - time.monotonic()


Write = Callable[[Work], Outcome]


class EditingActions(ViewSet):
    """One action per writing endpoint: admit, name the service, answer."""

    turn: Turn | None

    @extend_schema(
        operation_id="createCollection",
        parameters=[WriteQuery, ONCE],
        request=CollectionBody,
        responses={200: CollectionWrittenPayload, 201: CollectionWrittenPayload},
    )
    def create_collection(self, request: Request, libraryKey: str) -> Response:
        """Create a collection of items of one type, in their order."""
        self._admit(COLLECTIONS)
        key = _key(libraryKey, LibraryNotFound)

        def write(asked: Asked) -> Write:
            library = asked.lists.library(key)
            plex = asked.collections()
            return lambda doing: collections.create(doing, plex, library, asked.body)

        return self._write(
            write, CollectionWrittenPayload, body=CollectionBody, creates="plex-collection-detail"
        )

    @extend_schema(
        operation_id="editCollection",
        parameters=[WriteQuery, ONCE],
        request=CollectionEdit,
        responses={200: CollectionWrittenPayload},
    )
    def edit_collection(self, request: Request, collectionKey: str) -> Response:
        """Change a collection's title, texts, sort order or mode."""
        self._admit(COLLECTIONS)
        key = _key(collectionKey, CollectionNotFound)

        def write(asked: Asked) -> Write:
            plex = asked.collections()
            return lambda doing: collections.edit(doing, plex, key, asked.body)

        return self._write(write, CollectionWrittenPayload, _collection(key), body=CollectionEdit)

    @extend_schema(
        operation_id="deleteCollection",
        parameters=[WriteQuery, ONCE],
        request=None,
        responses={200: CollectionDeletedPayload},
    )
    def delete_collection(self, request: Request, collectionKey: str) -> Response:
        """Delete a collection; its items stay."""
        self._admit(COLLECTIONS)
        key = _key(collectionKey, CollectionNotFound)

        def write(asked: Asked) -> Write:
            plex = asked.collections()
            return lambda doing: collections.delete(doing, plex, key)

        return self._write(write, CollectionDeletedPayload, _collection(key))

    @extend_schema(
        operation_id="addCollectionItems",
        parameters=[WriteQuery, ONCE],
        request=ItemsBody,
        responses={200: CollectionWrittenPayload},
    )
    def add_collection_items(self, request: Request, collectionKey: str) -> Response:
        """Put items into a collection; those that are in it are not added twice."""
        self._admit(COLLECTIONS)
        key = _key(collectionKey, CollectionNotFound)

        def write(asked: Asked) -> Write:
            plex = asked.collections()
            return lambda doing: collections.add_items(doing, plex, key, asked.body["items"])

        return self._write(write, CollectionWrittenPayload, _collection(key), body=ItemsBody)

    @extend_schema(
        operation_id="removeCollectionItem",
        parameters=[WriteQuery, ONCE],
        request=None,
        responses={200: CollectionWrittenPayload},
    )
    def remove_collection_item(
        self, request: Request, collectionKey: str, ratingKey: str
    ) -> Response:
        """Take an item out of a collection; the item itself stays."""
        self._admit(COLLECTIONS)
        key, item = _key(collectionKey, CollectionNotFound), _key(ratingKey, ItemNotFound)

        def write(asked: Asked) -> Write:
            plex = asked.collections()
            return lambda doing: collections.remove_item(doing, plex, key, item)

        return self._write(write, CollectionWrittenPayload, _collection(key))

    @extend_schema(
        operation_id="moveCollectionItem",
        parameters=[WriteQuery, ONCE],
        request=PositionBody,
        responses={200: CollectionWrittenPayload},
    )
    def move_collection_item(
        self, request: Request, collectionKey: str, ratingKey: str
    ) -> Response:
        """Put an item behind another one, or first; the sort order becomes `custom`."""
        self._admit(COLLECTIONS)
        key, item = _key(collectionKey, CollectionNotFound), _key(ratingKey, ItemNotFound)

        def write(asked: Asked) -> Write:
            plex = asked.collections()
            return lambda doing: collections.move_item(doing, plex, key, item, asked.body["after"])

        return self._write(write, CollectionWrittenPayload, _collection(key), body=PositionBody)

    @extend_schema(
        operation_id="createPlaylist",
        parameters=[WriteQuery, ONCE],
        request=PlaylistBody,
        responses={200: PlaylistWrittenPayload, 201: PlaylistWrittenPayload},
    )
    def create_playlist(self, request: Request) -> Response:
        """Create a playlist of videos, of music or of photos, in their order."""
        self._admit(PLAYLISTS)

        def write(asked: Asked) -> Write:
            plex = asked.playlists()
            return lambda doing: playlists.create(doing, plex, asked.body)

        return self._write(
            write, PlaylistWrittenPayload, body=PlaylistBody, creates="plex-playlist"
        )

    @extend_schema(
        operation_id="editPlaylist",
        parameters=[WriteQuery, ONCE],
        request=PlaylistEdit,
        responses={200: PlaylistWrittenPayload},
    )
    def edit_playlist(self, request: Request, playlistKey: str) -> Response:
        """Change a playlist's title or summary."""
        self._admit(PLAYLISTS)
        key = _key(playlistKey, PlaylistNotFound)

        def write(asked: Asked) -> Write:
            plex = asked.playlists()
            return lambda doing: playlists.edit(doing, plex, key, asked.body)

        return self._write(write, PlaylistWrittenPayload, _playlist(key), body=PlaylistEdit)

    @extend_schema(
        operation_id="deletePlaylist",
        parameters=[WriteQuery, ONCE],
        request=None,
        responses={200: PlaylistDeletedPayload},
    )
    def delete_playlist(self, request: Request, playlistKey: str) -> Response:
        """Delete a playlist; its items stay."""
        self._admit(PLAYLISTS)
        key = _key(playlistKey, PlaylistNotFound)

        def write(asked: Asked) -> Write:
            plex = asked.playlists()
            return lambda doing: playlists.delete(doing, plex, key)

        return self._write(write, PlaylistDeletedPayload, _playlist(key))

    @extend_schema(
        operation_id="addPlaylistItems",
        parameters=[WriteQuery, ONCE],
        request=ItemsBody,
        responses={200: PlaylistWrittenPayload},
    )
    def add_playlist_items(self, request: Request, playlistKey: str) -> Response:
        """Put items at a playlist's end; those that are in it are not added twice."""
        self._admit(PLAYLISTS)
        key = _key(playlistKey, PlaylistNotFound)

        def write(asked: Asked) -> Write:
            plex = asked.playlists()
            return lambda doing: playlists.add_items(doing, plex, key, asked.body["items"])

        return self._write(write, PlaylistWrittenPayload, _playlist(key), body=ItemsBody)

    @extend_schema(
        operation_id="removePlaylistItem",
        parameters=[PlaceQuery, ONCE],
        request=None,
        responses={200: PlaylistWrittenPayload},
    )
    def remove_playlist_item(self, request: Request, playlistKey: str, ratingKey: str) -> Response:
        """Take an item out of a playlist; the item itself stays."""
        self._admit(PLAYLISTS)
        key, item = _key(playlistKey, PlaylistNotFound), _key(ratingKey, ItemNotFound)

        def write(asked: Asked) -> Write:
            plex, by = asked.playlists(), asked.query["by"]
            return lambda doing: playlists.remove_item(doing, plex, key, item, by)

        return self._write(write, PlaylistWrittenPayload, _playlist(key), query=PlaceQuery)

    @extend_schema(
        operation_id="movePlaylistItem",
        parameters=[PlaceQuery, ONCE],
        request=PositionBody,
        responses={200: PlaylistWrittenPayload},
    )
    def move_playlist_item(self, request: Request, playlistKey: str, ratingKey: str) -> Response:
        """Put an item behind another one, or first."""
        self._admit(PLAYLISTS)
        key, item = _key(playlistKey, PlaylistNotFound), _key(ratingKey, ItemNotFound)

        def write(asked: Asked) -> Write:
            plex, by, after = asked.playlists(), asked.query["by"], asked.body["after"]
            return lambda doing: playlists.move_item(doing, plex, key, item, by, after)

        return self._write(
            write, PlaylistWrittenPayload, _playlist(key), body=PositionBody, query=PlaceQuery
        )

    def _admit(self, right: str) -> None:
        """Count the write, and let in who may. Raises RateLimitExceeded, AccessDenied."""
        self.turn = Turn(str(self.request.user.pk), policies.WRITES)
        self.turn.take()
        # Not the user this process remembers: a right that was taken away is gone at once.
        try:
            user = tokens.bearer(self.request.auth)
        except tokens.TokenRefused:
            raise Unauthorized from None
        if not user.has_perm(right):
            raise AccessDenied

    def _write(
        self,
        write: Callable[[Asked], Write],
        payload: type[Payload],
        target: str | None = None,
        *,
        body: type[Body] | None = None,
        query: type[WriteQuery] = WriteQuery,
        creates: str | None = None,
    ) -> Response:
        """Do a write, or try it; `creates` names the URL of what it creates."""
        request = self.request
        key = idempotency.key_of(request.headers.get(idempotency.HEADER))
        given = query.of(request.query_params)
        members = body.of(request) if body else {}
        to = connection.current()
        if to is None:
            raise PlexServerUnavailable("No Plex server is configured.")
        deadline = time.monotonic() + to.seconds
        lists = KeptLists(to, deadline, before_asking=lambda: None)

        def act(doing: Work) -> Answered:
            ready = write(Asked(to, lists, deadline, given, members))
            with execution.asking():
                outcome = ready(doing)
            context = {"show_file_paths": to.show_file_paths, "viewer": to.viewer}
            data = payload(outcome.data, context=context).data
            if outcome.created is None or creates is None:
                return Answered(200, data)
            return Answered(201, data, reverse(creates, args=[outcome.created]))

        if given["dryRun"]:
            return _response(act(Work(dry_run=True)))
        scope = f"{to.viewer}:{request.user.pk}"
        asked = idempotency.fingerprint(str(request.method), request.path_info, given, members)
        answered, is_again = execution.done(
            act,
            Once(scope, key, asked),
            Unfinished(scope, asked) if target is None else None,
            f"{to.viewer}:{target or f'creation:{request.user.pk}:{asked}'}",
            deadline,
        )
        response = _response(answered)
        if is_again:
            response["Idempotency-Replayed"] = "true"
        return response


def _response(answered: Answered) -> Response:
    response = Response(answered.data, status=answered.status)
    response["Cache-Control"] = "no-store"
    if answered.location is not None:
        response["Location"] = answered.location
    return response


def _key(text: str, missing: type[Problem]) -> str:
    if not is_id(text):
        raise missing
    return text


def _collection(key: str) -> str:
    return f"collection:{key}"


def _playlist(key: str) -> str:
    return f"playlist:{key}"
