"""Payloads of collections."""

from rest_framework import serializers

from medianest.api.fields import Instant
from medianest.api.serializers import Payload
from plex_integration.images.signing import SignedImageLink
from plex_integration.reading.serializers.items import (
    PlexLibraryReferencePayload,
    PlexMediaItemPayload,
    PlexPaginationPayload,
)


class PlexCollectionPayload(Payload):
    """A collection."""

    ratingKey = serializers.CharField()
    key = serializers.CharField()
    type = serializers.ChoiceField(choices=["collection"])
    title = serializers.CharField(allow_null=True)
    titleSort = serializers.CharField(required=False)
    summary = serializers.CharField(required=False)
    contentRating = serializers.CharField(required=False)
    addedAt = Instant(allow_null=True)
    updatedAt = Instant(allow_null=True)
    art = serializers.CharField(required=False)
    artUrl = SignedImageLink("art")
    thumb = serializers.CharField(required=False)
    thumbUrl = SignedImageLink("thumb")
    childCount = serializers.IntegerField(allow_null=True)
    smart = serializers.BooleanField()
    subtype = serializers.CharField(required=False)
    library = PlexLibraryReferencePayload(allow_null=True)


class PlexCollectionsPayload(Payload):
    """`GET /libraries/:libraryKey/collections`."""

    collections = PlexCollectionPayload(many=True)
    total = serializers.IntegerField()
    library = PlexLibraryReferencePayload()
    pagination = PlexPaginationPayload()


class PlexCollectionDetailsPayload(Payload):
    """`GET /collections/:collectionKey`."""

    collection = PlexCollectionPayload()
    items = PlexMediaItemPayload(many=True)
    pagination = PlexPaginationPayload()
