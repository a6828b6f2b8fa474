"""`GET` and `POST /plex/items`: many items in one request."""

from collections import Counter
from typing import Any

import pytest
import requests

from plex_integration.caching import tags
from plex_integration.configuration import runtime
from plex_simulator import Simulator, matching
from tests.conftest import Client

SECTIONS = "/library/sections"
ABSENT = ("9999999", "plex://movie/000000000000000000000000", "imdb://tt000000000000")


def keys(plex: Simulator, number: int, kind: str = "movie", library: str = "1") -> list[str]:
    return [each.rating_key for each in plex.catalogue.items(library, kind)[:number]]


def post(api: Client, **body: Any) -> requests.Response:
    return api.post("/plex/items", json=body)


def found(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["ratingKey"] for each in answer.json()["data"]["items"]]


def request_counts(plex: Simulator) -> Counter[str]:
    """Count Plex's requests by path, with several ids in a path shortened to their number."""
    return Counter(
        f"/library/metadata/*{each.path.count(',') + 1}"
        if each.path.startswith("/library/metadata/")
        else each.path
        for each in plex.requests
    )


def test_items_come_in_the_requested_order_and_as_complete_as_in_a_list(
    api: Client, plex: Simulator
) -> None:
    movies = api.data("/plex/libraries/1/items?size=6")["items"]
    (episode,) = keys(plex, 1, "episode", "2")
    wanted = [movies[4], movies[0], movies[2]]
    named = [each["ratingKey"] for each in wanted]
    data = api.data(f"/plex/items?ids={','.join([*named, episode])}")
    assert data["items"][:3] == wanted
    assert data["items"][3]["ratingKey"] == episode
    assert data["items"][3] == api.data(f"/plex/items?ids={episode}")["items"][0]
    assert (data["total"], data["missing"]) == (4, [])


def test_what_plex_does_not_have_is_named_as_it_was_given(api: Client, plex: Simulator) -> None:
    one, other = keys(plex, 2)
    answer = api.get(f"/plex/items?ids=9999999,{one},0,{other},007")
    assert found(answer) == [one, other]
    data = answer.json()["data"]
    assert (data["total"], data["missing"]) == (2, ["9999999", "0", "007"])


def test_without_any_item_the_list_is_empty(api: Client) -> None:
    data = api.data("/plex/items?ids=9999999")
    assert data == {"items": [], "total": 0, "missing": ["9999999"]}


def test_what_is_no_item_is_missing(api: Client, plex: Simulator) -> None:
    collection = plex.catalogue.collections("1")[0].rating_key
    playlist = plex.catalogue.playlists[0].rating_key
    data = api.data(f"/plex/items?ids={collection},{playlist}")
    assert (data["items"], data["missing"]) == ([], [collection, playlist])


def test_an_item_that_is_requested_twice_comes_once(api: Client, plex: Simulator) -> None:
    one, other = keys(plex, 2)
    assert found(api.get(f"/plex/items?ids={one},{other},{one}")) == [one, other]
    guid = plex.catalogue.items("1", "movie")[0].guid
    assert found(post(api, ids=[one, int(one)], guids=[guid, guid])) == [one]
    assert post(api, ids=["9999999", 9999999]).json()["data"]["missing"] == ["9999999"]


def test_an_id_may_be_any_number_that_json_schema_takes_for_an_integer(
    api: Client, plex: Simulator
) -> None:
    (one,) = keys(plex, 1)
    assert found(post(api, ids=[float(one)])) == [one]


def test_the_parameter_may_be_repeated_as_generated_clients_do(
    api: Client, plex: Simulator
) -> None:
    one, other = keys(plex, 2)
    assert found(api.get(f"/plex/items?ids={other}&ids={one}")) == [other, one]


@pytest.mark.parametrize(
    ("number", "chunks"), [(1, [1]), (50, [50]), (51, [50, 1]), (200, [50, 50, 50, 50])]
)
def test_plex_gets_one_request_for_every_fifty_ids(
    api: Client, plex: Simulator, number: int, chunks: list[int]
) -> None:
    wanted = keys(plex, number)
    assert found(api.get(f"/plex/items?ids={','.join(wanted)}")) == wanted
    assert request_counts(plex) == Counter(
        [SECTIONS, *(f"/library/metadata/*{each}" for each in chunks)]
    )


