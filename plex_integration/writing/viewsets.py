"""The writing endpoints: one viewset per path, whose facts are class attributes.

The write flow is written once, in `WriteViewSet.write`. DRF has authenticated the user, counted
the request and checked the permission before that. A path that can also be read extends its
viewset in `reading`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.plex_links import PlexLink
from medianest.api.middleware import request_deadline
from medianest.api.public_url import public_url
from medianest.api.schema import Endpoint
from medianest.api.serializers import Body, Payload
from plex_integration.caching import breaker, tags
from plex_integration.configuration.connection import Connection, Scope
from plex_integration.errors import LinkReason, PlexLinkRequired
from plex_integration.plex.editing import CollectionEditor, PlaylistEditor
from plex_integration.plex.watching import WatchClient
from plex_integration.plex.writer import PlexWriter
from plex_integration.reading import viewsets as reading
from plex_integration.reading.catalog import LibraryCatalog
from plex_integration.reading.viewsets import payload_context
from plex_integration.viewers.connections import require_active
from plex_integration.viewsets import PlexViewSet, Viewed
from plex_integration.writing import collections, idempotency, playlists, watching
from plex_integration.writing.bodies import (
    AddItemsBody,
    CreateCollectionBody,
    CreatePlaylistBody,
    EditCollectionBody,
    EditPlaylistBody,
    MoveItemBody,
    PositionQuery,
    SetProgressBody,
    WriteQuery,
)
from plex_integration.writing.execution import Executed, execute
from plex_integration.writing.held_locks import HeldLocks
from plex_integration.writing.idempotency import (
    IdempotencyRecord,
    UnfinishedCreation,
    WriteResponse,
)
from plex_integration.writing.operation import Invalidate, Operation, Outcome, WriteRequest
from plex_integration.writing.permissions import CanManageCollections, CanManagePlaylists
from plex_integration.writing.serializers import (
    PlexCollectionDeletionPayload,
    PlexCollectionWritePayload,
    PlexPlaylistDeletionPayload,
    PlexPlaylistWritePayload,
    PlexWatchStateWritePayload,
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
    editor: type[PlexWriter]
    connection: Connection
    catalog: LibraryCatalog
    deadline: float
    request: WriteRequest

    def __call__(self, operation: Operation) -> WriteResponse:
        """Run the service within the deadline. Raises PlexServerUnavailable, and its errors."""
        request = self._with_library()
        libraries = self.catalog.libraries()
        editor = self.editor(self.connection, self.deadline - time.monotonic(), libraries)
        with breaker.guard(self.connection.server):
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

    `editor` is the client that their services write with.
    """

    writes: ClassVar[Mapping[str, Write]]
    editor: ClassVar[type[PlexWriter]]

    def target(self, scope: Scope, ids: Mapping[str, str]) -> str:
        """Return what is written to, of which only one write runs at a time; "" for something new.

        `ids` are those in the path.
        """
        raise NotImplementedError

    def invalidation(self, scope: Scope) -> Invalidate:
        """Return what invalidates the responses that show what was written."""
        raise NotImplementedError

    def write(self) -> Response:
        """Answer the request: carry out the write of the current action, or try it as a dry run."""
        write, ids = self.writes[self.action], self.path_ids()
        key = idempotency.validated_key(self.request.headers.get(idempotency.HEADER))
        query = write.query.of(self.request.query_params)
        request = WriteRequest(ids, query, write.body.of(self.request) if write.body else {})
        return _response(self.in_view(partial(self._executed, write, key, request)))

    def _executed(
        self, write: Write, key: str | None, request: WriteRequest, viewed: Viewed
    ) -> Executed:
        """Carry out a write in the user's view of Plex, or try it as a dry run."""
        connection = viewed.connection
        deadline = request_deadline(self.request._request, connection.seconds)
        catalog = LibraryCatalog(connection, viewed.reading, deadline)
        plex_write = PlexWrite(write, self.editor, connection, catalog, deadline, request)
        operation = self._operation(connection.scope, key, request, deadline)
        if operation.dry_run:
            return Executed(plex_write(operation))
        return execute(plex_write, operation)

    def endpoint(self) -> Endpoint:
        """Describe the current action: a write, or what the path reads."""
        write = self.writes.get(self.action)
        return write.endpoint if write else super().endpoint()

    def _operation(
        self, scope: Scope, key: str | None, request: WriteRequest, deadline: float
    ) -> Operation:
        method, path = str(self.request.method), self.request.path_info
        fingerprint = idempotency.fingerprint(method, path, request.query, request.body)
        user = self.request.user.pk
        return Operation(
            request.query["dryRun"],
            f"{scope.server}:{self.target(scope, request.ids) or f'creation:{user}:{fingerprint}'}",
            HeldLocks(deadline),
            self.invalidation(scope),
            IdempotencyRecord(f"{scope.name}:{user}", key, fingerprint),
            UnfinishedCreation(f"{scope.name}:{user}", fingerprint),
        )


