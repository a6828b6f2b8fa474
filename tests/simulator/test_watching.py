from urllib.parse import quote

import pytest
from plexapi.server import PlexServer

from plex_simulator import Simulator
from plex_simulator.models import Account, Item, WatchState

from .conftest import PlexClient, connect

IDENTIFIER = "identifier=com.plexapp.plugins.library"
CLIENT = {"X_Plex_Client_Identifier": "tv", "X_Plex_Product": "Nest"}
TIMELINE = f"/:/timeline?{IDENTIFIER}"


@pytest.fixture
def anna(fresh: Simulator) -> Account:
    return fresh.add_account("Anna")


@pytest.fixture
def movie(fresh: Simulator, anna: Account) -> Item:
    """A movie of 100 minutes that Anna has not seen."""
    movies = fresh.catalogue.items("1", "movie")
    unseen = next(movie for movie in movies if movie.seen_by(anna) == WatchState())
    return fresh.catalogue.change(unseen.rating_key, duration=6_000_000)


def row(client: PlexClient, account: Account, key: str) -> dict[str, str]:
    """Return the attributes of an item as an account sees it."""
    found = client.get(f"/library/metadata/{key}", token=account.server_token)
    return found.xml[0].attrib


def call(client: PlexClient, account: Account, path: str, **query: object) -> int:
    pairs = "&".join(f"{name}={value}" for name, value in query.items())
    response = client.get(f"{path}?{IDENTIFIER}&{pairs}", token=account.server_token)
    if response.status == 200:
        assert (response.headers["Content-Type"], response.body) == ("text/html", b"")
    return response.status


def report(client: PlexClient, account: Account, movie: Item, time: int, **options: str) -> None:
    state, session = options.get("state", "playing"), options.get("session", "one")
    path = f"{TIMELINE}&ratingKey={movie.rating_key}&time={time}&state={state}"
    headers = {**CLIENT, "X_Plex_Session_Identifier": session}
    assert client.post(path, token=account.server_token, **headers).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_each_scrobble_adds_a_view_and_clears_the_resume_point(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item, method: str
) -> None:
    key = movie.rating_key
    fresh.catalogue.set_progress(key, anna, 600_000)
    for _ in range(3):
        path = f"/:/scrobble?key={key}&{IDENTIFIER}"
        response = fresh_client.request(method, path, anna.server_token, {})
        assert (response.status, response.body) == (200, b"")
        assert response.headers["Content-Type"] == "text/html"
    seen = row(fresh_client, anna, key)
    assert seen["viewCount"] == "3"
    assert "viewOffset" not in seen
    assert int(seen["lastViewedAt"]) >= fresh.catalogue.started_at
    assert call(fresh_client, anna, "/:/unscrobble", key=key) == 200
    seen = row(fresh_client, anna, key)
    assert not {"viewCount", "viewOffset"} & seen.keys()