def test_a_repeated_request_is_a_hit_with_either_method(api: Client, plex: Simulator) -> None:
    wanted = keys(plex, 3)
    path = f"/plex/items?ids={','.join(wanted)}"
    first = api.get(path)
    assert first.headers["X-Plex-Cache-Status"] == "MISS"
    plex.reset_requests()
    for answer in (api.get(path), api.get(path), post(api, ids=wanted)):
        assert answer.headers["X-Plex-Cache-Status"] == "HIT"
        assert answer.headers["ETag"] == first.headers["ETag"]
        assert answer.json()["data"] == first.json()["data"]
    assert plex.count() == 0


def test_the_response_to_a_post_is_never_that_to_a_get(api: Client, plex: Simulator) -> None:
    wanted = keys(plex, 1)
    for _ in range(2):
        assert found(post(api, ids=wanted)) == wanted
        api.error("/plex/items", 400, "VALIDATION_ERROR")
    other = keys(plex, 2)[1:]
    assert found(post(api, ids=other)) == other


def test_a_post_counts_as_a_read_of_items(api: Client, plex: Simulator) -> None:
    (key,) = keys(plex, 1)
    first = api.get(f"/plex/items?ids={key}").headers
    second = post(api, ids=[key]).headers
    assert first["X-RateLimit-Limit"] == second["X-RateLimit-Limit"] == "60"
    assert int(second["X-RateLimit-Remaining"]) == int(first["X-RateLimit-Remaining"]) - 1


def test_a_post_is_never_answered_with_304(api: Client, plex: Simulator) -> None:
    body = {"ids": keys(plex, 1)}
    etag = api.post("/plex/items", json=body).headers["ETag"]
    again = api.post("/plex/items", json=body, headers={"If-None-Match": etag})
    assert again.status_code == 200
    path = f"/plex/items?ids={body['ids'][0]}"
    assert api.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_guids_find_what_a_lookup_finds(api: Client, plex: Simulator) -> None:
    movie, show = plex.catalogue.items("1", "movie")[0], plex.catalogue.items("2", "show")[0]
    outside = next(each for each in movie.guids if each.startswith("imdb://"))
    answer = post(api, guids=[show.guid, outside, movie.guid, *ABSENT[1:]])
    assert found(answer) == [show.rating_key, movie.rating_key]
    assert answer.json()["data"]["missing"] == list(ABSENT[1:])
    looked_up = api.data(f"/plex/items/lookup?guid={outside}")["items"]
    assert answer.json()["data"]["items"][1] == looked_up[0]


def test_ids_of_other_sites_are_found_as_a_lookup_finds_them(api: Client, plex: Simulator) -> None:
    """Plex itself finds nothing by these: the agents of its libraries know them."""
    movies = [each for each in plex.catalogue.items("1", "movie") if each.guids][:3]
    show = next(each for each in plex.catalogue.items("2", "show") if each.guids)
    outside = [site for movie in movies for site in movie.guids] + [show.guids[0]]
    before = len(plex.requests)
    answer = post(api, guids=[*outside, "imdb://tt999999999"])
    expected = [each.rating_key for each in (*movies, show)]
    assert sorted(found(answer)) == sorted(expected)
    assert answer.json()["data"]["missing"] == ["imdb://tt999999999"]
    matches = [each for each in plex.requests[before:] if each.path.endswith("/matches")]
    agents = {each.query["agent"] for each in matches}
    assert len(matches) == len(agents) * (len(outside) + 1), "one for each id and agent"
    alone = post(api, guids=[outside[0]])
    assert found(alone) == [movies[0].rating_key]


def test_ids_come_before_guids_and_both_are_named_where_they_are_missing(
    api: Client, plex: Simulator
) -> None:
    one, other = plex.catalogue.items("1", "movie")[:2]
    answer = post(api, guids=[one.guid, ABSENT[1]], ids=[ABSENT[0], other.rating_key])
    assert found(answer) == [other.rating_key, one.rating_key]
    assert answer.json()["data"]["missing"] == [ABSENT[0], ABSENT[1]]


