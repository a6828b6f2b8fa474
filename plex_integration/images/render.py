"""Turn the bytes that Plex sent into an image: recognise, decode, resize and encode them.

The content type that a server declares is not trusted: the first bytes say what it is. None of the
bytes is passed on: Pillow decodes the pixels and writes a new file, so scripts in an SVG, HTML
behind the end of a JPEG or the place where a photo was taken never reach a client. That costs some
milliseconds, once per image, and colour profiles: pixels are taken for sRGB.
"""

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageOps

from plex_integration.errors import PlexApiError
from plex_integration.images.query import JPEG, WEBP, Box, ImageFormat

MAX_PIXELS = 16_000_000
"""The most pixels decoded, about 64 MB of memory: a file of 40 kB can claim to be of gigabytes."""

_SIGNATURES = (
    ("JPEG", b"\xff\xd8\xff", b""),
    ("PNG", b"\x89PNG\r\n\x1a\n", b""),
    ("WEBP", b"RIFF", b"WEBP"),
)
# What Pillow's decoders raise on bytes that are not in their format, or broken.
_DECODING_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError, EOFError,
    struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


def render(content: bytes, box: Box, image_format: ImageFormat) -> bytes:
    """Return an image in a format, scaled down to fit into the box, never enlarged.

    Raises PlexApiError if the content is not a JPEG, PNG or WebP, is broken or too large.
    """
    name = _format_name(content)
    if name is None:
        raise PlexApiError("Plex sent something that is not a picture.")
    try:
        with Image.open(BytesIO(content), formats=[name]) as image:
            return _encode(_resize(image, box), image_format)
    except _DECODING_ERRORS as error:
        raise PlexApiError("Plex sent a picture that cannot be read.") from error


def _format_name(content: bytes) -> str | None:
    """Return Pillow's name of the format that the first bytes announce."""
    for name, beginning, continuation in _SIGNATURES:
        if content.startswith(beginning) and content[8:].startswith(continuation):
            return name
    return None


def _resize(image: Image.Image, box: Box) -> Image.Image:
    """Decode an image, turn it upright and scale it down to fit into the box."""
    width, height = image.size
    scale = min(box[0] / width, box[1] / height, 1.0)
    # A large JPEG is decoded directly at a half, a quarter or an eighth of its size.
    image.draft(None, (max(1, round(width * scale)), max(1, round(height * scale))))
    if image.width * image.height > MAX_PIXELS:
        raise ValueError("too many pixels")
    image.load()
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail(box)
    return upright


def _encode(image: Image.Image, image_format: ImageFormat) -> bytes:
    pixels = _only_pixels(image)
    file = BytesIO()
    if image_format is JPEG:
        _on_black(pixels).save(file, "JPEG", quality=85, progressive=True)
    elif image_format is WEBP:
        pixels.save(file, "WEBP", quality=80, method=3)
    else:
        pixels.save(file, "PNG")
    return file.getvalue()


def _only_pixels(image: Image.Image) -> Image.Image:
    """Copy the pixels of an image, without its metadata."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    copy = Image.new(mode, image.size)
    copy.paste(image.convert(mode))
    return copy


def _on_black(image: Image.Image) -> Image.Image:
    """Put an image that has transparent pixels on black: JPEG knows no transparency."""
    if image.mode != "RGBA":
        return image
    background = Image.new("RGB", image.size)
    background.paste(image, mask=image)
    return background
