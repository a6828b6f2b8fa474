"""Whatever stands in Plex's attributes, mapping never raises and the answer stays good JSON."""

import json
import math
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medianest.api import renderers
from plex_integration.plex.media import ITEM_TYPES
from plex_integration.plex.parsing import attributes
from plex_integration.plex.parsing.collections import parse_collections
from plex_integration.plex.parsing.items import complete_item, parse_rows, parse_search_rows
from plex_integration.plex.parsing.libraries import (
    parse_choices,
    parse_filters,
    parse_libraries,
    parse_storage,
)
from plex_integration.plex.parsing.server import parse_server
from plex_integration.reading.serializers import (
    PlexCollectionPayload,
    PlexLibraryPayload,
    PlexMediaItemPayload,
)

NUMBERS = [
    ("5", 5, 5.0), ("-5", None, -5.0), ("+5", 5, 5.0), ("007", 7, 7.0), ("0", 0, 0.0),
    ("9223372036854775807", 2**63 - 1, float(2**63 - 1)),
    ("9223372036854775808", None, float(2**63)), ("-0", None, 0.0),
    ("", None, None), (" ", None, None), (" 5", None, None), ("5 ", None, None),
    ("5.5", None, 5.5), (".5", None, 0.5), ("5e1", None, 50.0), ("1e999", None, None),
    ("-1e999", None, None), ("NaN", None, None), ("nan", None, None), ("inf", None, None),
    ("-Infinity", None, None), ("1_000", None, None), ("１２", None, None), ("٣", None, None),
    ("0x10", None, None), ("1,5", None, None), ("true", None, None), ("abc", None, None),
    ("9" * 5000, None, None), ("5\n", None, None), ("--5", None, None), ("5-", None, None),
    ("++5", None, None), ("+", None, None), ("²", None, None), ("0" * 19, 0, 0.0),
    ("0" * 20, None, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "whole", "number"), NUMBERS)
def test_a_text_that_is_no_number_is_absent(
    text: str, whole: int | None, number: float | None
) -> None:
    element = Element("Video", value=text)
    assert attributes.whole(element, "value") == whole
    assert attributes.number(element, "value") == number


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("0", False), ("true", True), ("false", False), ("TRUE", True), ("", None),
     ("2", None), ("yes", None), ("-1", None), ("１", None), (" 1", None)],
)  # fmt: skip
def test_a_text_that_is_no_boolean_is_absent(text: str, value: bool | None) -> None:
    assert attributes.flag(Element("Video", value=text), "value") is value


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", "1970-01-01T00:00:00.000Z"), ("1704112200", "2024-01-01T12:30:00.000Z"),
     ("253402300799", "9999-12-31T23:59:59.000Z"), ("253402300800", None), ("-1", None),
     ("9" * 19, None), ("9" * 5000, None), ("soon", None), ("1.5", None), ("", None)],
)  # fmt: skip
def test_a_text_that_is_no_moment_is_absent(text: str, value: str | None) -> None:
    assert attributes.instant(Element("Video", value=text), "value") == value


def test_instants_do_not_depend_on_the_machines_time_zone(monkeypatch: Any) -> None:
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        instant = attributes.instant(Element("Video", value="1704112200"), "value")
        assert instant == "2024-01-01T12:30:00.000Z"
    finally:
        monkeypatch.undo()
        time.tzset()


ITEM = [
    name
    for line in (
        "key type title titleSort originalTitle summary rating audienceRating year tagline",
        "duration contentRating originallyAvailableAt addedAt updatedAt art thumb banner",
        "theme studio guid subtype viewOffset viewCount lastViewedAt parentRatingKey",
        "parentTitle index parentIndex grandparentRatingKey grandparentTitle seasonCount",
        "childCount leafCount viewedLeafCount librarySectionID librarySectionTitle score",
        "reason smart hidden refreshing content createdAt scannedAt contentChangedAt agent",
        "scanner language uuid directory",
    )
    for name in line.split()
]
BELOW = {
    "Genre": "id tag", "Director": "id tag", "Writer": "id tag", "Country": "id tag",
    "Collection": "id tag", "Role": "id tag role thumb", "Guid": "id", "Location": "id path",
    "Media": "id duration bitrate width height aspectRatio audioChannels audioCodec videoCodec "
             "videoResolution container videoFrameRate videoProfile",
    "Part": "id key duration file size container videoProfile",
}  # fmt: skip

