import struct
import zlib
from urllib.parse import quote

import pytest

from plex_simulator import Simulator

from .conftest import Asker


def size(png: bytes) -> tuple[int, int]:
    """Check that a PNG is sound and tell its size."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, pixels, dimensions = 8, b"", (0, 0)
    while place < len(png):
        length, name = struct.unpack(">I4s", png[place : place + 8])
        data = png[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack(">I", png[place + 8 + length : place + 12 + length])
        assert checksum == zlib.crc32(name + data)
        if name == b"IHDR":
            dimensions = struct.unpack(">II", data[:8])
        pixels += data if name == b"IDAT" else b""
        place += 12 + length
    width, height = dimensions
    assert len(zlib.decompress(pixels)) == height * (1 + width * 3)
    return width, height


def test_each_item_has_its_own_picture(ask: Asker, simulator: Simulator) -> None:
    movies = [item for item in simulator.catalogue.items("1", "movie")[:12] if item.art]
    posters = [ask(str(item.thumb)) for item in movies]
    assert len({poster.body for poster in posters}) == len(posters)
    for poster in posters:
        assert poster.headers["Content-Type"] == "image/png"
        assert size(poster.body) == (400, 600)
        assert len(poster.body) < 60_000
    assert size(ask(str(movies[0].art)).body) == (1280, 720)


def test_composites_of_collections_playlists_and_libraries(
    ask: Asker, simulator: Simulator
) -> None:
    for row in ask("/library/sections/1/collections").xml:
        assert size(ask(row.get("thumb", "")).body) == (400, 600)
    playlist = ask("/playlists").xml[0]
    assert size(ask(playlist.get("composite", "")).body) == (400, 600)
    section = ask("/library/sections").xml[0]
    for name in ("composite", "thumb", "art"):
        assert ask(section.get(name, "")).status == 200


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("width=200&height=200", (133, 200)),
        ("width=200&height=200&minSize=1", (200, 300)),
        ("width=800&height=1200&upscale=1", (800, 1200)),
        ("width=800&height=1200&upscale=0", (400, 600)),
        ("width=800&height=1200", (400, 600)),
    ],
)
def test_transcoding_scales_a_picture(
    ask: Asker, simulator: Simulator, options: str, expected: tuple[int, int]
) -> None:
    thumb = quote(str(simulator.catalogue.items("1", "movie")[0].thumb))
    assert size(ask(f"/photo/:/transcode?url={thumb}&{options}").body) == expected


def test_only_pictures_of_this_server_are_transcoded(ask: Asker, simulator: Simulator) -> None:
    thumb = quote(str(simulator.catalogue.items("1", "movie")[0].thumb))
    for url in ("https://metadata-static.plex.tv/a.jpg", "/etc/passwd", "", "/library/sections"):
        assert ask(f"/photo/:/transcode?url={quote(url)}&width=9&height=9").status == 404
    assert ask(f"/photo/:/transcode?url={thumb}").status == 400
    assert ask(f"/photo/:/transcode?url={thumb}&width=99999&height=1").status == 400


def test_what_has_no_picture_is_404(ask: Asker, simulator: Simulator) -> None:
    bare = next(item for item in simulator.catalogue.items("1", "movie") if item.thumb is None)
    assert ask(f"/library/metadata/{bare.rating_key}/thumb/1").status == 404
    home = simulator.catalogue.items("8", "movie")[0]
    assert ask(f"/library/metadata/{home.rating_key}/thumb/1", token="viewer").status == 404
