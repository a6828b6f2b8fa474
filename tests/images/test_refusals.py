"""What must never pass: other paths, other hosts, and what only says that it is a picture."""

import http.client
import re
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from plex_integration.images import versions
from plex_simulator import Simulator
from plex_simulator.faults import PICTURES
from tests.conftest import Client
from tests.pace import Stopwatch

from .conftest import Browser, first, refusal, scaled, shown

# All that a picture may ever make this service ask of Plex.
ALLOWED = re.compile(r"/photo/:/transcode|/library/metadata/\d+|/playlists/\d+")
PICTURE = re.compile(
    r"/library/(metadata|collections)/\d+/(thumb|art|composite)/\d+(\?width=\d+&height=\d+)?"
    r"|/playlists/\d+/composite/\d+"
)
FOREIGN = [
    "https://metadata-static.plex.tv/a/b.jpg",
    "http://169.254.169.254/latest/meta-data",
    "//evil.example/a.jpg",
    "/library/metadata/1000/thumb/../../../../etc/passwd",
    "/library/metadata/1000/thumb/1/../../art/2",
    "/library/metadata/%2e%2e/thumb/1",
    "/library/metadata/1000/thumb/1?X-Plex-Token=a",
    "/library/metadata/1000/thumb/1#a",
    "/library/metadata/1000/thumb/1\n",
    "/library/metadata/1000/theme/1",
    "/library/metadata/1000/file?url=upload%3A%2F%2Fposters%2Fa",
    "/library/parts/1/1/file.mkv",
    "/library/metadata/1000",
    "/photo/:/transcode?url=/library/metadata/1000/thumb/1",
    "file:///etc/passwd",
    "@evil.example/library/metadata/1/thumb/1",
    "library/metadata/1000/thumb/1",
    "/playlists/1/thumb/1/..",
    "",
]


def only_allowed_requests_were_sent(plex: Simulator) -> None:
    for served in plex.requests:
        assert served.method == "GET"
        assert ALLOWED.fullmatch(served.path), served.path
        assert "X-Plex-Token" not in served.query
    for query in scaled(plex):
        assert PICTURE.fullmatch(query["url"]), query


@pytest.mark.parametrize("path", FOREIGN)
def test_a_path_that_is_no_picture_of_plexs_is_never_passed_on(
    signed_in: Client, small: Simulator, path: str
) -> None:
    item = small.catalogue.add("1", "movie", "Elsewhere", year=2001)
    try:
        small.catalogue.change(item.rating_key, thumb=path, art=path)
        body = signed_in.data(f"/plex/items/{item.rating_key}")["item"]
        assert "thumbUrl" not in body
        assert "artUrl" not in body
        small.reset_requests()
        for kind in ("thumb", "art", "composite"):
            answer = signed_in.get(f"/plex/items/{item.rating_key}/images/{kind}")
            refusal(answer, 404, "IMAGE_NOT_FOUND")
        assert scaled(small) == []
        only_allowed_requests_were_sent(small)
    finally:
        small.catalogue.remove(item.rating_key)


@pytest.mark.parametrize("stamp", ["-1", "0", "1700000000", "-9223372036854775808"])
def test_any_time_of_change_makes_a_version(stamp: str) -> None:
    path = f"/library/metadata/1072/thumb/{stamp}"
    version = versions.from_path(path)
    assert version == f"metadata.1072.thumb.{stamp}"
    assert versions.to_path(version) == path


@pytest.mark.parametrize("path", FOREIGN)
def test_no_foreign_path_is_a_version_or_comes_of_one(path: str) -> None:
    assert versions.from_path(path) is None
    assert versions.to_path(path) is None


