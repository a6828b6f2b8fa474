import pytest
from plexapi.server import PlexServer

from plex_simulator import Simulator
from plex_simulator.endpoints.system import DIRECTORIES
from plex_simulator.fields import FIELDS
from plex_simulator.models import UNWATCHED

from .conftest import Asker, connect


def test_the_server_introduces_itself(plex: PlexServer, simulator: Simulator) -> None:
    assert plex.machineIdentifier == simulator.machine_identifier
    assert len(plex.machineIdentifier) == 40
    assert plex.multiuser
    assert plex.transcoderPhoto
    assert "collections" in plex.ownerFeatures
    assert len(plex.transcoderVideoResolutions) == 13


def test_identity_needs_no_token_and_all_else_does(ask: Asker, simulator: Simulator) -> None:
    identity = ask("/identity", token=None)
    assert identity.xml.get("machineIdentifier") == simulator.machine_identifier
    for token in (None, "nonsense"):
        refused = ask("/library/sections", token=token)
        assert refused.status == 401
        assert refused.headers["Content-Type"] == "text/html"
        assert b"<h1>401 Unauthorized</h1>" in refused.body


def test_a_token_in_the_query_does_as_well(ask: Asker, simulator: Simulator) -> None:
    path = f"/library/sections?X-Plex-Token={simulator.owner_token}"
    assert ask(path, token=None).status == 200
    assert "X-Plex-Token" not in simulator.requests[-1].query
    assert simulator.owner_token not in repr(simulator.requests)


def test_plexapi_lists_the_libraries(plex: PlexServer, simulator: Simulator) -> None:
    sections = plex.library.sections()
    assert [(str(s.key), s.type, s.title) for s in sections] == [
        (library.key, library.type, library.title) for library in simulator.catalogue.libraries
    ]
    assert [section.uuid for section in sections] == [
        library.uuid for library in simulator.catalogue.libraries
    ]
    hidden = [section._data.get("hidden") for section in sections]
    assert hidden == ["0", "0", "0", "0", "1", "2"]


def test_the_viewer_sees_fewer_libraries_and_no_secrets(ask: Asker, simulator: Simulator) -> None:
    viewer = connect(simulator, simulator.viewer_token)
    assert [section.key for section in viewer.library.sections()] == [1, 2, 5]
    assert viewer.myPlexUsername is None
    assert ask("/library/sections/8/all", token="viewer").status == 404
    photo = simulator.catalogue.items("6", "photo")[0].rating_key
    assert ask(f"/library/metadata/{photo}", token="viewer").status == 404
    assert ask("/library", token="viewer").status == 401
    assert ask("/accounts", token="viewer").status == 403
    viewer._session.close()


@pytest.mark.parametrize("path", ["/library/sections/77/all", "/library/metadata/1", "/nowhere"])
def test_what_is_unknown_is_404_in_html(ask: Asker, path: str) -> None:
    answer = ask(path, Accept="application/json")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html"
    assert b"<h1>404 Not Found</h1>" in answer.body


def test_storage_is_summed_up_per_library(ask: Asker, simulator: Simulator) -> None:
    rows = ask("/media/providers?includeStorage=1").xml.iter("Directory")
    told = {row.get("id"): row for row in rows if row.get("id")}
    parts = [
        part
        for movie in simulator.catalogue.items("1", "movie")
        for media in movie.media
        for part in media.parts
    ]
    assert told["1"].get("storageTotal") == str(sum(part.size for part in parts))
    assert told["1"].get("durationTotal") == str(sum(part.duration or 0 for part in parts))
    assert ask("/media/providers").xml.find(".//Directory[@storageTotal]") is None


def test_json_has_real_types_where_plex_has_them(ask: Asker, simulator: Simulator) -> None:
    sections = ask("/library/sections", Accept="application/json").json["MediaContainer"]
    first = sections["Directory"][0]
    assert first["key"] == "1"
    assert first["refreshing"] is False
    assert isinstance(first["updatedAt"], int)
    assert first["Location"][0]["id"] == 1
    rows = ask("/library/sections/1/all?sort=rating:desc", Accept="application/json").json
    movies = rows["MediaContainer"]["Metadata"]
    assert isinstance(movies[0]["ratingKey"], str)
    assert isinstance(movies[0]["Media"][0]["Part"][0]["size"], int)
    assert isinstance(next(m["rating"] for m in movies if m.get("rating") == 6), int)
    listed = ask("/library/sections/1/collections", Accept="application/json").json
    assert isinstance(listed["MediaContainer"]["Metadata"][0]["childCount"], str)


def test_sessions_say_who_plays_what_where(plex: PlexServer, simulator: Simulator) -> None:
    sessions = plex.sessions()
    assert [session.type for session in sessions] == ["movie", "episode", "track"]
    assert sessions[0].usernames == [simulator.catalogue.owner.name]
    assert sessions[1].usernames == [simulator.catalogue.viewer.name]
    assert sessions[0].transcodeSession is not None
    assert sessions[0].player.state == "playing"


def test_quick_columns_say_what_the_items_say(simulator: Simulator) -> None:
    for library in simulator.catalogue.libraries:
        for kind in library.item_types:
            table = simulator.catalogue.table(library.key, kind)
            for name, quick in table.fast_columns.items():
                slow = [FIELDS[name].read(item, UNWATCHED) for item in table.items()]
                assert [quick(index) for index in range(len(table))] == slow, (kind, name)


def test_the_same_seed_makes_the_same_catalogue(simulator: Simulator) -> None:
    with Simulator(seed=11, now=simulator.catalogue.started_at) as twin:
        for library in twin.catalogue.libraries:
            for kind in library.item_types:
                ours = simulator.catalogue.items(library.key, kind)
                assert list(twin.catalogue.items(library.key, kind)[:40]) == list(ours[:40])
    with Simulator(seed=12, now=simulator.catalogue.started_at) as other:
        theirs = other.catalogue.items("1", "movie")[0]
        assert theirs.title != simulator.catalogue.items("1", "movie")[0].title


def test_the_root_lists_directories(ask: Asker) -> None:
    rows = ask("/").xml.findall("Directory")
    assert [row.get("key") for row in rows] == DIRECTORIES.split()
