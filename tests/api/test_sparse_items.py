"""`fields`: items with the named members alone, made of the one cached response."""

import gzip
import json
from typing import Any

import pytest

from medianest.api.serializers import Payload
from plex_integration.caching import projection
from plex_integration.configuration import runtime
from plex_integration.reading import viewsets
from plex_integration.reading.sparse import item_members
from plex_integration.reading.viewsets import ReadViewSet
from plex_simulator import Simulator
from tests import counting
from tests.conftest import Client

ITEMS = "/plex/libraries/1/items?size=3"


def paths(plex: Simulator) -> dict[str, list[str]]:
    """Return a path of each endpoint that shows items, and where in `data` they are."""
    catalogue = plex.catalogue
    movie, show = catalogue.items("1", "movie")[0], catalogue.items("2", "show")[0]
    playlist = next(each for each in catalogue.playlists if each.user_id == catalogue.owner.id)
    collection = catalogue.collections("1")[0].rating_key
    return {
        f"{ITEMS}&": ["items"],
        "/plex/search?query=the&": ["results"],
        "/plex/recently-added?": ["items"],
        "/plex/on-deck?": ["items"],
        f"/plex/collections/{collection}?": ["items"],
        f"/plex/playlists/{playlist.rating_key}?": ["items"],
        f"/plex/items/{movie.rating_key}?": ["item"],
        f"/plex/items/{show.rating_key}/children?": ["items", "parent"],
        f"/plex/items/lookup?guid={movie.guid}&": ["items"],
    }


def projected(value: Any, names: set[str]) -> Any:
    """Return an item, or each of a list, with these members alone."""
    if isinstance(value, list):
        return [projected(each, names) for each in value]
    return {name: member for name, member in value.items() if name in names}


def test_every_endpoint_that_shows_items_takes_fields() -> None:
    reading = [each for each in vars(viewsets).values() if _is_endpoint(each)]
    showing = [each for each in reading if item_members(each.payload_serializer)]
    assert len(showing) >= 9
    for each in reading:
        takes_fields = "fields" in each.query_serializer._declared_fields
        assert takes_fields == (each in showing), each


def _is_endpoint(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, ReadViewSet) and found is not ReadViewSet


def test_items_have_the_named_members_alone_and_the_rest_of_the_response_stays(
    api: Client, plex: Simulator
) -> None:
    for path, holders in paths(plex).items():
        whole = api.data(path)
        expected = {
            name: projected(value, {"title", "year", "thumbUrl"}) if name in holders else value
            for name, value in whole.items()
        }
        for _ in range(3):  # made, then on the fast path
            sparse = api.data(f"{path}fields=title,year,thumbUrl")
            assert sparse == expected, path
        assert expected != whole


def test_a_request_with_fields_and_one_without_share_one_load(api: Client, plex: Simulator) -> None:
    for first, second in (("", "&fields=title"), ("&fields=title", "")):
        path = f"/plex/libraries/1/items?size={3 + len(first)}"
        assert api.get(path + first).headers["X-Plex-Cache-Status"] == "MISS"
        plex.reset_requests()
        for _ in range(2):
            assert api.get(path + second).headers["X-Plex-Cache-Status"] == "HIT"
        assert plex.count() == 0


def test_the_order_of_the_names_and_repetitions_make_no_difference(api: Client) -> None:
    one = api.get(f"{ITEMS}&fields=title,year")
    other = api.get(f"{ITEMS}&fields=year,title,year")
    assert one.json()["data"] == other.json()["data"]
    assert one.headers["ETag"] == other.headers["ETag"]


def test_the_parameter_may_be_repeated_as_generated_clients_do(api: Client) -> None:
    assert api.data(f"{ITEMS}&fields=title&fields=year") == api.data(f"{ITEMS}&fields=title,year")


@pytest.mark.parametrize("is_first", [True, False])
def test_every_selection_has_a_validator_of_its_own(api: Client, is_first: bool) -> None:
    for _ in range(1 if is_first else 2):
        etags = {
            api.get(f"{ITEMS}{fields}").headers["ETag"]
            for fields in ("", "&fields=title", "&fields=title,year")
        }
    assert len(etags) == 3
    etag = api.get(f"{ITEMS}&fields=title").headers["ETag"]
    for _ in range(2):
        same = api.get(f"{ITEMS}&fields=title", headers={"If-None-Match": etag})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["ETag"] == etag
    whole = api.get(ITEMS, headers={"If-None-Match": etag})
    assert whole.status_code == 200


