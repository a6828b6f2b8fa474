import pytest
from plexapi.server import PlexServer

from plex_simulator import Simulator
from plex_simulator.endpoints.system import DIRECTORIES
from plex_simulator.fields import FIELDS, TAG_ATTRIBUTES, TYPE_FIELDS
from plex_simulator.models import UNWATCHED
from plex_simulator.tables.item_table import ItemTable, sum_storage

from .conftest import PlexClient, connect


def test_plexapi_reads_the_server_attributes(plex: PlexServer, simulator: Simulator) -> None:
    assert plex.machineIdentifier == simulator.machine_identifier
    assert len(plex.machineIdentifier) == 40
    assert plex.multiuser
    assert plex.transcoderPhoto
    assert "collections" in plex.ownerFeatures
    assert len(plex.transcoderVideoResolutions) == 13


def test_all_paths_except_identity_need_a_token(client: PlexClient, simulator: Simulator) -> None:
    identity = client.get("/identity", token=None)
    assert identity.xml.get("machineIdentifier") == simulator.machine_identifier
    for token in (None, "nonsense"):
        refused = client.get("/library/sections", token=token)
        assert refused.status == 401
        assert refused.headers["Content-Type"] == "text/html"
        assert b"<h1>401 Unauthorized</h1>" in refused.body


def test_a_token_in_the_query_is_accepted_but_not_recorded(
    client: PlexClient, simulator: Simulator
) -> None:
    path = f"/library/sections?X-Plex-Token={simulator.owner_token}"
    assert client.get(path, token=None).status == 200
    assert "X-Plex-Token" not in simulator.requests[-1].query
    assert simulator.owner_token not in repr(simulator.requests[-1])


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


def test_the_viewer_has_no_access_to_unshared_libraries_and_the_account(
    client: PlexClient, simulator: Simulator
) -> None:
    viewer = connect(simulator, simulator.viewer_token)
    assert [section.key for section in viewer.library.sections()] == [1, 2, 5]
    assert viewer.myPlexUsername is None
    assert client.get("/library/sections/8/all", token="viewer").status == 403
    photo = simulator.catalogue.items("6", "photo")[0].rating_key
    assert client.get(f"/library/metadata/{photo}", token="viewer").status == 404
    assert client.get("/library", token="viewer").status == 401
    assert client.get("/accounts", token="viewer").status == 403
    viewer._session.close()


@pytest.mark.parametrize("path", ["/library/sections/77/all", "/library/metadata/1", "/nowhere"])
def test_an_unknown_path_is_answered_with_404_in_html(client: PlexClient, path: str) -> None:
    response = client.get(path, Accept="application/json")
    assert response.status == 404
    assert response.headers["Content-Type"] == "text/html"
    assert b"<h1>404 Not Found</h1>" in response.body


def test_storage_is_the_total_size_of_all_files_of_a_library(
    client: PlexClient, simulator: Simulator
) -> None:
    rows = client.get("/media/providers?includeStorage=1").xml.iter("Directory")
    directories = {row.get("id"): row for row in rows if row.get("id")}
    parts = [
        part
        for movie in simulator.catalogue.items("1", "movie")
        for media in movie.media
        for part in media.parts
    ]
    assert directories["1"].get("storageTotal") == str(sum(part.size for part in parts))
    assert directories["1"].get("durationTotal") == str(sum(part.duration or 0 for part in parts))
    assert client.get("/media/providers").xml.find(".//Directory[@storageTotal]") is None


def test_json_values_have_the_same_types_as_those_of_plex(
    client: PlexClient, simulator: Simulator
) -> None:
    sections = client.get("/library/sections", Accept="application/json").json["MediaContainer"]
    first = sections["Directory"][0]
    assert first["key"] == "1"
    assert first["refreshing"] is False
    assert isinstance(first["updatedAt"], int)
    assert first["Location"][0]["id"] == 1
    rows = client.get("/library/sections/1/all?sort=rating:desc", Accept="application/json").json
    movies = rows["MediaContainer"]["Metadata"]
    assert isinstance(movies[0]["ratingKey"], str)
    assert isinstance(movies[0]["Media"][0]["Part"][0]["size"], int)
    assert isinstance(next(m["rating"] for m in movies if m.get("rating") == 6), int)
    listed = client.get("/library/sections/1/collections", Accept="application/json").json
    assert isinstance(listed["MediaContainer"]["Metadata"][0]["childCount"], str)


def test_sessions_contain_item_user_and_player(plex: PlexServer, simulator: Simulator) -> None:
    sessions = plex.sessions()
    assert [session.type for session in sessions] == ["movie", "episode", "track"]
    assert sessions[0].usernames == [simulator.catalogue.owner.name]
    assert sessions[1].usernames == [simulator.catalogue.viewer.name]
    assert sessions[0].transcodeSession is not None
    assert sessions[0].player.state == "playing"


def test_fast_fields_and_tags_have_the_values_of_the_items(simulator: Simulator) -> None:
    for table in tables(simulator):
        items = list(table.items())
        for name, fast_field in table.fast_fields.items():
            values = [FIELDS[name].read(item, UNWATCHED) for item in items]
            assert [fast_field(index) for index in range(len(table))] == values, (table.type, name)
        for name in TAG_ATTRIBUTES.keys() & TYPE_FIELDS[table.type] - {"collection"}:
            tags = [[tag.id for tag in getattr(item, TAG_ATTRIBUTES[name])] for item in items]
            fast_tags = [[tag.id for tag in table.fast_tags[name](i)] for i in range(len(table))]
            assert fast_tags == tags, (table.type, name)


def test_storage_and_external_ids_are_those_of_the_items(simulator: Simulator) -> None:
    for table in tables(simulator):
        for index, item in enumerate(table.items()):
            assert table.storage(index) == sum_storage(item)
            assert table.external_ids()[index].split() == list(item.guids)


def tables(simulator: Simulator) -> list[ItemTable]:
    catalogue = simulator.catalogue
    libraries = catalogue.libraries
    return [catalogue.table(each.key, name) for each in libraries for name in each.item_types]


def test_the_same_seed_makes_the_same_catalogue(simulator: Simulator) -> None:
    with Simulator(seed=11, now=simulator.catalogue.started_at, edge_cases=True) as twin:
        for library in twin.catalogue.libraries:
            for item_type in library.item_types:
                ours = simulator.catalogue.items(library.key, item_type)
                assert list(twin.catalogue.items(library.key, item_type)[:40]) == list(ours[:40])
    with Simulator(seed=12, now=simulator.catalogue.started_at) as other:
        theirs = other.catalogue.items("1", "movie")[0]
        assert theirs.title != simulator.catalogue.items("1", "movie")[0].title


def test_the_root_lists_directories(client: PlexClient) -> None:
    rows = client.get("/").xml.findall("Directory")
    assert [row.get("key") for row in rows] == DIRECTORIES.split()


def test_a_url_that_is_too_long_is_refused(client: PlexClient) -> None:
    assert client.get(f"/library/metadata/{'1000,' * 1_700}1").status == 414