def test_plex_gets_one_request_for_every_fifty_guids_of_a_type(
    api: Client, plex: Simulator
) -> None:
    movies = [each for each in plex.catalogue.items("1", "movie") if each.guid[:4] == "plex"][:60]
    shows = [each for each in plex.catalogue.items("2", "show") if each.guid[:4] == "plex"][:2]
    answer = post(api, guids=[each.guid for each in (*movies, *shows)])
    assert set(found(answer)) >= {each.rating_key for each in (*movies, *shows)}
    counts = request_counts(plex)
    assert counts["/library/all"] == 3
    assert counts.total() == 3 + 1 + counts["/library/metadata/*50"] + 1


def test_a_server_that_knows_no_lists_of_guids_gets_a_request_for_each(
    api: Client, plex: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Such a server takes the list for one guid, which no item has.
    made = matching.make_value_test

    def whole(field_type: str, field: str, operator: str, value: str) -> Any:
        if field == "guid":
            return lambda actual: actual == value
        return made(field_type, field, operator, value)

    monkeypatch.setattr(matching, "make_value_test", whole)
    movies = [each for each in plex.catalogue.items("1", "movie") if each.guid[:4] == "plex"][:3]
    answer = post(api, guids=[each.guid for each in movies])
    assert found(answer) == [each.rating_key for each in movies]


def test_guids_that_cannot_be_looked_up_are_missing(api: Client, plex: Simulator) -> None:
    strange = ["local://123", "com.plexapp.agents.none://abc?lang=xn", "imdb://x", "mbid://1-2"]
    data = post(api, guids=strange).json()["data"]
    assert data == {"items": [], "total": 0, "missing": strange}
    assert "/library/all" not in request_counts(plex)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ("", "Must be 1 to 200 rating keys."),
        (",".join(["1"] * 201), "Must be 1 to 200 rating keys."),
        ("1,,2", ": not a rating key (1 to 10 digits)."),
        ("1,x2", "x2: not a rating key (1 to 10 digits)."),
        ("1, 2", " 2: not a rating key (1 to 10 digits)."),
        ("12345678901", "12345678901: not a rating key (1 to 10 digits)."),
        ("１", "１: not a rating key (1 to 10 digits)."),
        ("-1", "-1: not a rating key (1 to 10 digits)."),
    ],
)
def test_bad_ids_are_refused_by_name(api: Client, plex: Simulator, ids: str, message: str) -> None:
    error = api.error(f"/plex/items?ids={ids}", 400, "VALIDATION_ERROR")
    assert error["details"] == {"ids": [message]}
    assert plex.count() == 0


