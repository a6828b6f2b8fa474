"""The document's paths, under /api/v1/plex. A name is the route part of a request's id."""

from django.urls import URLPattern, path

from plex_integration.pictures.views import ItemImageView
from plex_integration.views import PlexViewSet


def _get(route: str, action: str, name: str) -> URLPattern:
    pattern: URLPattern = path(route, PlexViewSet.as_view({"get": action}, route=name), name=name)
    return pattern


urlpatterns = [
    _get("server", "server", "plex-server"),
    _get("libraries", "libraries", "plex-libraries"),
    _get("libraries/<str:libraryKey>/items", "library_items", "plex-library-items"),
    _get("libraries/<str:libraryKey>/collections", "collections", "plex-collections"),
    _get("collections/<str:collectionKey>", "collection", "plex-collection-detail"),
    _get("libraries/<str:libraryKey>/genres", "genres", "plex-genres"),
    _get("items/lookup", "item_lookup", "plex-item-lookup"),
    _get("items/<str:ratingKey>", "item", "plex-item"),
    _get("items/<str:ratingKey>/children", "item_children", "plex-item-children"),
    path(
        "items/<str:ratingKey>/images/<str:kind>",
        ItemImageView.as_view(),
        name="plex-item-image",
    ),
    _get("on-deck", "on_deck", "plex-on-deck"),
    _get("playlists", "playlists", "plex-playlists"),
    _get("playlists/<str:playlistKey>", "playlist", "plex-playlist"),
    _get("search", "search", "plex-search"),
    _get("recently-added", "recently_added", "plex-recent"),
]
