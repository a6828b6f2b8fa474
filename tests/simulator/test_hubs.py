from plexapi.server import PlexServer

from plex_simulator import Simulator

from .conftest import NOW, PlexClient

MONTH = 30 * 86_400


def test_search_returns_three_results_per_hub_by_default(client: PlexClient) -> None:
    hubs = list(client.get("/hubs/search?query=the").xml)
    assert len(hubs) == 17
    for hub in hubs:
        assert hub.get("size") == str(len(hub))
        assert len(hub) <= 3
    assert max(len(hub) for hub in client.get("/hubs/search?query=the&limit=40").xml) > 3


def test_search_refuses_the_same_queries_as_plex(client: PlexClient) -> None:
    assert client.get("/hubs/search?query=%20").status == 400
    assert client.get("/hubs/search").status == 400
    assert client.get("/hubs/search?query=the&limit=0").status == 500
    assert client.get("/hubs/search?query=the&sectionId=0").status == 400
    assert client.get("/hubs/search?query=the&sectionId=77").status == 400


def test_searching_for_one_letter_finds_nothing(client: PlexClient) -> None:
    assert {hub.get("size") for hub in client.get("/hubs/search?query=t").xml} == {"0"}


def test_search_finds_titles_with_a_word_that_starts_with_the_query(
    client: PlexClient, simulator: Simulator
) -> None:
    rows = client.get("/hubs/search?query=gar&limit=500").xml.findall("Hub[@type='movie']/Video")
    found = {row.get("ratingKey") for row in rows if row.get("reason") is None}
    expected = {
        item.rating_key
        for key in ("1", "8")
        for item in simulator.catalogue.items(key, "movie")
        if " gar" in f" {item.title.casefold()}"
    }
    assert found == expected
    assert expected
    assert all(row.get("librarySectionID") in ("1", "8") for row in rows)


def test_searching_for_an_actor_finds_the_actor_and_the_movies(
    client: PlexClient, simulator: Simulator
) -> None:
    movie = next(item for item in simulator.catalogue.items("1", "movie") if item.roles)
    role = movie.roles[0]
    hubs = client.get(f"/hubs/search?query={role.tag.replace(' ', '%20')}&limit=500").xml
    people = hubs.findall("Hub[@type='actor']/Directory")
    assert str(role.id) in [person.get("id") for person in people]
    assert all(person.get("ratingKey") is None for person in people)
    rows = hubs.findall("Hub[@type='movie']/Video")
    row = next(row for row in rows if row.get("ratingKey") == movie.rating_key)
    assert row.get("reason") == "actor"
    assert row.get("reasonTitle") == role.tag
    assert row.get("reasonID") == str(role.id)


def test_a_section_id_sorts_the_results_without_filtering_them(client: PlexClient) -> None:
    rows = client.get("/hubs/search?query=in&limit=500&sectionId=8").xml.findall(
        "Hub[@type='movie']/Video"
    )
    order = [row.get("librarySectionID") for row in rows]
    assert set(order) == {"1", "8"}
    assert order == sorted(order, reverse=True)


def test_search_leaves_out_the_hidden_library(client: PlexClient) -> None:
    response = client.get("/hubs/search?query=the&limit=500")
    assert b'librarySectionID="11"' not in response.body


def test_search_works_after_an_item_is_removed(fresh: Simulator, fresh_client: PlexClient) -> None:
    removed = fresh.catalogue.add("1", "movie", "Quite Gone Soon")
    fresh.catalogue.remove(removed.rating_key)
    assert fresh_client.get("/hubs/search?query=quite+gone&limit=5").status == 200


def test_plexapi_can_search_all_hubs(plex: PlexServer) -> None:
    found = plex.search("the", mediatype="movie", limit=20)
    assert len(found) == 20
    assert plex.search("no such thing anywhere") == []


def test_a_season_that_was_added_at_once_is_one_recently_added_row(
    client: PlexClient, simulator: Simulator
) -> None:
    shows = simulator.catalogue.items("2", "show")
    season = simulator.catalogue.children(shows[3].rating_key)[-1]
    single = simulator.catalogue.children(
        simulator.catalogue.children(shows[6].rating_key)[-1].rating_key
    )[-1]
    rows = list(client.get("/hubs/home/recentlyAdded?type=2").xml)
    by_key = {row.get("ratingKey"): row for row in rows}
    assert by_key[season.rating_key].get("type") == "season"
    assert by_key[single.rating_key].get("type") == "episode"
    assert not {e.rating_key for e in simulator.catalogue.children(season.rating_key)} & set(by_key)
    added = [int(row.get("addedAt", "")) for row in rows]
    assert added == sorted(added, reverse=True)


def test_recently_added_has_all_types_and_50_rows_unless_paged(
    client: PlexClient, simulator: Simulator
) -> None:
    rows = list(client.get("/library/recentlyAdded").xml)
    assert len(rows) == 50
    assert {"movie", "season"} <= {str(row.get("type")) for row in rows}
    assert all(row.get("librarySectionUUID") for row in rows)
    page = client.page("/library/recentlyAdded", 40, 30)
    assert len(page.keys) == 30
    recent = [
        row.get("ratingKey")
        for row in client.page("/library/recentlyAdded", 0, 5_000).xml
        if row.get("type") == "movie" and int(row.get("addedAt", "")) > NOW - MONTH
    ]
    expected = {
        item.rating_key
        for key in ("1", "8")
        for item in simulator.catalogue.items(key, "movie")
        if item.added_at > NOW - MONTH
    }
    assert set(recent) == expected


def test_on_deck_lists_items_in_progress(client: PlexClient, simulator: Simulator) -> None:
    rows = list(client.get("/library/onDeck").xml)
    assert {"movie", "episode"} <= {str(row.get("type")) for row in rows}
    for row in rows:
        if row.get("type") == "movie":
            assert int(row.get("viewOffset", "")) > 0
    on_deck = client.get("/library/onDeck").keys
    assert client.get("/hubs/continueWatching/items").keys == on_deck
    (hub,) = client.get("/hubs/continueWatching?count=2").xml
    assert [row.get("ratingKey") for row in hub] == on_deck[:2]
