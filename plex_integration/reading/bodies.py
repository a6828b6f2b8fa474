"""Bodies of reading requests: what does not fit a URL."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from medianest.api.exceptions import Invalid
from medianest.api.serializers import AtLeastOne
from plex_integration.reading.queries import MAX_NAMED
from plex_integration.reading.rating_keys import RatingKeys, list_schema

MAX_GUID = 255
_GUID = r"^[A-Za-z][A-Za-z0-9.+-]*://[!-~]+$"


@extend_schema_field(list_schema(MAX_NAMED))
class NamedKeys(RatingKeys):
    """The rating keys of the items to show."""

    most = MAX_NAMED


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "pattern": _GUID, "maxLength": MAX_GUID},
        "minItems": 1,
        "maxItems": MAX_NAMED,
    }
)
class NamedGuids(serializers.Field[list[str], Any, list[str], Any]):
    """The guids of the items to show: of Plex, or of other sites."""

    default_error_messages = {
        "list": "Must be a list of guids.",
        "number": f"Must be 1 to {MAX_NAMED} guids.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            self.fail("list")
        if not 1 <= len(data) <= MAX_NAMED:
            self.fail("number")
        bad = [each for each in data if not _is_guid(each)]
        if bad:
            raise serializers.ValidationError(
                [f"{str(each)[:40]}: not a guid (such as imdb://tt0133093)." for each in bad]
            )
        return list(dict.fromkeys(data))

    def to_representation(self, value: Any) -> list[str]:
        return list(value)


class FindItemsBody(AtLeastOne):
    """The items to show, in this order: those with these ids, then those with these guids."""

    ids = NamedKeys(required=False, help_text=f"Rating keys; {MAX_NAMED} with the guids at most.")
    guids = NamedGuids(
        required=False,
        help_text="`plex://movie/…`, `imdb://tt…`, `tmdb://…` or `tvdb://…`. Any other is missing.",
    )

    def validate(self, attrs: Any) -> Any:
        if sum(map(len, attrs.values())) > MAX_NAMED:
            messages = [f"Name at most {MAX_NAMED} ids and guids together."]
            raise Invalid(details={"ids": messages})
        return super().validate(attrs)


def _is_guid(value: Any) -> bool:
    is_text = isinstance(value, str) and len(value) <= MAX_GUID
    return is_text and re.fullmatch(_GUID, value) is not None and not value.endswith("\n")
