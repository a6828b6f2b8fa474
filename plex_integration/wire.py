"""How values are spelled on the wire: instants, optional members, strict parameters.

Knows nothing of Plex or of any endpoint.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_DIGITS = re.compile(r"[0-9]{1,18}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def iso_instant(moment: datetime) -> str:
    """Spell an aware datetime as ISO 8601 in UTC with milliseconds: 2024-01-01T12:30:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_key(text: str) -> bool:
    """Tell whether a text can be an id of Plex's: 1 to 10 ASCII digits."""
    return re.fullmatch(r"[0-9]{1,10}", text) is not None


class Payload(serializers.Serializer[Any]):
    """What goes under `data`: a member declared `required=False` is left out where it is None."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, field in self.fields.items():
            value = field.get_attribute(instance)
            if value is None:
                if field.required:
                    members[name] = None
            else:
                members[name] = field.to_representation(value)
        return members


class Query(serializers.Serializer[Any]):
    """What may be asked: each parameter at most once, each within its documented bounds."""

    @classmethod
    def of(cls, parameters: QueryDict) -> Mapping[str, Any]:
        """Return the validated parameters; unknown ones are ignored.

        Raises ValidationError that names each bad parameter.
        """
        known = tuple(
            (name, parameters[name]) for name in cls._declared_fields if name in parameters
        )
        repeated = {
            name: ["Give this parameter once."]
            for name, _ in known
            if len(parameters.getlist(name)) > 1
        }
        if repeated:
            raise serializers.ValidationError(repeated)
        return _validated(cls, known)


@lru_cache(maxsize=4096)
def _validated(query: type[Query], known: tuple[tuple[str, str], ...]) -> Mapping[str, Any]:
    """Validate once what is asked again and again; nobody changes what is returned."""
    asked = query(data=dict(known))
    asked.is_valid(raise_exception=True)
    return MappingProxyType(dict(asked.validated_data))


class WholeNumber(serializers.IntegerField):
    """An integer of ASCII digits alone, within its bounds; never clamped."""

    def to_internal_value(self, data: Any) -> int:
        if not _DIGITS.fullmatch(data):
            self.fail("invalid")
        return int(data)


class Flag(serializers.BooleanField):
    """A boolean spelled `1`, `0`, `true` or `false`."""

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
    """An instant as `iso_instant` spells it."""
