"""The writing endpoints: one viewset per path, whose facts are class attributes.

The write flow is written once, in `WriteViewSet.write`. DRF has authenticated the user, counted
the request and checked the permission before that. A path that can also be read extends its
viewset in `reading`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from medianest.api.middleware import request_deadline
from medianest.api.schema import Endpoint
from medianest.api.serializers import Body, Payload
from plex_integration.caching import breaker
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.plex.editing import CollectionEditor, PlaylistEditor
from plex_integration.reading import viewsets as reading
from plex_integration.reading.catalog import LibraryCatalog
from plex_integration.reading.viewsets import payload_context
from plex_integration.viewsets import PlexViewSet
from plex_integration.writing import collections, idempotency, playlists
from plex_integration.writing.bodies import (
    CollectionBody,
    CollectionEdit,
    ItemsBody,
    PlaylistBody,
    PlaylistEdit,
    PositionBody,
    PositionQuery,
    WriteQuery,
)
from plex_integration.writing.execution import Executed, execute
from plex_integration.writing.idempotency import (
    IdempotencyRecord,
    UnfinishedCreation,
    WriteResponse,
)
from plex_integration.writing.operation import Operation, Outcome, WriteRequest
from plex_integration.writing.permissions import CanManageCollections, CanManagePlaylists
from plex_integration.writing.serializers import (
    CollectionDeletedPayload,
    CollectionWrittenPayload,
    PlaylistDeletedPayload,
    PlaylistWrittenPayload,
)

IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    {
        "type": "string",
        "minLength": 1,
        "maxLength": idempotency.MAX_LENGTH,
        "pattern": idempotency.PATTERN,
    },
    OpenApiParameter.HEADER,
    description="A text that the client chooses. The same request with the same key is carried "
    "out once, and gets the same response again for 24 hours. Dry runs ignore it.",
)

Service = Callable[[Operation, Any, WriteRequest], Outcome]
"""What carries out a write, with the editor of its viewset."""


@dataclass(frozen=True)
class Write:
    """What an action writes; `creates` is the name of the URL of what it creates."""

    operation_id: str
    service: Service
    payload: type[Payload]
    body: type[Body] | None = None
    query: type[WriteQuery] = WriteQuery
    creates: str | None = None

    @property
    def endpoint(self) -> Endpoint:
        """How the OpenAPI document describes it."""
        return Endpoint(
            self.operation_id,
            dict.fromkeys((200, 201) if self.creates else (200,), self.payload),
            query=self.query,
            body=self.body,
            parameters=(IDEMPOTENCY_KEY,),
        )


@dataclass(frozen=True)
class PlexWrite:
    """Run the service of a write with an editor of Plex, and render its outcome."""

    write: Write
    editor: type[CollectionEditor] | type[PlaylistEditor]
    connection: Connection
    catalog: LibraryCatalog
    deadline: float
    request: WriteRequest

    def __call__(self, operation: Operation) -> WriteResponse:
        """Run the service within the deadline. Raises PlexServerUnavailable, and its errors."""
        request = self._with_library()
        libraries = self.catalog.libraries()
        editor = self.editor(self.connection, self.deadline - time.monotonic(), libraries)
        with breaker.guard():
            outcome = self.write.service(operation, editor, request)
        return self._response(outcome)

    def _with_library(self) -> WriteRequest:
        """Return the request with the library that its path names. Raises LibraryNotFound."""
        key = self.request.ids.get("libraryKey")
        library = None if key is None else self.catalog.library(key)
        return replace(self.request, path_library=library)

    def _response(self, outcome: Outcome) -> WriteResponse:
        payload = self.write.payload(outcome.data, context=payload_context(self.connection))
        if outcome.created is None or self.write.creates is None:
            return WriteResponse(200, payload.data)
        return WriteResponse(201, payload.data, reverse(self.write.creates, args=[outcome.created]))


class WriteViewSet(PlexViewSet):
    """An endpoint that writes to Plex. `writes` describes its writing actions, by their names.

    `editor` and `target` say what kind of list it writes to.
    """

    writes: ClassVar[Mapping[str, Write]]
    editor: ClassVar[type[CollectionEditor] | type[PlaylistEditor]]
    target: ClassVar[str]

    def write(self) -> Response:
        """Answer the request: carry out the write of the current action, or try it as a dry run."""
        write, ids = self.writes[self.action], self.path_ids()
        key = idempotency.validated_key(self.request.headers.get(idempotency.HEADER))
        query = write.query.of(self.request.query_params)
        request = WriteRequest(ids, query, write.body.of(self.request) if write.body else {})
        connection = runtime.required_connection()
        deadline = request_deadline(self.request._request, connection.seconds)
        catalog = LibraryCatalog(connection, self.counted_reading(), deadline)
        plex_write = PlexWrite(write, self.editor, connection, catalog, deadline, request)
        operation = self._operation(connection.scope, key, request)
        if operation.dry_run:
            return _response(Executed(plex_write(operation)))
        return _response(execute(plex_write, operation, deadline))

    def endpoint(self) -> Endpoint:
        """Describe the current action: a write, or what the path reads."""
        write = self.writes.get(self.action)
        return write.endpoint if write else super().endpoint()

    def _operation(self, scope: str, key: str | None, request: WriteRequest) -> Operation:
        method, path = str(self.request.method), self.request.path_info
        fingerprint = idempotency.fingerprint(method, path, request.query, request.body)
        user = self.request.user.pk
        list_key = request.ids.get(f"{self.target}Key")
        target = f"{self.target}:{list_key}" if list_key else f"creation:{user}:{fingerprint}"
        return Operation(
            request.query["dryRun"],
            f"{scope}:{target}",
            IdempotencyRecord(f"{scope}:{user}", key, fingerprint),
            UnfinishedCreation(f"{scope}:{user}", fingerprint),
        )


def _response(executed: Executed) -> Response:
    recorded = executed.response
    response = Response(recorded.data, status=recorded.status)
    response["Cache-Control"] = "no-store"
    if recorded.location is not None:
        response["Location"] = recorded.location
    if executed.is_replayed:
        response["Idempotency-Replayed"] = "true"
    return response


class CollectionWriteViewSet(WriteViewSet):
    """An endpoint that writes to a library's collections."""

    permission_classes = [CanManageCollections]
    editor = CollectionEditor
    target = "collection"


