"""The features of a server: what Plex lists, what it reports by itself, and what nobody knows."""

from xml.etree.ElementTree import Element

import pytest

from plex_integration.plex import media
from plex_integration.plex.parsing.server import parse_server

LISTED = ("collections", "dvr", "livetv", "musicAnalysis", "sync")


def features(**attributes: str) -> media.Features:
    return parse_server(Element("MediaContainer", attributes)).features


def test_without_the_list_no_feature_is_known() -> None:
    found = features()
    assert {name: getattr(found, name) for name in LISTED} == dict.fromkeys(LISTED)


def test_an_empty_list_has_no_feature() -> None:
    found = features(ownerFeatures="")
    assert {name: getattr(found, name) for name in LISTED} == dict.fromkeys(LISTED, False)


def test_a_feature_in_the_list_is_there() -> None:
    found = features(ownerFeatures="collections,dvr,livetv,music-analysis,sync,1b870c2b")
    assert {name: getattr(found, name) for name in LISTED} == dict.fromkeys(LISTED, True)


@pytest.mark.parametrize(
    ("name", "attribute", "value", "expected"),
    [
        ("livetv", "livetv", "7", True),
        ("livetv", "livetv", "0", False),
        ("musicAnalysis", "musicAnalysis", "2", True),
        ("musicAnalysis", "musicAnalysis", "x", None),
        ("sync", "sync", "1", True),
        ("sync", "sync", "0", False),
    ],
)
def test_an_attribute_of_its_own_tells_without_the_list(
    name: str, attribute: str, value: str, expected: bool | None
) -> None:
    assert getattr(features(**{attribute: value}), name) is expected


def test_either_source_is_enough() -> None:
    assert features(ownerFeatures="dvr", livetv="7").livetv is True
    assert features(ownerFeatures="livetv", livetv="0").livetv is True
