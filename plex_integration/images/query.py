"""What a client may request of an image: its kind, the box it must fit into, its format.

Knows nothing of Plex.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from medianest.api.exceptions import NotAcceptable
from medianest.api.negotiation import ANY, PROBLEM
from medianest.api.serializers import Query

SIZES = (160, 320, 480, 720, 1080, 1920)
"""The widths and heights in pixels that a client may request."""

DEFAULT_WIDTH = 480
"""The width if the client gives no size: enough for a page of posters on a high-density screen."""

KINDS: Mapping[str, tuple[str, ...]] = {
    "thumb": ("thumb", "composite"),
    "art": ("art",),
    "composite": ("composite", "thumb"),
}
"""Each kind of image, and the attributes of an item that can hold it, the preferred one first."""

Box = tuple[int, int]
"""A width and a height in pixels."""


@dataclass(frozen=True)
class ImageFormat:
    """A format in which images are encoded; `name` is Pillow's name of it."""

    name: str
    media_type: str


JPEG = ImageFormat("JPEG", "image/jpeg")
PNG = ImageFormat("PNG", "image/png")
WEBP = ImageFormat("WEBP", "image/webp")

FORMATS = (JPEG, PNG, WEBP)
"""All formats, the one that every client can show first."""

_SMALLEST_FIRST = (WEBP, JPEG, PNG)
_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


class ImageQuery(Query):
    """The box that an image must fit into; images are never enlarged."""

    width = serializers.ChoiceField(
        choices=SIZES,
        required=False,
        help_text=f"Maximum width in pixels. {DEFAULT_WIDTH} if neither side is given.",
    )
    height = serializers.ChoiceField(
        choices=SIZES, required=False, help_text="Maximum height in pixels."
    )


def bounding_box(query: Mapping[str, Any]) -> Box:
    """Return the width and height that an image must fit into."""
    width, height = query.get("width"), query.get("height")
    if width is None and height is None:
        width = DEFAULT_WIDTH
    return width or SIZES[-1], height or SIZES[-1]


def negotiate_format(accept: str) -> ImageFormat:
    """Choose the format by an Accept header (RFC 9110 section 12.5.1). Raises NotAcceptable.

    Among formats that a client names and accepts equally, choose the smallest. A client that names
    none gets JPEG; WebP is sent only to clients that name it, as browsers do.
    """
    qualities = _qualities(accept or ANY)
    # It says how the client wants errors.
    qualities.pop(PROBLEM, None)
    quality, _, _, chosen = max(_ratings(qualities or {ANY: 1.0}), key=lambda rating: rating[:3])
    if quality <= 0:
        raise NotAcceptable("A picture comes as image/jpeg, image/png or image/webp.")
    return chosen


def _ratings(qualities: Mapping[str, float]) -> Iterable[tuple[float, bool, int, ImageFormat]]:
    """Rate each format: its quality, whether it is named, and how much it is preferred if equal."""
    for each in FORMATS:
        is_named = each.media_type in qualities
        order = _SMALLEST_FIRST if is_named else FORMATS
        any_image = qualities.get("image/*", qualities.get(ANY, 0.0))
        yield qualities.get(each.media_type, any_image), is_named, -order.index(each), each


def _qualities(accept: str) -> dict[str, float]:
    """Return the quality of each media range in an Accept header."""
    qualities: dict[str, float] = {}
    for part in accept.lower().split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        quality = _quality(parameters)
        qualities[media_range] = max(quality, qualities.get(media_range, 0.0))
    return qualities


def _quality(parameters: Iterable[str]) -> float:
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            quality = float(value) if _QUALITY.fullmatch(value) else 0.0
    return quality
