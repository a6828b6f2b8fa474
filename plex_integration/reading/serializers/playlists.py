"""Payloads of playlists."""

from rest_framework import serializers

from medianest.api.fields import Instant
from medianest.api.serializers import Payload
from plex_integration.images.signing import SignedImageLink
from plex_integration.reading.serializers.items import ItemPayload, PaginationPayload


class PlaylistPayload(Payload):
    """A playlist."""

    ratingKey = serializers.CharField()
    key = serializers.CharField()
    type = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    summary = serializers.CharField(required=False)
    playlistType = serializers.CharField(allow_null=True, help_text="`video`, `audio`, `photo`.")
    smart = serializers.BooleanField()
    addedAt = Instant(allow_null=True)
    updatedAt = Instant(allow_null=True)
    itemCount = serializers.IntegerField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    composite = serializers.CharField(required=False)
    thumbUrl = SignedImageLink("thumb", member="composite")


class PlaylistsPayload(Payload):
    """`GET /playlists`."""

    playlists = PlaylistPayload(many=True)
    total = serializers.IntegerField()


class PlaylistItemPayload(ItemPayload):
    """An item of a playlist, which can contain the same item twice."""

    playlistItemId = serializers.IntegerField(allow_null=True)


class PlaylistAnswerPayload(Payload):
    """`GET /playlists/:playlistKey`."""

    playlist = PlaylistPayload()
    items = PlaylistItemPayload(many=True)
    pagination = PaginationPayload()
