"""Payloads of the Plex server."""

from rest_framework import serializers

from medianest.api.fields import Instant
from medianest.api.serializers import Payload


class PlexServerInfoPayload(Payload):
    """The server itself."""

    name = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    platform = serializers.CharField(allow_null=True)
    platformVersion = serializers.CharField(allow_null=True)
    machineIdentifier = serializers.CharField(allow_null=True)
    updatedAt = Instant(allow_null=True)
    createdAt = Instant(allow_null=True, help_text="Null: Plex does not report it.")
    multiuser = serializers.BooleanField(allow_null=True)
    transcoderActiveVideoSessions = serializers.IntegerField(allow_null=True)
    transcoderAudio = serializers.BooleanField(allow_null=True)
    transcoderVideo = serializers.BooleanField(allow_null=True)
    transcoderVideoBitrates = serializers.ListField(child=serializers.CharField(), allow_null=True)
    transcoderVideoQualities = serializers.ListField(child=serializers.CharField(), allow_null=True)
    transcoderVideoResolutions = serializers.ListField(
        child=serializers.CharField(), allow_null=True
    )


class PlexServerConnectionPayload(Payload):
    """How this service reaches the server."""

    uri = serializers.CharField()
    local = serializers.BooleanField(allow_null=True)
    relay = serializers.BooleanField(allow_null=True)
    address = serializers.CharField()
    port = serializers.IntegerField()
    protocol = serializers.CharField()


class PlexServerFeaturesPayload(Payload):
    """What the server can do; null where Plex does not report it."""

    activityNotifications = serializers.BooleanField(allow_null=True)
    collections = serializers.BooleanField(allow_null=True)
    contentRating = serializers.BooleanField(allow_null=True)
    dvr = serializers.BooleanField(allow_null=True)
    livetv = serializers.BooleanField(allow_null=True)
    musicAnalysis = serializers.BooleanField(allow_null=True)
    passthrough = serializers.BooleanField(allow_null=True)
    photoTranscoding = serializers.BooleanField(allow_null=True)
    playlists = serializers.BooleanField()
    premium = serializers.BooleanField(allow_null=True)
    provider = serializers.CharField()
    publicAddressMatches = serializers.BooleanField(allow_null=True)
    publish = serializers.BooleanField(allow_null=True)
    scannerPhotos = serializers.BooleanField(allow_null=True)
    searchByGenre = serializers.BooleanField(allow_null=True)
    sync = serializers.BooleanField(allow_null=True)
    transcodingThrottling = serializers.BooleanField(allow_null=True)
    voiceSearch = serializers.BooleanField(allow_null=True)


class PlexServerStatisticsPayload(Payload):
    """How much the server has and how many sessions play."""

    accountID = serializers.IntegerField(
        allow_null=True, help_text="Null: Plex does not report it."
    )
    deviceID = serializers.IntegerField(allow_null=True, help_text="Null: not reported.")
    sessionCount = serializers.IntegerField(allow_null=True)
    libraryCount = serializers.IntegerField(allow_null=True)
    totalSize = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    totalDuration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")


class PlexServerPayload(Payload):
    """`GET /server`."""

    server = PlexServerInfoPayload()
    connection = PlexServerConnectionPayload()
    features = PlexServerFeaturesPayload()
    statistics = PlexServerStatisticsPayload()
