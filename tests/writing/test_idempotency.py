"""Idempotency-Key: the same request under the same key is done once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from medianest import store
from plex_integration.configuration import runtime
from plex_integration.writing import idempotency, locks
from plex_simulator import Simulator
from tests.service import Stores, Valkey
from tests.writing.conftest import Writer, sent

NEW = "/plex/libraries/1/collections"
KEY = {"Idempotency-Key": "6f1c 'quoted' key/1"}
REUSED = (409, "IDEMPOTENCY_KEY_REUSED")


def titled(plex: Simulator, title: str) -> list[str]:
    return [each.rating_key for each in plex.catalogue.collections("1") if each.title == title]


def test_the_first_answer_is_given_again(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    body = {"title": "Once", "items": movies[:3]}
    first = writer.post(NEW, json=body, headers=KEY)
    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    plex.reset_requests()
    one, two, three = movies[:3]
    spelled = f'{{"items": ["{one}", "{two}", {three}], "title": "\\u004fnce", "other": 1}}'
    as_json = KEY | {"Content-Type": "application/json"}
    for again in (
        writer.post(NEW, json=body, headers=KEY),
        writer.post(NEW, data=spelled, headers=as_json),
    ):
        assert again.status_code == 201
        assert again.json()["data"] == first.json()["data"]
        assert again.headers["Location"] == first.headers["Location"]
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json()["metadata"]["requestId"] != first.json()["metadata"]["requestId"]
    assert plex.requests == ()
    assert len(titled(plex, "Once")) == 1


def test_a_response_is_repeated_although_its_items_are_gone_or_plex_is_unavailable(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    made = writer.wrote("POST", NEW, 201, json={"title": "Gone", "items": movies[:1]})
    path = f"/plex/collections/{made['collection']['ratingKey']}"
    first = writer.wrote("DELETE", path, headers=KEY)
    assert writer.wrote("DELETE", path, headers=KEY) == first
    plex.fault("refused")
    assert writer.wrote("DELETE", path, headers=KEY) == first


def test_another_request_under_the_same_key_is_refused(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    body = {"title": "Once", "items": movies[:2]}
    made = writer.wrote("POST", NEW, 201, json=body, headers=KEY)
    key = made["collection"]["ratingKey"]
    before = sent(plex)
    for method, path, other in (
        ("POST", NEW, body | {"title": "Twice"}),
        ("POST", NEW, body | {"items": movies[:3]}),
        ("POST", NEW, body | {"items": movies[1::-1]}),
        ("POST", NEW, body | {"summary": "x"}),
        ("POST", f"/plex/collections/{key}/items", {"items": movies[:2]}),
        ("POST", "/plex/playlists", body),
        ("DELETE", f"/plex/collections/{key}", None),
    ):
        writer.refused(method, path, *REUSED, json=other, headers=KEY)
    assert sent(plex) == before


def test_a_key_is_one_users_own(
    signed_in: Callable[..., Writer], plex: Simulator, movies: list[str]
) -> None:
    body = {"title": "Mine", "items": movies[:1]}
    for _ in range(2):
        signed_in("manage_collections").wrote("POST", NEW, 201, json=body, headers=KEY)
    assert len(titled(plex, "Mine")) == 2


def test_a_refused_request_does_not_use_its_key(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    for body in ({"title": "x"}, {"title": "x", "items": ["404"]}):
        writer.refused("POST", NEW, 400, "VALIDATION_ERROR", json=body, headers=KEY)
    writer.refused("DELETE", "/plex/collections/99", 404, "COLLECTION_NOT_FOUND", headers=KEY)
    writer.wrote("POST", NEW, 201, json={"title": "x", "items": movies[:1]}, headers=KEY)


def test_a_dry_run_does_not_use_its_key(writer: Writer, plex: Simulator, movies: list[str]) -> None:
    body = {"title": "Dry", "items": movies[:1]}
    for _ in range(2):
        data = writer.wrote("POST", f"{NEW}?dryRun=1", json=body, headers=KEY)
        assert data["dryRun"] is True
    writer.wrote("POST", NEW, 201, json=body, headers=KEY)
    assert writer.wrote("POST", f"{NEW}?dryRun=1", json=body, headers=KEY)["dryRun"] is True


def test_a_write_that_failed_keeps_its_key_for_itself_and_is_done_again(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    body = {"title": "Later", "items": movies[:1]}
    plex.fault("disconnect", "^/library/collections$")
    writer.refused("POST", NEW, 503, "PLEX_SERVER_UNAVAILABLE", json=body, headers=KEY)
    writer.refused("POST", NEW, *REUSED, json=body | {"title": "Other"}, headers=KEY)
    plex.heal()
    first = writer.wrote("POST", NEW, 201, json=body, headers=KEY)
    assert writer.wrote("POST", NEW, 201, json=body, headers=KEY) == first
    assert len(titled(plex, "Later")) == 1


def test_a_bad_key_is_refused_by_name(writer: Writer, movies: list[str]) -> None:
    body = {"title": "x", "items": movies[:1]}
    for key in ("", "x" * 256, "caf\u00e9", "a\tb"):
        headers: Any = {"Idempotency-Key": key.encode("latin-1")}
        error = writer.refused("POST", NEW, 400, "VALIDATION_ERROR", json=body, headers=headers)
        assert list(error["details"]) == ["Idempotency-Key"]


def at_once(writer: Writer, requests: int, body: Any, headers: Any) -> list[Any]:
    """POST the same at the same moment; return the answers."""
    gate = threading.Barrier(requests)

    def post(_: int) -> Any:
        client = Writer(writer.root)
        client.headers["Authorization"] = writer.headers["Authorization"]
        gate.wait()
        with client:
            return client.post(NEW, json=body, headers=headers)

    with ThreadPoolExecutor(requests) as pool:
        return list(pool.map(post, range(requests)))


@pytest.mark.parametrize("shared", [False, True])
def test_the_same_at_the_same_moment_is_done_once(
    writer: Writer, plex: Simulator, movies: list[str], stores: Stores, valkey: Valkey, shared: bool
) -> None:
    # As a worker does at its start: five first requests at once would make a store each.
    stores.use(valkey.url) if shared else store.current()
    plex.fault("slow", "^/library/collections$", delay=0.2)
    answers = at_once(writer, 5, {"title": "Now", "items": movies[:2]}, KEY)
    assert [answer.status_code for answer in answers] == [201] * 5, answers[0].text
    assert len({str(answer.json()["data"]) for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 4
    assert len(titled(plex, "Now")) == 1


def test_who_waits_too_long_for_another_write_gets_an_error(
    writer: Writer, plex: Simulator, movies: list[str], settings: Any
) -> None:
    made = writer.wrote("POST", NEW, 201, json={"title": "Busy", "items": movies[:1]})
    key = made["collection"]["ratingKey"]
    settings.PLEX_TIMEOUT = 0.4
    lock = f"{runtime.required_connection().server}:collection:{key}"
    assert locks.lock(lock, "another", 60)
    writer.refused("DELETE", f"/plex/collections/{key}", 409, "WRITE_IN_PROGRESS")
    locks.unlock(lock, "another")
    settings.PLEX_TIMEOUT = 10
    writer.wrote("DELETE", f"/plex/collections/{key}")


def test_two_who_add_the_same_to_a_playlist_add_it_once(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    body = {"title": "Both", "items": movies[:1]}
    made = writer.wrote("POST", "/plex/playlists", 201, json=body)
    path = f"/plex/playlists/{made['playlist']['ratingKey']}/items"

    def add(_: int) -> Any:
        client = Writer(writer.root)
        client.headers["Authorization"] = writer.headers["Authorization"]
        with client:
            return client.wrote("POST", path, json={"items": movies[1:4]})

    with ThreadPoolExecutor(4) as pool:
        states = [data["items"][0]["state"] for data in pool.map(add, range(4))]
    assert sorted(states) == ["added", "alreadyThere", "alreadyThere", "alreadyThere"]
    assert writer.data(path.removesuffix("/items"))["pagination"]["total"] == 4


def test_answers_are_noted_for_a_day_in_redis_under_no_users_own_words(
    writer: Writer, movies: list[str], stores: Stores, valkey: Valkey
) -> None:
    stores.use(valkey.url)
    body = {"title": "Noted", "items": movies[:1]}
    first = writer.wrote("POST", NEW, 201, json=body, headers=KEY)
    (name,) = valkey.client.keys("medianest:note:once:*")
    assert 86_390 <= valkey.client.ttl(name) <= idempotency.RECORD_SECONDS == 86_400
    assert b"6f1c" not in name
    assert not valkey.client.keys("medianest:note:unfinished:*")
    # Another process, which remembers nothing of its own.
    stores.another()
    assert writer.wrote("POST", NEW, 201, json=body, headers=KEY) == first


def test_without_redis_a_process_remembers_by_itself(
    writer: Writer, plex: Simulator, movies: list[str], stores: Stores
) -> None:
    stores.use("redis://127.0.0.1:9/0")
    body = {"title": "Alone", "items": movies[:1]}
    first = writer.wrote("POST", NEW, 201, json=body, headers=KEY)
    assert writer.wrote("POST", NEW, 201, json=body, headers=KEY) == first
    writer.refused("POST", NEW, *REUSED, json=body | {"title": "Other"}, headers=KEY)
    assert len(titled(plex, "Alone")) == 1
