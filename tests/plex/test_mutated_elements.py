"""Whatever the elements of a well-formed answer hold, the JSON is as the document describes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
import requests
from hypothesis import given, settings
from jsonschema_rs import Draft202012Validator

from medianest.api import renderers
from plex_integration.configuration.connection import Scope
from plex_integration.plex import media
from plex_integration.plex.parsing.collections import parse_collections
from plex_integration.plex.parsing.items import (
    complete_item,
    parse_item_details,
    parse_rows,
    parse_search_rows,
)
from plex_integration.plex.parsing.libraries import parse_choices, parse_filters, parse_libraries
from plex_integration.plex.parsing.playlists import parse_playlists
from plex_integration.plex.parsing.server import parse_server
from plex_integration.reading import serializers
from plex_simulator import Simulator
from tests.api.test_true_schema import DOCUMENT
from tests.plex.mutations import MUTATIONS_OF_ELEMENTS, Mutation, mutated

LIBRARY = media.LibraryReference("1", "Movies", "movie")
STATISTICS = media.LibraryStatistics(count=1, totalSize=None, totalDuration=None)


@dataclass(frozen=True)
class Parsing:
    """A path of Plex, how its answer is parsed, and how each result of that is written."""

    path: str
    parse: Callable[[Element], Iterable[Any]]
    payload: str


def completed(root: Element) -> list[media.Item]:
    rows = parse_rows(list(root), root, {})
    elements = {each.get("ratingKey", ""): each for each in root}
    return [complete_item(row, elements[row.ratingKey], {}) for row in rows]


def libraries(root: Element) -> list[dict[str, Any]]:
    found = parse_libraries(root).all
    return [{"library": each, "statistics": STATISTICS, "filters": None} for each in found]


def details(root: Element) -> list[media.Item]:
    item = parse_item_details(root, {})
    return [] if item is None else [item]


PARSINGS = {
    "movies": Parsing("/library/sections/1/all?includeGuids=1", completed, "PlexMediaItemPayload"),
    "episodes": Parsing("/library/sections/2/all?type=4", completed, "PlexMediaItemPayload"),
    "search": Parsing(
        "/hubs/search?query=the&limit=1",
        lambda root: [row.read_item() for row in parse_search_rows(root, 1, None, {})],
        "PlexMediaItemPayload",
    ),
    "item": Parsing(
        "/library/metadata/{movie}?includeChapters=1", details, "PlexMediaItemDetailsPayload"
    ),
    "collections": Parsing(
        "/library/sections/1/collections",
        lambda root: parse_collections(root, LIBRARY),
        "PlexCollectionPayload",
    ),
    "playlists": Parsing("/playlists", parse_playlists, "PlexPlaylistPayload"),
    "libraries": Parsing("/library/sections", libraries, "PlexLibraryPayload"),
    "filters": Parsing(
        "/library/sections/1/all?type=1&includeMeta=1", parse_filters, "PlexFilterPayload"
    ),
    "genres": Parsing(
        "/library/sections/1/genre?type=1", lambda root: parse_choices(root).all, "PlexGenrePayload"
    ),
    "server": Parsing("/", lambda root: [parse_server(root).server], "PlexServerInfoPayload"),
    "features": Parsing(
        "/", lambda root: [parse_server(root).features], "PlexServerFeaturesPayload"
    ),
}


@lru_cache
def validator(component: str) -> Draft202012Validator:
    reference = f"#/components/schemas/{component.removesuffix('Payload')}"
    return Draft202012Validator(
        {"$ref": reference, "components": DOCUMENT["components"]}, validate_formats=True
    )


@pytest.mark.parametrize("name", PARSINGS)
def test_any_elements_become_json_that_fits_the_document(name: str, plex: Simulator) -> None:
    parsing = PARSINGS[name]
    path = parsing.path.format(movie=plex.catalogue.items("1", "movie")[0].rating_key)
    page = {"X-Plex-Container-Start": "0", "X-Plex-Container-Size": "3"}
    headers = {"X-Plex-Token": plex.owner_token, **page}
    body = requests.get(plex.url + path, headers=headers, timeout=10).content
    payload = getattr(serializers, parsing.payload)
    assert list(parsing.parse(fromstring(body)))

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(MUTATIONS_OF_ELEMENTS)
    def check(mutations: list[Mutation]) -> None:
        for each in parsing.parse(fromstring(mutated(body, mutations))):
            shown = payload(each, context={"show_file_paths": True, "scope": Scope("1", "server")})
            validator(parsing.payload).validate(renderers.decode(renderers.encode(shown.data)))

    check()
