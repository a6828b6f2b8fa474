"""The payload of one item with everything that Plex has of it."""

from rest_framework import serializers

from medianest.api.serializers import Payload
from plex_integration.plex.media import STREAM_TYPES
from plex_integration.reading.serializers.items import (
    PlexActorPayload,
    PlexMediaInfoPayload,
    PlexMediaItemPayload,
    PlexMediaPartPayload,
    PlexTagPayload,
)


class PlexStreamPayload(Payload):
    """A video, audio, subtitle or lyrics stream of a file."""

    id = serializers.IntegerField(allow_null=True)
    streamType = serializers.ChoiceField(choices=STREAM_TYPES, allow_null=True)
    codec = serializers.CharField(allow_null=True)
    index = serializers.IntegerField(required=False)
    language = serializers.CharField(required=False)
    languageCode = serializers.CharField(required=False)
    title = serializers.CharField(required=False)
    displayTitle = serializers.CharField(required=False)
    default = serializers.BooleanField()
    selected = serializers.BooleanField()
    forced = serializers.BooleanField()
    bitrate = serializers.IntegerField(required=False, help_text="kbps.")
    channels = serializers.IntegerField(required=False)
    width = serializers.IntegerField(required=False)
    height = serializers.IntegerField(required=False)


class PlexMediaPartDetailsPayload(PlexMediaPartPayload):
    """One file of a version, with its streams."""

    streams = PlexStreamPayload(many=True)


class PlexMediaInfoDetailsPayload(PlexMediaInfoPayload):
    """One version of an item, with the streams of its files."""

    parts = PlexMediaPartDetailsPayload(many=True)


class PlexRatingPayload(Payload):
    """One source's rating, from 0 to 10."""

    provider = serializers.CharField(help_text="The source of the rating, such as `imdb`.")
    type = serializers.CharField(required=False, help_text="`critic` or `audience`.")
    value = serializers.FloatField()


class PlexChapterPayload(Payload):
    """A chapter."""

    id = serializers.IntegerField(allow_null=True)
    index = serializers.IntegerField(required=False)
    title = serializers.CharField(required=False)
    startTimeOffset = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    endTimeOffset = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")


class PlexMediaItemDetailsPayload(PlexMediaItemPayload):
    """An item with everything that Plex has of it."""

    actors = PlexActorPayload(many=True, required=False, help_text="All, in billing order.")
    producers = PlexTagPayload(many=True, required=False)
    ratings = PlexRatingPayload(many=True, required=False)
    chapters = PlexChapterPayload(many=True, required=False)
    media = PlexMediaInfoDetailsPayload(many=True, required=False)
    editionTitle = serializers.CharField(required=False)
    userRating = serializers.FloatField(required=False)


class PlexItemPayload(Payload):
    """`GET /items/:ratingKey`."""

    item = PlexMediaItemDetailsPayload()
