"""The payload of one item with everything that Plex has of it."""

from rest_framework import serializers

from medianest.api.serializers import Payload
from plex_integration.reading.serializers.items import (
    ActorPayload,
    ItemPayload,
    MediaPayload,
    PartPayload,
    TagPayload,
)


class StreamPayload(Payload):
    """A video, audio, subtitle or lyrics stream of a file."""

    id = serializers.IntegerField(allow_null=True)
    streamType = serializers.CharField(
        allow_null=True, help_text="`video`, `audio`, `subtitle` or `lyrics`."
    )
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


class DetailedPartPayload(PartPayload):
    """One file of a version, with its streams."""

    streams = StreamPayload(many=True)


class DetailedMediaPayload(MediaPayload):
    """One version of an item, with the streams of its files."""

    parts = DetailedPartPayload(many=True)


class RatingPayload(Payload):
    """One source's rating, from 0 to 10."""

    provider = serializers.CharField(help_text="The source of the rating, such as `imdb`.")
    type = serializers.CharField(required=False, help_text="`critic` or `audience`.")
    value = serializers.FloatField()


class ChapterPayload(Payload):
    """A chapter."""

    id = serializers.IntegerField(allow_null=True)
    index = serializers.IntegerField(required=False)
    title = serializers.CharField(required=False)
    startTimeOffset = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    endTimeOffset = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")


class ItemDetailPayload(ItemPayload):
    """An item with everything that Plex has of it."""

    actors = ActorPayload(many=True, required=False, help_text="All, in billing order.")
    producers = TagPayload(many=True, required=False)
    ratings = RatingPayload(many=True, required=False)
    chapters = ChapterPayload(many=True, required=False)
    media = DetailedMediaPayload(many=True, required=False)
    editionTitle = serializers.CharField(required=False)
    userRating = serializers.FloatField(required=False)


class ItemAnswerPayload(Payload):
    """`GET /items/:ratingKey`."""

    item = ItemDetailPayload()