class PlaylistWriteViewSet(WriteViewSet):
    """An endpoint that writes to playlists."""

    permission_classes = [CanManagePlaylists]
    editor = PlaylistEditor
    target = "playlist"


class LibraryCollectionsViewSet(CollectionWriteViewSet, reading.LibraryCollectionsViewSet):
    """`/libraries/:libraryKey/collections`"""

    writes = {
        "create": Write(
            operation_id="createCollection",
            service=collections.create,
            body=CollectionBody,
            payload=CollectionWrittenPayload,
            creates="plex-collection-detail",
        )
    }

    def create(self, request: Request, libraryKey: str) -> Response:
        """Create a collection of items of one type, in their order."""
        return self.write()


class CollectionViewSet(CollectionWriteViewSet, reading.CollectionViewSet):
    """`/collections/:collectionKey`"""

    writes = {
        "partial_update": Write(
            operation_id="editCollection",
            service=collections.edit,
            body=CollectionEdit,
            payload=CollectionWrittenPayload,
        ),
        "destroy": Write(
            operation_id="deleteCollection",
            service=collections.delete,
            payload=CollectionDeletedPayload,
        ),
    }

    def partial_update(self, request: Request, collectionKey: str) -> Response:
        """Change a collection's title, texts, sort order or mode."""
        return self.write()

    def destroy(self, request: Request, collectionKey: str) -> Response:
        """Delete a collection; its items stay."""
        return self.write()


