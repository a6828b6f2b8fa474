"""An item by itself: everything Plex holds, its children, and finding it by an outside id."""

from typing import Any

import pytest

from plex_simulator import Simulator
from tests.conftest import Client


def test_an_item_has_all_its_actors_streams_chapters_and_ratings(
    api: Client, plex: Simulator
) -> None:
    movies = plex.catalogue.items("1", "movie")
    movie = max(movies, key=lambda item: (len(item.roles), len(item.chapters)))
    assert len(movie.roles) > 20
    item = api.data(f"/plex/items/{movie.rating_key}")["item"]
    assert [actor["tag"] for actor in item["actors"]] == [role.tag for role in movie.roles]
    assert [producer["tag"] for producer in item.get("producers", [])] == [
        producer.tag for producer in movie.producers
    ]
    assert [rating["value"] for rating in item.get("ratings", [])] == [
        rating.value for rating in movie.ratings
    ]
    streams = [stream for media in movie.media for part in media.parts for stream in part.streams]
    shown = [
        stream for media in item["media"] for part in media["parts"] for stream in part["streams"]
    ]
    assert [stream["id"] for stream in shown] == [stream.id for stream in streams]
    assert {stream["streamType"] for stream in shown} <= {"video", "audio", "subtitle", "lyrics"}
    assert [
        (stream["selected"], stream["forced"], stream.get("title"), stream.get("width"))
        for stream in shown
    ] == [(stream.selected, stream.forced, stream.title, stream.width) for stream in streams]
    assert item["library"] == {"id": "1", "title": "Movies", "type": "movie"}


def test_an_item_with_chapters_tells_where_they_begin(api: Client, plex: Simulator) -> None:
    movie = next(item for item in plex.catalogue.items("1", "movie") if item.chapters)
    item = api.data(f"/plex/items/{movie.rating_key}")["item"]
    assert [chapter["startTimeOffset"] for chapter in item["chapters"]] == [
        chapter.start for chapter in movie.chapters
    ]


def test_an_item_costs_one_request_once_the_libraries_are_known(
    api: Client, plex: Simulator
) -> None:
    movie = plex.catalogue.items("1", "movie")[0]
    api.data("/plex/search?query=the")
    plex.reset_requests()
    api.data(f"/plex/items/{movie.rating_key}")
    assert [request.path for request in plex.requests] == [f"/library/metadata/{movie.rating_key}"]


@pytest.mark.parametrize(
    ("library", "parent", "child"),
    [("2", "show", "season"), ("2", "season", "episode"), ("5", "artist", "album"),
     ("5", "album", "track")],
)  # fmt: skip
def test_children_are_listed_in_plexs_order_with_their_parent(
    api: Client, plex: Simulator, library: str, parent: str, child: str
) -> None:
    above = max(
        plex.catalogue.items(library, parent),
        key=lambda item: len(plex.catalogue.children(item.rating_key)),
    )
    children = plex.catalogue.children(above.rating_key)
    data = api.data(f"/plex/items/{above.rating_key}/children")
    assert data["parent"]["ratingKey"] == above.rating_key
    assert [item["ratingKey"] for item in data["items"]] == [each.rating_key for each in children]
    assert {item["type"] for item in data["items"]} == {child}
    assert all(item["parentRatingKey"] == above.rating_key for item in data["items"])
    assert data["pagination"] == {
        "start": 0, "size": 50, "total": len(children), "hasMore": False
    }  # fmt: skip


def test_walking_the_pages_of_children_gives_each_once(api: Client, plex: Simulator) -> None:
    show = max(
        plex.catalogue.items("2", "show"),
        key=lambda item: len(plex.catalogue.children(item.rating_key)),
    )
    expected = [each.rating_key for each in plex.catalogue.children(show.rating_key)]
    walked: list[str] = []
    while True:
        data = api.data(f"/plex/items/{show.rating_key}/children?size=2&start={len(walked)}")
        walked += [item["ratingKey"] for item in data["items"]]
        if not data["pagination"]["hasMore"]:
            break
    assert walked == expected


def test_what_has_no_children_says_so(api: Client, plex: Simulator) -> None:
    movie = plex.catalogue.items("1", "movie")[0]
    api.error(f"/plex/items/{movie.rating_key}/children", 404, "ITEM_NOT_FOUND")


@pytest.mark.parametrize("key", ["999999999", "abc", "12345678901"])
def test_an_unknown_item_is_not_found(api: Client, key: str) -> None:
    api.error(f"/plex/items/{key}", 404, "ITEM_NOT_FOUND")
    api.error(f"/plex/items/{key}/children", 404, "ITEM_NOT_FOUND")


def test_a_collection_is_no_item(api: Client, plex: Simulator) -> None:
    collection = plex.catalogue.collections("1")[0]
    api.error(f"/plex/items/{collection.rating_key}", 404, "ITEM_NOT_FOUND")


def test_an_item_is_found_by_its_plex_guid(api: Client, plex: Simulator) -> None:
    for library, kind in (("1", "movie"), ("2", "show"), ("2", "episode"), ("5", "album")):
        item = next(
            each
            for each in plex.catalogue.items(library, kind)
            if each.guid.startswith(f"plex://{kind}/")
        )
        data = api.data(f"/plex/items/lookup?guid={item.guid}")
        assert item.rating_key in [found["ratingKey"] for found in data["items"]]
        assert {found["guid"] for found in data["items"]} == {item.guid}
        assert data["total"] == len(data["items"])


