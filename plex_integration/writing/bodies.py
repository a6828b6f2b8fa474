"""Query parameters and bodies of writes."""

import re
from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from medianest.api.fields import Flag, RequestText, as_integer
from medianest.api.serializers import AtLeastOne, Body, Query
from plex_integration.plex.editing import MODES, SORT_ORDERS
from plex_integration.reading.rating_keys import (
    KEY_SCHEMA,
    RatingKeys,
    is_rating_key,
    list_schema,
)

MAX_ITEMS = 1_000
MAX_ENCODED_LENGTH = 5_000
"""The longest text, percent-encoded, that fits into a URL: 5,000 Latin letters or 833 Cyrillic."""

MAX_OFFSET = 2**31 - 1
"""Milliseconds, about 24 days."""

# Characters that XML cannot represent, so that Plex could not send them back; in a single line the
# other controls too.
_ILLEGAL = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff"
_ILLEGAL_IN_A_LINE = r"\u0000-\u001f\u007f\ufffe\uffff"
_SURROGATES = r"\ud800-\udfff"  # a JavaScript expression would take their range for pairs


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


@extend_schema_field(list_schema(MAX_ITEMS))
class WrittenItems(RatingKeys):
    """The rating keys of items to write."""

    most = MAX_ITEMS


@extend_schema_field(KEY_SCHEMA)
class PositionId(serializers.Field[str | None, Any, str | None, Any]):
    """The id of the item that comes before; null for the first position."""

    default_error_messages = {"key": "Must be an id (1 to 10 digits) or null."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        key = as_integer(data)
        if not is_rating_key(key):
            self.fail("key")
        return str(key)

    def to_representation(self, value: Any) -> str | None:
        return None if value is None else str(value)


class CreateCollectionBody(Body):
    """A collection to create; its type is that of its items."""

    title = PlexText(max_length=200)
    items = WrittenItems()
    summary = PlexText(lines=True, required=False, allow_blank=True)


class CreatePlaylistBody(CreateCollectionBody):
    """A playlist to create; it holds videos, music or photos, as its items are."""


class AddItemsBody(Body):
    """Items to add."""

    items = WrittenItems()


class MoveItemBody(Body):
    """The position to move an item to."""

    after = PositionId(help_text="The item to place it after; null places it first.")


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": MAX_OFFSET})
class Milliseconds(serializers.Field[int, Any, int, Any]):
    """A position in an item: a number, not its digits in a text."""

    default_error_messages = {"number": f"Must be a whole number from 0 to {MAX_OFFSET}."}

    def to_internal_value(self, data: Any) -> int:
        number = as_integer(data)
        if type(number) is not int or not 0 <= number <= MAX_OFFSET:
            self.fail("number")
        return number

    def to_representation(self, value: Any) -> int:
        return int(value)


class SetProgressBody(Body):
    """Where to resume an item."""

    viewOffset = Milliseconds(
        help_text="Milliseconds. Below 60000 the resume point is removed; it must be below the "
        "share of the duration from which on the server counts an item as watched."
    )


class EditCollectionBody(AtLeastOne):
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


class EditPlaylistBody(AtLeastOne):
    """Fields of a playlist to change; an empty text removes the value."""

    title = PlexText(required=False, max_length=200)
    summary = PlexText(lines=True, required=False, allow_blank=True)
