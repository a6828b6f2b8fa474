from plexapi.server import PlexServer

from plex_simulator import Simulator

from .conftest import NOW, Asker

MONTH = 30 * 86_400


def test_search_answers_hubs_of_three_by_default(ask: Asker) -> None:
    hubs = list(ask("/hubs/search?query=the").xml)
    assert len(hubs) == 17
    for hub in hubs:
        assert hub.get("size") == str(len(hub))
        assert len(hub) <= 3
    assert max(len(hub) for hub in ask("/hubs/search?query=the&limit=40").xml) > 3


def test_search_refuses_what_plex_refuses(ask: Asker) -> None:
    assert ask("/hubs/search?query=%20").status == 400
    assert ask("/hubs/search").status == 400
    assert ask("/hubs/search?query=the&limit=0").status == 500
    assert ask("/hubs/search?query=the&sectionId=0").status == 400
    assert ask("/hubs/search?query=the&sectionId=77").status == 400


def test_one_letter_finds_nothing(ask: Asker) -> None:
    assert {hub.get("size") for hub in ask("/hubs/search?query=t").xml} == {"0"}


def test_titles_are_found_by_the_beginnings_of_words(ask: Asker, simulator: Simulator) -> None:
    rows = ask("/hubs/search?query=gar&limit=500").xml.findall("Hub[@type='movie']/Video")
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


def test_an_actors_name_finds_the_actor_and_the_films(ask: Asker, simulator: Simulator) -> None:
    film = next(item for item in simulator.catalogue.items("1", "movie") if item.roles)
    role = film.roles[0]
    hubs = ask(f"/hubs/search?query={role.tag.replace(' ', '%20')}&limit=500").xml
    people = hubs.findall("Hub[@type='actor']/Directory")
    assert str(role.id) in [person.get("id") for person in people]
    assert all(person.get("ratingKey") is None for person in people)
    rows = hubs.findall("Hub[@type='movie']/Video")
    row = next(row for row in rows if row.get("ratingKey") == film.rating_key)
    assert row.get("reason") == "actor"
    assert row.get("reasonTitle") == role.tag
    assert row.get("reasonID") == str(role.id)


def test_a_section_ranks_and_does_not_filter(ask: Asker) -> None:
    rows = ask("/hubs/search?query=the&limit=500&sectionId=8").xml.findall(
        "Hub[@type='movie']/Video"
    )
    order = [row.get("librarySectionID") for row in rows]
    assert set(order) == {"1", "8"}
    assert order == sorted(order, reverse=True)


def test_the_hidden_library_is_not_searched(ask: Asker) -> None:
    answer = ask("/hubs/search?query=the&limit=500")
    assert b'librarySectionID="11"' not in answer.body


def test_plexapi_searches_over_all_hubs(plex: PlexServer) -> None:
    found = plex.search("the", mediatype="movie", limit=20)
    assert len(found) == 20
    assert plex.search("no such thing anywhere") == []


def test_a_season_added_at_once_is_one_row(ask: Asker, simulator: Simulator) -> None:
    shows = simulator.catalogue.items("2", "show")
    season = simulator.catalogue.children(shows[3].rating_key)[-1]
    single = simulator.catalogue.children(
        simulator.catalogue.children(shows[6].rating_key)[-1].rating_key
    )[-1]
    rows = list(ask("/hubs/home/recentlyAdded?type=2").xml)
    by_key = {row.get("ratingKey"): row for row in rows}
    assert by_key[season.rating_key].get("type") == "season"
    assert by_key[single.rating_key].get("type") == "episode"
    assert not {e.rating_key for e in simulator.catalogue.children(season.rating_key)} & set(by_key)
    added = [int(row.get("addedAt", "")) for row in rows]
    assert added == sorted(added, reverse=True)


def test_recently_added_mixes_types_and_is_limited_unless_paged(
    ask: Asker, simulator: Simulator
) -> None:
    rows = list(ask("/library/recentlyAdded").xml)
    assert len(rows) == 50
    assert {"movie", "season"} <= {str(row.get("type")) for row in rows}
    assert all(row.get("librarySectionUUID") for row in rows)
    page = ask.page("/library/recentlyAdded", 40, 30)
    assert len(page.keys) == 30
    recent = [
        row.get("ratingKey")
        for row in ask.page("/library/recentlyAdded", 0, 5_000).xml
        if row.get("type") == "movie" and int(row.get("addedAt", "")) > NOW - MONTH
    ]
    expected = {
        item.rating_key
        for key in ("1", "8")
        for item in simulator.catalogue.items(key, "movie")
        if item.added_at > NOW - MONTH
    }
    assert set(recent) == expected


def test_on_deck_holds_what_was_begun(ask: Asker, simulator: Simulator) -> None:
    rows = list(ask("/library/onDeck").xml)
    assert {"movie", "episode"} <= {str(row.get("type")) for row in rows}
    for row in rows:
        if row.get("type") == "movie":
            assert int(row.get("viewOffset", "")) > 0
    assert ask("/hubs/continueWatching/items").keys == ask("/library/onDeck").keys
