"""What may be asked of a picture: its kind, the box it must fit into, its format.

Knows nothing of Plex.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from medianest.api.exceptions import NotAcceptable
from medianest.api.serializers import Query

LADDER = (160, 320, 480, 720, 1080, 1920)
# Where neither side is given: what a page of posters shows, also on a screen of double density.
WIDTH = 480

# Each kind, and which of an item's attributes hold it, the first first.
KINDS: Mapping[str, tuple[str, ...]] = {
    "thumb": ("thumb", "composite"),
    "art": ("art",),
    "composite": ("composite", "thumb"),
}


@dataclass(frozen=True)
class Format:
    """A format pictures are written in; `name` is Pillow's."""

    name: str
    type: str


JPEG = Format("JPEG", "image/jpeg")
PNG = Format("PNG", "image/png")
WEBP = Format("WEBP", "image/webp")

_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
# Of formats that a client names and likes equally, the smallest; else what every client can show.
_NAMED, _ANY = (WEBP, JPEG, PNG), (JPEG, PNG, WEBP)


class ImageQuery(Query):
    """The box that a picture must fit into; it is never enlarged."""

    width = serializers.ChoiceField(
        choices=LADDER,
        required=False,
        help_text=f"Most pixels across. {WIDTH} where neither side is given.",
    )
    height = serializers.ChoiceField(choices=LADDER, required=False, help_text="Most pixels down.")


def box(query: Mapping[str, Any]) -> tuple[int, int]:
    """Return the width and height that a picture must fit into."""
    width, height = query.get("width"), query.get("height")
    if width is None and height is None:
        width = WIDTH
    return width or LADDER[-1], height or LADDER[-1]


def wanted_format(accept: str) -> Format:
    """Choose the format by an Accept header (RFC 9110 section 12.5.1). Raises NotAcceptable.

    Where a client takes anything it gets JPEG; WebP only where it says so, as browsers do.
    """
    ranges = _ranges(accept or "*/*")
    best = max(
        ((quality, named, -place, wanted) for quality, named, place, wanted in _rated(ranges)),
        key=lambda rated: rated[:3],
    )
    if best[0] <= 0:
        raise NotAcceptable("A picture comes as image/jpeg, image/png or image/webp.")
    return best[3]


def _rated(ranges: Mapping[str, float]) -> list[tuple[float, bool, int, Format]]:
    rated = []
    for wanted in _ANY:
        named = wanted.type in ranges
        quality = ranges.get(wanted.type, ranges.get("image/*", ranges.get("*/*", 0.0)))
        rated.append((quality, named, (_NAMED if named else _ANY).index(wanted), wanted))
    return rated


def _ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for part in accept.lower().split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = float(value) if _QUALITY.fullmatch(value) else 0.0
        ranges[media_range] = max(quality, ranges.get(media_range, 0.0))
    return ranges