@pytest.mark.parametrize("site", ["imdb", "tmdb", "tvdb"])
def test_an_item_is_found_by_an_outside_id(api: Client, plex: Simulator, site: str) -> None:
    for library, kind in (("1", "movie"), ("2", "show")):
        item, guid = next(
            (each, guid)
            for each in plex.catalogue.items(library, kind)
            for guid in each.guids
            if guid.startswith(f"{site}://") and each.guid.startswith("plex://")
        )
        data = api.data(f"/plex/items/lookup?guid={guid}")
        assert item.rating_key in [found["ratingKey"] for found in data["items"]]
        assert {found["externalIds"][site] for found in data["items"]} == {guid.split("://")[1]}


def test_a_library_without_an_agent_gets_no_request_for_a_match(
    api: Client, plex: Simulator
) -> None:
    agents = {each.key: each.agent for each in plex.catalogue.libraries}
    assert agents["8"] == "com.plexapp.agents.none"
    plex.reset_requests()
    api.data("/plex/items/lookup?guid=imdb://tt0000002")
    requested = [each.path for each in plex.requests]
    assert "/library/sections/1/all" in requested
    assert "/library/sections/8/all" not in requested
    matched = [each for each in plex.requests if each.path.endswith("/matches")]
    assert matched
    assert not [each for each in matched if "agents.none" in each.query]


def test_an_id_that_nothing_has_finds_nothing(api: Client) -> None:
    assert api.data("/plex/items/lookup?guid=imdb://tt0000001") == {"items": [], "total": 0}
    assert api.data("/plex/items/lookup?guid=plex://movie/000000000000000000000000") == {
        "items": [],
        "total": 0,
    }


@pytest.mark.parametrize(
    "guid", ["", "imdb", "imdb://0944947", "tmdb://x", "http://example.com", "plex://movie/../x",
             "imdb://tt1\n", "tvdb://%31"],
)  # fmt: skip
def test_what_is_no_guid_is_refused_by_name(api: Client, plex: Simulator, guid: str) -> None:
    plex.reset_requests()
    error = api.error("/plex/items/lookup", 400, "VALIDATION_ERROR", params={"guid": guid})
    assert list(error["details"]) == ["guid"]
    assert plex.count("/library/all") == 0


def test_on_deck_comes_from_the_hub_of_a_server_that_has_no_such_list(
    api: Client, plex: Simulator
) -> None:
    listed = api.data("/plex/on-deck?limit=3")["items"]
    plex.fault("status", path="/library/onDeck", status=404)
    assert api.data("/plex/on-deck?limit=2")["items"] == listed[:2]


def test_on_deck_is_what_plex_would_continue_with_progress(api: Client, plex: Simulator) -> None:
    owner = plex.catalogue.owner
    data = api.data("/plex/on-deck?limit=200")
    assert 0 < data["total"] == len(data["items"]) <= 200
    for item in data["items"]:
        truth: Any = plex.catalogue.item(item["ratingKey"]).seen_by(owner)
        assert item["playbackProgress"]["viewOffset"] == (truth.view_offset or 0)
    assert any(item["playbackProgress"]["viewOffset"] for item in data["items"])


def test_genres_come_with_ids_that_filter_items(api: Client, plex: Simulator) -> None:
    data = api.data("/plex/libraries/1/genres")
    assert data["library"]["id"] == "1"
    assert data["total"] == len(data["genres"]) > 3
    genre = data["genres"][0]
    by_id = api.data(f"/plex/libraries/1/items?genre={genre['id']}&details=summary&size=1")
    truth = [
        item
        for item in plex.catalogue.items("1", "movie")
        if genre["title"] in [tag.tag for tag in item.genres]
    ]
    assert by_id["pagination"]["total"] == len(truth)


def _own_playlists(plex: Simulator) -> dict[str, Any]:
    owner = plex.catalogue.owner.id
    return {each.rating_key: each for each in plex.catalogue.playlists if each.user_id == owner}


def test_playlists_are_listed_whole_and_by_type(api: Client, plex: Simulator) -> None:
    mine = _own_playlists(plex)
    data = api.data("/plex/playlists")
    assert {each["ratingKey"] for each in data["playlists"]} == set(mine)
    assert data["total"] == len(mine)
    audio = api.data("/plex/playlists?type=audio")["playlists"]
    assert audio
    assert {each["playlistType"] for each in audio} == {"audio"}
    api.error("/plex/playlists?type=music", 400, "VALIDATION_ERROR")


def test_a_playlist_has_its_items_in_order_each_with_its_place(
    api: Client, plex: Simulator
) -> None:
    for playlist in _own_playlists(plex).values():
        truth: list[tuple[str, int | None]] = [
            (table.key(index), place)
            for place, table, index in plex.catalogue.playlist_rows(playlist.rating_key)
        ]
        if playlist.content is not None:
            items = plex.catalogue.run_query(playlist.content, plex.catalogue.owner, leaves=True)
            truth = [(item.rating_key, None) for item in items]
        data = api.data(f"/plex/playlists/{playlist.rating_key}?size=50")
        shown = [(item["ratingKey"], item["playlistItemId"]) for item in data["items"]]
        assert shown == truth[:50]
        assert data["pagination"]["total"] == len(truth)
        assert data["playlist"]["title"] == playlist.title


def test_what_is_no_playlist_is_not_found(api: Client, plex: Simulator) -> None:
    movie = plex.catalogue.items("1", "movie")[0]
    for key in (movie.rating_key, "999999999", "abc"):
        api.error(f"/plex/playlists/{key}", 404, "PLAYLIST_NOT_FOUND")
