"""Payloads of playlists."""

from rest_framework import serializers

from medianest.api.fields import Instant
from medianest.api.serializers import Payload
from plex_integration.images.signing import SignedImageLink
from plex_integration.plex.media import PLAYLIST_CONTENTS
from plex_integration.reading.serializers.items import PlexMediaItemPayload, PlexPaginationPayload


class PlexPlaylistPayload(Payload):
    """A playlist."""

    ratingKey = serializers.CharField()
    key = serializers.CharField()
    type = serializers.ChoiceField(choices=["playlist"])
    title = serializers.CharField(allow_null=True)
    summary = serializers.CharField(required=False)
    playlistType = serializers.ChoiceField(choices=PLAYLIST_CONTENTS, allow_null=True)
    smart = serializers.BooleanField()
    addedAt = Instant(allow_null=True)
    updatedAt = Instant(allow_null=True)
    itemCount = serializers.IntegerField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    composite = serializers.CharField(required=False)
    thumbUrl = SignedImageLink("thumb", member="composite")


class PlexPlaylistsPayload(Payload):
    """`GET /playlists`."""

    playlists = PlexPlaylistPayload(many=True)
    total = serializers.IntegerField()


class PlexPlaylistItemPayload(PlexMediaItemPayload):
    """An item of a playlist, which can contain the same item twice."""

    playlistItemId = serializers.IntegerField(allow_null=True)


class PlexPlaylistDetailsPayload(Payload):
    """`GET /playlists/:playlistKey`."""

    playlist = PlexPlaylistPayload()
    items = PlexPlaylistItemPayload(many=True)
    pagination = PlexPaginationPayload()