def test_marking_a_show_or_a_season_marks_all_episodes(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    show = fresh.catalogue.items("2", "show")[3]
    season = fresh.catalogue.children(show.rating_key)[0]
    call(fresh_client, anna, "/:/unscrobble", key=show.rating_key)
    assert row(fresh_client, anna, show.rating_key)["viewedLeafCount"] == "0"
    call(fresh_client, anna, "/:/scrobble", key=season.rating_key)
    count = str(season.leaf_count)
    assert row(fresh_client, anna, season.rating_key)["viewedLeafCount"] == count
    assert row(fresh_client, anna, show.rating_key)["viewedLeafCount"] == count
    call(fresh_client, anna, "/:/scrobble", key=show.rating_key)
    total = row(fresh_client, anna, show.rating_key)
    assert total["viewedLeafCount"] == total["leafCount"]


def test_a_rated_show_follows_the_marks_of_its_episodes(
    fresh: Simulator, fresh_client: PlexClient, anna: Account
) -> None:
    show = fresh.catalogue.items("2", "show")[3]
    call(fresh_client, anna, "/:/unscrobble", key=show.rating_key)
    call(fresh_client, anna, "/:/rate", key=show.rating_key, rating=7)
    season = fresh.catalogue.children(show.rating_key)[0]
    episode = fresh.catalogue.children(season.rating_key)[0]
    call(fresh_client, anna, "/:/scrobble", key=episode.rating_key)
    seen = row(fresh_client, anna, show.rating_key)
    assert (seen["viewedLeafCount"], float(seen["userRating"])) == ("1", 7)


def test_a_rating_is_a_number_from_0_to_10_and_minus_1_removes_it(
    fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    key = movie.rating_key
    for rating in ("11", "-2", "nan", "", "good"):
        assert call(fresh_client, anna, "/:/rate", key=key, rating=rating) == 400
    assert call(fresh_client, anna, "/:/rate", key=key, rating=7.5) == 200
    assert row(fresh_client, anna, key)["userRating"] == "7.5"
    assert call(fresh_client, anna, "/:/rate", key=key, rating=-1) == 200
    assert "userRating" not in row(fresh_client, anna, key)


def test_progress_sets_the_resume_point_and_leaves_the_views(
    fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    key = movie.rating_key
    call(fresh_client, anna, "/:/scrobble", key=key)
    assert call(fresh_client, anna, "/:/progress", key=key, time=600_001, state="stopped") == 200
    seen = row(fresh_client, anna, key)
    assert (seen["viewOffset"], seen["viewCount"]) == ("600001", "1")
    for ignored in (0, 1, 59_999):
        assert call(fresh_client, anna, "/:/progress", key=key, time=ignored) == 200
    assert row(fresh_client, anna, key)["viewOffset"] == "600001"
    assert call(fresh_client, anna, "/:/progress", key=key, time="soon") == 400


@pytest.mark.parametrize("path", ["/:/scrobble", "/:/unscrobble", "/:/progress", "/:/rate"])
def test_invalid_requests_are_refused_in_html(
    fresh_client: PlexClient, anna: Account, movie: Item, path: str
) -> None:
    options = "&time=90000&rating=5"
    for query, status in (
        (f"{IDENTIFIER}{options}", 400),
        (f"key={movie.rating_key}{options}", 400),
        (f"key=sixteen&{IDENTIFIER}{options}", 400),
        (f"key=999&{IDENTIFIER}{options}", 404),
    ):
        refused = fresh_client.get(f"{path}?{query}", token=anna.server_token)
        assert (refused.status, refused.headers["Content-Type"]) == (status, "text/html")


def test_an_item_can_be_named_by_its_uri(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    path = f"/library/metadata/{movie.rating_key}"
    uri = quote(f"server://{fresh.machine_identifier}/com.plexapp.plugins.library{path}", safe="")
    assert call(fresh_client, anna, "/:/scrobble", uri=uri) == 200
    assert row(fresh_client, anna, movie.rating_key)["viewCount"] == "1"


def test_crossing_the_threshold_within_a_session_marks_a_movie_once(
    fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    report(fresh_client, anna, movie, 300_000)
    assert row(fresh_client, anna, movie.rating_key)["viewOffset"] == "300000"
    for time in (5_400_000, 5_500_000, 5_600_000):
        report(fresh_client, anna, movie, time)
    report(fresh_client, anna, movie, 5_700_000, state="stopped")
    seen = row(fresh_client, anna, movie.rating_key)
    assert seen["viewCount"] == "1"
    assert "viewOffset" not in seen


def test_a_single_report_above_the_threshold_changes_nothing(
    fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    report(fresh_client, anna, movie, 5_700_000, state="stopped")
    assert not {"viewCount", "viewOffset"} & row(fresh_client, anna, movie.rating_key).keys()


@pytest.mark.parametrize(("first", "then"), [("stopped", "one"), ("playing", "two")])
def test_progress_of_an_earlier_session_does_not_count_for_the_next(
    fresh_client: PlexClient, anna: Account, movie: Item, first: str, then: str
) -> None:
    report(fresh_client, anna, movie, 300_000, state=first)
    report(fresh_client, anna, movie, 5_700_000, session=then)
    seen = row(fresh_client, anna, movie.rating_key)
    assert (seen.get("viewCount"), seen["viewOffset"]) == (None, "300000")


def test_a_report_is_answered_with_the_watch_state(
    fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    path = f"{TIMELINE}&ratingKey={movie.rating_key}&time=75000&state=playing"
    headers = {**CLIENT, "Accept": "application/json"}
    answer = fresh_client.post(path, token=anna.server_token, **headers).json
    expected = {"playbackState": "progress", "skipCount": 0, "viewCount": 0, "viewOffset": 75_000}
    assert answer == {"MediaContainer": {"size": 0, **expected}}


@pytest.mark.parametrize("missing", ["ratingKey", "time", "state", "client"])
def test_an_incomplete_report_is_refused(
    fresh_client: PlexClient, anna: Account, movie: Item, missing: str
) -> None:
    query = {"ratingKey": movie.rating_key, "time": "90000", "state": "playing"}
    pairs = "&".join(f"{name}={value}" for name, value in query.items() if name != missing)
    headers = {} if missing == "client" else CLIENT
    refused = fresh_client.post(f"{TIMELINE}&{pairs}", token=anna.server_token, **headers)
    assert refused.status == 400


def test_sessions_that_clients_report_are_listed_until_they_stop(
    fresh: Simulator, fresh_client: PlexClient, fresh_plex: PlexServer, anna: Account, movie: Item
) -> None:
    before = len(fresh_plex.sessions())
    report(fresh_client, anna, movie, 300_000)
    report(fresh_client, anna, movie, 310_000, state="paused")
    *_, session = fresh_plex.sessions()
    assert (session.usernames, session.viewOffset) == (["Anna"], 310_000)
    assert (session.player.machineIdentifier, session.player.state) == ("tv", "paused")
    assert session.sessionKey == before + 1
    report(fresh_client, anna, movie, 320_000, state="stopped")
    assert len(fresh_plex.sessions()) == before


def test_plexapi_marks_rates_and_reports(fresh: Simulator, anna: Account, movie: Item) -> None:
    server = connect(fresh, anna.server_token)
    item = server.fetchItem(int(movie.rating_key))
    item.markPlayed().markPlayed().rate(8)
    assert (item.reload().viewCount, item.userRating) == (2, 8)
    item.rate(None)
    item.markUnplayed().updateProgress(120_000)
    assert (item.reload().viewCount, item.viewOffset, item.userRating) == (0, 120_000, None)
    item.updateTimeline(180_000, state="playing")
    item.updateTimeline(5_900_000, state="stopped")
    assert (item.reload().viewCount, item.viewOffset) == (1, 0)
    server._session.close()


def test_the_owner_changes_the_threshold_for_all_accounts(
    fresh_plex: PlexServer, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    assert fresh_plex.settings.get("LibraryVideoPlayedThreshold").value == 90
    fresh_plex.settings.get("LibraryVideoPlayedThreshold").set(50)
    fresh_plex.settings.save()
    report(fresh_client, anna, movie, 300_000)
    report(fresh_client, anna, movie, 3_000_000)
    assert row(fresh_client, anna, movie.rating_key)["viewCount"] == "1"


def test_only_the_owner_changes_settings_and_only_to_valid_values(
    fresh_client: PlexClient, anna: Account
) -> None:
    path = "/:/prefs?OnDeckLimit=5"
    assert fresh_client.request("PUT", path, anna.server_token, {}).status == 403
    for query in ("OnDeckLimit=many", "OnDeckIncludePremieres=maybe", "Nothing=1"):
        assert fresh_client.request("PUT", f"/:/prefs?{query}", "owner", {}).status == 400
    assert fresh_client.request("PUT", path, "owner", {}).status == 200
    assert len(fresh_client.get("/library/onDeck").keys) == 5


def test_continue_watching_belongs_to_the_account_and_forgets_after_some_weeks(
    fresh: Simulator, fresh_client: PlexClient, anna: Account, movie: Item
) -> None:
    ben = fresh.add_account("Ben")
    show = fresh.catalogue.items("2", "show")[3]
    call(fresh_client, anna, "/:/unscrobble", key=show.rating_key)
    season = fresh.catalogue.children(show.rating_key)[1]
    first, second, *_ = fresh.catalogue.children(season.rating_key)
    assert call(fresh_client, anna, "/:/progress", key=second.rating_key, time=90_000) == 200
    assert call(fresh_client, anna, "/:/progress", key=movie.rating_key, time=90_000) == 200
    on_deck = fresh_client.get("/library/onDeck", token=anna.server_token).keys
    assert {second.rating_key, movie.rating_key} <= set(on_deck)
    assert first.rating_key not in on_deck
    assert on_deck != fresh_client.get("/library/onDeck", token=ben.server_token).keys
    sixteen_weeks_ago = fresh.catalogue.now() - 16 * 7 * 86_400
    for entry in fresh_client.get("/library/onDeck", token=anna.server_token).xml:
        found = fresh.catalogue.item(entry.get("grandparentRatingKey") or entry.get("ratingKey"))
        assert found.seen_by(anna).last_viewed_at >= sixteen_weeks_ago
