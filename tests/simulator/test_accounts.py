import pytest

from plex_simulator import Simulator

from .conftest import PlexClient, control


def test_an_added_account_sees_the_shared_libraries_alone(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    anna = fresh.add_account("Anna", libraries=["1", "5"])
    sections = fresh_client.get("/library/sections", token=anna.server_token).xml
    assert [section.get("key") for section in sections] == ["1", "5"]
    refused = fresh_client.get("/library/sections/2/all", token=anna.server_token)
    assert (refused.status, refused.headers["Content-Type"]) == (403, "text/html")
    show = fresh.catalogue.items("2", "show")[0]
    path = f"/library/metadata/{show.rating_key}"
    assert fresh_client.get(path, token=anna.server_token).status == 404
    assert fresh_client.get("/library/sections/77/all", token=anna.server_token).status == 404


def test_the_server_refuses_account_tokens_of_everybody_but_the_owner(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    anna = fresh.add_account("Anna")
    assert anna.token != anna.server_token
    assert fresh_client.get("/library/sections", token=anna.server_token).status == 200
    assert fresh_client.get("/library/sections", token=anna.token).status == 401
    viewer = fresh.accounts.viewer
    assert fresh_client.get("/library/sections", token=viewer.token).status == 401
    assert fresh_client.get("/library/sections", token=fresh.accounts.owner.token).status == 200


def test_plex_tv_refuses_server_tokens(fresh: Simulator, fresh_client: PlexClient) -> None:
    anna = fresh.add_account("Anna")
    path = "/api/v2/user"
    accepted = fresh_client.get(path, token=anna.token, Accept="application/json")
    assert accepted.json["id"] == anna.plex_tv_id
    refused = fresh_client.get(path, token=anna.server_token, Accept="application/json")
    assert refused.status == 401
    assert refused.json["errors"][0]["code"] == 1001


def test_an_account_without_access_has_no_place_on_the_server(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    stranger = fresh.add_account("Stranger", libraries=[])
    assert fresh_client.get("/library/sections", token=stranger.server_token).status == 401
    names = [row.get("name") for row in fresh_client.get("/accounts").xml]
    assert names == ["", "Margit", "Oskar"]


def test_an_account_without_any_library_left_loses_access(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    anna = fresh.add_account("Anna", libraries=["1", "5"])
    fresh.unshare_library(anna, "5")
    sections = fresh_client.get("/library/sections", token=anna.server_token).xml
    assert [section.get("key") for section in sections] == ["1"]
    fresh.unshare_library(anna, "1")
    assert fresh_client.get("/library/sections", token=anna.server_token).status == 401
    other = fresh.add_account("Ben")
    fresh.remove_share(other)
    assert fresh_client.get("/library/sections", token=other.server_token).status == 401


def test_each_account_starts_with_its_own_watch_states(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    accounts = [fresh.add_account(f"Viewer {number}") for number in range(10)]
    pictures = {
        tuple(
            (row.get("viewCount"), row.get("viewOffset"), row.get("userRating"))
            for row in fresh_client.get("/library/sections/1/all", token=account.server_token).xml
        )
        for account in accounts
    }
    assert len(pictures) == 10
    with Simulator(seed=3, now=fresh.catalogue.started_at, movies=60) as twin:
        same = [twin.add_account(f"Viewer {number}") for number in range(10)]
        movie = fresh.catalogue.items("1", "movie")[8]
        again = twin.catalogue.items("1", "movie")[8]
        assert [again.seen_by(each) for each in same] == [movie.seen_by(each) for each in accounts]


def test_ratings_marks_and_playlists_belong_to_one_account(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    anna, ben = fresh.add_account("Anna"), fresh.add_account("Ben")
    movie = next(
        movie.rating_key
        for movie in fresh.catalogue.items("1", "movie")
        if movie.seen_by(ben).view_count == 0 and movie.seen_by(ben).user_rating is None
    )
    query = f"key={movie}&identifier=com.plexapp.plugins.library"
    assert fresh_client.get(f"/:/rate?{query}&rating=9", token=anna.server_token).status == 200
    fresh_client.get(f"/:/scrobble?{query}", token=anna.server_token)
    path = f"/library/metadata/{movie}"
    mine = fresh_client.get(path, token=anna.server_token).xml[0]
    theirs = fresh_client.get(path, token=ben.server_token).xml[0]
    assert float(mine.get("userRating", "")) == 9
    assert mine.get("viewCount") is not None
    assert (theirs.get("userRating"), theirs.get("viewCount")) == (None, None)
    uri = f"server://{fresh.machine_identifier}/com.plexapp.plugins.library{path}"
    created = fresh_client.post(f"/playlists?title=Mine&uri={uri}", token=anna.server_token)
    key = created.xml[0].get("ratingKey")
    assert fresh_client.get("/playlists", token=anna.server_token).keys == [key]
    assert fresh_client.get("/playlists", token=ben.server_token).keys == []


def test_the_history_of_an_added_account_holds_its_own_plays(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    anna = fresh.add_account("Anna")
    path = "/status/sessions/history/all"
    rows = fresh_client.get(path, token=anna.server_token).xml
    assert {row.get("accountID") for row in rows} == {str(anna.id)}
    assert str(anna.id) in {row.get("accountID") for row in fresh_client.get(path).xml}
    for owner_only in ("/accounts", "/status/sessions", "/:/prefs"):
        assert fresh_client.get(owner_only, token=anna.server_token).status == 403


@pytest.mark.parametrize(
    "attributes",
    [
        {"libraries": ["77"]},
        {"filters": {"filterFilms": "label!=Kids"}},
        {"restriction_profile": "grandpa"},
    ],
)
def test_an_account_with_unknown_attributes_is_refused(
    fresh: Simulator, attributes: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="unknown"):
        fresh.add_account("Anna", **attributes)
    assert control(fresh, "POST", "accounts", name="Anna", **attributes)[0] == 400


def test_a_managed_account_has_no_name_to_sign_in_with_and_no_email(fresh: Simulator) -> None:
    kid = fresh.add_account("Kid", restriction_profile="little_kid")
    assert (kid.home, kid.restricted, kid.username, kid.email) == (True, True, "", "")
    assert "contentRating=" in kid.share.filters["filterMovies"]  # type: ignore[union-attr]
    anna = fresh.add_account("Anna Lee", home=True, pin="1234")
    assert (anna.username, anna.email) == ("Anna Lee", "anna.lee@example.com")


def test_the_control_api_adds_changes_and_lists_accounts(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    filters = {"filterMovies": "label!=Kids"}
    added = control(fresh, "POST", "accounts", name="Anna", libraries=["1", "2"], filters=filters)
    assert (added["libraries"], added["filters"]) == (["1", "2"], filters)
    anna = fresh.accounts.find(added["id"])
    control(fresh, "PUT", "accounts/Anna/filters", filterMovies="label=Kids")
    control(fresh, "DELETE", f"accounts/{anna.uuid}/share/2")
    listed = control(fresh, "GET", "accounts")["accounts"]
    assert [account["name"] for account in listed] == ["Margit", "Oskar", "Anna"]
    assert listed[2]["libraries"] == ["1"]
    assert listed[2]["filters"] == {"filterMovies": "label=Kids"}
    assert anna.token not in repr(listed)
    assert anna.server_token not in repr(listed)
    control(fresh, "DELETE", f"accounts/{anna.id}/share")
    assert fresh_client.get("/library/sections", token=anna.server_token).status == 401
    assert control(fresh, "DELETE", "accounts/Nobody/share")[0] == 404
    assert control(fresh, "DELETE", "accounts/Anna/nothing")[0] == 404
    assert control(fresh, "DELETE", "accounts/owner/share")[0] == 400
    key = fresh.catalogue.items("1", "movie")[0].rating_key
    assert control(fresh, "POST", f"items/{key}/watched", user="Nobody")[0] == 404