def _response(executed: Executed) -> Response:
    recorded = executed.response
    response = Response(recorded.data, status=recorded.status)
    response["Cache-Control"] = "no-store"
    if recorded.location is not None:
        response["Location"] = public_url(recorded.location)
    if executed.is_replayed:
        response["Idempotency-Replayed"] = "true"
    return response


class ListWriteViewSet(WriteViewSet):
    """An endpoint that writes to collections or playlists; `list_type` says to which."""

    list_type: ClassVar[str]

    def target(self, scope: Scope, ids: Mapping[str, str]) -> str:
        """Return the list that the path names."""
        key = ids.get(f"{self.list_type}Key")
        return "" if key is None else f"{self.list_type}:{key}"

    def invalidation(self, scope: Scope) -> Invalidate:
        """Return what invalidates responses of all viewers of the server."""
        return partial(tags.invalidate, scope.server)


class CollectionWriteViewSet(ListWriteViewSet):
    """An endpoint that writes to a library's collections."""

    tag = "Collections"
    permission_classes = [CanManageCollections]
    editor = CollectionEditor
    list_type = "collection"

    def plex_link(self) -> PlexLink | None:
        """Return the link whose view is read; collections are written with the service's token.

        They belong to the server. A link that cannot be used lets its user write nothing either.
        """
        link = super().plex_link()
        if self.action not in self.writes:
            return link
        require_active(link)
        return None


class PlaylistWriteViewSet(ListWriteViewSet):
    """An endpoint that writes to playlists."""

    tag = "Playlists"
    permission_classes = [CanManagePlaylists]
    editor = PlaylistEditor
    list_type = "playlist"


class LibraryCollectionsViewSet(CollectionWriteViewSet, reading.LibraryCollectionsViewSet):
    """`/libraries/:libraryKey/collections`"""

    writes = {
        "create": Write(
            operation_id="createCollection",
            service=collections.create,
            body=CreateCollectionBody,
            payload=PlexCollectionWritePayload,
            creates="plex-collection-detail",
        )
    }

    def create(self, request: Request, libraryKey: str) -> Response:
        """Create a collection.

        Of items of one type, in their order.
        """
        return self.write()


class CollectionViewSet(CollectionWriteViewSet, reading.CollectionViewSet):
    """`/collections/:collectionKey`"""

    writes = {
        "partial_update": Write(
            operation_id="editCollection",
            service=collections.edit,
            body=EditCollectionBody,
            payload=PlexCollectionWritePayload,
        ),
        "destroy": Write(
            operation_id="deleteCollection",
            service=collections.delete,
            payload=PlexCollectionDeletionPayload,
        ),
    }

    def partial_update(self, request: Request, collectionKey: str) -> Response:
        """Change a collection.

        Its title, texts, sort order or mode.
        """
        return self.write()

    def destroy(self, request: Request, collectionKey: str) -> Response:
        """Delete a collection.

        Its items stay.
        """
        return self.write()


class CollectionItemsViewSet(CollectionWriteViewSet):
    """`/collections/:collectionKey/items`"""

    writes = {
        "create": Write(
            operation_id="addCollectionItems",
            service=collections.add_items,
            body=AddItemsBody,
            payload=PlexCollectionWritePayload,
        )
    }

    def create(self, request: Request, collectionKey: str) -> Response:
        """Add items to a collection.

        Those that are in it already are not added again.
        """
        return self.write()


class CollectionItemViewSet(CollectionWriteViewSet):
    """`/collections/:collectionKey/items/:ratingKey`"""

    writes = {
        "destroy": Write(
            operation_id="removeCollectionItem",
            service=collections.remove_item,
            payload=PlexCollectionWritePayload,
        )
    }

    def destroy(self, request: Request, collectionKey: str, ratingKey: str) -> Response:
        """Remove an item from a collection.

        The item itself stays.
        """
        return self.write()


class CollectionPositionViewSet(CollectionWriteViewSet):
    """`/collections/:collectionKey/items/:ratingKey/position`"""

    writes = {
        "update": Write(
            operation_id="moveCollectionItem",
            service=collections.move_item,
            body=MoveItemBody,
            payload=PlexCollectionWritePayload,
        )
    }

    def update(self, request: Request, collectionKey: str, ratingKey: str) -> Response:
        """Move an item of a collection.

        After another item, or to the front. The sort order becomes `custom`.
        """
        return self.write()


