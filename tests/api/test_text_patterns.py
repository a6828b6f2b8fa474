"""The document's patterns against the validators: a text fits one when the other accepts it."""

import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from rest_framework.exceptions import APIException

from accounts.serializers import RefreshTokenBody, SignInBody
from plex_integration.reading.queries import LibraryItemsQuery, LookupQuery, SearchQuery
from plex_integration.writing.bodies import (
    AddItemsBody,
    CreateCollectionBody,
    EditCollectionBody,
    EditPlaylistBody,
)
from plex_integration.writing.idempotency import HEADER, validated_key
from tests.api.test_true_schema import DOCUMENT, resolved

SEARCH, ITEMS, LOOKUP = (
    f"/api/v1/plex/{path}" for path in ("search", "libraries/{libraryKey}/items", "items/lookup")
)
EDIT = "/api/v1/plex/collections/{collectionKey}"


def parameter(path: str, name: str, method: str = "get") -> Any:
    parameters = map(resolved, DOCUMENT["paths"][path][method]["parameters"])
    return next(each["schema"] for each in parameters if each["name"] == name)


def member(component: str, name: str) -> Any:
    return DOCUMENT["components"]["schemas"][component]["properties"][name]


def query(serializer: Any, name: str) -> Callable[[str], Any]:
    def read(text: str) -> None:
        parameters = QueryDict(mutable=True)
        parameters[name] = text
        serializer.of(parameters)

    return read


def body(serializer: Any, name: str, **others: Any) -> Callable[[str], Any]:
    return lambda text: serializer(data={name: text, **others}).is_valid(raise_exception=True)


TEXTS = {
    "query": (parameter(SEARCH, "query"), query(SearchQuery, "query")),
    "genre": (parameter(ITEMS, "genre"), query(LibraryItemsQuery, "genre")),
    "guid": (parameter(LOOKUP, "guid"), query(LookupQuery, "guid")),
    HEADER: (parameter(EDIT, HEADER, "patch"), validated_key),
    "new title": (
        member("CreateCollectionRequest", "title"),
        body(CreateCollectionBody, "title", items=["1"]),
    ),
    "title": (member("EditCollectionRequest", "title"), body(EditCollectionBody, "title")),
    "titleSort": (
        member("EditCollectionRequest", "titleSort"),
        body(EditCollectionBody, "titleSort"),
    ),
    "summary": (member("EditPlaylistRequest", "summary"), body(EditPlaylistBody, "summary")),
    "username": (
        member("SignInRequest", "username"),
        body(SignInBody, "username", password="x"),
    ),
    "password": (
        member("SignInRequest", "password"),
        body(SignInBody, "password", username="x"),
    ),
    "refresh": (member("RefreshTokenRequest", "refresh"), body(RefreshTokenBody, "refresh")),
}

# Blanks, controls and what XML forbids, which random texts seldom contain.
SPECIAL = "\t\n\v\f\r\x00\x01\x1b \x7f\xa0\u1680\u2003\u2028\u3000\ufffe\uffff"
# JavaScript and Python do not agree whether these are blanks.
DISPUTED = "\x1c\x1d\x1e\x1f\x85\ufeff"
CHARACTERS = st.one_of(
    st.sampled_from(SPECIAL + "aé~"),
    st.characters(exclude_categories=["Cs"], exclude_characters=DISPUTED),
)


def is_accepted(read: Callable[[str], Any], text: str) -> bool:
    try:
        read(text)
    except APIException:
        return False
    return True


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_fits_the_document_exactly_when_the_service_accepts_it(name: str) -> None:
    schema, read = TEXTS[name]
    validator = Draft202012Validator(schema)

    @settings(max_examples=400, deadline=None, derandomize=True)
    @given(st.text(CHARACTERS, max_size=6).map(partial(unicodedata.normalize, "NFC")))
    @example("plex://movie/0a")
    @example("tmdb://1\n")
    @example("é" * 256)
    @example("a" + " " * 256)
    @example(" " * 256)
    def compare(text: str) -> None:
        assert validator.is_valid(text) == is_accepted(read, text), repr(text)

    compare()


@pytest.mark.parametrize(
    ("key", "is_key"),
    [("1", True), (1, True), (0, True), (9_999_999_999, True), (10_000_000_000, False),
     (-1, False), (1.5, False), (True, False), (None, False), ("", False), ("1 ", False)],
)  # fmt: skip
def test_a_rating_key_is_a_text_or_a_number(key: Any, is_key: bool) -> None:
    validator = Draft202012Validator(member("AddItemsRequest", "items"))
    assert validator.is_valid([key]) is is_key
    assert AddItemsBody(data={"items": [key]}).is_valid() is is_key


@pytest.mark.parametrize("component", ["EditCollectionRequest", "EditPlaylistRequest"])
@pytest.mark.parametrize(
    ("change", "is_change"), [({}, False), ({"a": 1}, False), ({"title": "a"}, True)]
)
def test_a_change_names_at_least_one_field(component: str, change: Any, is_change: bool) -> None:
    schema = DOCUMENT["components"]["schemas"][component]
    assert Draft202012Validator(schema).is_valid(change) is is_change
    assert schema["minProperties"] == 1


def test_every_body_is_required_unless_all_of_it_is_optional() -> None:
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]
    given = {
        each["operationId"]: each["requestBody"] for each in operations if "requestBody" in each
    }
    optional = {name for name, body in given.items() if not body.get("required")}
    assert len(given) > len(optional)
    assert optional == {"createPlexPin", "switchPlexHomeUser"}
