"""What a request means is remembered within bounds, and what others wrote is read with care."""

import json
from dataclasses import asdict, replace

import pytest

from medianest import store
from plex_integration.caching import known_requests
from plex_integration.caching.entry import Head
from plex_integration.caching.known_requests import KnownRequest

HEAD = Head(
    at=1.0,
    crc=2,
    size=3,
    etag='W/"x"',
    partial=False,
    total=-1,
    has_more=False,
    base="b",
    tags={"libraries": "4"},
)
KNOWN = KnownRequest("library-items", "key", "route", "shape", (HEAD,))
IDENTITY = ("scope", "/api/v1/plex/search", "query=the")


@pytest.fixture(autouse=True)
def _shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(known_requests._shapes, KNOWN.policy, KNOWN.shape)


def stored() -> bytes | None:
    return store.current().read_value(known_requests.key(IDENTITY))


def test_another_process_reads_what_this_one_remembers() -> None:
    known_requests.remember(IDENTITY, KNOWN)
    known_requests.forget()
    assert known_requests.get(IDENTITY) is None
    assert known_requests.read(IDENTITY, stored()) == KNOWN
    assert known_requests.get(IDENTITY) == KNOWN


def test_what_is_known_already_is_not_stored_again() -> None:
    known_requests.remember(IDENTITY, KNOWN)
    store.current().values.delete(known_requests.key(IDENTITY))
    known_requests.remember(IDENTITY, KNOWN)
    assert stored() is None
    known_requests.remember(IDENTITY, replace(KNOWN, key="another"))
    assert stored() is not None


@pytest.mark.parametrize(
    "written",
    [
        None,
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"{}",
        json.dumps(asdict(KNOWN) | {"catalog_heads": None}).encode(),
        json.dumps(asdict(KNOWN) | {"catalog_heads": [{}]}).encode(),
        json.dumps(asdict(KNOWN) | {"more": 1}).encode(),
        json.dumps(asdict(KNOWN) | {"shape": "of another release"}).encode(),
        json.dumps(asdict(KNOWN) | {"policy": "unknown"}).encode(),
    ],
)
def test_what_this_release_did_not_write_is_not_used(written: bytes | None) -> None:
    assert known_requests.read(IDENTITY, written) is None
    assert known_requests.get(IDENTITY) is None


@pytest.mark.parametrize(("length", "is_remembered"), [(1024, True), (1025, False)])
def test_no_request_longer_than_1_kib_is_remembered(length: int, is_remembered: bool) -> None:
    path = "/api/v1/plex/search"
    identity = (path, "é" * 4 + "x" * (length - len(path) - 8))
    known_requests.remember(identity, KNOWN)
    assert (known_requests.get(identity) is not None) is is_remembered


def test_the_oldest_of_too_many_requests_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_requests, "_known", known_requests.LRUCache(3))
    for number in range(5):
        known_requests.remember(("", str(number)), KNOWN)
    assert [query for _, query in known_requests._known] == ["2", "3", "4"]


def test_two_requests_never_have_one_key() -> None:
    assert known_requests.key(("/a", "b?c")) != known_requests.key(("/a?b", "c"))
