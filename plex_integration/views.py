"""One action per documented endpoint: validate, name the service, reply."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from plex_integration import services
from plex_integration.errors import CollectionNotFound, LibraryNotFound, Problem
from plex_integration.gateway import Plex, open_plex
from plex_integration.serializers import (
    CollectionPayload,
    CollectionQuery,
    CollectionsPayload,
    CollectionsQuery,
    LibrariesPayload,
    LibraryItemsPayload,
    LibraryItemsQuery,
    RecentlyAddedPayload,
    RecentlyAddedQuery,
    SearchPayload,
    SearchQuery,
    ServerPayload,
)
from plex_integration.wire import Payload, is_key


class PlexViewSet(ViewSet):
    """The document's seven endpoints."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(operation_id="server", responses=ServerPayload)
    def server(self, request: Request) -> Response:
        """Tell about the connected Plex Media Server."""
        return self._reply(ServerPayload, services.server)

    @extend_schema(operation_id="libraries", responses=LibrariesPayload)
    def libraries(self, request: Request) -> Response:
        """List all libraries with their locations, counts and filters."""
        return self._reply(LibrariesPayload, services.libraries)

    @extend_schema(
        operation_id="libraryItems",
        parameters=[LibraryItemsQuery],
        responses=LibraryItemsPayload,
    )
    def library_items(self, request: Request, libraryKey: str) -> Response:
        """List a page of a library's items, filtered and sorted."""
        key = _key(libraryKey, LibraryNotFound)
        query = LibraryItemsQuery.of(request.query_params)
        return self._reply(
            LibraryItemsPayload, lambda plex: services.library_items(plex, key, query)
        )

    @extend_schema(operation_id="search", parameters=[SearchQuery], responses=SearchPayload)
    def search(self, request: Request) -> Response:
        """Search all libraries; people and tags are left out."""
        query = SearchQuery.of(request.query_params)
        return self._reply(SearchPayload, lambda plex: services.search(plex, query))

    @extend_schema(
        operation_id="recentlyAdded",
        parameters=[RecentlyAddedQuery],
        responses=RecentlyAddedPayload,
    )
    def recently_added(self, request: Request) -> Response:
        """List what was added in the last 30 days, newest first."""
        query = RecentlyAddedQuery.of(request.query_params)
        return self._reply(RecentlyAddedPayload, lambda plex: services.recently_added(plex, query))

    @extend_schema(
        operation_id="collections",
        parameters=[CollectionsQuery],
        responses=CollectionsPayload,
    )
    def collections(self, request: Request, libraryKey: str) -> Response:
        """List a library's collections."""
        key = _key(libraryKey, LibraryNotFound)
        query = CollectionsQuery.of(request.query_params)
        return self._reply(CollectionsPayload, lambda plex: services.collections(plex, key, query))

    @extend_schema(
        operation_id="collection",
        parameters=[CollectionQuery],
        responses=CollectionPayload,
    )
    def collection(self, request: Request, collectionKey: str) -> Response:
        """Show a collection with its items, in the collection's own order."""
        key = _key(collectionKey, CollectionNotFound)
        query = CollectionQuery.of(request.query_params)
        return self._reply(CollectionPayload, lambda plex: services.collection(plex, key, query))

    def _reply(self, payload: type[Payload], load: Callable[[Plex], Any]) -> Response:
        plex = open_plex()
        context = {"show_file_paths": plex.connection.show_file_paths}
        response = Response(payload(load(plex), context=context).data)
        response.about = {"cached": False, "cacheAge": 0}  # type: ignore[attr-defined]
        return response


def _key(text: str, missing: type[Problem]) -> str:
    if not is_key(text):
        raise missing
    return text
