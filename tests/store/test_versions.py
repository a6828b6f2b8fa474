"""The versions of the tags: what changes them, and what they survive."""

import json
from typing import Any

import pytest

from plex_integration.caching import response_cache
from tests.service import Valkey

KEY = "medianest:cache:versions"


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"text"',
        b"\xff\xfe",
        b'{"library:1":"5"}',
        b'{"base":7}',
        b'{"base":"b","library:2":"soon"}',
        b'{"base":"b","library:2":[]}',
        b"null",
    ],
)
def test_versions_that_others_wrote_stop_no_change_from_being_heard(
    foreign: bytes, shared: Any, valkey: Valkey
) -> None:
    valkey.client.set(KEY, foreign)
    assert response_cache.library_changed("1")
    versions = json.loads(valkey.client.get(KEY))
    assert isinstance(versions["base"], str)
    assert int(versions["library:1"]) > 0
    assert all(isinstance(each, str) for each in versions.values())
    before = shared.versions()
    assert response_cache.drop(["library:1"])
    assert shared.versions() != before


@pytest.mark.parametrize("foreign", [b"{", b"[]", b"7", b"\xff\xfe", b'{"base":7}', b'{"a":[]}'])
def test_versions_that_others_wrote_are_read_as_texts_or_not_at_all(foreign: bytes) -> None:
    assert all(isinstance(each, str) for each in response_cache.parsed(foreign).values())


def test_a_change_touches_its_own_library_and_what_shows_them_all(
    shared: Any, valkey: Valkey
) -> None:
    begun = json.loads(shared.versions())
    assert set(begun) == {"base"}
    response_cache.library_changed("1")
    changed = json.loads(shared.versions())
    assert set(changed) == {"base", "library:1", "libraries"}
    assert changed["base"] == begun["base"]


def test_a_version_is_forgotten_once_no_entry_can_be_older(shared: Any, valkey: Valkey) -> None:
    valkey.client.set(KEY, json.dumps({"base": "b", "library:1": "1000", "libraries": "1000"}))
    response_cache.drop(["library:2"])
    assert set(json.loads(valkey.client.get(KEY))) == {"base", "library:2"}


def test_versions_have_no_end_and_are_never_evicted_before_answers(
    shared: Any, valkey: Valkey
) -> None:
    response_cache.library_changed("1")
    assert valkey.client.ttl(KEY) == -1