class PlaylistsViewSet(PlaylistWriteViewSet, reading.PlaylistsViewSet):
    """`/playlists`"""

    writes = {
        "create": Write(
            operation_id="createPlaylist",
            service=playlists.create,
            body=CreatePlaylistBody,
            payload=PlexPlaylistWritePayload,
            creates="plex-playlist",
        )
    }

    def create(self, request: Request) -> Response:
        """Create a playlist.

        Of videos, of music or of photos, in their order.
        """
        return self.write()


class PlaylistViewSet(PlaylistWriteViewSet, reading.PlaylistViewSet):
    """`/playlists/:playlistKey`"""

    writes = {
        "partial_update": Write(
            operation_id="editPlaylist",
            service=playlists.edit,
            body=EditPlaylistBody,
            payload=PlexPlaylistWritePayload,
        ),
        "destroy": Write(
            operation_id="deletePlaylist",
            service=playlists.delete,
            payload=PlexPlaylistDeletionPayload,
        ),
    }

    def partial_update(self, request: Request, playlistKey: str) -> Response:
        """Change a playlist.

        Its title or summary.
        """
        return self.write()

    def destroy(self, request: Request, playlistKey: str) -> Response:
        """Delete a playlist.

        Its items stay.
        """
        return self.write()


class PlaylistItemsViewSet(PlaylistWriteViewSet):
    """`/playlists/:playlistKey/items`"""

    writes = {
        "create": Write(
            operation_id="addPlaylistItems",
            service=playlists.add_items,
            body=AddItemsBody,
            payload=PlexPlaylistWritePayload,
        )
    }

    def create(self, request: Request, playlistKey: str) -> Response:
        """Add items to a playlist.

        At its end. Those that are in it already are not added again.
        """
        return self.write()


class PlaylistItemViewSet(PlaylistWriteViewSet):
    """`/playlists/:playlistKey/items/:ratingKey`"""

    writes = {
        "destroy": Write(
            operation_id="removePlaylistItem",
            service=playlists.remove_item,
            query=PositionQuery,
            payload=PlexPlaylistWritePayload,
        )
    }

    def destroy(self, request: Request, playlistKey: str, ratingKey: str) -> Response:
        """Remove an item from a playlist.

        The item itself stays.
        """
        return self.write()


class PlaylistPositionViewSet(PlaylistWriteViewSet):
    """`/playlists/:playlistKey/items/:ratingKey/position`"""

    writes = {
        "update": Write(
            operation_id="movePlaylistItem",
            service=playlists.move_item,
            query=PositionQuery,
            body=MoveItemBody,
            payload=PlexPlaylistWritePayload,
        )
    }

    def update(self, request: Request, playlistKey: str, ratingKey: str) -> Response:
        """Move an item of a playlist.

        After another item, or to the front.
        """
        return self.write()


class WatchViewSet(WriteViewSet):
    """An endpoint that writes what the user's own Plex account has watched; others write nothing.

    A show is locked beside its episodes by the service.
    """

    tag = "Watch state"
    editor = WatchClient

    def write(self) -> Response:
        """Answer the request of a linked user. Raises PlexLinkRequired for others."""
        if self.plex_link() is None:
            raise PlexLinkRequired.because(LinkReason.NOT_LINKED)
        return super().write()

    def target(self, scope: Scope, ids: Mapping[str, str]) -> str:
        """Return the item as this viewer has watched it."""
        return f"watch:{scope.viewer_id}:{ids['ratingKey']}"

    def invalidation(self, scope: Scope) -> Invalidate:
        """Return what invalidates responses of this viewer alone."""
        return partial(tags.invalidate_for, scope)


class ItemWatchedViewSet(WatchViewSet):
    """`/items/:ratingKey/watched`"""

    writes = {
        "update": Write(
            operation_id="markWatched",
            service=watching.mark_watched,
            payload=PlexWatchStateWritePayload,
        ),
        "destroy": Write(
            operation_id="markUnwatched",
            service=watching.mark_unwatched,
            payload=PlexWatchStateWritePayload,
        ),
    }

    def update(self, request: Request, ratingKey: str) -> Response:
        """Mark an item as watched.

        In your Plex account; of a show or season, all episodes. What is watched already stays as
        it is, with its number of views and its resume point.
        """
        return self.write()

    def destroy(self, request: Request, ratingKey: str) -> Response:
        """Mark an item as not watched.

        In your Plex account; of a show or season, all episodes. This removes resume points, too.
        """
        return self.write()


class ItemProgressViewSet(WatchViewSet):
    """`/items/:ratingKey/progress`"""

    writes = {
        "update": Write(
            operation_id="setProgress",
            service=watching.set_progress,
            body=SetProgressBody,
            payload=PlexWatchStateWritePayload,
        )
    }

    def update(self, request: Request, ratingKey: str) -> Response:
        """Set where to resume an item.

        A movie, an episode or a track, in your Plex account.
        """
        return self.write()
