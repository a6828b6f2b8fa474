"""Any bytes to a picture or an error, never to anything else."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from plex_integration.errors import PlexApiError
from plex_integration.images.query import JPEG, PNG, WEBP, ImageFormat
from plex_integration.images.render import render

FORMATS = (JPEG, PNG, WEBP)


def written(format: str, mode: str = "RGB", size: tuple[int, int] = (60, 90)) -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, format)
    return file.getvalue()


SOUND = [written(wanted.name) for wanted in FORMATS]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SOUND),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 3000),
    st.sampled_from(FORMATS),
)
def test_broken_bytes_are_a_picture_or_an_error_of_ours(
    sound: bytes, changes: list[tuple[int, bytes]], cut: int, wanted: ImageFormat
) -> None:
    broken = bytearray(sound)
    for place, piece in changes:
        place %= len(broken)
        broken[place : place + len(piece)] = piece
    try:
        made = render(bytes(broken[: max(1, len(broken) - cut)]), (160, 160), wanted)
    except PlexApiError:
        return
    with Image.open(BytesIO(made)) as picture:
        picture.load()
        assert picture.format == wanted.name
        assert max(picture.size) <= 160


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(PlexApiError):
        render(content, (160, 160), JPEG)


@pytest.mark.parametrize("wanted", FORMATS, ids=lambda wanted: wanted.name)
@pytest.mark.parametrize(
    ("format", "mode"),
    [("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "RGBA"), ("PNG", "1"),
     ("PNG", "I;16"), ("WEBP", "RGBA")],
)  # fmt: skip
def test_every_kind_of_pixels_can_be_shown(format: str, mode: str, wanted: ImageFormat) -> None:
    made = render(written(format, mode), (480, 480), wanted)
    with Image.open(BytesIO(made)) as picture:
        assert (picture.size, picture.format) == ((60, 90), wanted.name)


@pytest.mark.parametrize("wanted", [PNG, WEBP], ids=lambda wanted: wanted.name)
def test_what_shines_through_does_so_still_where_the_format_can(wanted: ImageFormat) -> None:
    file = BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(file, "PNG")
    with Image.open(BytesIO(render(file.getvalue(), (160, 160), wanted))) as picture:
        assert picture.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]
    with Image.open(BytesIO(render(file.getvalue(), (160, 160), JPEG))) as flat:
        assert flat.getpixel((5, 5)) == (0, 0, 0)


def test_a_picture_on_its_side_is_turned_upright() -> None:
    exif, file = Image.Exif(), BytesIO()
    exif[0x0112] = 6
    Image.new("RGB", (90, 60)).save(file, "JPEG", exif=exif)
    with Image.open(BytesIO(render(file.getvalue(), (480, 480), JPEG))) as picture:
        assert picture.size == (60, 90)


def test_only_the_first_frame_of_an_animation_is_rendered() -> None:
    file = BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    with Image.open(BytesIO(render(file.getvalue(), (160, 160), WEBP))) as picture:
        assert getattr(picture, "n_frames", 1) == 1


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_thin_picture_keeps_at_least_one_pixel(format: str) -> None:
    thin = written(format, size=(2000, 1))
    with Image.open(BytesIO(render(thin, (160, 160), PNG))) as picture:
        assert picture.size == (160, 1)
