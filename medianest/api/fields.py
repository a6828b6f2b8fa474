"""Serializer fields: how single values are written in JSON and read from queries and bodies.

Knows nothing of Plex or of any endpoint.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_DIGITS = re.compile(r"[0-9]{1,18}")

_CONTROLS = r"\u0000-\u001f\u007f"
_CONTROL = re.compile(f"[{_CONTROLS}]")


def iso_instant(moment: datetime) -> str:
    """Format an aware datetime as ISO 8601 in UTC with milliseconds: 2024-01-01T12:30:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_integer(value: Any) -> Any:
    """Return a number without a fraction as an int, and any other value as it is.

    JSON has one kind of number: JSON Schema takes 5.0 for an integer, and some clients write it.
    """
    return int(value) if isinstance(value, float) and value.is_integer() else value


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


class CommaList(serializers.Field[tuple[str, ...], Any, tuple[str, ...], Any]):
    """A comma-separated list in a query. Clients may also repeat the parameter."""

    def split(self, data: str) -> Sequence[str]:
        """Return the parts of the list, as they were sent."""
        return data.split(",")

    @property
    def schema(self) -> dict[str, Any]:
        """How the OpenAPI document describes the list."""
        raise NotImplementedError


class RequestText(serializers.CharField):
    """A text of a query or a body; the OpenAPI document shows its `pattern`."""

    forbidden = r"\u0000"  # which DRF refuses in every text
    """The characters that it must not contain, as in a character class of a regular expression."""

    @property
    def pattern(self) -> str:
        """The texts that this field accepts, as a regular expression of JavaScript and Python.

        Blanks at both ends count only where they are not removed. An empty text is not part of it.
        """
        inside, end = f"[^{self.forbidden}]*", rf"[^\s{self.forbidden}]"
        if not self.trim_whitespace:
            return f"^{inside}$"
        text = f"{end}{inside}{end}" if self.min_length == 2 else f"{end}({inside}{end})?"
        return rf"^(\s+|\s*{text}\s*)$" if self.allow_blank else rf"^\s*{text}\s*$"

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # The length is that of the text as it is sent, which is what a schema counts.
        if isinstance(data, str) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().run_validation(data)


class Text(RequestText):
    """A text in NFC without surrounding blanks or control characters."""

    forbidden = _CONTROLS
    default_error_messages = {"control": "Must not contain control characters."}

    def to_internal_value(self, data: Any) -> str:
        text = unicodedata.normalize("NFC", super().to_internal_value(data)).strip()
        if _CONTROL.search(text):
            self.fail("control")
        return text


@extend_schema_field({"type": "string", "format": "date-time"})
class Instant(serializers.CharField):
    """An instant as `iso_instant` formats it."""