def raw(client: Client, path: str) -> tuple[int, bytes]:
    """GET a path exactly as spelled: a client library would tidy it up."""
    connection = http.client.HTTPConnection(urlsplit(client.root).netloc, timeout=30)
    try:
        connection.putrequest("GET", "/")
        connection._buffer[0] = f"GET {path} HTTP/1.1".encode("latin-1")  # type: ignore[attr-defined]
        if "Authorization" in client.headers:
            connection.putheader("Authorization", str(client.headers["Authorization"]))
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/plex/items/../../../etc/passwd/images/thumb",
        "/api/v1/plex/items/..%2f..%2fetc%2fpasswd/images/thumb",
        "/api/v1/plex/items/%2e%2e/images/thumb",
        "/api/v1/plex/items/1000/images/..%2fthumb",
        "/api/v1/plex/items/1000/images/thumb/../../../../x",
        "/api/v1/plex/items/1000%00/images/thumb",
        "/api/v1/plex/items/1000%0d%0aX-A:b/images/thumb",
        "/api/v1/plex/items/1000%3Furl=http:/x/images/thumb",
        "/api/v1/plex/items/http:%2f%2fevil.example/images/thumb",
        "/api/v1/plex/items/1000@evil.example/images/thumb",
    ],
)
def test_no_way_of_spelling_leads_out_of_the_pictures(
    signed_in: Client, browser: Browser, small: Simulator, path: str
) -> None:
    for client in (signed_in, browser):
        status, body = raw(client, path)
        assert status in (400, 401, 404), body
        assert b'"success":false' in body
    assert small.count() == 0


@pytest.mark.parametrize("name", ["url", "path", "src", "X-Plex-Token", "version", "format"])
def test_a_parameter_names_no_other_picture(signed_in: Client, small: Simulator, name: str) -> None:
    item = first(small)
    for foreign in ("http://evil.example/a.png", "/library/metadata/1/art/1", "../../x"):
        shown(signed_in.get(f"/plex/items/{item.rating_key}/images/thumb", params={name: foreign}))
    assert {query["url"] for query in scaled(small)} == {item.thumb}
    only_allowed_requests_were_sent(small)


def test_the_token_goes_in_a_header_and_never_in_an_address(
    signed_in: Client, small: Simulator
) -> None:
    item = first(small)
    shown(signed_in.get(f"/plex/items/{item.rating_key}/images/thumb?width=160&height=320"))
    sent = small.requests[-1]
    assert sent.user == small.catalogue.owner.name
    assert sent.query == {
        "url": item.thumb,
        "width": "160",
        "height": "320",
        "minSize": "0",
        "upscale": "0",
        "format": "jpeg",
    }
    only_allowed_requests_were_sent(small)


