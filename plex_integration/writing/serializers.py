"""Payloads of writes."""

from rest_framework import serializers

from medianest.api.serializers import Payload
from plex_integration.plex.editing import MODES, SORT_ORDERS
from plex_integration.reading.serializers import ListedCollectionPayload, PlaylistPayload


class ChangePayload(Payload):
    """A field that was changed; in a dry run, one that would be."""

    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class ItemStatePayload(Payload):
    """What was done with an item; in a dry run, what would be."""

    ratingKey = serializers.CharField()
    playlistItemId = serializers.IntegerField(
        required=False,
        help_text="Its id in the playlist; absent for items that a dry run would add.",
    )
    state = serializers.ChoiceField(choices=["added", "alreadyThere", "removed", "moved"])


class EditedCollectionPayload(ListedCollectionPayload):
    """A collection with the preferences that can be edited."""

    sortOrder = serializers.ChoiceField(choices=list(SORT_ORDERS), required=False)
    mode = serializers.ChoiceField(choices=list(MODES), required=False)


class CollectionWrittenPayload(Payload):
    """What a write changed in a collection; in a dry run, what it would change."""

    dryRun = serializers.BooleanField()
    collection = EditedCollectionPayload(
        allow_null=True,
        help_text="The collection after the write. Null if there is none (a dry run of a creation, "
        "or Plex deleted it with its last item) or if it cannot be read.",
    )
    changes = ChangePayload(many=True)
    items = ItemStatePayload(many=True)


class CollectionDeletedPayload(Payload):
    """The collection that was deleted, or would be; its items stay."""

    dryRun = serializers.BooleanField()
    deleted = EditedCollectionPayload()


class PlaylistWrittenPayload(Payload):
    """What a write changed in a playlist; in a dry run, what it would change."""

    dryRun = serializers.BooleanField()
    playlist = PlaylistPayload(
        allow_null=True,
        help_text="The playlist after the write. Null if there is none (a dry run of a creation) "
        "or if it cannot be read.",
    )
    changes = ChangePayload(many=True)
    items = ItemStatePayload(many=True)


class PlaylistDeletedPayload(Payload):
    """The playlist that was deleted, or would be; its items stay."""

    dryRun = serializers.BooleanField()
    deleted = PlaylistPayload()
