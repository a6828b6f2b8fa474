"""Who may see an image, and which check of a request comes first."""

import pytest

from plex_integration.configuration.connection import Scope
from plex_integration.images import signing
from plex_integration.images.fetch import ImageKey
from plex_integration.images.query import WEBP
from plex_simulator import Simulator
from tests.conftest import Client

from .conftest import Browser, first, refusal

SCOPE = Scope("scope", "server")

NOON = 1_800_014_400
VERSION = "metadata.1000.thumb.1700000000"


@pytest.mark.parametrize("path", ["abc/images/thumb", "1000/images/poster", "1000/images/thumb"])
def test_who_sends_neither_a_token_nor_a_link_learns_nothing_else(
    browser: Browser, small: Simulator, path: str
) -> None:
    answer = browser.get(f"/api/v1/plex/items/{path}?width=1", headers={"Accept": "text/html"})
    error = refusal(answer, 401, "UNAUTHORIZED")
    assert error["message"] == "Sign in, or use a signed link that has not expired."
    assert answer.headers["X-RateLimit-Limit"] == "600"
    assert small.count() == 0


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("abc/images/poster?width=1", 404, "ITEM_NOT_FOUND"),
        ("1000/images/poster?width=1", 404, "IMAGE_NOT_FOUND"),
        ("1000/images/thumb?width=1", 400, "VALIDATION_ERROR"),
        ("1000/images/thumb", 406, "NOT_ACCEPTABLE"),
    ],
)
def test_the_path_is_checked_before_the_size_and_the_size_before_the_format(
    signed_in: Client, small: Simulator, path: str, status: int, code: str
) -> None:
    answer = signed_in.get(f"/plex/items/{path}", headers={"Accept": "text/html"})
    refusal(answer, status, code)
    assert small.count() == 0


def test_a_method_that_shows_no_image_needs_no_sign_in(browser: Browser, small: Simulator) -> None:
    path = f"/api/v1/plex/items/{first(small).rating_key}/images/thumb"
    assert browser.options(path).status_code == 200
    answer = browser.post(path)
    refusal(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "X-RateLimit-Limit" not in answer.headers


def test_links_and_cached_images_of_earlier_releases_stay_valid() -> None:
    link = signing.sign_link(SCOPE, "1000", "thumb", VERSION, NOON)
    assert link.endswith("&expires=1800144000&signature=bG7B8EOXeMMe6785Ge05sZ3J")
    key = ImageKey(SCOPE, VERSION, (480, 1920), WEBP)
    assert key.name == "e95f522a11f00dbcb1e9cb0f6c082eef"
