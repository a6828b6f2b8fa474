"""The document's paths, under /api/v1/plex. A name is the route part of a request's id."""

from typing import Any

from django.urls import URLPattern, path

from plex_integration.writing.viewsets import METHODS, EditingActions
from plex_integration.index import IndexView
from plex_integration.images.viewsets import ItemImageView
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
from plex_integration.reading.viewsets import PlexViewSet
from medianest.api.serializers import Query


class Endpoints(EditingActions, PlexViewSet):
    """Reading and writing: they share paths."""

    http_method_names = [*PlexViewSet.http_method_names, *METHODS]


def _get(
    route: str, action: str, name: str, query: type[Query] | None = None, **writes: str
) -> URLPattern:
    return _at(route, name, query, get=action, **writes)


def _at(route: str, name: str, query: type[Query] | None = None, **actions: str) -> URLPattern:
    methods: dict[str, Any] = {**actions}
    view = Endpoints.as_view(methods, route=name, query=query)
    pattern: URLPattern = path(route, view, name=name)
    return pattern


urlpatterns = [
    path("", IndexView.as_view(), name="plex-index"),
    _get("server", "server", "plex-server"),
    _get("libraries", "libraries", "plex-libraries"),
    _get(
        "libraries/<str:libraryKey>/items", "library_items", "plex-library-items", LibraryItemsQuery
    ),
    _get(
        "libraries/<str:libraryKey>/collections",
        "collections",
        "plex-collections",
        CollectionsQuery,
        post="create_collection",
    ),
    _get(
        "collections/<str:collectionKey>",
        "collection",
        "plex-collection-detail",
        CollectionQuery,
        patch="edit_collection",
        delete="delete_collection",
    ),
    _at(
        "collections/<str:collectionKey>/items",
        "plex-collection-items",
        post="add_collection_items",
    ),
    _at(
        "collections/<str:collectionKey>/items/<str:ratingKey>",
        "plex-collection-item",
        delete="remove_collection_item",
    ),
    _at(
        "collections/<str:collectionKey>/items/<str:ratingKey>/position",
        "plex-collection-position",
        put="move_collection_item",
    ),
    _get("libraries/<str:libraryKey>/genres", "genres", "plex-genres"),
    _get("items/lookup", "item_lookup", "plex-item-lookup", LookupQuery),
    _get("items/<str:ratingKey>", "item", "plex-item"),
    _get("items/<str:ratingKey>/children", "item_children", "plex-item-children", ChildrenQuery),
    path(
        "items/<str:ratingKey>/images/<str:kind>",
        ItemImageView.as_view(),
        name="plex-item-image",
    ),
    _get("on-deck", "on_deck", "plex-on-deck", OnDeckQuery),
    _get("playlists", "playlists", "plex-playlists", PlaylistsQuery, post="create_playlist"),
    _get(
        "playlists/<str:playlistKey>",
        "playlist",
        "plex-playlist",
        CollectionQuery,
        patch="edit_playlist",
        delete="delete_playlist",
    ),
    _at("playlists/<str:playlistKey>/items", "plex-playlist-items", post="add_playlist_items"),
    _at(
        "playlists/<str:playlistKey>/items/<str:ratingKey>",
        "plex-playlist-item",
        delete="remove_playlist_item",
    ),
    _at(
        "playlists/<str:playlistKey>/items/<str:ratingKey>/position",
        "plex-playlist-position",
        put="move_playlist_item",
    ),
    _get("search", "search", "plex-search", SearchQuery),
    _get("recently-added", "recently_added", "plex-recent", RecentlyAddedQuery),
]
