"""The paths under /api/v1/plex. A URL's name is the route part of a request's id."""

from django.urls import include, path

from medianest.api.routers import PathRouter
from plex_integration.images.viewsets import ItemImageViewSet
from plex_integration.index import IndexView
from plex_integration.reading import viewsets as reading
from plex_integration.writing import viewsets as writing

LIBRARY = "libraries/<str:libraryKey>"
COLLECTION = "collections/<str:collectionKey>"
ITEM = "items/<str:ratingKey>"
PLAYLIST = "playlists/<str:playlistKey>"

router = PathRouter()
router.register("server", reading.ServerViewSet, "plex-server")
router.register("libraries", reading.LibrariesViewSet, "plex-libraries")
router.register(f"{LIBRARY}/items", reading.LibraryItemsViewSet, "plex-library-items")
router.register(f"{LIBRARY}/collections", writing.LibraryCollectionsViewSet, "plex-collections")
router.register(COLLECTION, writing.CollectionViewSet, "plex-collection-detail")
router.register(f"{COLLECTION}/items", writing.CollectionItemsViewSet, "plex-collection-items")
router.register(
    f"{COLLECTION}/items/<str:ratingKey>",
    writing.CollectionItemViewSet,
    "plex-collection-item",
)
router.register(
    f"{COLLECTION}/items/<str:ratingKey>/position",
    writing.CollectionPositionViewSet,
    "plex-collection-position",
)
router.register(f"{LIBRARY}/genres", reading.LibraryGenresViewSet, "plex-genres")
# Before `items/<ratingKey>`, which it matches as well.
router.register("items/lookup", reading.ItemLookupViewSet, "plex-item-lookup")
router.register("items", reading.ManyItemsViewSet, "plex-items")
router.register(ITEM, reading.ItemViewSet, "plex-item")
router.register(f"{ITEM}/children", reading.ItemChildrenViewSet, "plex-item-children")
router.register(f"{ITEM}/images/<str:kind>", ItemImageViewSet, "plex-item-image")
router.register(f"{ITEM}/watched", writing.ItemWatchedViewSet, "plex-item-watched")
router.register(f"{ITEM}/progress", writing.ItemProgressViewSet, "plex-item-progress")
router.register("on-deck", reading.OnDeckViewSet, "plex-on-deck")
router.register("playlists", writing.PlaylistsViewSet, "plex-playlists")
router.register(PLAYLIST, writing.PlaylistViewSet, "plex-playlist")
router.register(f"{PLAYLIST}/items", writing.PlaylistItemsViewSet, "plex-playlist-items")
router.register(
    f"{PLAYLIST}/items/<str:ratingKey>", writing.PlaylistItemViewSet, "plex-playlist-item"
)
router.register(
    f"{PLAYLIST}/items/<str:ratingKey>/position",
    writing.PlaylistPositionViewSet,
    "plex-playlist-position",
)
router.register("search", reading.SearchViewSet, "plex-search")
router.register("recently-added", reading.RecentlyAddedViewSet, "plex-recent")

urlpatterns = [path("", IndexView.as_view(), name="plex-index"), path("", include(router.urls))]