# Everything XML can hold, with the odd numbers often.
TEXTS = st.one_of(
    st.sampled_from([text for text, _, _ in NUMBERS]),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffe\uffff"), max_size=20
    ),
)


def below(name: str) -> st.SearchStrategy[tuple[str, dict[str, str]]]:
    attributes = st.dictionaries(st.sampled_from(BELOW[name].split()), TEXTS, max_size=6)
    return st.tuples(st.just(name), attributes)


ATTRIBUTES = st.dictionaries(st.sampled_from(ITEM), TEXTS, max_size=12)
CHILDREN = st.lists(st.sampled_from(list(BELOW)).flatmap(below), max_size=5)
KINDS = st.sampled_from(sorted(ITEM_TYPES))


def element(
    tag: str, attributes: dict[str, str], children: list[tuple[str, dict[str, str]]]
) -> Element:
    made = Element(tag, attributes)
    media = made
    for name, own in children:
        media = SubElement(media if name == "Part" else made, name, own)
        if name not in ("Media", "Part"):
            media = made
    return made


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, int | float):
        yield value


def written(shown: Any) -> Any:
    """Write an answer as the service does, and read it strictly."""

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    read = json.loads(renderers.encode_payload(shown.data), parse_constant=refuse)
    assert all(math.isfinite(number) for number in numbers(shown.data))
    return read


@settings(max_examples=150, deadline=None, derandomize=True)
@given(attributes=ATTRIBUTES, children=CHILDREN, kind=KINDS)
def test_any_item_becomes_good_json(
    attributes: dict[str, str], children: list[Any], kind: str
) -> None:
    if not (attributes.get("title") or attributes.get("titleSort")):
        attributes = attributes | {"title": "Film"}
    row = element("Video", attributes | {"ratingKey": "5", "type": kind}, children)
    container = Element("MediaContainer", {"librarySectionID": "1"})
    (made,) = parse_rows([row], container, {})
    read = written(PlexMediaItemPayload(made.read_item(), context={"show_file_paths": True}))
    assert read["ratingKey"] == "5"
    assert read["key"] == "/library/metadata/5"
    assert {"type", "title", "addedAt", "updatedAt", "library", "playbackProgress"} <= read.keys()
    complete_item(made, row, {})
    root = Element("MediaContainer")
    SubElement(root, "Hub").append(row)
    assert len(parse_search_rows(root, 1, None, {})) == 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(attributes=ATTRIBUTES, children=CHILDREN)
def test_any_library_and_collection_becomes_good_json(
    attributes: dict[str, str], children: list[Any]
) -> None:
    root = Element("MediaContainer")
    root.append(element("Directory", attributes | {"key": "3"}, children))
    (library,) = parse_libraries(root).all
    counts = ("count", "totalSize", "totalDuration", "seasons", "episodes", "albums", "tracks")
    shown = {"library": library, "statistics": dict.fromkeys(counts), "filters": None}
    written(PlexLibraryPayload(shown, context={"show_file_paths": True}))
    made = element("Directory", attributes | {"ratingKey": "7", "type": "collection"}, children)
    (collection,) = parse_collections([made], library.reference)
    written(PlexCollectionPayload(collection, context={"show_file_paths": True}))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    attributes=st.dictionaries(
        st.sampled_from(
            [
                "friendlyName",
                "livetv",
                "musicAnalysis",
                "ownerFeatures",
                "updatedAt",
                "multiuser",
                "transcoderActiveVideoSessions",
                "transcoderVideoBitrates",
                "sync",
                "size",
            ]
        ),
        TEXTS,
    )
)
def test_any_server_is_mapped(attributes: dict[str, str]) -> None:  # fmt: skip
    parse_server(Element("MediaContainer", attributes))
    parse_storage(Element("MediaContainer", attributes))
    parse_choices(Element("MediaContainer", attributes))
    parse_filters(Element("MediaContainer", attributes))
