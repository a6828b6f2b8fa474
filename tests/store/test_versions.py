"""The versions of the tags: what changes them, and what they survive."""

import json
from typing import Any

import pytest

from medianest.store import EVERYTHING, LocalStore, TagVersions
from medianest.store.values import MAX_TAGS
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
def test_versions_that_others_wrote_stop_no_invalidation(
    foreign: bytes, shared: Any, valkey: Valkey
) -> None:
    valkey.client.set(KEY, foreign)
    assert shared.values.invalidate_tags(["library:1", "libraries"])
    versions = json.loads(valkey.client.get(KEY))
    assert isinstance(versions["base"], str)
    assert int(versions["library:1"]) > 0
    assert all(isinstance(each, str) for each in versions.values())
    before = shared.values.tag_versions()
    assert shared.values.invalidate_tags(["library:1"])
    assert shared.values.tag_versions() != before


@pytest.mark.parametrize(
    "foreign",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"\xff\xfe",
        b'{"base":7}',
        b'{"base":[]}',
        pytest.param(b"[" * 100_000, id="nested too deeply"),
        pytest.param(b'{"base":' * 100_000, id="objects nested too deeply"),
    ],
)
def test_versions_that_are_no_texts_are_read_as_none(foreign: bytes | None) -> None:
    versions = TagVersions.parse(foreign)
    assert versions.raw == foreign
    assert versions.get(EVERYTHING) == ""


def test_versions_are_read_by_tag_and_a_tag_without_one_is_empty() -> None:
    versions = TagVersions.parse(b'{"base":"b","library:1":"5","library:2":6}')
    assert [versions.get(tag) for tag in ("base", "library:1", "library:2", "x")] == [
        "b", "5", "", ""
    ]  # fmt: skip


def test_equal_versions_are_parsed_once() -> None:
    raw = b'{"base":"only here"}'
    assert TagVersions.parse(raw) is TagVersions.parse(bytes(bytearray(raw)))
    assert TagVersions.parse(raw) != TagVersions.parse(None)


def test_versions_are_the_same_for_every_process(stores: Any, valkey: Valkey) -> None:
    here, there = stores.use(valkey.url), stores.another()
    created = here.values.tag_versions()
    assert created.get(EVERYTHING)
    assert there.values.tag_versions() == here.read().tags == created


def test_reading_creates_no_versions(shared: Any, valkey: Valkey) -> None:
    assert shared.read("answer").tags == TagVersions.parse(None)
    assert not valkey.client.exists(KEY)


def test_an_invalidated_tag_changes_no_other(each_store: Any) -> None:
    before = each_store.values.tag_versions()
    assert each_store.values.invalidate_tags(["library:1", "libraries"])
    after = each_store.read().tags
    assert after.get("library:1") == after.get("libraries") != ""
    assert after.get("library:2") == ""
    assert after.get(EVERYTHING) == before.get(EVERYTHING) != ""


def test_invalidating_everything_gives_every_value_another_base(each_store: Any) -> None:
    assert each_store.values.invalidate_tags(["library:1"])
    before = each_store.values.tag_versions()
    for _ in range(2):
        assert each_store.values.invalidate_tags([EVERYTHING])
        after = each_store.values.tag_versions()
        assert after.get(EVERYTHING) not in ("", before.get(EVERYTHING))
        assert after.get("library:1") == before.get("library:1")
        before = after
    assert each_store.values.invalidate_tags(["library:1"])
    again = each_store.values.tag_versions()
    assert again.get(EVERYTHING) == before.get(EVERYTHING)
    assert int(again.get("library:1")) > int(before.get("library:1"))


def test_everything_can_be_invalidated_before_there_is_a_version(each_store: Any) -> None:
    assert each_store.values.invalidate_tags([EVERYTHING])
    assert each_store.read().tags.get(EVERYTHING)


def test_the_version_of_everything_never_expires(shared: Any, valkey: Valkey) -> None:
    valkey.client.set(KEY, json.dumps({"base": "1000", "library:1": "1000"}))
    assert shared.values.invalidate_tags(["library:2"])
    assert json.loads(valkey.client.get(KEY))["base"] == "1000"


def test_a_version_is_removed_once_no_entry_can_be_older(shared: Any, valkey: Valkey) -> None:
    valkey.client.set(KEY, json.dumps({"base": "b", "library:1": "1000", "libraries": "1000"}))
    shared.values.invalidate_tags(["library:2"])
    assert set(json.loads(valkey.client.get(KEY))) == {"base", "library:2"}


def test_versions_have_no_end_and_are_never_evicted_before_answers(
    shared: Any, valkey: Valkey
) -> None:
    shared.values.invalidate_tags(["library:1"])
    assert valkey.client.ttl(KEY) == -1


def test_too_many_tags_are_removed_together_and_make_everything_a_miss(each_store: Any) -> None:
    before = each_store.values.tag_versions()
    for number in range(12):
        each_store.values.invalidate_tags([f"item:{number}-{each}" for each in range(100)])
    after = each_store.values.tag_versions()
    assert len(json.loads(after.raw)) <= MAX_TAGS + 1
    assert after.get(EVERYTHING) not in ("", before.get(EVERYTHING))


def test_the_versions_of_a_store_in_this_process_are_its_own() -> None:
    assert LocalStore().values.tag_versions() != LocalStore().values.tag_versions()
