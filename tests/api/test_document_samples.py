"""Every member of the document's samples is in the real answers, with the sample's JSON type."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from plex_simulator import Simulator
from tests.conftest import Client

DOCUMENT = Path(__file__).parent.parent / "document"

REQUESTS = {
    "server": "/plex/server",
    "libraries": "/plex/libraries",
    "library-items": "/plex/libraries/1/items?size=200",
    "search": "/plex/search?query=action&type=show&limit=200",
    "recently-added": "/plex/recently-added?limit=200",
    "collections": "/plex/libraries/1/collections",
    "collection": "/plex/collections/11001004",
}

# Members that a Plex server has no source for: always there and null, or left out if optional.
NULL = {
    "data.server.createdAt",
    "data.connection.relay",
    "data.features.contentRating",
    "data.features.passthrough",
    "data.features.publicAddressMatches",
    "data.features.scannerPhotos",
    "data.features.searchByGenre",
    "data.features.transcodingThrottling",
    "data.statistics.accountID",
    "data.statistics.deviceID",
}
LEFT_OUT = {"data.items[].theme"}  # movies have none

# What the document's interfaces mark optional, and what only some types of library have.
ITEM_OPTIONAL = {
    "guid", "titleSort", "originalTitle", "summary", "rating", "audienceRating", "year",
    "contentRating", "duration", "originallyAvailableAt", "art", "thumb", "banner", "theme",
    "studio", "tagline", "genres", "directors", "writers", "actors", "countries", "collections",
    "media", "seasonCount", "episodeCount", "childCount", "leafCount", "viewedLeafCount",
}  # fmt: skip
OPTIONAL = {
    "data.items[]": ITEM_OPTIONAL,
    "data.results[]": ITEM_OPTIONAL,
    "data.items[].actors[]": {"role", "thumb"},
    "data.results[].actors[]": {"role", "thumb"},
    "data.libraries[]": {"filters"},
    "data.libraries[].statistics": {"seasons", "episodes"},
    "data.collections[]": {"titleSort", "summary", "contentRating", "art", "thumb"},
    "data.collection": {"titleSort", "summary", "contentRating", "art", "thumb"},
}

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")


def compare(sample: Any, answers: list[Any], where: str) -> None:
    """Hold all answers found at one place of the document against the sample there."""
    if where in NULL:
        assert answers == [None] * len(answers), where
        return
    known = [answer for answer in answers if answer is not None]
    assert known or sample is None, f"{where} is null everywhere"
    if isinstance(sample, dict):
        assert all(isinstance(answer, dict) for answer in known), where
        for name, value in sample.items():
            compare_member(name, value, known, where)
    elif isinstance(sample, list):
        assert all(isinstance(answer, list) for answer in known), where
        elements = [element for answer in known for element in answer]
        for element in sample:
            compare(element, elements, f"{where}[]")
    elif sample is not None:
        for answer in known:
            assert same_type(sample, answer), f"{where}: {answer!r} is not like {sample!r}"


def compare_member(name: str, sample: Any, holders: list[dict], where: str) -> None:
    place = f"{where}.{name}".lstrip(".")
    there = [holder[name] for holder in holders if name in holder]
    if place in LEFT_OUT:
        assert there == []
        return
    if name not in OPTIONAL.get(where, ()):
        assert len(there) == len(holders), f"{place} is missing"
    assert there, f"{place} is nowhere"
    compare(sample, there, place)


def same_type(sample: Any, answer: Any) -> bool:
    if isinstance(sample, bool) or isinstance(answer, bool):
        return type(sample) is type(answer)
    if isinstance(sample, int):
        return isinstance(answer, int)
    if isinstance(sample, float):
        return isinstance(answer, int | float)
    if not isinstance(answer, str):
        return False
    spelled = next((way for way in (INSTANT, DAY) if way.fullmatch(sample)), None)
    return spelled is None or spelled.fullmatch(answer) is not None


@pytest.mark.parametrize("name", REQUESTS)
def test_every_documented_member_is_answered(api: Client, plex: Simulator, name: str) -> None:
    sample = json.loads((DOCUMENT / f"{name}.json").read_text(encoding="utf-8"))
    response = api.get(REQUESTS[name])
    assert response.status_code == 200
    sample["metadata"].pop("cached", None)
    sample["metadata"].pop("cacheAge", None)
    compare(sample, [response.json()], "")


@pytest.mark.parametrize("name", REQUESTS)
def test_answers_that_can_be_cached_say_whether_they_were(
    api: Client, plex: Simulator, name: str
) -> None:
    metadata = api.get(REQUESTS[name]).json()["metadata"]
    assert metadata["cached"] is False
    assert metadata["cacheAge"] == 0
    assert type(metadata["cacheAge"]) is int


@pytest.mark.parametrize("name", REQUESTS)
def test_request_ids_carry_the_documents_route_names(api: Client, name: str) -> None:
    sample = json.loads((DOCUMENT / f"{name}.json").read_text(encoding="utf-8"))
    route = sample["metadata"]["requestId"].removesuffix("123")
    requestId = api.get(REQUESTS[name]).json()["metadata"]["requestId"]
    assert re.fullmatch(re.escape(route) + "[0-9a-f]{32}", requestId)


def test_the_samples_with_two_genres_and_no_ids_are_what_a_summary_gives(api: Client) -> None:
    for item in api.data("/plex/collections/11001008?details=summary&size=50")["items"]:
        for genre in item.get("genres", []):
            assert genre.keys() == {"tag"}