@pytest.mark.parametrize(
    "kind",
    ["picture_html", "picture_svg", "picture_oversized", "truncated", "cut", "html", "redirect",
     "huge", "endless", "gzip_bomb", "wrong_encoding", "doctype"],
)  # fmt: skip
def test_what_is_no_picture_never_passes(
    signed_in: Client, small: Simulator, folder: Path, kind: str
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    small.fault(kind, path="/photo/")
    answer = signed_in.get(path)
    refusal(answer, 502, "PLEX_API_ERROR")
    for fragment in (b"<svg", b"<html", b"<form", b"127.0.0.1"):
        assert fragment not in answer.content
    only_allowed_requests_were_sent(small)
    assert list(folder.rglob("kept/*/*")) == list(folder.rglob("new/*")) == []
    small.heal()
    shown(signed_in.get(path))


@pytest.mark.parametrize(("status", "code"), [(401, 401), (403, 401), (500, 502), (429, 502)])
def test_plexs_refusals_are_reported_as_everywhere(
    signed_in: Client, small: Simulator, status: int, code: int
) -> None:
    small.fault("status", path=PICTURES, status=status)
    answer = signed_in.get(f"/plex/items/{first(small).rating_key}/images/thumb")
    refusal(answer, code, "PLEX_UNAUTHORIZED" if code == 401 else "PLEX_API_ERROR")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_the_original_is_scaled_if_plex_refuses_its_transcoder_alone(
    signed_in: Client, small: Simulator, status: int
) -> None:
    small.fault("status", path="/photo/", status=status)
    path = f"/plex/items/{first(small).rating_key}/images/thumb?width=160"
    assert shown(signed_in.get(path)).width == 160
    small.fault("status", path=PICTURES, status=404)
    refusal(signed_in.get(path.replace("160", "320")), 404, "IMAGE_NOT_FOUND")


@pytest.mark.parametrize("status", [500, 429])
def test_the_original_is_not_requested_if_the_transcoder_fails(
    signed_in: Client, small: Simulator, status: int
) -> None:
    small.fault("status", path="/photo/", status=status)
    answer = signed_in.get(f"/plex/items/{first(small).rating_key}/images/thumb")
    refusal(answer, 502, "PLEX_API_ERROR")
    assert small.count("/photo/") == 1
    assert not [each for each in small.requests if "/thumb/" in each.path]


@pytest.mark.parametrize("kind", ["silent", "drip_body", "drip_headers", "disconnect", "refused"])
def test_a_plex_that_keeps_silent_is_waited_for_no_longer_than_the_deadline(
    signed_in: Client, small: Simulator, settings: Any, kind: str
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    shown(signed_in.get(f"{path}?width=160"))  # which picture it is, is known now
    settings.PLEX_TIMEOUT = 0.5
    small.fault(kind, **({} if kind == "refused" else {"path": "/photo/"}))
    watch = Stopwatch()
    answer = signed_in.get(path)
    assert watch.keeps(1.5), watch
    refusal(answer, 503, "PLEX_SERVER_UNAVAILABLE")


def bomb() -> bytes:
    """A PNG of 64 kB that claims, and holds, 30,000 x 30,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(30_000 * 3_751), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def picture(format: str, **options: Any) -> bytes:
    file = BytesIO()
    Image.effect_noise((320, 480), 80).convert("RGB").save(file, format, **options)
    return file.getvalue()


def hidden_in_an_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"
    exif.get_ifd(0x8825)[1] = "N"
    return picture("JPEG", exif=exif.tobytes(), comment=b"<script>alert(2)</script>")


Plant = Callable[[bytes], None]


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Make Plex answer these bytes to any question for a picture, as image/jpeg."""
    from plex_simulator.endpoints import pictures
    from plex_simulator.messages import Response as Reply

    def put(content: bytes) -> None:
        monkeypatch.setattr(pictures, "_picture", lambda *_: Reply(200, content, "image/jpeg"))

    return put


@pytest.mark.parametrize(
    "content",
    [
        bomb(),
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0" + b"<html><script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"RIFF\x00\x00\x00\x00WEBP",
        b"GIF89a" + b"<script>alert(1)</script>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"II*\x00" + bytes(200),
        picture("GIF"),
        picture("TIFF"),
        picture("BMP"),
        picture("JPEG")[:-2000],
        picture("PNG")[:-2000],
        picture("WEBP")[:-2000],
    ],
    ids=[
        "bomb",
        "jpeg-start",
        "html-as-jpeg",
        "png-start",
        "webp-start",
        "html-as-gif",
        "svg",
        "postscript",
        "tiff-start",
        "gif",
        "tiff",
        "bmp",
        "cut-jpeg",
        "cut-png",
        "cut-webp",
    ],
)
def test_bytes_that_are_no_jpeg_png_or_webp_are_refused(
    signed_in: Client, small: Simulator, plant: Plant, content: bytes
) -> None:
    plant(content)
    answer = signed_in.get(f"/plex/items/{first(small).rating_key}/images/thumb")
    refusal(answer, 502, "PLEX_API_ERROR")


@pytest.mark.parametrize("accept", ["image/jpeg", "image/png", "image/webp"])
@pytest.mark.parametrize(
    "content",
    [
        picture("JPEG") + b"<script>alert(1)</script>",
        picture("PNG") + b"<script>alert(1)</script>",
        picture("WEBP") + b"<script>alert(1)</script>",
        hidden_in_an_exif(),
    ],
    ids=["jpeg", "png", "webp", "exif"],
)
def test_no_byte_of_plexs_is_passed_on_as_it_was(
    signed_in: Client, small: Simulator, plant: Plant, content: bytes, accept: str
) -> None:
    plant(content)
    answer = signed_in.get(
        f"/plex/items/{first(small).rating_key}/images/thumb", headers={"Accept": accept}
    )
    received = shown(answer)
    assert b"script" not in answer.content
    assert not received.getexif()


def test_a_plex_that_does_not_scale_is_made_up_for(
    signed_in: Client, small: Simulator, plant: Plant
) -> None:
    file = BytesIO()
    Image.new("RGB", (6000, 4000), "navy").save(file, "JPEG")
    plant(file.getvalue())
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    assert shown(signed_in.get(f"{path}?width=320")).size == (320, 213)