def test_a_changed_item_changes_its_selection(api: Client, plex: Simulator) -> None:
    key = plex.catalogue.items("1", "movie")[0].rating_key
    path = f"/plex/items/{key}?fields=title"
    before = api.get(path)
    plex.catalogue.change(key, title="Another Title")
    try:
        after = api.get(path, headers={"Cache-Control": "no-cache"})
        again = api.get(path)
    finally:
        plex.catalogue.change(key, title=before.json()["data"]["item"]["title"])
    assert after.json()["data"] == again.json()["data"] == {"item": {"title": "Another Title"}}
    assert after.headers["ETag"] == again.headers["ETag"] != before.headers["ETag"]


def test_a_selection_is_sent_compressed_and_its_head_has_the_same_headers(api: Client) -> None:
    path = f"{ITEMS}&fields=title"
    for _ in range(2):
        packed = api.get(path, headers={"Accept-Encoding": "gzip"}, stream=True)
        assert packed.headers["Content-Encoding"] == "gzip"
        body = json.loads(gzip.decompress(packed.raw.read()))
        assert [each.keys() for each in body["data"]["items"]] == [{"title"}] * 3
    head = api.head(path, headers={"Accept-Encoding": "gzip"})
    assert head.content == b""
    assert head.headers["ETag"] == packed.headers["ETag"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("", "Name at least one member."),
        ("title,", "Name at least one member."),
        ("foo", "foo: an item has no such member."),
        ("title,Year,bar", "Year, bar: an item has no such member."),
        ("title, year", " year: an item has no such member."),
        ("media.parts", "media.parts: an item has no such member."),
        ("x" * 100, f"{'x' * 40}: an item has no such member."),
    ],
)
def test_unknown_names_are_refused_with_those_that_there_are(
    api: Client, plex: Simulator, fields: str, problem: str
) -> None:
    error = api.error(f"{ITEMS}&fields={fields}", 400, "VALIDATION_ERROR")
    (message,) = error["details"]["fields"]
    assert message.startswith(problem)
    assert "ratingKey, key, guid, externalIds, type" in message
    assert plex.count() == 0


def test_an_endpoint_has_the_members_of_its_own_items(api: Client, plex: Simulator) -> None:
    key = plex.catalogue.items("1", "movie")[0].rating_key
    assert api.data("/plex/search?query=the&fields=matchReason")["results"][0].keys() == {
        "matchReason"
    }
    api.error(f"{ITEMS}&fields=matchReason", 400, "VALIDATION_ERROR")
    api.data(f"/plex/items/{key}?fields=chapters,ratings")
    api.error(f"{ITEMS}&fields=chapters", 400, "VALIDATION_ERROR")


def test_more_names_than_there_are_members_are_refused(api: Client) -> None:
    many = ",".join(["title"] * 100)
    error = api.error(f"{ITEMS}&fields={many}", 400, "VALIDATION_ERROR")
    assert error["details"]["fields"][0].startswith("Name at most ")


def test_a_member_that_plex_has_no_value_for_is_left_out(api: Client) -> None:
    items = api.data(f"{ITEMS}&fields=title,parentTitle")["items"]
    assert [each.keys() for each in items] == [{"title"}] * 3


def test_endpoints_without_items_ignore_fields(api: Client) -> None:
    for path in ("/plex/libraries", "/plex/libraries/1/collections", "/plex/playlists"):
        answer = api.get(f"{path}?fields=title").json()
        assert answer["metadata"]["ignored"] == ["fields"]


def test_a_stale_response_is_sparse_too(api: Client, plex: Simulator) -> None:
    api.data(ITEMS)
    plex.fault("status", status=503)
    stale = api.get(f"{ITEMS}&fields=title", headers={"Cache-Control": "no-cache"})
    assert stale.headers["X-Plex-Cache-Status"] == "STALE"
    assert {name for each in stale.json()["data"]["items"] for name in each} == {"title"}


@pytest.mark.parametrize("fields", ["&fields=title", ""], ids=["sparse", "whole"])
def test_a_hit_with_fields_costs_as_little_as_one_without(
    shared: Any, quick: Client, monkeypatch: pytest.MonkeyPatch, fields: str
) -> None:
    for path in (ITEMS, ITEMS + fields, ITEMS + fields):
        quick.get(path)
    projection.forget()
    monkeypatch.setattr(runtime, "_checked_until", float("inf"))
    trips, queries = counting.round_trips(monkeypatch), counting.queries(monkeypatch)
    for _ in range(2):  # the selection is made, then it is there
        assert quick.get(ITEMS + fields).headers["X-Plex-Cache-Status"] == "HIT"
    assert trips == [("EVALSHA", "GETRANGE", "GET")] * 2
    assert queries == []


def test_members_with_items_are_found_by_their_type() -> None:
    class Nothing(Payload):
        pass

    assert item_members(Nothing) == ()
    assert item_members(viewsets.ItemChildrenViewSet.payload_serializer) == ("parent", "items")
