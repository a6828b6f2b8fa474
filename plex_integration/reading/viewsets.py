"""The reading endpoints: one viewset per path, whose facts are class attributes.

The read flow is written once, in `ReadViewSet.read`. DRF has authenticated the user, counted the
request and checked permissions before that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from medianest.api import renderers
from medianest.api.browsable import BrowsableRenderer
from medianest.api.ignored import ignored_parameters
from medianest.api.middleware import request_deadline
from medianest.api.schema import Endpoint
from medianest.api.serializers import Payload, Query
from plex_integration import policies
from plex_integration.caching import CacheKey, Loaded, get_or_load, known_requests
from plex_integration.caching.known_requests import KnownRequest
from plex_integration.caching.loading import PlexLoad
from plex_integration.caching.page_links import page_request
from plex_integration.caching.projection import Projection, project
from plex_integration.caching.response_cache import CachedResponse
from plex_integration.caching.responses import cache_metadata, set_cache_headers, to_http
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection, Scope
from plex_integration.plex import PlexClient
from plex_integration.policies import Policy
from plex_integration.reading import services
from plex_integration.reading.bodies import FindItemsBody
from plex_integration.reading.catalog import LibraryCatalog
from plex_integration.reading.queries import (
    ChildrenQuery,
    CollectionQuery,
    CollectionsQuery,
    ItemQuery,
    LibraryItemsQuery,
    LookupQuery,
    ManyItemsQuery,
    OnDeckQuery,
    PlaylistQuery,
    PlaylistsQuery,
    RecentlyAddedQuery,
    SearchQuery,
    SparseQuery,
)
from plex_integration.reading.serializers import (
    PlexCollectionDetailsPayload,
    PlexCollectionsPayload,
    PlexGenresPayload,
    PlexItemChildrenPayload,
    PlexItemPayload,
    PlexItemsPayload,
    PlexLibrariesPayload,
    PlexLibraryItemsPayload,
    PlexManyItemsPayload,
    PlexPlaylistDetailsPayload,
    PlexPlaylistsPayload,
    PlexRecentlyAddedPayload,
    PlexSearchResultsPayload,
    PlexServerPayload,
)
from plex_integration.reading.services import Read
from plex_integration.reading.sparse import projection_of
from plex_integration.viewsets import PlexViewSet, Viewed

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
        return self._response(*self.in_view(self._cached))

    def _cached(self, viewed: Viewed) -> tuple[CachedResponse, KnownRequest]:
        """Return the response in the user's view of Plex, and what the request means there."""
        connection, reading = viewed.connection, viewed.reading
        deadline = request_deadline(self.request._request, connection.seconds)
        ids, query = self.path_ids(), self.query()
        catalog = LibraryCatalog(connection, reading, deadline)
        read = type(self).service(catalog, ids, query)
        shape = self.payload_serializer.shape()
        key = CacheKey(self.policy.name, connection.scope, read.query, shape)
        projection = projection_of(self.payload_serializer, query)
        known = self._known(key, catalog, projection, query)
        self._remember(key.scope, known)
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
        if projection is not None:
            cached = replace(cached, entry=project(key.name, cached.entry, projection))
        return cached, known

    def query(self) -> Mapping[str, Any]:
        """Return what the request asks for, validated."""
        return self.query_serializer.of(self.request.query_params)

    def endpoint(self) -> Endpoint:
        """Describe the endpoint by its class attributes."""
        has_query = self.query_serializer is not Query
        return Endpoint(
            self.operation_id,
            {200: self.payload_serializer},
            query=self.query_serializer if has_query else None,
        )

    def _known(
        self,
        key: CacheKey,
        catalog: LibraryCatalog,
        projection: Projection | None,
        query: Mapping[str, Any],
    ) -> KnownRequest:
        request = self.request._request
        match = request.resolver_match
        route = match.url_name if match and match.url_name else ""
        heads = tuple(catalog.used.values())
        ignored = ignored_parameters(self, self.request)
        names = self.endpoint().query_names
        page = page_request(request.path, self.request.query_params, names, query)
        return KnownRequest(
            self.policy.name, key.name, route, key.shape, heads, ignored, projection, page
        )

    def _remember(self, scope: Scope, known: KnownRequest) -> None:
        request = self.request._request
        if request.method == "POST":
            return  # what it asks for is not in its URL
        identity = (scope.name, request.path_info, request.META.get("QUERY_STRING", ""))
        known_requests.remember(identity, known)

    def _response(self, cached: CachedResponse, known: KnownRequest) -> HttpResponseBase:
        if not isinstance(self.request.accepted_renderer, BrowsableRenderer):
            return to_http(self.request._request, cached, known)
        response = Response(renderers.decode(cached.entry.payload()))
        response.metadata = cache_metadata(cached)  # type: ignore[attr-defined]
        set_cache_headers(response, cached, known)
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
        return Loaded(
            renderers.encode_payload(shown.data), result.tags, result.is_partial, _page(result.data)
        )


