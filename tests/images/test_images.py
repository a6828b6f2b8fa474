"""`GET /items/:ratingKey/images/:kind`: kinds, sizes, formats and headers."""

from pathlib import Path
from typing import Any

import pytest

from plex_integration.images import query
from plex_integration.plex.images import MAX_BYTES
from plex_integration.policies import IMAGES
from plex_simulator import Simulator
from plex_simulator.faults import PICTURES
from tests.conftest import Client

from .conftest import first, refusal, scaled, shown

LADDER = (160, 320, 480, 720, 1080, 1920)


def test_a_poster_and_a_background_are_shown(signed_in: Client, small: Simulator) -> None:
    key = first(small).rating_key
    assert shown(signed_in.get(f"/plex/items/{key}/images/thumb")).size == (400, 600)
    assert shown(signed_in.get(f"/plex/items/{key}/images/art?width=1920")).size == (1280, 720)


@pytest.mark.parametrize("side", LADDER)
def test_a_picture_fits_into_every_size_of_the_ladder_and_is_never_enlarged(
    signed_in: Client, small: Simulator, side: int
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    assert shown(signed_in.get(f"{path}?width={side}")).width == min(side, 400)
    assert shown(signed_in.get(f"{path}?height={side}")).height == min(side, 600)
    both = shown(signed_in.get(f"{path}?width={side}&height=160"))
    assert both.size[1] <= 160
    assert both.size[0] <= side


@pytest.mark.parametrize(
    "value", ["0", "1", "161", "-160", "1921", "160.0", "0160", "", "a", "１６０"]
)
@pytest.mark.parametrize("side", ["width", "height"])
def test_a_size_outside_the_ladder_is_refused_by_name(
    signed_in: Client, small: Simulator, side: str, value: str
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    answer = signed_in.get(path, params={side: value})
    assert list(refusal(answer, 400, "VALIDATION_ERROR")["details"]) == [side]
    assert small.count() == 0


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("*/*", "JPEG"),
        ("image/*", "JPEG"),
        ("image/png", "PNG"),
        ("image/webp", "WEBP"),
        ("image/jpeg, image/png", "JPEG"),
        ("image/webp;q=0.3, image/png;q=0.9", "PNG"),
        ("image/jpeg;q=0, image/*", "PNG"),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "WEBP"),
    ],
)
def test_accept_chooses_the_format(
    signed_in: Client, small: Simulator, accept: str, format: str
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb?width=160"
    answer = signed_in.get(path, headers={"Accept": accept})
    assert shown(answer).format == format
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("accept", ["application/json", "text/html", "image/avif", "image/gif"])
def test_a_format_that_is_not_written_is_not_acceptable(
    signed_in: Client, small: Simulator, accept: str
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    refusal(signed_in.get(path, headers={"Accept": accept}), 406, "NOT_ACCEPTABLE")
    assert small.count() == 0


@pytest.mark.parametrize(
    ("library", "kind"),
    [("2", "show"), ("2", "season"), ("2", "episode"), ("5", "artist"), ("5", "album"),
     ("5", "track"), ("6", "photo"), ("6", "photoalbum")],
)  # fmt: skip
def test_every_type_of_item_has_its_pictures(
    signed_in: Client, small: Simulator, library: str, kind: str
) -> None:
    item = next(each for each in small.catalogue.items(library, kind) if each.thumb)
    shown(signed_in.get(f"/plex/items/{item.rating_key}/images/thumb?width=160"))
    assert scaled(small)[-1]["url"] == item.thumb


def test_a_collections_composite_and_its_own_poster_are_shown(
    signed_in: Client, small: Simulator
) -> None:
    for made in small.catalogue.collections("1"):
        thumb = shown(signed_in.get(f"/plex/items/{made.rating_key}/images/thumb"))
        assert thumb.size == (400, 600)
        composite = signed_in.get(f"/plex/items/{made.rating_key}/images/composite")
        if made.custom_thumb:
            refusal(composite, 404, "IMAGE_NOT_FOUND")
        else:
            shown(composite)
            assert scaled(small)[-1]["url"].startswith(
                f"/library/collections/{made.rating_key}/composite/"
            )


def test_a_playlists_composite_is_its_thumb(signed_in: Client, small: Simulator) -> None:
    playlist = next(
        each for each in small.catalogue.playlists if each.user_id == small.catalogue.owner.id
    )
    for kind in ("thumb", "composite"):
        shown(signed_in.get(f"/plex/items/{playlist.rating_key}/images/{kind}?width=160"))
    assert len(scaled(small)) == 1
    assert scaled(small)[0]["url"].startswith(f"/playlists/{playlist.rating_key}/composite/")


def test_an_item_without_a_picture_has_no_link_and_answers_not_found(
    signed_in: Client, small: Simulator
) -> None:
    bare = next(item for item in small.catalogue.items("8", "movie") if item.thumb is None)
    listed = signed_in.data("/plex/libraries/8/items?size=200")["items"]
    row = next(item for item in listed if item["ratingKey"] == bare.rating_key)
    assert "thumbUrl" not in row
    small.reset_requests()
    refusal(signed_in.get(f"/plex/items/{bare.rating_key}/images/thumb"), 404, "IMAGE_NOT_FOUND")
    assert scaled(small) == []


@pytest.mark.parametrize("kind", ["theme", "banner", "Thumb", "thumb.jpg", "%2e%2e", "poster"])
def test_another_kind_is_no_picture_and_plex_gets_no_request(
    signed_in: Client, small: Simulator, kind: str
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/{kind}"
    refusal(signed_in.get(path), 404, "IMAGE_NOT_FOUND")
    assert small.count() == 0


def test_a_picture_that_plex_misses_is_not_found_and_not_an_empty_answer(
    signed_in: Client, small: Simulator
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    small.fault("picture_missing")
    refusal(signed_in.get(path), 404, "IMAGE_NOT_FOUND")
    small.heal()
    small.fault("empty", path=PICTURES)
    refusal(signed_in.get(path), 404, "IMAGE_NOT_FOUND")
    small.heal()
    shown(signed_in.get(path))


def test_an_unknown_item_is_not_found(signed_in: Client, small: Simulator) -> None:
    refusal(signed_in.get("/plex/items/999999/images/thumb"), 404, "ITEM_NOT_FOUND")
    small.reset_requests()
    for key in ("abc", "12345678901", "-1", "1,2"):
        refusal(signed_in.get(f"/plex/items/{key}/images/thumb"), 404, "ITEM_NOT_FOUND")
    assert small.count() == 0


def test_a_picture_in_hand_is_not_sent_again(signed_in: Client, small: Simulator) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    answer = signed_in.get(path)
    etag = answer.headers["ETag"]
    assert etag.startswith('"')
    assert answer.headers["Cache-Control"] == "private, max-age=600"
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = signed_in.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
        assert again.headers["Cache-Control"] == answer.headers["Cache-Control"]
    assert signed_in.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    in_png = signed_in.get(path, headers={"Accept": "image/png", "If-None-Match": etag})
    assert in_png.status_code == 200


def test_head_answers_what_get_does_without_the_picture(
    signed_in: Client, small: Simulator
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    head, whole = signed_in.head(path), signed_in.get(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
        assert head.headers[name] == whole.headers[name]
    assert signed_in.head("/plex/items/999999/images/thumb").status_code == 404
    refusal(signed_in.post(path), 405, "METHOD_NOT_ALLOWED")


def test_every_answer_has_its_headers(signed_in: Client, small: Simulator) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    miss, hit = signed_in.get(path), signed_in.get(path)
    assert [each.headers["X-Plex-Cache-Status"] for each in (miss, hit)] == ["MISS", "HIT"]
    assert hit.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert hit.headers["X-RateLimit-Limit"] == "600"
    assert int(hit.headers["X-RateLimit-Remaining"]) == 598
    assert hit.headers["X-Plex-Response-Time"].endswith("ms")
    assert hit.headers["X-Request-ID"].startswith("req-plex-item-image-")
    assert "Set-Cookie" not in hit.headers


def test_what_is_cached_is_shown_while_plex_is_unavailable(
    signed_in: Client, small: Simulator
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    shown(signed_in.get(path))
    small.fault("status", status=503)
    shown(signed_in.get(path))
    answer = signed_in.get(f"{path}?width=160")
    refusal(answer, 503, "PLEX_SERVER_UNAVAILABLE")
    assert answer.headers["Retry-After"]


def test_the_api_page_names_the_sizes_the_limit_and_the_bound() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs" / "api.md").read_text().split())
    assert f"| `width`, `height` | {', '.join(map(str, query.SIZES))} |" in page
    assert f"`width={query.DEFAULT_WIDTH}`" in page
    assert f"{IMAGES.requests} a minute per user, or per address" in page
    assert f"At most {MAX_BYTES // 1024**2} MiB are read" in page


def test_nobody_asks_plex_while_none_is_configured(signed_in: Client, settings: Any) -> None:
    settings.PLEX_URL = ""
    refusal(signed_in.get("/plex/items/1000/images/thumb"), 503, "PLEX_SERVER_UNAVAILABLE")
