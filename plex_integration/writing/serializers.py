"""What may be written, and what is answered to it; OpenAPI comes from here."""

import re
from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from medianest.api.exceptions import Invalid
from plex_integration.plex.editing import MODES, SORT_ORDERS
from plex_integration.reading.serializers import ListedCollectionPayload, PlaylistPayload
from medianest.api.fields import Flag
from medianest.api.serializers import Body, Payload, Query
from plex_integration.plex.ids import is_id

MOST_ITEMS = 1_000
# What a URL holds of a text, percent-encoded: 5,000 Latin letters, or 800 Cyrillic ones.
LONGEST_ENCODED = 5_000

# What XML cannot hold, Plex could not send back.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_KEY = {"type": "string", "pattern": "^[0-9]{1,10}$"}


class WriteQuery(Query):
    """How to write."""

    dryRun = Flag(
        default=False,
        help_text="true: validate, say what would change, and write nothing.",
    )


class PlaceQuery(WriteQuery):
    """How to write, and how a playlist's items are named."""

    by = serializers.ChoiceField(
        choices=["ratingKey", "playlistItemId"],
        default="ratingKey",
        help_text="What the path's and the body's ids are. An item that stands in the playlist "
        "more than once can only be named by its `playlistItemId`.",
    )


class Written(serializers.CharField):
    """A text as it is written to Plex: its own characters, without surrounding blanks."""

    default_error_messages = {
        "text": "Must be a text.",
        "illegal": "Must not contain control characters.",
        "long": f"Must not be longer than {LONGEST_ENCODED} characters when it is URL-encoded.",
    }

    def __init__(self, *, lines: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lines = lines

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("text")
        text = super().to_internal_value(data)
        if _ILLEGAL.search(text) or (not self._lines and re.search("[\t\r\n]", text)):
            self.fail("illegal")
        if len(quote(text, safe="")) > LONGEST_ENCODED:
            self.fail("long")
        return text


@extend_schema_field({"type": "array", "items": _KEY, "minItems": 1, "maxItems": MOST_ITEMS})
class Items(serializers.Field[list[str], Any, list[str], Any]):
    """Rating keys; one that is named twice is meant once."""

    default_error_messages = {
        "list": "Must be a list of rating keys.",
        "number": f"Must be 1 to {MOST_ITEMS} rating keys.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            self.fail("list")
        if not 1 <= len(data) <= MOST_ITEMS:
            self.fail("number")
        bad = [each for each in data if not _is_rating_key(each)]
        if bad:
            raise serializers.ValidationError(
                [f"{str(each)[:40]}: not a rating key (1 to 10 digits)." for each in bad]
            )
        return list(dict.fromkeys(map(str, data)))

    def to_representation(self, value: Any) -> list[str]:
        return list(value)


@extend_schema_field(_KEY)
class After(serializers.Field[str | None, Any, str | None, Any]):
    """The id of what it is to come after; null: it is to come first."""

    default_error_messages = {"key": "Must be an id (1 to 10 digits) or null."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not _is_rating_key(data):
            self.fail("key")
        return str(data)

    def to_representation(self, value: Any) -> str | None:
        return None if value is None else str(value)


class CollectionBody(Body):
    """A new collection; its type is that of its items."""

    title = Written(max_length=200)
    items = Items()
    summary = Written(lines=True, required=False, allow_blank=True)


class PlaylistBody(CollectionBody):
    """A new playlist of videos, music or photos, as its items are."""


class ItemsBody(Body):
    """What is to be put in."""

    items = Items()


class PositionBody(Body):
    """Where it is to stand."""

    after = After(help_text="What it is to come after; null: it is to come first.")


class _Edit(Body):
    """Changed fields, at least one."""

    def validate(self, attrs: Any) -> Any:
        if not attrs:
            raise Invalid(details={"body": [f"Give at least one of: {', '.join(self.fields)}."]})
        return attrs


class CollectionEdit(_Edit):
    """What is to change; an empty text takes the value away."""

    title = Written(required=False, max_length=200)
    titleSort = Written(required=False, max_length=200, allow_blank=True)
    summary = Written(lines=True, required=False, allow_blank=True)
    contentRating = Written(required=False, max_length=40, allow_blank=True)
    sortOrder = serializers.ChoiceField(
        choices=list(SORT_ORDERS), required=False, help_text="Not for smart collections."
    )
    mode = serializers.ChoiceField(
        choices=list(MODES),
        required=False,
        help_text="How the library shows it: as the library does, not at all, in place of its "
        "items, or beside them.",
    )


class PlaylistEdit(_Edit):
    """What is to change; an empty text takes the value away."""

    title = Written(required=False, max_length=200)
    summary = Written(lines=True, required=False, allow_blank=True)


# --- What is answered -----------------------------------------------------------------------------


class ChangePayload(Payload):
    """A field that changed, or would."""

    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class ItemStatePayload(Payload):
    """What became of an item, or would."""

    ratingKey = serializers.CharField()
    playlistItemId = serializers.IntegerField(
        required=False, help_text="Where it stands in the playlist; never in a dry run's additions."
    )
    state = serializers.ChoiceField(choices=["added", "alreadyThere", "removed", "moved"])


class EditedCollectionPayload(ListedCollectionPayload):
    """A collection with what only who edits it asks for."""

    sortOrder = serializers.ChoiceField(choices=list(SORT_ORDERS), required=False)
    mode = serializers.ChoiceField(choices=list(MODES), required=False)


class CollectionWrittenPayload(Payload):
    """What a write did to a collection, or would do."""

    dryRun = serializers.BooleanField()
    collection = EditedCollectionPayload(
        allow_null=True,
        help_text="As it is after the write. Null where it is not there (a dry run of a creation, "
        "or Plex deleted it with its last item) or cannot be read.",
    )
    changes = ChangePayload(many=True)
    items = ItemStatePayload(many=True)


class CollectionDeletedPayload(Payload):
    """The collection that is gone, or would be; its items stay."""

    dryRun = serializers.BooleanField()
    deleted = EditedCollectionPayload()


class PlaylistWrittenPayload(Payload):
    """What a write did to a playlist, or would do."""

    dryRun = serializers.BooleanField()
    playlist = PlaylistPayload(
        allow_null=True,
        help_text="As it is after the write. Null where it is not there (a dry run of a creation) "
        "or cannot be read.",
    )
    changes = ChangePayload(many=True)
    items = ItemStatePayload(many=True)


class PlaylistDeletedPayload(Payload):
    """The playlist that is gone, or would be; its items stay."""

    dryRun = serializers.BooleanField()
    deleted = PlaylistPayload()


def _is_rating_key(value: Any) -> bool:
    return type(value) in (str, int) and is_id(str(value))
