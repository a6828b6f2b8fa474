"""Bytes that should be a picture to one: recognised, decoded, fitted and written anew.

What a server calls its bytes is not believed: the first ones tell. And none of them is passed on:
Pillow decodes the pixels and writes its own file, so that scripts in an SVG, HTML behind a JPEG's
end or the place where a photo was taken never leave. It costs some milliseconds, once per picture,
and colour profiles: pixels are taken for sRGB.
"""

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageOps

from plex_integration.errors import PlexApiError
from plex_integration.images.query import JPEG, WEBP, Format

# The most pixels decoded, some 64 MB of memory: a picture of 40 kB can claim to be of gigabytes.
MOST_PIXELS = 16_000_000

_SIGNATURES = (
    ("JPEG", b"\xff\xd8\xff", b""),
    ("PNG", b"\x89PNG\r\n\x1a\n", b""),
    ("WEBP", b"RIFF", b"WEBP"),
)
# What Pillow's decoders raise on bytes that are none of theirs, or broken.
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError, EOFError,
    struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


def drawn(written: bytes, box: tuple[int, int], wanted: Format) -> bytes:
    """Return a picture in a format, at most as large as the box, never enlarged.

    Raises PlexApiError for what is no JPEG, PNG or WebP, is broken or too large.
    """
    told = _told(written)
    if told is None:
        raise PlexApiError("Plex sent something that is no picture.")
    try:
        with Image.open(BytesIO(written), formats=[told]) as opened:
            return _written(_fitted(opened, box), wanted)
    except _BROKEN as error:
        raise PlexApiError("Plex sent a picture that cannot be read.") from error


def _told(written: bytes) -> str | None:
    for name, beginning, later in _SIGNATURES:
        if written.startswith(beginning) and written[8:].startswith(later):
            return name
    return None


def _fitted(picture: Image.Image, box: tuple[int, int]) -> Image.Image:
    width, height = picture.size
    scale = min(box[0] / width, box[1] / height, 1.0)
    # A large JPEG is decoded at a half, a quarter or an eighth of its size at once.
    picture.draft(None, (round(width * scale), round(height * scale)))
    if picture.width * picture.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail(box)
    return upright


def _written(picture: Image.Image, wanted: Format) -> bytes:
    kept = Image.new("RGBA" if picture.has_transparency_data else "RGB", picture.size)
    kept.paste(picture.convert(kept.mode))
    if wanted is JPEG and kept.mode == "RGBA":
        ground = Image.new("RGB", kept.size)
        ground.paste(kept, mask=kept)
        kept = ground
    file = BytesIO()
    if wanted is JPEG:
        kept.save(file, "JPEG", quality=85, progressive=True)
    elif wanted is WEBP:
        kept.save(file, "WEBP", quality=80, method=3)
    else:
        kept.save(file, "PNG")
    return file.getvalue()
