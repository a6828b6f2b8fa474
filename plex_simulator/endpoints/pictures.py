"""Posters and backgrounds: a gradient, a moon and three hills, drawn row by row into a PNG.

Every picture can be drawn at any size, so scaling it needs no pixels of the original.
"""

import re
import struct
import zlib
from functools import lru_cache

from plex_simulator.generation.metadata import Dice
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.routing import World, route, visible_item, visible_library

LARGEST = 4_096
POSTER, WIDE, SQUARE = (400, 600), (1280, 720), (500, 500)
SIZES = {"episode": (640, 360), "artist": SQUARE, "album": SQUARE, "photo": (1024, 768)}
SIZES |= {"photoalbum": (1024, 768)}
ITEM_PICTURE = re.compile(r"/library/metadata/(\d+)/(thumb|art|banner|composite)(?:/\d+)?")
COMPOSITE = re.compile(r"/(?:library/)?(collections|playlists|sections)/(\d+)/composite(?:/\d+)?")
RESOURCE = re.compile(r"/:/resources/([a-z-]+)\.(?:png|jpg)")


def picture(world: World, request: Request, *_: str) -> Reply:
    """Answer a picture in its own size."""
    seed, size = _subject(world, request, request.path)
    return _png(seed, size)


def transcode(world: World, request: Request) -> Reply:
    """Answer a local picture scaled into width and height, or with minSize=1 to cover them."""
    width, height = request.number("width"), request.number("height")
    if not width or not height or max(width, height) > LARGEST:
        raise Refusal(400)
    seed, (own_width, own_height) = _subject(world, request, request.arg("url").split("?")[0])
    pick = max if request.flag("minSize") else min
    scale = pick(width / own_width, height / own_height)
    if not request.flag("upscale"):
        scale = min(scale, 1.0)
    size = (max(1, round(own_width * scale)), max(1, round(own_height * scale)))
    return _png(seed, size)


def _subject(world: World, request: Request, path: str) -> tuple[str, tuple[int, int]]:
    """Say what a path shows and how large it is; 404 unless it is there for this user."""
    if match := ITEM_PICTURE.fullmatch(path):
        key, kind = match.groups()
        made = world.catalogue.collection(key)
        if made is not None and request.user.may_see(made.library_key):
            return f"{key} {kind}", POSTER if kind == "thumb" else WIDE
        item = visible_item(world, request, key)
        if kind in ("thumb", "art", "banner") and getattr(item, kind) is None:
            raise Refusal(404)
        wide = kind in ("art", "banner")
        return f"{key} {kind}", WIDE if wide else SIZES.get(item.type, POSTER)
    if match := COMPOSITE.fullmatch(path):
        group, key = match.groups()
        collection, playlist = world.catalogue.collection(key), world.catalogue.playlist(key)
        if group == "sections":
            visible_library(world, request, key)
        elif group == "collections" and collection is not None:
            visible_library(world, request, collection.library_key)
        elif group != "playlists" or playlist is None or playlist.user_id != request.user.id:
            raise Refusal(404)
        return f"{key} {group}", POSTER
    if match := RESOURCE.fullmatch(path):
        return match[1], WIDE if match[1].endswith("fanart") else SQUARE
    raise Refusal(404)


def _png(subject: str, size: tuple[int, int]) -> Reply:
    return Reply(200, draw(zlib.crc32(subject.encode()), *size), "image/png")


@lru_cache(maxsize=512)
def draw(seed: int, width: int, height: int) -> bytes:
    """Draw a picture; the seed alone decides what it looks like."""
    dice = Dice(seed, 31)
    top, bottom = _colour(dice, 1), _colour(dice, 2)
    moon = bytes((part + 2 * 255) // 3 for part in top)
    radius = min(width, height) * (12 + dice(0, 4, 12)) / 100
    across, down = width * (25 + dice(0, 5, 50)) / 100, height * (20 + dice(0, 6, 25)) / 100
    hills = [
        (
            width * dice(number, 7, 101) / 100,  # its middle
            height * (55 + number * 12 + dice(number, 8, 8)) / 100,  # its top
            bytes(part // (2 + number) for part in bottom),
        )
        for number in range(3)
    ]
    rows = []
    for y in range(height):
        row = bytearray(
            bytes(a + (b - a) * y // height for a, b in zip(top, bottom, strict=True)) * width
        )
        _fill(row, across, (radius**2 - (y - down) ** 2), moon)
        for middle, summit, colour in hills:
            _fill(row, middle, (y - summit) * width**2 / height * 1.5, colour)
        rows.append(b"\x00" + row)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(rows), 6)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _fill(row: bytearray, middle: float, squared: float, colour: bytes) -> None:
    """Colour a row around its middle, as far as the root of a number; not at all below zero."""
    if squared <= 0:
        return
    width, reach = len(row) // 3, squared**0.5
    left, right = max(0, int(middle - reach)), min(width, int(middle + reach))
    row[left * 3 : right * 3] = colour * max(right - left, 0)


def _colour(dice: Dice, purpose: int) -> tuple[int, int, int]:
    red, green, blue = (40 + dice(part, purpose, 200) for part in range(3))
    return red, green, blue


ROUTES = [
    route("GET", "/photo/:/transcode", transcode),
    *(
        route("GET", f"/library/metadata/<>/{kind}{stamp}", picture)
        for kind in ("thumb", "art", "banner", "composite")
        for stamp in ("", "/<>")
    ),
    *(
        route("GET", f"{group}/<>/composite/<>", picture)
        for group in ("/library/collections", "/library/sections", "/playlists")
    ),
    route("GET", "/:/resources/<>", picture),
]
