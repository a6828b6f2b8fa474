import pytest
from plexapi.exceptions import BadRequest, NotFound
from plexapi.server import PlexServer

from plex_simulator import Simulator
from plex_simulator.models import Account

from .conftest import PlexClient, connect


def test_collections_are_listed_by_sort_title(plex: PlexServer, simulator: Simulator) -> None:
    found = plex.library.sectionByID(1).collections()
    expected = simulator.catalogue.collections("1")
    assert [c.title for c in found] == [c.title for c in expected]
    assert {c.smart for c in found} == {True, False}
    assert 0 in {c.childCount for c in found}
    assert max(c.childCount for c in found) > 100


def test_collection_rows_have_the_attributes_that_plex_sends(
    client: PlexClient, simulator: Simulator
) -> None:
    rows = {row.get("ratingKey"): row for row in client.get("/library/sections/1/collections").xml}
    for collection in simulator.catalogue.collections("1"):
        row = rows[collection.rating_key]
        assert row.tag == "Directory"
        assert row.get("key") == f"/library/collections/{collection.rating_key}/children"
        assert row.get("smart") == ("1" if collection.smart else None)
        assert row.get("content", "").startswith("server://") == collection.smart
        assert row.get("index") != collection.rating_key
        if not collection.custom_thumb:
            assert row.get("thumb", "").endswith("?width=400&height=600")


def test_collection_items_are_in_the_order_of_the_collection(
    client: PlexClient, simulator: Simulator
) -> None:
    for collection in simulator.catalogue.collections():
        items = simulator.catalogue.collection_items(collection.rating_key)
        found = client.page(f"/library/collections/{collection.rating_key}/children", 0, 200)
        assert found.keys == [item.rating_key for item in items]
        if collection.sort == 2:
            assert tuple(found.keys) == collection.item_keys
        assert found.xml.get("title2") == collection.title


def test_a_collection_with_more_than_100_items_needs_a_paged_request(
    client: PlexClient, plex: PlexServer
) -> None:
    large = next(c for c in plex.library.sectionByID(1).collections() if c.childCount > 100)
    assert client.get(f"{large.key}/children").status == 400
    assert client.get(f"{large.key}/items").status == 400
    assert len(large.items()) == large.childCount


def test_the_collection_endpoint_also_returns_movies(
    client: PlexClient, simulator: Simulator
) -> None:
    movie = simulator.catalogue.items("1", "movie")[0]
    row = client.get(f"/library/collections/{movie.rating_key}").xml[0]
    assert row.get("type") == "movie"
    assert client.get("/library/collections/999").status == 404


def test_playlists_belong_to_their_user(plex: PlexServer, simulator: Simulator) -> None:
    viewer = connect(simulator, simulator.viewer_token)
    assert [p.title for p in viewer.playlists()] == ["Meine Liste"]
    assert {p.playlistType for p in plex.playlists()} == {"video", "audio", "photo"}
    mine = plex.playlist("Rainy Sunday")
    with pytest.raises(NotFound):
        viewer.fetchItem(mine.key)
    assert [item.playlistItemID for item in mine.items()] == list(range(1, 10))
    assert {item.type for item in mine.items()} == {"movie", "episode"}
    viewer._session.close()


def test_plexapi_creates_edits_and_deletes_a_collection(
    fresh_plex: PlexServer, fresh: Simulator
) -> None:
    section = fresh_plex.library.sectionByID(1)
    one, two, three, four = section.all()[:4]
    collection = section.createCollection("Mine & Yours", items=[one, two])
    assert (collection.title, collection.subtype, collection.childCount) == (
        "Mine & Yours",
        "movie",
        2,
    )
    collection.addItems([three, one])
    collection.sortUpdate("custom")
    assert [item.ratingKey for item in collection.reload().items()] == [
        one.ratingKey,
        two.ratingKey,
        three.ratingKey,
    ]
    collection.moveItem(three)
    collection.moveItem(one, after=two)
    collection.removeItems([two])
    collection.addItems([four])
    collection.editTitle("Ours").editSummary("Shared.")
    collection.modeUpdate("hide")
    saved = fresh_plex.fetchItem(collection.ratingKey)
    assert (saved.title, saved.summary, saved.collectionMode) == ("Ours", "Shared.", 0)
    assert [item.ratingKey for item in saved.items()] == [
        three.ratingKey,
        one.ratingKey,
        four.ratingKey,
    ]
    tagged = fresh.catalogue.item(str(one.ratingKey))
    assert tagged is not None
    assert "Ours" in [tag.tag for tag in tagged.collections]
    saved.delete()
    assert fresh.catalogue.collection(str(collection.ratingKey)) is None


