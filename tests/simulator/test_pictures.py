import struct
import zlib
from urllib.parse import quote

import pytest

from plex_simulator import Simulator

from .conftest import PlexClient


def size(png: bytes) -> tuple[int, int]:
    """Check that a PNG is valid and return its width and height."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    position, pixels, dimensions = 8, b"", (0, 0)
    while position < len(png):
        length, name = struct.unpack(">I4s", png[position : position + 8])
        data = png[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack(">I", png[position + 8 + length : position + 12 + length])
        assert checksum == zlib.crc32(name + data)
        if name == b"IHDR":
            dimensions = struct.unpack(">II", data[:8])
        pixels += data if name == b"IDAT" else b""
        position += 12 + length
    width, height = dimensions
    assert len(zlib.decompress(pixels)) == height * (1 + width * 3)
    return width, height


def test_each_item_has_a_different_picture(client: PlexClient, simulator: Simulator) -> None:
    movies = [item for item in simulator.catalogue.items("1", "movie")[:12] if item.art]
    posters = [client.get(str(item.thumb)) for item in movies]
    assert len({poster.body for poster in posters}) == len(posters)
    for poster in posters:
        assert poster.headers["Content-Type"] == "image/png"
        assert size(poster.body) == (400, 600)
        assert len(poster.body) < 60_000
    assert size(client.get(str(movies[0].art)).body) == (1280, 720)


def test_collections_playlists_and_libraries_have_composites(
    client: PlexClient, simulator: Simulator
) -> None:
    for row in client.get("/library/sections/1/collections").xml:
        assert size(client.get(row.get("thumb", "")).body) == (400, 600)
    playlist = client.get("/playlists").xml[0]
    assert size(client.get(playlist.get("composite", "")).body) == (400, 600)
    section = client.get("/library/sections").xml[0]
    for name in ("composite", "thumb", "art"):
        assert client.get(section.get(name, "")).status == 200


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
    client: PlexClient, simulator: Simulator, options: str, expected: tuple[int, int]
) -> None:
    thumb = quote(str(simulator.catalogue.items("1", "movie")[0].thumb))
    assert size(client.get(f"/photo/:/transcode?url={thumb}&{options}").body) == expected


def test_only_pictures_of_this_server_are_transcoded(
    client: PlexClient, simulator: Simulator
) -> None:
    thumb = quote(str(simulator.catalogue.items("1", "movie")[0].thumb))
    for url in ("https://metadata-static.plex.tv/a.jpg", "/etc/passwd", "", "/library/sections"):
        assert client.get(f"/photo/:/transcode?url={quote(url)}&width=9&height=9").status == 404
    assert client.get(f"/photo/:/transcode?url={thumb}").status == 400
    assert client.get(f"/photo/:/transcode?url={thumb}&width=99999&height=1").status == 400


def test_a_missing_picture_is_answered_with_404(client: PlexClient, simulator: Simulator) -> None:
    bare = next(item for item in simulator.catalogue.items("1", "movie") if item.thumb is None)
    assert client.get(f"/library/metadata/{bare.rating_key}/thumb/1").status == 404
    home = simulator.catalogue.items("8", "movie")[0]
    assert client.get(f"/library/metadata/{home.rating_key}/thumb/1", token="viewer").status == 404
