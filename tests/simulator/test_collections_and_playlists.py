import pytest
from plexapi.exceptions import BadRequest, NotFound
from plexapi.server import PlexServer

from plex_simulator import Simulator

from .conftest import Asker, connect


def test_collections_are_listed_by_sort_title(plex: PlexServer, simulator: Simulator) -> None:
    found = plex.library.sectionByID(1).collections()
    expected = simulator.catalogue.collections("1")
    assert [c.title for c in found] == [c.title for c in expected]
    assert {c.smart for c in found} == {True, False}
    assert 0 in {c.childCount for c in found}
    assert max(c.childCount for c in found) > 100


def test_collection_rows_look_like_those_of_plex(ask: Asker, simulator: Simulator) -> None:
    rows = {row.get("ratingKey"): row for row in ask("/library/sections/1/collections").xml}
    for made in simulator.catalogue.collections("1"):
        row = rows[made.rating_key]
        assert row.tag == "Directory"
        assert row.get("key") == f"/library/collections/{made.rating_key}/children"
        assert row.get("smart") == ("1" if made.smart else None)
        assert row.get("content", "").startswith("server://") == made.smart
        assert row.get("index") != made.rating_key
        if not made.custom_thumb:
            assert row.get("thumb", "").endswith("?width=400&height=600")


def test_items_come_in_the_collections_own_order(ask: Asker, simulator: Simulator) -> None:
    for made in simulator.catalogue.collections():
        items = simulator.catalogue.collection_items(made.rating_key)
        found = ask.page(f"/library/collections/{made.rating_key}/children", 0, 200)
        assert found.keys == [item.rating_key for item in items]
        if made.sort == 2:
            assert tuple(found.keys) == made.item_keys
        assert found.xml.get("title2") == made.title


def test_more_than_a_hundred_items_must_be_paged(ask: Asker, plex: PlexServer) -> None:
    large = next(c for c in plex.library.sectionByID(1).collections() if c.childCount > 100)
    assert ask(f"{large.key}/children").status == 400
    assert ask(f"{large.key}/items").status == 400
    assert len(large.items()) == large.childCount


def test_a_movies_id_answers_the_movie(ask: Asker, simulator: Simulator) -> None:
    movie = simulator.catalogue.items("1", "movie")[0]
    row = ask(f"/library/collections/{movie.rating_key}").xml[0]
    assert row.get("type") == "movie"
    assert ask("/library/collections/999").status == 404


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


def test_plexapi_makes_fills_orders_and_deletes_a_collection(
    plex_fresh: PlexServer, fresh: Simulator
) -> None:
    section = plex_fresh.library.sectionByID(1)
    one, two, three, four = section.all()[:4]
    made = section.createCollection("Mine & Yours", items=[one, two])
    assert (made.title, made.subtype, made.childCount) == ("Mine & Yours", "movie", 2)
    made.addItems([three, one])
    made.sortUpdate("custom")
    assert [item.ratingKey for item in made.reload().items()] == [
        one.ratingKey,
        two.ratingKey,
        three.ratingKey,
    ]
    made.moveItem(three)
    made.moveItem(one, after=two)
    made.removeItems([two])
    made.addItems([four])
    made.editTitle("Ours").editSummary("Shared.")
    made.modeUpdate("hide")
    kept = plex_fresh.fetchItem(made.ratingKey)
    assert (kept.title, kept.summary, kept.collectionMode) == ("Ours", "Shared.", 0)
    assert [item.ratingKey for item in kept.items()] == [
        three.ratingKey,
        one.ratingKey,
        four.ratingKey,
    ]
    tagged = fresh.catalogue.item(str(one.ratingKey))
    assert tagged is not None
    assert "Ours" in [tag.tag for tag in tagged.collections]
    kept.delete()
    assert fresh.catalogue.collection(str(made.ratingKey)) is None


def test_a_smart_collection_takes_no_items(plex_fresh: PlexServer) -> None:
    section = plex_fresh.library.sectionByID(1)
    smart = section.createCollection("Old", smart=True, sort="year:asc", filters={"year<<": 1960})
    years = [item.year for item in smart.items()]
    assert years == sorted(years)
    assert max(years) < 1960
    with pytest.raises(BadRequest):
        smart.addItems(section.all()[0])
    uri = f"{plex_fresh._uriRoot()}/library/metadata/{section.all()[0].ratingKey}"
    with pytest.raises(BadRequest, match="400"):
        plex_fresh.query(f"{smart.key}/items", method=plex_fresh._session.put, params={"uri": uri})


def test_adding_what_is_in_already_changes_nothing(
    plex_fresh: PlexServer, fresh: Simulator
) -> None:
    collections = plex_fresh.library.sectionByID(1).collections()
    made = next(c for c in collections if c.childCount and not c.smart)
    before = fresh.catalogue.collection(str(made.ratingKey))
    made.addItems(made.items())
    assert fresh.catalogue.collection(str(made.ratingKey)) == before


def test_plexapi_makes_fills_orders_and_deletes_a_playlist(plex_fresh: PlexServer) -> None:
    one, two, three = plex_fresh.library.sectionByID(1).all()[:3]
    made = plex_fresh.createPlaylist("Tonight", items=[one, two])
    made.addItems([three, one])
    made.reload()
    assert [i.ratingKey for i in made.items()] == [
        one.ratingKey,
        two.ratingKey,
        three.ratingKey,
        one.ratingKey,
    ]
    made.moveItem(made.items()[2])
    made.reload()
    made.removeItems([made.items()[1]])
    made.reload()
    assert [i.ratingKey for i in made.items()] == [three.ratingKey, two.ratingKey, one.ratingKey]
    made.editTitle("Tomorrow")
    assert plex_fresh.playlist("Tomorrow").leafCount == 3
    made.delete()
    with pytest.raises(NotFound):
        plex_fresh.playlist("Tomorrow")


def test_others_than_the_owner_may_not_edit_collections(fresh: Simulator) -> None:
    viewer = connect(fresh, fresh.viewer_token)
    made = viewer.library.sectionByID(1).collections()[0]
    with pytest.raises(BadRequest, match="403"):
        made.delete()
    viewer._session.close()


def test_an_overlong_url_is_refused(ask: Asker) -> None:
    assert ask(f"/library/metadata/{'1000,' * 1_700}1").status == 414