def test_an_edit_locks_the_fields_of_an_item_until_they_are_unlocked(
    fresh_plex: PlexServer,
) -> None:
    section = fresh_plex.library.sectionByID(1)
    movie = section.createCollection("Mine", items=section.all()[:1]).items()[0]
    collection, playlist = section.collection("Mine"), fresh_plex.playlist("Rainy Sunday")
    for each in (movie, collection, playlist):
        each.editTitle("Ours").editSummary("Shared.")
        each.reload()
        assert [(field.name, field.locked) for field in each.fields] == [
            ("summary", True),
            ("title", True),
        ]
        each.editTitle("Theirs", locked=False)
        each.reload()
        assert each.title == "Theirs"
        assert [field.name for field in each.fields] == ["summary"]


def test_an_empty_value_removes_the_content_rating_and_the_sort_title(
    fresh_plex: PlexServer,
) -> None:
    section = fresh_plex.library.sectionByID(1)
    movie = section.all()[0]
    for each in (movie, section.createCollection("Mine", items=[movie])):
        each.editContentRating("PG-13").editSortTitle("Z")
        each.reload()
        assert (each.contentRating, each.titleSort) == ("PG-13", "Z")
        each.editContentRating("").editSortTitle("")
        each.reload()
        assert (each.contentRating, each.titleSort) == (None, each.title)


@pytest.mark.parametrize("sort", ["release", "alpha"])
def test_a_move_gives_a_collection_an_order_of_its_own(
    fresh_plex: PlexServer, fresh: Simulator, sort: str
) -> None:
    section = fresh_plex.library.sectionByID(1)
    collection = section.createCollection("Mine", items=section.all()[:5])
    collection.sortUpdate(sort)
    first, second, *others = collection.reload().items()
    collection.moveItem(first, after=second)
    assert collection.reload().items() == [second, first, *others]
    saved = fresh.catalogue.collection(str(collection.ratingKey))
    assert saved is not None
    assert saved.sort == 2


def test_a_collection_can_be_deleted_by_its_path_in_its_library(
    fresh_client: PlexClient, fresh: Simulator
) -> None:
    first, second, *_ = fresh.catalogue.collections("1")
    path = f"/library/sections/1/collection/{first.rating_key}"
    assert fresh_client.request("DELETE", path, "viewer", {}).status == 403
    assert fresh_client.request("DELETE", path, "owner", {}).status == 200
    assert fresh_client.request("DELETE", path, "owner", {}).status == 404
    other = f"/library/sections/2/collection/{second.rating_key}"
    assert fresh_client.request("DELETE", other, "owner", {}).status == 404
    assert fresh.catalogue.collection(first.rating_key) is None
    assert fresh.catalogue.collection(second.rating_key) == second


def test_adding_items_to_a_smart_collection_is_refused(fresh_plex: PlexServer) -> None:
    section = fresh_plex.library.sectionByID(1)
    smart = section.createCollection("Old", smart=True, sort="year:asc", filters={"year<<": 1960})
    years = [item.year for item in smart.items()]
    assert years == sorted(years)
    assert max(years) < 1960
    with pytest.raises(BadRequest):
        smart.addItems(section.all()[0])
    uri = f"{fresh_plex._uriRoot()}/library/metadata/{section.all()[0].ratingKey}"
    with pytest.raises(BadRequest, match="400"):
        fresh_plex.query(f"{smart.key}/items", method=fresh_plex._session.put, params={"uri": uri})


