"""What Plex does not have is a 404; what cannot be read is not."""

from collections.abc import Callable
from typing import Any

import pytest

from medianest.api.exceptions import Problem
from plex_integration.caching import failures
from plex_integration.errors import (
    CollectionNotFound,
    ItemNotFound,
    PlaylistNotFound,
    PlexApiError,
)
from tests.conftest import Client
from tests.plex.conftest import RawServer, ok, plex_at

Serve = Callable[..., RawServer]
READS: dict[str, tuple[Callable[[Any], Any], type[Exception]]] = {
    "movie": (lambda plex: plex.item("1"), ItemNotFound),
    "collection": (lambda plex: plex.collection("1"), CollectionNotFound),
    "playlist": (lambda plex: plex.playlist("1"), PlaylistNotFound),
}


def error_of(serve: Serve, kind: str, rows: str) -> Exception:
    read, _ = READS[kind]
    with pytest.raises(Problem) as caught:
        read(plex_at(serve(ok(f"<MediaContainer>{rows}</MediaContainer>")).url))
    return caught.value


@pytest.mark.parametrize("kind", READS)
@pytest.mark.parametrize(
    "rows",
    ["", '<Directory ratingKey="1" type="something" title="Other"/>'],
    ids=["an empty container", "another type"],
)
def test_what_is_not_there_is_not_found(serve: Serve, kind: str, rows: str) -> None:
    error = error_of(serve, kind, rows)
    assert type(error) is READS[kind][1]
    assert failures.should_delete(error)


@pytest.mark.parametrize("kind", READS)
@pytest.mark.parametrize(
    "row",
    ['<Video ratingKey="1" title="A"/>', '<Video ratingKey="1" type="" title="A"/>',
     '<Video type="{kind}" title="A"/>', '<Video ratingKey="x" type="{kind}" title="A"/>'],
    ids=["no type", "an empty type", "no id", "an id that is none"],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_of_plex_and_deletes_nothing(
    serve: Serve, kind: str, row: str
) -> None:
    error = error_of(serve, kind, row.format(kind=kind))
    assert type(error) is PlexApiError
    assert not failures.should_delete(error)
    assert failures.should_serve_stale(error)


@pytest.mark.parametrize(
    "row",
    ['<Directory type="movie" title="A"/>', '<Directory key="x" type="movie" title="A"/>',
     '<Unknown key="1" type="movie" title="A"/>'],
    ids=["no key", "a key that is none", "another element"],
)  # fmt: skip
def test_a_library_that_could_be_a_row_that_cannot_be_read_is_not_denied(
    serve: Serve, quick: Client, settings: Any, row: str
) -> None:
    other = '<Directory key="2" type="show" title="B"/>'
    settings.PLEX_URL = serve(ok(f"<MediaContainer>{other}{row}</MediaContainer>")).url
    quick.error("/plex/libraries/1/items", 502, "PLEX_API_ERROR")
    assert quick.data("/plex/libraries/2/genres")["library"]["title"] == "B"
