"""Payloads of items and of lists of items."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from medianest.api.fields import Instant
from medianest.api.serializers import ContextField, Payload
from plex_integration.images.signing import SignedImageLink
from plex_integration.plex.media import ITEM_TYPES, LIBRARY_TYPES


class PlexLibraryReferencePayload(Payload):
    """The library that an item, collection or list belongs to."""

    id = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    type = serializers.ChoiceField(choices=LIBRARY_TYPES, allow_null=True)


class PlexTagPayload(Payload):
    """A genre, director, writer, country or collection."""

    id = serializers.IntegerField(required=False)
    tag = serializers.CharField()


class PlexActorPayload(PlexTagPayload):
    """A cast member."""

    role = serializers.CharField(required=False)
    thumb = serializers.CharField(required=False)


class FilePath(ContextField):
    """A path on the server; null unless `show_file_paths` is true in the context."""

    def __init__(self) -> None:
        super().__init__(allow_null=True, help_text="Null if the operator hides file paths.")

    def write(self, value: str, context: Mapping[str, Any]) -> str | None:
        """Return the path if the operator shows it."""
        return value if context["show_file_paths"] else None


class PlexMediaPartPayload(Payload):
    """One file of a version."""

    id = serializers.IntegerField(allow_null=True)
    key = serializers.CharField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    file = FilePath()
    size = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    container = serializers.CharField(allow_null=True)
    videoProfile = serializers.CharField(allow_null=True)


class PlexMediaInfoPayload(Payload):
    """One version of an item."""

    id = serializers.IntegerField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    bitrate = serializers.IntegerField(allow_null=True, help_text="kbps.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    aspectRatio = serializers.FloatField(allow_null=True)
    audioChannels = serializers.IntegerField(allow_null=True)
    audioCodec = serializers.CharField(allow_null=True)
    videoCodec = serializers.CharField(allow_null=True)
    videoResolution = serializers.CharField(allow_null=True)
    container = serializers.CharField(allow_null=True)
    videoFrameRate = serializers.CharField(allow_null=True)
    videoProfile = serializers.CharField(allow_null=True)
    parts = PlexMediaPartPayload(many=True)


class PlexExternalIdsPayload(Payload):
    """The item's known ids at other sites."""

    imdb = serializers.CharField(required=False)
    tmdb = serializers.CharField(required=False)
    tvdb = serializers.CharField(required=False)
    musicbrainz = serializers.CharField(required=False)


class PlexPlaybackProgressPayload(Payload):
    """How far the item has been played."""

    viewOffset = serializers.IntegerField(help_text="Milliseconds.")
    viewCount = serializers.IntegerField()
    lastViewedAt = Instant(allow_null=True)


class PlexMediaItemPayload(Payload):
    """A movie, show, season, episode, artist, album, track, photo or photo album."""

    ratingKey = serializers.CharField()
    key = serializers.CharField()
    guid = serializers.CharField(required=False)
    externalIds = PlexExternalIdsPayload(required=False)
    type = serializers.ChoiceField(choices=ITEM_TYPES)
    subtype = serializers.CharField(required=False)
    title = serializers.CharField(allow_null=True)
    titleSort = serializers.CharField(required=False)
    originalTitle = serializers.CharField(required=False)
    summary = serializers.CharField(required=False)
    rating = serializers.FloatField(required=False)
    audienceRating = serializers.FloatField(required=False)
    year = serializers.IntegerField(required=False)
    tagline = serializers.CharField(required=False)
    contentRating = serializers.CharField(required=False)
    duration = serializers.IntegerField(required=False, help_text="Milliseconds.")
    originallyAvailableAt = serializers.CharField(required=False, help_text="As Plex sends it.")
    addedAt = Instant(allow_null=True)
    updatedAt = Instant(allow_null=True)
    art = serializers.CharField(required=False)
    artUrl = SignedImageLink("art")
    thumb = serializers.CharField(required=False)
    thumbUrl = SignedImageLink("thumb")
    banner = serializers.CharField(required=False)
    theme = serializers.CharField(required=False)
    studio = serializers.CharField(required=False)
    library = PlexLibraryReferencePayload(allow_null=True)
    parentRatingKey = serializers.CharField(required=False)
    parentTitle = serializers.CharField(required=False)
    index = serializers.IntegerField(required=False)
    parentIndex = serializers.IntegerField(required=False)
    grandparentRatingKey = serializers.CharField(required=False)
    grandparentTitle = serializers.CharField(required=False)
    genres = PlexTagPayload(many=True, required=False)
    directors = PlexTagPayload(many=True, required=False)
    writers = PlexTagPayload(many=True, required=False)
    actors = PlexActorPayload(
        many=True, required=False, help_text="The first 20, in billing order."
    )
    countries = PlexTagPayload(many=True, required=False)
    collections = PlexTagPayload(many=True, required=False)
    media = PlexMediaInfoPayload(many=True, required=False)
    seasonCount = serializers.IntegerField(required=False, help_text="Seasons without specials.")
    episodeCount = serializers.IntegerField(required=False)
    childCount = serializers.IntegerField(required=False, help_text="Seasons with specials.")
    leafCount = serializers.IntegerField(required=False)
    viewedLeafCount = serializers.IntegerField(required=False)
    playbackProgress = PlexPlaybackProgressPayload()


class PlexPaginationPayload(Payload):
    """The position of this page in the whole list."""

    start = serializers.IntegerField()
    size = serializers.IntegerField(help_text="The page size of this request.")
    total = serializers.IntegerField(help_text="The number of all matches.")
    hasMore = serializers.BooleanField()


class PlexSearchResultPayload(PlexMediaItemPayload):
    """An item and what the search matched in it."""

    matchReason = serializers.CharField(help_text="`title`, or what Plex reports.")


class PlexSearchResultsPayload(Payload):
    """`GET /search`."""

    results = PlexSearchResultPayload(many=True)
    total = serializers.IntegerField(help_text="The number of results returned.")
    queryTime = serializers.IntegerField(help_text="Milliseconds that Plex took.")


class PlexRecentlyAddedPayload(Payload):
    """`GET /recently-added`."""

    items = PlexMediaItemPayload(many=True)
    total = serializers.IntegerField(help_text="All in the timeframe, before `limit`.")
    timeframe = serializers.CharField()


class PlexItemsPayload(Payload):
    """`GET /items/lookup` and `GET /on-deck`."""

    items = PlexMediaItemPayload(many=True)
    total = serializers.IntegerField()


class PlexManyItemsPayload(PlexItemsPayload):
    """`GET /items` and `POST /items`."""

    missing = serializers.ListField(
        child=serializers.CharField(),
        help_text="The ids and guids that no item has which you may see, as they were given.",
    )


class PlexItemChildrenPayload(Payload):
    """`GET /items/:ratingKey/children`."""

    parent = PlexMediaItemPayload()
    items = PlexMediaItemPayload(many=True)
    pagination = PlexPaginationPayload()
