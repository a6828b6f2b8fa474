"""Payloads: what goes under `data`. The OpenAPI document is generated from them.

A member with `required=False` is optional in the API document: it is left out where Plex has no
value. Every other member is always present, and null where Plex has none.
"""

from plex_integration.reading.serializers.collections import (
    PlexCollectionDetailsPayload,
    PlexCollectionPayload,
    PlexCollectionsPayload,
)
from plex_integration.reading.serializers.details import (
    PlexChapterPayload,
    PlexItemPayload,
    PlexMediaInfoDetailsPayload,
    PlexMediaItemDetailsPayload,
    PlexMediaPartDetailsPayload,
    PlexRatingPayload,
    PlexStreamPayload,
)
from plex_integration.reading.serializers.items import (
    FilePath,
    PlexActorPayload,
    PlexExternalIdsPayload,
    PlexItemChildrenPayload,
    PlexItemsPayload,
    PlexLibraryReferencePayload,
    PlexManyItemsPayload,
    PlexMediaInfoPayload,
    PlexMediaItemPayload,
    PlexMediaPartPayload,
    PlexPaginationPayload,
    PlexPlaybackProgressPayload,
    PlexRecentlyAddedPayload,
    PlexSearchResultPayload,
    PlexSearchResultsPayload,
    PlexTagPayload,
)
from plex_integration.reading.serializers.libraries import (
    PlexFilterPayload,
    PlexGenrePayload,
    PlexGenresPayload,
    PlexLibrariesPayload,
    PlexLibraryItemsPayload,
    PlexLibraryPayload,
    PlexLibraryStatisticsPayload,
    PlexLocationPayload,
)
from plex_integration.reading.serializers.playlists import (
    PlexPlaylistDetailsPayload,
    PlexPlaylistItemPayload,
    PlexPlaylistPayload,
    PlexPlaylistsPayload,
)
from plex_integration.reading.serializers.server import (
    PlexServerConnectionPayload,
    PlexServerFeaturesPayload,
    PlexServerInfoPayload,
    PlexServerPayload,
    PlexServerStatisticsPayload,
)

__all__ = [
    "FilePath",
    "PlexActorPayload",
    "PlexChapterPayload",
    "PlexCollectionDetailsPayload",
    "PlexCollectionPayload",
    "PlexCollectionsPayload",
    "PlexExternalIdsPayload",
    "PlexFilterPayload",
    "PlexGenrePayload",
    "PlexGenresPayload",
    "PlexItemChildrenPayload",
    "PlexItemPayload",
    "PlexItemsPayload",
    "PlexLibrariesPayload",
    "PlexLibraryItemsPayload",
    "PlexLibraryPayload",
    "PlexLibraryReferencePayload",
    "PlexLibraryStatisticsPayload",
    "PlexLocationPayload",
    "PlexManyItemsPayload",
    "PlexMediaInfoDetailsPayload",
    "PlexMediaInfoPayload",
    "PlexMediaItemDetailsPayload",
    "PlexMediaItemPayload",
    "PlexMediaPartDetailsPayload",
    "PlexMediaPartPayload",
    "PlexPaginationPayload",
    "PlexPlaybackProgressPayload",
    "PlexPlaylistDetailsPayload",
    "PlexPlaylistItemPayload",
    "PlexPlaylistPayload",
    "PlexPlaylistsPayload",
    "PlexRatingPayload",
    "PlexRecentlyAddedPayload",
    "PlexSearchResultPayload",
    "PlexSearchResultsPayload",
    "PlexServerConnectionPayload",
    "PlexServerFeaturesPayload",
    "PlexServerInfoPayload",
    "PlexServerPayload",
    "PlexServerStatisticsPayload",
    "PlexStreamPayload",
    "PlexTagPayload",
]
