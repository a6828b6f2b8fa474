"""Rating keys that a request names: as a list in a body, or comma-separated in a query."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework import serializers

from medianest.api.fields import CommaList, as_integer
from plex_integration.plex.ids import is_id

KEY_SCHEMA = {
    "type": ["string", "integer"],
    "pattern": "^[0-9]{1,10}$",
    "minimum": 0,
    "maximum": 9_999_999_999,
}
"""How the OpenAPI document describes a rating key in a body."""


def list_schema(most: int) -> dict[str, Any]:
    """Return how the OpenAPI document describes a list of rating keys in a body."""
    return {"type": "array", "items": KEY_SCHEMA, "minItems": 1, "maxItems": most}


def is_rating_key(value: Any) -> bool:
    """Tell whether a value of a body is a rating key: a text or a number."""
    return type(value) in (str, int) and is_id(str(value))


def checked_keys(given: Sequence[Any], most: int) -> list[str]:
    """Return rating keys as texts, each once. Raises ValidationError that names the bad ones."""
    if not 1 <= len(given) <= most:
        raise serializers.ValidationError(f"Must be 1 to {most} rating keys.")
    bad = [each for each in given if not is_rating_key(each)]
    if bad:
        raise serializers.ValidationError(
            [f"{str(each)[:40]}: not a rating key (1 to 10 digits)." for each in bad]
        )
    return list(dict.fromkeys(map(str, given)))


class RatingKeys(serializers.Field[list[str], Any, list[str], Any]):
    """A list of rating keys in a body, without repetitions; `most` is how many it may have."""

    most: ClassVar[int]
    default_error_messages = {"list": "Must be a list of rating keys."}

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            self.fail("list")
        return checked_keys([as_integer(each) for each in data], self.most)

    def to_representation(self, value: Any) -> list[str]:
        return list(value)


class RatingKeyList(CommaList):
    """Rating keys in a query, without repetitions."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    @property
    def schema(self) -> dict[str, Any]:
        """How the OpenAPI document describes it."""
        key = {"type": "string", "pattern": "^[0-9]{1,10}$"}
        return {"type": "array", "items": key, "minItems": 1, "maxItems": self.most}

    def to_internal_value(self, data: str) -> tuple[str, ...]:
        return tuple(checked_keys(self.split(data) if data else (), self.most))
