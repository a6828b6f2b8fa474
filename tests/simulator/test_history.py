from datetime import datetime, timedelta

from plexapi.server import PlexServer

from plex_simulator import Simulator

from .conftest import PlexClient

HISTORY = "/status/sessions/history/all"


def test_marks_change_no_history(fresh: Simulator, fresh_client: PlexClient) -> None:
    before = fresh_client.get(HISTORY).body
    movies = fresh.catalogue.items("1", "movie")
    unseen = next(each for each in movies if not each.seen_by(fresh.catalogue.owner).view_count)
    seen = next(each for each in movies if each.seen_by(fresh.catalogue.owner).view_count)
    fresh_client.get(f"/:/scrobble?key={unseen.rating_key}&identifier=com.plexapp.plugins.library")
    fresh_client.get(f"/:/scrobble?key={seen.rating_key}&identifier=com.plexapp.plugins.library")
    fresh_client.get(f"/:/unscrobble?key={seen.rating_key}&identifier=com.plexapp.plugins.library")
    assert fresh_client.get(HISTORY).body == before


def test_the_history_lists_each_play_with_its_account(
    client: PlexClient, simulator: Simulator
) -> None:
    rows = list(client.get(HISTORY).xml)
    times = [int(row.get("viewedAt", "")) for row in rows]
    assert times == sorted(times, reverse=True)
    assert len({row.get("historyKey") for row in rows}) == len(rows)
    played = {
        (movie.rating_key, str(user.id), str(movie.seen_by(user).last_viewed_at))
        for movie in simulator.catalogue.items("1", "movie")
        for user in simulator.catalogue.users
        if movie.seen_by(user).view_count
    }
    names = ("ratingKey", "accountID", "viewedAt")
    assert {tuple(row.get(name) for name in names) for row in rows} == played
    for name in ("duration", "viewOffset", "guid"):
        assert not [row for row in rows if name in row.attrib]


def test_only_the_owner_sees_what_others_played(client: PlexClient, simulator: Simulator) -> None:
    viewer = str(simulator.catalogue.viewer.id)
    own = client.get(HISTORY, token="viewer")
    assert {row.get("accountID") for row in own.xml} == {viewer}
    assert client.get(f"{HISTORY}?accountID={viewer}").body == own.body
    assert list(client.get(f"{HISTORY}?accountID=1", token="viewer").xml) == []


def test_plexapi_reads_the_history_of_a_movie_and_of_a_time(
    plex: PlexServer, simulator: Simulator
) -> None:
    everything = plex.history()
    newest = everything[0]
    found = plex.history(ratingKey=newest.ratingKey)
    assert newest.historyKey in {row.historyKey for row in found}
    assert {row.ratingKey for row in found} == {newest.ratingKey}
    limit: datetime = everything[20].viewedAt
    recent = plex.history(mindate=limit + timedelta(seconds=1))
    assert [row.historyKey for row in recent] == [
        row.historyKey for row in everything if row.viewedAt > limit
    ]
    assert plex.history(librarySectionID=2) == []


def test_an_invalid_sort_of_the_history_is_answered_with_400(client: PlexClient) -> None:
    assert client.get(f"{HISTORY}?sort=viewedAt:sideways").status == 400
    assert client.get(f"{HISTORY}?sort=bogus:desc").status == 400