def _page(data: Mapping[str, Any]) -> tuple[int, bool]:
    """Return how many rows the whole list has, and whether more follow; -1 for what is no page."""
    pagination = data.get("pagination")
    return (pagination["total"], pagination["hasMore"]) if pagination else (-1, False)


def payload_context(connection: Connection) -> dict[str, Any]:
    """Return what payload serializers must know of the connection."""
    return {"show_file_paths": connection.show_file_paths, "scope": connection.scope}


class ServerViewSet(ReadViewSet):
    """`/server`"""

    tag = "Server"
    operation_id = "getServer"
    policy = policies.SERVER
    payload_serializer = PlexServerPayload
    service = services.server

    def retrieve(self, request: Request) -> HttpResponseBase:
        """Get server information.

        Its version and platform, how this service reaches it, what it can do and how much it has.
        """
        return self.read()


class LibrariesViewSet(ReadViewSet):
    """`/libraries`"""

    tag = "Libraries"
    operation_id = "listLibraries"
    policy = policies.LIBRARIES
    payload_serializer = PlexLibrariesPayload
    service = services.libraries

    def list(self, request: Request) -> HttpResponseBase:
        """List all libraries.

        With their locations, counts and filters.
        """
        return self.read()


class LibraryItemsViewSet(ReadViewSet):
    """`/libraries/:libraryKey/items`"""

    tag = "Libraries"
    operation_id = "listLibraryItems"
    policy = policies.LIBRARY_ITEMS
    query_serializer = LibraryItemsQuery
    payload_serializer = PlexLibraryItemsPayload
    service = services.library_items

    def list(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a library's items.

        A page of them, filtered and sorted.
        """
        return self.read()


class LibraryGenresViewSet(ReadViewSet):
    """`/libraries/:libraryKey/genres`"""

    tag = "Libraries"
    operation_id = "listLibraryGenres"
    policy = policies.GENRES
    payload_serializer = PlexGenresPayload
    service = services.genres

    def list(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a library's genres.

        With their ids, for a filter menu.
        """
        return self.read()


class LibraryCollectionsViewSet(ReadViewSet):
    """`/libraries/:libraryKey/collections`"""

    tag = "Collections"
    operation_id = "listLibraryCollections"
    policy = policies.COLLECTIONS
    query_serializer = CollectionsQuery
    payload_serializer = PlexCollectionsPayload
    service = services.collections

    def list(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a library's collections.

        All of them, unless `start` or `size` is given.
        """
        return self.read()


class CollectionViewSet(ReadViewSet):
    """`/collections/:collectionKey`"""

    tag = "Collections"
    operation_id = "getCollection"
    policy = policies.COLLECTION
    query_serializer = CollectionQuery
    payload_serializer = PlexCollectionDetailsPayload
    service = services.collection

    def retrieve(self, request: Request, collectionKey: str) -> HttpResponseBase:
        """Get a collection with its items.

        In the collection's own order; all items, unless `start` or `size` is given.
        """
        return self.read()


class ManyItemsViewSet(ReadViewSet):
    """`/items`"""

    tag = "Items"
    operation_id = "listItems"
    policy = policies.ITEMS
    read_methods = ("GET", "HEAD", "POST")
    query_serializer = ManyItemsQuery
    payload_serializer = PlexManyItemsPayload
    service = services.many_items

    def query(self) -> Mapping[str, Any]:
        """Return the ids of the URL, or the ids and guids of the body."""
        if self.request.method != "POST":
            return super().query()
        return {**SparseQuery.of(self.request.query_params), **FindItemsBody.of(self.request)}

    def endpoint(self) -> Endpoint:
        """Describe the current action."""
        if self.action != "create":
            return super().endpoint()
        answers = {200: self.payload_serializer}
        return Endpoint("findItems", answers, query=SparseQuery, body=FindItemsBody)

    def list(self, request: Request) -> HttpResponseBase:
        """Get many items by their ids.

        In the order of the ids; those that are missing are named.
        """
        return self.read()

    def create(self, request: Request) -> HttpResponseBase:
        """Get many items by ids and guids.

        As many as do not fit a URL. Nothing is written.
        """
        return self.read()


class ItemViewSet(ReadViewSet):
    """`/items/:ratingKey`"""

    tag = "Items"
    operation_id = "getItem"
    policy = policies.ITEM
    query_serializer = ItemQuery
    payload_serializer = PlexItemPayload
    service = services.item

    def retrieve(self, request: Request, ratingKey: str) -> HttpResponseBase:
        """Get an item with all its details.

        Everything that Plex has of it: streams, chapters, ratings, all actors.
        """
        return self.read()


class ItemChildrenViewSet(ReadViewSet):
    """`/items/:ratingKey/children`"""

    tag = "Items"
    operation_id = "listItemChildren"
    policy = policies.ITEM_CHILDREN
    query_serializer = ChildrenQuery
    payload_serializer = PlexItemChildrenPayload
    service = services.item_children

    def list(self, request: Request, ratingKey: str) -> HttpResponseBase:
        """List an item's children.

        The seasons of a show, episodes of a season, albums of an artist, or tracks of an album.
        """
        return self.read()


class ItemLookupViewSet(ReadViewSet):
    """`/items/lookup`"""

    tag = "Search"
    operation_id = "lookUpItems"
    policy = policies.ITEM_LOOKUP
    query_serializer = LookupQuery
    payload_serializer = PlexItemsPayload
    service = services.item_lookup

    def list(self, request: Request) -> HttpResponseBase:
        """Find items by an external id.

        An id of Plex, IMDb, TMDB or TVDB. More than one library can have the item.
        """
        return self.read()


class OnDeckViewSet(ReadViewSet):
    """`/on-deck`"""

    tag = "Watch state"
    operation_id = "listOnDeck"
    policy = policies.ON_DECK
    query_serializer = OnDeckQuery
    payload_serializer = PlexItemsPayload
    service = services.on_deck

    def list(self, request: Request) -> HttpResponseBase:
        """List what to continue watching.

        The last watched first.
        """
        return self.read()


class PlaylistsViewSet(ReadViewSet):
    """`/playlists`"""

    tag = "Playlists"
    operation_id = "listPlaylists"
    policy = policies.PLAYLISTS
    query_serializer = PlaylistsQuery
    payload_serializer = PlexPlaylistsPayload
    service = services.playlists

    def list(self, request: Request) -> HttpResponseBase:
        """List the playlists.

        Video, music and photo playlists, or those of one type.
        """
        return self.read()


class PlaylistViewSet(ReadViewSet):
    """`/playlists/:playlistKey`"""

    tag = "Playlists"
    operation_id = "getPlaylist"
    policy = policies.PLAYLIST
    query_serializer = PlaylistQuery
    payload_serializer = PlexPlaylistDetailsPayload
    service = services.playlist

    def retrieve(self, request: Request, playlistKey: str) -> HttpResponseBase:
        """Get a playlist with its items.

        In the playlist's own order; all items, unless `start` or `size` is given.
        """
        return self.read()


class SearchViewSet(ReadViewSet):
    """`/search`"""

    tag = "Search"
    operation_id = "search"
    policy = policies.SEARCH
    query_serializer = SearchQuery
    payload_serializer = PlexSearchResultsPayload
    service = services.search

    def list(self, request: Request) -> HttpResponseBase:
        """Search all libraries.

        The best matches first, of all types together; people and tags are left out.
        """
        return self.read()


class RecentlyAddedViewSet(ReadViewSet):
    """`/recently-added`"""

    tag = "Libraries"
    operation_id = "listRecentlyAdded"
    policy = policies.RECENTLY_ADDED
    query_serializer = RecentlyAddedQuery
    payload_serializer = PlexRecentlyAddedPayload
    service = services.recently_added

    def list(self, request: Request) -> HttpResponseBase:
        """List recently added items.

        Those of the last 30 days, newest first.
        """
        return self.read()
