"""A small simulated Plex that a test may change, a client that is signed in, one that is not."""

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from requests import Response

from plex_simulator import Simulator
from tests.conftest import Client

SMALL = {
    "movies": 60, "shows": 3, "seasons": 2, "episodes": 3, "artists": 2, "albums": 2, "tracks": 2,
    "photo_albums": 2, "photos": 3, "videos": 3, "hidden": 2, "collections": 4,
}  # fmt: skip


@pytest.fixture(scope="session")
def _small() -> Iterator[Simulator]:
    with Simulator(seed=23, edge_cases=True, **SMALL) as simulator:
        yield simulator


@pytest.fixture
def small(_small: Simulator, plex: Simulator, settings: Any) -> Iterator[Simulator]:
    """The small Plex, which the service asks; healthy and uncounted."""
    settings.PLEX_URL, settings.PLEX_TOKEN = _small.url, _small.owner_token
    _small.heal()
    _small.reset_requests()
    yield _small
    _small.heal()


@pytest.fixture
def signed_in(quick: Client, small: Simulator) -> Client:
    return quick


@pytest.fixture
def browser(small: Simulator, transactional_db: None, server: Any) -> Iterator["Browser"]:
    """A client that follows links as `<img>` does: with no token."""
    with Browser(server.url) as client:
        yield client


class Browser(Client):
    """A client without a token; its paths are those of the links, from the origin on."""

    def request(self, method: str, url: str, **kwargs: Any) -> Response:
        # Django's test server writes twice: see `quick`.
        self.close()
        assert "Authorization" not in self.headers
        return super().request(method, url.removeprefix("/api/v1"), **kwargs)


@pytest.fixture
def folder(small: Simulator, settings: Any) -> Path:
    """Where the service keeps its pictures."""
    return Path(settings.PICTURES_FOLDER)


def shown(response: Response) -> Image.Image:
    """Decode the picture that an answer is."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] in ("image/jpeg", "image/png", "image/webp")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert int(response.headers["Content-Length"]) == len(response.content)
    picture = Image.open(BytesIO(response.content))
    picture.load()
    assert response.headers["Content-Type"] == f"image/{str(picture.format).lower()}"
    return picture


def refusal(response: Response, status: int, code: str) -> dict[str, Any]:
    """Return the error that an answer is, which is never a picture."""
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert (response.status_code, body["error"]["code"]) == (status, code), body
    error: dict[str, Any] = body["error"]
    return error


def first(plex: Simulator, library: str = "1", kind: str = "movie") -> Any:
    """Return an item with a poster and a background."""
    return next(item for item in plex.catalogue.items(library, kind) if item.thumb and item.art)


def scaled(plex: Simulator) -> list[dict[str, str]]:
    """Return the queries of the requests to Plex's transcoder."""
    return [each.query for each in plex.requests if each.path == "/photo/:/transcode"]


def open_files(process: int) -> set[str]:
    """Return the paths of a process's open files."""
    found = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # it was closed
            found.add(str(link.readlink()))
    return found
