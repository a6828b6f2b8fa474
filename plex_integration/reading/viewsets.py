"""The reading endpoints: one viewset per path, whose facts are class attributes.

The read flow is written once, in `ReadViewSet.read`. DRF has authenticated the user, counted the
request and checked permissions before that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from medianest.api import renderers
from medianest.api.browsable import BrowsableRenderer
from medianest.api.middleware import request_deadline
from medianest.api.schema import Endpoint
from medianest.api.serializers import Payload, Query
from plex_integration import policies
from plex_integration.caching import CacheKey, Loaded, get_or_load, known_requests
from plex_integration.caching.known_requests import KnownRequest
from plex_integration.caching.loading import PlexLoad
from plex_integration.caching.response_cache import CachedResponse
from plex_integration.caching.responses import cache_metadata, set_cache_headers, to_http
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.plex import PlexClient
from plex_integration.policies import Policy
from plex_integration.reading import services
from plex_integration.reading.catalog import LibraryCatalog
from plex_integration.reading.queries import (
    ChildrenQuery,
    CollectionQuery,
    CollectionsQuery,
    LibraryItemsQuery,
    LookupQuery,
    OnDeckQuery,
    PlaylistsQuery,
    RecentlyAddedQuery,
    SearchQuery,
)
from plex_integration.reading.serializers import (
    ChildrenPayload,
    CollectionPayload,
    CollectionsPayload,
    GenresPayload,
    ItemAnswerPayload,
    ItemsPayload,
    LibrariesPayload,
    LibraryItemsPayload,
    PlaylistAnswerPayload,
    PlaylistsPayload,
    RecentlyAddedPayload,
    SearchPayload,
    ServerPayload,
)
from plex_integration.reading.services import Read
from plex_integration.viewsets import PlexViewSet

Service = Callable[[services.Catalog, Mapping[str, str], Mapping[str, Any]], Read]


class ReadViewSet(PlexViewSet):
    """An endpoint that reads Plex through the response cache."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        known_requests.declare(cls.policy.name, cls.payload_serializer.shape())

    operation_id: ClassVar[str]
    policy: ClassVar[Policy]
    query_serializer: ClassVar[type[Query]] = Query
    payload_serializer: ClassVar[type[Payload]]
    service: ClassVar[Service]

    def read(self) -> HttpResponseBase:
        """Answer the request: from the cache, or loaded from Plex by the viewset's service."""
        connection = runtime.required_connection()
        deadline = request_deadline(self.request._request, connection.seconds)
        ids, query = self.path_ids(), self.query_serializer.of(self.request.query_params)
        reading = self.counted_reading()
        catalog = LibraryCatalog(connection, reading, deadline)
        read = type(self).service(catalog, ids, query)
        shape = self.payload_serializer.shape()
        key = CacheKey(self.policy.name, connection.scope, read.query, shape)
        self._remember(key, catalog)
        cached = get_or_load(
            key,
            ttl=runtime.ttl(self.policy),
            load=PlexLoad(
                partial(PlexClient, libraries=read.libraries),
                connection,
                PayloadLoad(read, self.payload_serializer, connection),
            ),
            deadline=deadline,
            renew="no-cache" in self.request.headers.get("Cache-Control", "").lower(),
            as_of=reading,
        )
        return self._response(cached)

    def endpoint(self) -> Endpoint:
        """Describe the endpoint by its class attributes."""
        has_query = self.query_serializer is not Query
        return Endpoint(
            self.operation_id,
            {200: self.payload_serializer},
            query=self.query_serializer if has_query else None,
        )

    def _remember(self, key: CacheKey, catalog: LibraryCatalog) -> None:
        request = self.request._request
        match = request.resolver_match
        route = match.url_name if match and match.url_name else ""
        heads = tuple(catalog.used.values())
        known = KnownRequest(self.policy.name, key.name, route, key.scope, key.shape, heads)
        identity = (request.path_info, request.META.get("QUERY_STRING", ""))
        known_requests.remember(identity, known)

    def _response(self, cached: CachedResponse) -> HttpResponseBase:
        if not isinstance(self.request.accepted_renderer, BrowsableRenderer):
            return to_http(self.request._request, cached)
        response = Response(renderers.decode(cached.entry.payload()))
        response.metadata = cache_metadata(cached)  # type: ignore[attr-defined]
        set_cache_headers(response, cached)
        return response


@dataclass(frozen=True)
class PayloadLoad:
    """Load what a service reads, as the JSON of a payload."""

    read: Read
    payload: type[Payload]
    connection: Connection

    def __call__(self, plex: PlexClient) -> Loaded:
        result = self.read.load(plex)
        shown = self.payload(result.data, context=payload_context(self.connection))
        return Loaded(renderers.encode(shown.data), result.tags, result.is_partial)


def payload_context(connection: Connection) -> dict[str, Any]:
    """Return what payload serializers must know of the connection."""
    return {"show_file_paths": connection.show_file_paths, "scope": connection.scope}