def test_a_smart_collection_filters_by_what_the_owner_or_the_viewer_watched(
    fresh_plex: PlexServer, fresh: Simulator
) -> None:
    section = fresh_plex.library.sectionByID(1)
    collection = section.createCollection("Unseen", smart=True, filters={"unwatched": True})
    viewer = connect(fresh, fresh.viewer_token)

    def unseen(user: Account) -> set[int]:
        movies = fresh.catalogue.items("1", "movie")
        return {int(movie.rating_key) for movie in movies if not movie.seen_by(user).view_count}

    def shown() -> set[int]:
        return {item.ratingKey for item in viewer.fetchItem(collection.key).items()}

    assert unseen(fresh.catalogue.owner) != unseen(fresh.catalogue.viewer)
    assert collection.reload().collectionFilterBasedOnUser == 0
    assert shown() == unseen(fresh.catalogue.owner)
    collection.filterUserUpdate("user")
    assert collection.reload().collectionFilterBasedOnUser == 1
    assert shown() == unseen(fresh.catalogue.viewer)
    viewer._session.close()


def test_adding_items_that_a_collection_already_holds_changes_nothing(
    fresh_plex: PlexServer, fresh: Simulator
) -> None:
    collections = fresh_plex.library.sectionByID(1).collections()
    collection = next(c for c in collections if c.childCount and not c.smart)
    before = fresh.catalogue.collection(str(collection.ratingKey))
    collection.addItems(collection.items())
    assert fresh.catalogue.collection(str(collection.ratingKey)) == before


def test_plexapi_creates_edits_and_deletes_a_playlist(fresh_plex: PlexServer) -> None:
    one, two, three = fresh_plex.library.sectionByID(1).all()[:3]
    playlist = fresh_plex.createPlaylist("Tonight", items=[one, two])
    playlist.addItems([three, one])
    playlist.reload()
    assert [i.ratingKey for i in playlist.items()] == [
        one.ratingKey,
        two.ratingKey,
        three.ratingKey,
        one.ratingKey,
    ]
    playlist.moveItem(playlist.items()[2])
    playlist.reload()
    playlist.removeItems([playlist.items()[1]])
    playlist.reload()
    assert [i.ratingKey for i in playlist.items()] == [
        three.ratingKey,
        two.ratingKey,
        one.ratingKey,
    ]
    playlist.editTitle("Tomorrow")
    assert fresh_plex.playlist("Tomorrow").leafCount == 3
    playlist.delete()
    with pytest.raises(NotFound):
        fresh_plex.playlist("Tomorrow")


def test_a_smart_playlist_of_shows_holds_their_episodes(
    fresh_plex: PlexServer, fresh: Simulator
) -> None:
    show = fresh.catalogue.items("2", "show")[3]
    section = fresh_plex.library.sectionByID(2)
    playlist = fresh_plex.createPlaylist(
        "Of one show",
        section=section,
        smart=True,
        libtype="show",
        sort=["season.index:nullsLast", "episode.index:nullsLast"],
        filters={"show.title": show.title},
    )
    episodes = playlist.items()
    assert len(episodes) == show.leaf_count == playlist.leafCount
    assert {(item.type, item.grandparentTitle) for item in episodes} == {("episode", show.title)}
    numbers = [(item.seasonNumber, item.index) for item in episodes]
    assert numbers == sorted(numbers)
    assert {
        item.type
        for item in section.createCollection(
            "Of shows", smart=True, libtype="show", filters={"show.title": show.title}
        ).items()
    } == {"show"}


def test_only_the_owner_can_edit_collections(fresh: Simulator) -> None:
    viewer = connect(fresh, fresh.viewer_token)
    collection = viewer.library.sectionByID(1).collections()[0]
    with pytest.raises(BadRequest, match="403"):
        collection.delete()
    viewer._session.close()
