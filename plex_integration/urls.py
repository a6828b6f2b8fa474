"""The document's paths, under /api/v1/plex. A name is the route part of a request's id."""

from django.urls import URLPattern, path

from plex_integration.index import IndexView
from plex_integration.pictures.views import ItemImageView
from plex_integration.serializers import (
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
from plex_integration.views import PlexViewSet
from plex_integration.wire import Query


def _get(route: str, action: str, name: str, query: type[Query] | None = None) -> URLPattern:
    view = PlexViewSet.as_view({"get": action}, route=name, query=query)
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
    ),
    _get(
        "collections/<str:collectionKey>", "collection", "plex-collection-detail", CollectionQuery
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
    _get("playlists", "playlists", "plex-playlists", PlaylistsQuery),
    _get("playlists/<str:playlistKey>", "playlist", "plex-playlist", CollectionQuery),
    _get("search", "search", "plex-search", SearchQuery),
    _get("recently-added", "recently_added", "plex-recent", RecentlyAddedQuery),
]