class ServerViewSet(ReadViewSet):
    """`/server`"""

    operation_id = "server"
    policy = policies.SERVER
    payload_serializer = ServerPayload
    service = services.server

    def retrieve(self, request: Request) -> HttpResponseBase:
        """Get server information."""
        return self.read()


class LibrariesViewSet(ReadViewSet):
    """`/libraries`"""

    operation_id = "libraries"
    policy = policies.LIBRARIES
    payload_serializer = LibrariesPayload
    service = services.libraries

    def list(self, request: Request) -> HttpResponseBase:
        """List all libraries with their locations, counts and filters."""
        return self.read()


class LibraryItemsViewSet(ReadViewSet):
    """`/libraries/:libraryKey/items`"""

    operation_id = "libraryItems"
    policy = policies.LIBRARY_ITEMS
    query_serializer = LibraryItemsQuery
    payload_serializer = LibraryItemsPayload
    service = services.library_items

    def list(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a page of a library's items, filtered and sorted."""
        return self.read()


class LibraryGenresViewSet(ReadViewSet):
    """`/libraries/:libraryKey/genres`"""

    operation_id = "genres"
    policy = policies.GENRES
    payload_serializer = GenresPayload
    service = services.genres

    def list(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a library's genres with their ids, for a filter menu."""
        return self.read()


class LibraryCollectionsViewSet(ReadViewSet):
    """`/libraries/:libraryKey/collections`"""

    operation_id = "collections"
    policy = policies.COLLECTIONS
    query_serializer = CollectionsQuery
    payload_serializer = CollectionsPayload
    service = services.collections

    def list(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a library's collections."""
        return self.read()


class CollectionViewSet(ReadViewSet):
    """`/collections/:collectionKey`"""

    operation_id = "collection"
    policy = policies.COLLECTION
    query_serializer = CollectionQuery
    payload_serializer = CollectionPayload
    service = services.collection

    def retrieve(self, request: Request, collectionKey: str) -> HttpResponseBase:
        """Show a collection with its items, in the collection's own order."""
        return self.read()


class ItemViewSet(ReadViewSet):
    """`/items/:ratingKey`"""

    operation_id = "item"
    policy = policies.ITEM
    payload_serializer = ItemAnswerPayload
    service = services.item

    def retrieve(self, request: Request, ratingKey: str) -> HttpResponseBase:
        """Show an item with everything Plex has of it: streams, chapters, ratings, all actors."""
        return self.read()


class ItemChildrenViewSet(ReadViewSet):
    """`/items/:ratingKey/children`"""

    operation_id = "itemChildren"
    policy = policies.ITEM_CHILDREN
    query_serializer = ChildrenQuery
    payload_serializer = ChildrenPayload
    service = services.item_children

    def list(self, request: Request, ratingKey: str) -> HttpResponseBase:
        """List seasons of a show, episodes of a season, albums of an artist, tracks of an album."""
        return self.read()


class ItemLookupViewSet(ReadViewSet):
    """`/items/lookup`"""

    operation_id = "itemLookup"
    policy = policies.ITEM_LOOKUP
    query_serializer = LookupQuery
    payload_serializer = ItemsPayload
    service = services.item_lookup

    def list(self, request: Request) -> HttpResponseBase:
        """Find the items with an id of Plex, IMDb, TMDB or TVDB."""
        return self.read()


class OnDeckViewSet(ReadViewSet):
    """`/on-deck`"""

    operation_id = "onDeck"
    policy = policies.ON_DECK
    query_serializer = OnDeckQuery
    payload_serializer = ItemsPayload
    service = services.on_deck

    def list(self, request: Request) -> HttpResponseBase:
        """List what to continue, last watched first."""
        return self.read()


class PlaylistsViewSet(ReadViewSet):
    """`/playlists`"""

    operation_id = "playlists"
    policy = policies.PLAYLISTS
    query_serializer = PlaylistsQuery
    payload_serializer = PlaylistsPayload
    service = services.playlists

    def list(self, request: Request) -> HttpResponseBase:
        """List the playlists."""
        return self.read()


class PlaylistViewSet(ReadViewSet):
    """`/playlists/:playlistKey`"""

    operation_id = "playlist"
    policy = policies.PLAYLIST
    query_serializer = CollectionQuery
    payload_serializer = PlaylistAnswerPayload
    service = services.playlist

    def retrieve(self, request: Request, playlistKey: str) -> HttpResponseBase:
        """Show a playlist with its items, in its own order."""
        return self.read()


class SearchViewSet(ReadViewSet):
    """`/search`"""

    operation_id = "search"
    policy = policies.SEARCH
    query_serializer = SearchQuery
    payload_serializer = SearchPayload
    service = services.search

    def list(self, request: Request) -> HttpResponseBase:
        """Search all libraries; people and tags are left out."""
        return self.read()


class RecentlyAddedViewSet(ReadViewSet):
    """`/recently-added`"""

    operation_id = "recentlyAdded"
    policy = policies.RECENTLY_ADDED
    query_serializer = RecentlyAddedQuery
    payload_serializer = RecentlyAddedPayload
    service = services.recently_added

    def list(self, request: Request) -> HttpResponseBase:
        """List what was added in the last 30 days, newest first."""
        return self.read()
