from io import BytesIO
from urllib.parse import quote

import pytest
from PIL import Image
from plexapi.server import PlexServer

from plex_simulator import Simulator

from .conftest import PlexClient


def size(body: bytes) -> tuple[int, int]:
    """Decode a picture and return its width and height."""
    with Image.open(BytesIO(body)) as picture:
        picture.load()
        return picture.size


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


@pytest.mark.parametrize(
    ("format", "type"),
    [("jpeg", "image/jpeg"), ("jpg", "image/jpeg"), ("png", "image/png"), ("", "image/jpeg")],
)
def test_transcoding_makes_the_requested_format(
    client: PlexClient, simulator: Simulator, format: str, type: str
) -> None:
    thumb = quote(str(simulator.catalogue.items("1", "movie")[0].thumb))
    response = client.get(f"/photo/:/transcode?url={thumb}&width=200&height=200&format={format}")
    assert response.headers["Content-Type"] == type
    with Image.open(BytesIO(response.body)) as picture:
        assert picture.get_format_mimetype() == type
        assert picture.size == (133, 200)


def test_transcoding_accepts_an_address_of_this_server(
    client: PlexClient, plex: PlexServer
) -> None:
    movie = plex.library.sectionByID(1).all()[0]
    assert movie.thumbUrl.startswith("http://")
    address = plex.transcodeImage(movie.thumbUrl, height=200, width=200)
    assert size(client.get(address.removeprefix(client.simulator.url)).body) == (200, 300)


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
