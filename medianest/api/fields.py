"""Serializer fields: how single values are written in JSON and read from queries and bodies.

Knows nothing of Plex or of any endpoint.
"""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_DIGITS = re.compile(r"[0-9]{1,18}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def iso_instant(moment: datetime) -> str:
    """Format an aware datetime as ISO 8601 in UTC with milliseconds: 2024-01-01T12:30:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class WholeNumber(serializers.IntegerField):
    """An integer of ASCII digits alone, within its bounds; never clamped."""

    def to_internal_value(self, data: Any) -> int:
        if not _DIGITS.fullmatch(data):
            self.fail("invalid")
        return int(data)


class Flag(serializers.BooleanField):
    """A boolean written as `1`, `0`, `true` or `false`."""

    default_error_messages = {"invalid": "Must be 1, 0, true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("1", "0", "true", "false"):
            self.fail("invalid", input=data)
        return data in ("1", "true")


class Text(serializers.CharField):
    """A text in NFC without surrounding blanks or control characters."""

    default_error_messages = {"control": "Must not contain control characters."}

    def to_internal_value(self, data: Any) -> str:
        text = unicodedata.normalize("NFC", super().to_internal_value(data)).strip()
        if _CONTROL.search(text):
            self.fail("control")
        return text


@extend_schema_field({"type": "string", "format": "date-time"})
class Instant(serializers.CharField):
    """An instant as `iso_instant` formats it."""