def test_without_ids_a_get_is_refused_by_name(api: Client) -> None:
    assert list(api.error("/plex/items", 400, "VALIDATION_ERROR")["details"]) == ["ids"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, ["body"]),
        ({"ids": [], "guids": []}, ["guids", "ids"]),
        ({"ids": None}, ["ids"]),
        ({"ids": "1,2"}, ["ids"]),
        ({"ids": [1.5]}, ["ids"]),
        ({"ids": [True]}, ["ids"]),
        ({"ids": [-1]}, ["ids"]),
        ({"ids": [["1"]]}, ["ids"]),
        ({"ids": ["1"] * 201}, ["ids"]),
        ({"guids": "imdb://tt1"}, ["guids"]),
        ({"guids": [1]}, ["guids"]),
        ({"guids": ["tt1"]}, ["guids"]),
        ({"guids": ["imdb://"]}, ["guids"]),
        ({"guids": ["imdb://a\u0000b"]}, ["guids"]),
        ({"guids": [f"imdb://{'1' * 300}"]}, ["guids"]),
        ({"guids": ["imdb://tt1"] * 201}, ["guids"]),
        ({"ids": [*range(100)], "guids": [f"imdb://tt{n}" for n in range(101)]}, ["ids"]),
        ({"ids": ["x"], "guids": ["x"]}, ["guids", "ids"]),
        ([], ["body"]),
        ("1", ["body"]),
    ],
)
def test_a_bad_body_is_refused_by_name(
    api: Client, plex: Simulator, body: Any, names: list[str]
) -> None:
    answer = api.post("/plex/items", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR"), answer.text
    assert sorted(error["details"]) == names
    assert plex.count() == 0


def test_two_hundred_in_the_body_are_the_most(api: Client, plex: Simulator) -> None:
    wanted, guid = keys(plex, 199), plex.catalogue.items("1", "movie")[199].guid
    assert len(found(post(api, ids=wanted, guids=[guid]))) >= 199


def test_a_body_that_is_no_json_is_refused(api: Client) -> None:
    text = api.post("/plex/items", data="ids=1", headers={"Content-Type": "text/plain"})
    assert text.json()["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
    broken = api.post("/plex/items", data="{", headers={"Content-Type": "application/json"})
    assert broken.json()["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_fields_and_ignored_parameters_work_with_either_method(
    api: Client, plex: Simulator, method: str
) -> None:
    wanted = keys(plex, 2)
    query = f"fields=title&page=2{'&ids=' + ','.join(wanted) if method == 'GET' else ''}"
    body = {"ids": wanted} if method == "POST" else None
    for _ in range(2):
        answer = api.request(method, f"/plex/items?{query}", json=body).json()
        assert [each.keys() for each in answer["data"]["items"]] == [{"title"}] * 2
        assert answer["metadata"]["ignored"] == ["page"]


def test_an_item_that_is_added_is_no_longer_missing(api: Client, plex: Simulator) -> None:
    (key,) = keys(plex, 1)
    path = f"/plex/items?ids={key},9999999"
    assert api.get(path).headers["X-Plex-Cache-Status"] == "MISS"
    assert api.get(path).headers["X-Plex-Cache-Status"] == "HIT"
    # What the listener does when Plex reports a change of a library.
    tags.invalidate_library(runtime.required_connection().scope.server, "5")
    assert api.get(path).headers["X-Plex-Cache-Status"] == "MISS"


def test_without_missing_items_only_their_own_libraries_matter(
    api: Client, plex: Simulator
) -> None:
    path = f"/plex/items?ids={keys(plex, 1)[0]}"
    server = runtime.required_connection().scope.server
    api.get(path)
    tags.invalidate_library(server, "5")
    # The list of libraries that makes the query canonical is read again, the items are not.
    assert api.get(path).headers["X-Plex-Cache-Status"] == "HIT"
    tags.invalidate_library(server, "1")
    assert api.get(path).headers["X-Plex-Cache-Status"] == "MISS"


def test_while_plex_fails_the_last_response_is_served(api: Client, plex: Simulator) -> None:
    wanted = keys(plex, 1)
    assert found(post(api, ids=wanted)) == wanted
    plex.fault("status", status=503)
    path, headers = "/plex/items", {"Cache-Control": "no-cache"}
    stale = api.post(path, json={"ids": wanted}, headers=headers)
    assert stale.headers["X-Plex-Cache-Status"] == "STALE"
    assert found(stale) == wanted
    assert post(api, ids=["9999999"]).json()["error"]["code"] == "PLEX_SERVER_UNAVAILABLE"


def test_other_methods_name_those_that_there_are(api: Client) -> None:
    refused = api.put("/plex/items", json={})
    assert refused.status_code == 405
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "POST", "HEAD", "OPTIONS"}
    assert api.options("/plex/items").status_code == 200


def test_a_head_request_has_the_headers_of_a_get(api: Client, plex: Simulator) -> None:
    path = f"/plex/items?ids={keys(plex, 1)[0]}"
    got, head = api.get(path), api.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == got.headers["ETag"]


def test_a_page_of_the_browsable_api_shows_the_items(api: Client, plex: Simulator) -> None:
    (key,) = keys(plex, 1)
    page = api.get(f"/plex/items?ids={key}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert f"/api/v1/plex/items/{key}" in page.text
