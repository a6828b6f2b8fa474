"""Payloads of libraries, their statistics, filters and items."""

from rest_framework import serializers

from medianest.api.fields import Instant
from medianest.api.serializers import Payload
from plex_integration.plex.media import LIBRARY_TYPES
from plex_integration.reading.serializers.items import (
    FilePath,
    PlexLibraryReferencePayload,
    PlexMediaItemPayload,
    PlexPaginationPayload,
)


class PlexLocationPayload(Payload):
    """A folder of a library."""

    id = serializers.IntegerField(allow_null=True)
    path = FilePath()


class PlexLibraryStatisticsPayload(Payload):
    """How many items a library has, and how large they are."""

    count = serializers.IntegerField(allow_null=True)
    totalSize = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    totalDuration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    seasons = serializers.IntegerField(required=False)
    episodes = serializers.IntegerField(required=False)
    albums = serializers.IntegerField(required=False)
    tracks = serializers.IntegerField(required=False)


class PlexFilterPayload(Payload):
    """A filter that Plex offers for a library."""

    filter = serializers.CharField(allow_null=True)
    filterType = serializers.CharField(allow_null=True)
    key = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_null=True)
    type = serializers.CharField(allow_null=True)


class PlexLibraryPayload(Payload):
    """A library."""

    id = serializers.CharField(source="library.id")
    key = serializers.CharField(source="library.key")
    title = serializers.CharField(source="library.title", allow_null=True)
    type = serializers.ChoiceField(source="library.type", choices=LIBRARY_TYPES, allow_null=True)
    agent = serializers.CharField(source="library.agent", allow_null=True)
    scanner = serializers.CharField(source="library.scanner", allow_null=True)
    language = serializers.CharField(source="library.language", allow_null=True)
    uuid = serializers.CharField(source="library.uuid", allow_null=True)
    refreshing = serializers.BooleanField(source="library.refreshing", allow_null=True)
    createdAt = Instant(source="library.createdAt", allow_null=True)
    updatedAt = Instant(source="library.updatedAt", allow_null=True)
    scannedAt = Instant(source="library.scannedAt", allow_null=True)
    content = serializers.BooleanField(source="library.content", allow_null=True)
    directory = serializers.BooleanField(source="library.directory", allow_null=True)
    contentChangedAt = serializers.IntegerField(
        source="library.contentChangedAt",
        allow_null=True,
        help_text="Plex's change counter, not a time; newer servers exceed 2^53.",
    )
    hidden = serializers.IntegerField(source="library.hidden", allow_null=True)
    location = PlexLocationPayload(source="library.location", many=True)
    statistics = PlexLibraryStatisticsPayload()
    filters = PlexFilterPayload(many=True, required=False)


class PlexLibrariesPayload(Payload):
    """`GET /libraries`."""

    libraries = PlexLibraryPayload(many=True)
    totalCount = serializers.IntegerField()
    totalMediaItems = serializers.IntegerField(
        allow_null=True, help_text="Movies, episodes, tracks and photos; null if one is unknown."
    )


class PlexLibraryItemsPayload(Payload):
    """`GET /libraries/:libraryKey/items`."""

    items = PlexMediaItemPayload(many=True)
    pagination = PlexPaginationPayload()
    libraryInfo = PlexLibraryReferencePayload()


class PlexGenrePayload(Payload):
    """A genre, for a filter menu."""

    id = serializers.IntegerField()
    title = serializers.CharField()


class PlexGenresPayload(Payload):
    """`GET /libraries/:libraryKey/genres`."""

    genres = PlexGenrePayload(many=True)
    total = serializers.IntegerField()
    library = PlexLibraryReferencePayload()
