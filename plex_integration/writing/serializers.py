"""Payloads of writes."""

from rest_framework import serializers

from medianest.api.serializers import Payload
from plex_integration.plex.editing import MODES, SORT_ORDERS
from plex_integration.plex.media import ITEM_TYPES
from plex_integration.reading.serializers import PlexCollectionPayload, PlexPlaylistPayload
from plex_integration.reading.serializers.items import PlexPlaybackProgressPayload


class PlexFieldChangePayload(Payload):
    """A field that was changed; in a dry run, one that would be."""

    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class PlexItemChangePayload(Payload):
    """What was done with an item; in a dry run, what would be."""

    ratingKey = serializers.CharField()
    playlistItemId = serializers.IntegerField(
        required=False,
        help_text="Its id in the playlist; absent for items that a dry run would add.",
    )
    state = serializers.ChoiceField(choices=["added", "alreadyThere", "removed", "moved"])


class PlexEditedCollectionPayload(PlexCollectionPayload):
    """A collection with the preferences that can be edited."""

    sortOrder = serializers.ChoiceField(choices=list(SORT_ORDERS), required=False)
    mode = serializers.ChoiceField(choices=list(MODES), required=False)


class PlexCollectionWritePayload(Payload):
    """What a write changed in a collection; in a dry run, what it would change."""

    dryRun = serializers.BooleanField()
    collection = PlexEditedCollectionPayload(
        allow_null=True,
        help_text="The collection after the write. Null if there is none (a dry run of a creation, "
        "or Plex deleted it with its last item) or if it cannot be read.",
    )
    changes = PlexFieldChangePayload(many=True)
    items = PlexItemChangePayload(many=True)


class PlexCollectionDeletionPayload(Payload):
    """The collection that was deleted, or would be; its items stay."""

    dryRun = serializers.BooleanField()
    deleted = PlexEditedCollectionPayload()


class PlexPlaylistWritePayload(Payload):
    """What a write changed in a playlist; in a dry run, what it would change."""

    dryRun = serializers.BooleanField()
    playlist = PlexPlaylistPayload(
        allow_null=True,
        help_text="The playlist after the write. Null if there is none (a dry run of a creation) "
        "or if it cannot be read.",
    )
    changes = PlexFieldChangePayload(many=True)
    items = PlexItemChangePayload(many=True)


class PlexWatchStatePayload(Payload):
    """What a viewer has watched of an item."""

    ratingKey = serializers.CharField()
    type = serializers.ChoiceField(choices=ITEM_TYPES)
    title = serializers.CharField(allow_null=True)
    duration = serializers.IntegerField(required=False, help_text="Milliseconds.")
    leafCount = serializers.IntegerField(required=False)
    viewedLeafCount = serializers.IntegerField(required=False)
    playbackProgress = PlexPlaybackProgressPayload()


class PlexWatchStateWritePayload(Payload):
    """What a write changed in a watch state; in a dry run, whether it would change it."""

    dryRun = serializers.BooleanField()
    changed = serializers.BooleanField()
    item = PlexWatchStatePayload(
        allow_null=True,
        help_text="As Plex reports it after the write. Null if it cannot be read.",
    )
    before = PlexWatchStatePayload()


class PlexPlaylistDeletionPayload(Payload):
    """The playlist that was deleted, or would be; its items stay."""

    dryRun = serializers.BooleanField()
    deleted = PlexPlaylistPayload()
