"""Endpoints for pictures: posters, backgrounds, composites, and the transcoder that scales them.

A picture shows a gradient, a moon and three hills. It is drawn directly in the requested size, so
that no original has to be scaled.
"""

import re
import zlib
from functools import lru_cache
from io import BytesIO
from urllib.parse import urlsplit

from PIL import Image

from plex_simulator.endpoints.playlists import get_playlist
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.routing import ServerState, get_item, get_library, route
from plex_simulator.seeded_random import SeededRandom

MAX_SIDE = 4_096  # pixels
FORMATS = {"": "JPEG", "jpg": "JPEG", "jpeg": "JPEG", "png": "PNG"}  # by the value of `format`
POSTER, WIDE, SQUARE = (400, 600), (1280, 720), (500, 500)
SIZES = {"episode": (640, 360), "artist": SQUARE, "album": SQUARE, "photo": (1024, 768)}
SIZES |= {"photoalbum": (1024, 768)}
ITEM_PICTURE = re.compile(r"/library/metadata/(\d+)/(thumb|art|banner|composite)(?:/\d+)?")
COMPOSITE = re.compile(r"/(?:library/)?(collections|playlists|sections)/(\d+)/composite(?:/\d+)?")
RESOURCE = re.compile(r"/:/resources/([a-z-]+)\.(?:png|jpg)")


def show_picture(state: ServerState, request: Request, *_: str) -> Response:
    """Send a picture in its original size."""
    subject, size = _find_subject(state, request, request.path)
    return _picture(subject, size, "PNG")


def transcode(state: ServerState, request: Request) -> Response:
    """Send a picture scaled to fit into a width and height, or to cover them (minSize=1)."""
    width, height = request.number("width"), request.number("height")
    picture_format = FORMATS.get(request.arg("format"))
    if not width or not height or max(width, height) > MAX_SIDE or picture_format is None:
        raise HTTPError(400)
    subject, (own_width, own_height) = _find_subject(state, request, _own_path(request))
    choose = max if request.flag("minSize") else min
    scale = choose(width / own_width, height / own_height)
    if not request.flag("upscale"):
        scale = min(scale, 1.0)
    size = (max(1, round(own_width * scale)), max(1, round(own_height * scale)))
    return _picture(subject, size, picture_format)


def _own_path(request: Request) -> str:
    """Return the path in the parameter `url`; raise a 404 error for an address of another server.

    A real server fetches any address.
    """
    parts = urlsplit(request.arg("url"))
    if parts.netloc not in ("", urlsplit(request.url).netloc, request.headers.get("host")):
        raise HTTPError(404)
    return parts.path


def _find_subject(state: ServerState, request: Request, path: str) -> tuple[str, tuple[int, int]]:
    """Return what a picture shows and its original size.

    Raise a 404 error if there is no such picture or the user has no access.
    """
    if match := ITEM_PICTURE.fullmatch(path):
        key, element = match.groups()
        if state.catalogue.visible_collection(request.user, key) is not None:
            return f"{key} {element}", POSTER if element == "thumb" else WIDE
        item = get_item(state, request, key)
        if element in ("thumb", "art", "banner") and getattr(item, element) is None:
            raise HTTPError(404)
        is_wide = element in ("art", "banner")
        return f"{key} {element}", WIDE if is_wide else SIZES.get(item.type, POSTER)
    if match := COMPOSITE.fullmatch(path):
        group, key = match.groups()
        if group == "sections":
            get_library(state, request, key)
        elif group == "playlists":
            get_playlist(state, request, key)
        elif state.catalogue.visible_collection(request.user, key) is None:
            raise HTTPError(404)
        return f"{key} {group}", POSTER
    if match := RESOURCE.fullmatch(path):
        return match[1], WIDE if match[1].endswith("fanart") else SQUARE
    raise HTTPError(404)


def _picture(subject: str, size: tuple[int, int], picture_format: str) -> Response:
    body = draw(zlib.crc32(subject.encode()), *size, picture_format)
    return Response(200, body, f"image/{picture_format.lower()}")


@lru_cache(maxsize=512)
def draw(seed: int, width: int, height: int, picture_format: str) -> bytes:
    """Draw a picture as a JPEG or PNG. The same seed gives the same picture in every size."""
    rng = SeededRandom(seed, 31)
    top, bottom = _colour(rng, 1), _colour(rng, 2)
    moon = bytes((part + 2 * 255) // 3 for part in top)
    moon_radius = min(width, height) * (12 + rng.below(0, 4, 12)) / 100
    moon_x = width * (25 + rng.below(0, 5, 50)) / 100
    moon_y = height * (20 + rng.below(0, 6, 25)) / 100
    hills = [
        (
            width * rng.below(number, 7, 101) / 100,  # middle
            height * (55 + number * 12 + rng.below(number, 8, 8)) / 100,  # top
            bytes(part // (2 + number) for part in bottom),
        )
        for number in range(3)
    ]
    rows = []
    for y in range(height):
        row = bytearray(
            bytes(a + (b - a) * y // height for a, b in zip(top, bottom, strict=True)) * width
        )
        _fill(row, moon_x, moon_radius**2 - (y - moon_y) ** 2, moon)
        for middle, hill_top, colour in hills:
            _fill(row, middle, (y - hill_top) * width**2 / height * 1.5, colour)
        rows.append(row)
    encoded = BytesIO()
    Image.frombytes("RGB", (width, height), b"".join(rows)).save(encoded, picture_format)
    return encoded.getvalue()


def _fill(row: bytearray, middle: float, squared_distance: float, colour: bytes) -> None:
    """Colour the pixels of a row up to a distance from a point; nothing if it is negative."""
    if squared_distance <= 0:
        return
    width, distance = len(row) // 3, squared_distance**0.5
    left, right = max(0, int(middle - distance)), min(width, int(middle + distance))
    row[left * 3 : right * 3] = colour * max(right - left, 0)


def _colour(rng: SeededRandom, purpose: int) -> tuple[int, int, int]:
    red, green, blue = (40 + rng.below(part, purpose, 200) for part in range(3))
    return red, green, blue


ROUTES = [
    route("GET", "/photo/:/transcode", transcode),
    *(
        route("GET", f"/library/metadata/<>/{element}{version}", show_picture)
        for element in ("thumb", "art", "banner", "composite")
        for version in ("", "/<>")
    ),
    *(
        route("GET", f"{group}/<>/composite/<>", show_picture)
        for group in ("/library/collections", "/library/sections", "/playlists")
    ),
    route("GET", "/:/resources/<>", show_picture),
]
