"""Ids that Plex sends and that no path may hold: they are skipped or a problem, never a crash."""

from collections.abc import Callable
from xml.etree.ElementTree import fromstring

import pytest

from plex_integration.errors import PlexApiError
from plex_integration.plex.editing import CollectionEditor, PlaylistEditor, Position
from plex_integration.plex.parsing.libraries import parse_libraries
from tests.plex.conftest import RawServer, ok, plex_at

Serve = Callable[..., RawServer]

ODD = ["", "abc", "../5", "5/../6", "5?X-Plex-Token=x", "-5", "٣", "9" * 5000]
LIBRARIES = '<MediaContainer><Directory key="1" type="movie" agent="an.agent"/></MediaContainer>'


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_a_new_list_without_a_usable_id_is_a_problem(serve: Serve, odd: str) -> None:
    server = serve(ok(f'<MediaContainer><Playlist ratingKey="{odd}"/></MediaContainer>'))
    editor = PlaylistEditor(plex_at(server.url).connection, 5)
    with pytest.raises(PlexApiError):
        editor.create("video", "New", "machine", ["5"])


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_positions_without_a_usable_id_are_skipped(serve: Serve, odd: str) -> None:
    server = serve(
        ok(
            '<MediaContainer size="3"><Video ratingKey="7" playlistItemID="8"/>'
            f'<Video ratingKey="{odd}" playlistItemID="9"/>'
            f'<Video ratingKey="10" playlistItemID="{odd}"/></MediaContainer>'
        )
    )
    connection = plex_at(server.url).connection
    assert PlaylistEditor(connection, 5).positions("1") == [Position("7", "8")]
    assert CollectionEditor(connection, 5).positions("1")[0].ratingKey == "7"


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_a_guid_is_not_matched_through_an_item_without_a_usable_id(serve: Serve, odd: str) -> None:
    server = serve(ok(f'<MediaContainer size="1"><Video ratingKey="{odd}"/></MediaContainer>'))
    (library,) = parse_libraries(fromstring(LIBRARIES)).all
    assert plex_at(server.url).any_key(library) is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("identifier", ["f4b9" * 10, "fixture-machine-1", "client_id2"])
def test_a_server_is_known_by_any_plain_identifier(serve: Serve, identifier: str) -> None:
    server = serve(ok(f'<MediaContainer machineIdentifier="{identifier}"/>'))
    assert plex_at(server.url).machine_identifier() == identifier


@pytest.mark.parametrize("odd", ["", "a/b", "a b", "a?b", "ü", "x" * 65])
def test_an_identifier_that_cannot_be_part_of_a_uri_is_a_problem(serve: Serve, odd: str) -> None:
    server = serve(ok(f'<MediaContainer machineIdentifier="{odd}"/>'))
    with pytest.raises(PlexApiError):
        plex_at(server.url).machine_identifier()