class CollectionItemsViewSet(CollectionWriteViewSet):
    """`/collections/:collectionKey/items`"""

    writes = {
        "create": Write(
            operation_id="addCollectionItems",
            service=collections.add_items,
            body=ItemsBody,
            payload=CollectionWrittenPayload,
        )
    }

    def create(self, request: Request, collectionKey: str) -> Response:
        """Add items to a collection; those that are in it already are not added again."""
        return self.write()


class CollectionItemViewSet(CollectionWriteViewSet):
    """`/collections/:collectionKey/items/:ratingKey`"""

    writes = {
        "destroy": Write(
            operation_id="removeCollectionItem",
            service=collections.remove_item,
            payload=CollectionWrittenPayload,
        )
    }

    def destroy(self, request: Request, collectionKey: str, ratingKey: str) -> Response:
        """Remove an item from a collection; the item itself stays."""
        return self.write()


class CollectionPositionViewSet(CollectionWriteViewSet):
    """`/collections/:collectionKey/items/:ratingKey/position`"""

    writes = {
        "update": Write(
            operation_id="moveCollectionItem",
            service=collections.move_item,
            body=PositionBody,
            payload=CollectionWrittenPayload,
        )
    }

    def update(self, request: Request, collectionKey: str, ratingKey: str) -> Response:
        """Move an item after another one, or to the front; the sort order becomes `custom`."""
        return self.write()


class PlaylistsViewSet(PlaylistWriteViewSet, reading.PlaylistsViewSet):
    """`/playlists`"""

    writes = {
        "create": Write(
            operation_id="createPlaylist",
            service=playlists.create,
            body=PlaylistBody,
            payload=PlaylistWrittenPayload,
            creates="plex-playlist",
        )
    }

    def create(self, request: Request) -> Response:
        """Create a playlist of videos, of music or of photos, in their order."""
        return self.write()


class PlaylistViewSet(PlaylistWriteViewSet, reading.PlaylistViewSet):
    """`/playlists/:playlistKey`"""

    writes = {
        "partial_update": Write(
            operation_id="editPlaylist",
            service=playlists.edit,
            body=PlaylistEdit,
            payload=PlaylistWrittenPayload,
        ),
        "destroy": Write(
            operation_id="deletePlaylist",
            service=playlists.delete,
            payload=PlaylistDeletedPayload,
        ),
    }

    def partial_update(self, request: Request, playlistKey: str) -> Response:
        """Change a playlist's title or summary."""
        return self.write()

    def destroy(self, request: Request, playlistKey: str) -> Response:
        """Delete a playlist; its items stay."""
        return self.write()


class PlaylistItemsViewSet(PlaylistWriteViewSet):
    """`/playlists/:playlistKey/items`"""

    writes = {
        "create": Write(
            operation_id="addPlaylistItems",
            service=playlists.add_items,
            body=ItemsBody,
            payload=PlaylistWrittenPayload,
        )
    }

    def create(self, request: Request, playlistKey: str) -> Response:
        """Append items to a playlist; those that are in it already are not added again."""
        return self.write()


class PlaylistItemViewSet(PlaylistWriteViewSet):
    """`/playlists/:playlistKey/items/:ratingKey`"""

    writes = {
        "destroy": Write(
            operation_id="removePlaylistItem",
            service=playlists.remove_item,
            query=PositionQuery,
            payload=PlaylistWrittenPayload,
        )
    }

    def destroy(self, request: Request, playlistKey: str, ratingKey: str) -> Response:
        """Remove an item from a playlist; the item itself stays."""
        return self.write()


class PlaylistPositionViewSet(PlaylistWriteViewSet):
    """`/playlists/:playlistKey/items/:ratingKey/position`"""

    writes = {
        "update": Write(
            operation_id="movePlaylistItem",
            service=playlists.move_item,
            query=PositionQuery,
            body=PositionBody,
            payload=PlaylistWrittenPayload,
        )
    }

    def update(self, request: Request, playlistKey: str, ratingKey: str) -> Response:
        """Move an item of a playlist after another one, or to the front."""
        return self.write()
