"""Query parameters and bodies of writes."""

import re
from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from medianest.api.exceptions import Invalid
from medianest.api.fields import Flag, RequestText
from medianest.api.serializers import Body, Query
from plex_integration.plex.editing import MODES, SORT_ORDERS
from plex_integration.plex.ids import is_id

MAX_ITEMS = 1_000
MAX_ENCODED_LENGTH = 5_000
"""The longest text, percent-encoded, that fits into a URL: 5,000 Latin letters or 833 Cyrillic."""

# Characters that XML cannot represent, so that Plex could not send them back; in a single line the
# other controls too.
_ILLEGAL = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff"
_ILLEGAL_IN_A_LINE = r"\u0000-\u001f\u007f\ufffe\uffff"
_SURROGATES = r"\ud800-\udfff"  # a JavaScript expression would take their range for pairs
_KEY = {
    "type": ["string", "integer"],
    "pattern": "^[0-9]{1,10}$",
    "minimum": 0,
    "maximum": 9_999_999_999,
}


class WriteQuery(Query):
    """Whether to write or only to say what would change."""

    dryRun = Flag(
        default=False,
        help_text="true: validate, return what would change, and write nothing.",
    )


class PositionQuery(WriteQuery):
    """The same, and which ids the path and the body contain."""

    by = serializers.ChoiceField(
        choices=["ratingKey", "playlistItemId"],
        default="ratingKey",
        help_text="What the ids in the path and the body are. An item that is in the playlist "
        "more than once can only be identified by its `playlistItemId`.",
    )


class PlexText(RequestText):
    """A text that Plex can store and send back; `lines` allows more than one line.

    Surrounding blanks are removed, everything else is written as it is.
    """

    default_error_messages = {
        "text": "Must be a text.",
        "illegal": "Must not contain control characters.",
        "long": f"Must not be longer than {MAX_ENCODED_LENGTH} characters when it is URL-encoded.",
    }

    def __init__(self, *, lines: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.forbidden = _ILLEGAL if lines else _ILLEGAL_IN_A_LINE

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("text")
        text = super().to_internal_value(data)
        if re.search(f"[{self.forbidden}{_SURROGATES}]", text):
            self.fail("illegal")
        if len(quote(text, safe="")) > MAX_ENCODED_LENGTH:
            self.fail("long")
        return text


@extend_schema_field({"type": "array", "items": _KEY, "minItems": 1, "maxItems": MAX_ITEMS})
class RatingKeys(serializers.Field[list[str], Any, list[str], Any]):
    """A list of rating keys, without repetitions."""

    default_error_messages = {
        "list": "Must be a list of rating keys.",
        "number": f"Must be 1 to {MAX_ITEMS} rating keys.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            self.fail("list")
        if not 1 <= len(data) <= MAX_ITEMS:
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
class PositionId(serializers.Field[str | None, Any, str | None, Any]):
    """The id of the item that comes before; null for the first position."""

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
    """A collection to create; its type is that of its items."""

    title = PlexText(max_length=200)
    items = RatingKeys()
    summary = PlexText(lines=True, required=False, allow_blank=True)


class PlaylistBody(CollectionBody):
    """A playlist to create; it holds videos, music or photos, as its items are."""


class ItemsBody(Body):
    """Items to add."""

    items = RatingKeys()


class PositionBody(Body):
    """The position to move an item to."""

    after = PositionId(help_text="The item to place it after; null places it first.")


class Edit(Body):
    """Fields to change, at least one."""

    def validate(self, attrs: Any) -> Any:
        if not attrs:
            raise Invalid(details={"body": [f"Give at least one of: {', '.join(self.fields)}."]})
        return attrs


class CollectionEdit(Edit):
    """Fields of a collection to change; an empty text removes the value."""

    title = PlexText(required=False, max_length=200)
    titleSort = PlexText(required=False, max_length=200, allow_blank=True)
    summary = PlexText(lines=True, required=False, allow_blank=True)
    contentRating = PlexText(required=False, max_length=40, allow_blank=True)
    sortOrder = serializers.ChoiceField(
        choices=list(SORT_ORDERS), required=False, help_text="Not for smart collections."
    )
    mode = serializers.ChoiceField(
        choices=list(MODES),
        required=False,
        help_text="How the library shows the collection: by the library's own setting, not at "
        "all, instead of its items, or beside them.",
    )


class PlaylistEdit(Edit):
    """Fields of a playlist to change; an empty text removes the value."""

    title = PlexText(required=False, max_length=200)
    summary = PlexText(lines=True, required=False, allow_blank=True)


def _is_rating_key(value: Any) -> bool:
    return type(value) in (str, int) and is_id(str(value))
