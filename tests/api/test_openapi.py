"""The OpenAPI document as those read it who generate clients from it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from medianest.settings import SPECTACULAR_SETTINGS
from plex_integration import errors
from tests.api.test_true_schema import DOCUMENT, REGISTRY, resolved

SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
ROOT = Path(__file__).parents[2]
MODELS = (ROOT / "tests/document/data-models.ts").read_text()
OPERATIONS: dict[str, Any] = {
    operation["operationId"]: operation
    for path in DOCUMENT["paths"].values()
    for operation in path.values()
}

# Generated clients name their functions after these: a name stays once it is published.
NAMES = {
    "Sign-in": {"signIn", "refreshToken", "verifyToken", "signOut", "getSession"},
    "Plex account": {
        "createPlexPin", "getPlexPin", "getPlexLink", "deletePlexLink", "listPlexHomeUsers",
        "switchPlexHomeUser",
    },
    "Server": {"getServer"},
    "Libraries": {"listLibraries", "listLibraryItems", "listLibraryGenres", "listRecentlyAdded"},
    "Items": {"getItem", "listItemChildren", "listItems", "findItems"},
    "Search": {"search", "lookUpItems"},
    "Collections": {
        "listLibraryCollections", "getCollection", "createCollection", "editCollection",
        "deleteCollection", "addCollectionItems", "removeCollectionItem", "moveCollectionItem",
    },
    "Playlists": {
        "listPlaylists", "getPlaylist", "createPlaylist", "editPlaylist", "deletePlaylist",
        "addPlaylistItems", "removePlaylistItem", "movePlaylistItem",
    },
    "Pictures": {"getItemImage"},
    "Watch state": {"listOnDeck", "markWatched", "markUnwatched", "setProgress"},
    "Health": {"getHealth", "getLiveness"},
}  # fmt: skip


def test_every_operation_has_its_name_under_one_subject() -> None:
    named: dict[str, set[str]] = {}
    for name, operation in OPERATIONS.items():
        (tag,) = operation["tags"]
        named.setdefault(tag, set()).add(name)
    assert named == NAMES


def test_every_subject_is_described_in_an_order_that_starts_with_signing_in() -> None:
    assert [each["name"] for each in DOCUMENT["tags"]] == list(NAMES)
    assert all(each["description"] for each in DOCUMENT["tags"])
    assert next(iter(OPERATIONS)) == "signIn"


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_has_a_short_summary_and_a_description(name: str) -> None:
    operation = OPERATIONS[name]
    assert 5 < len(operation["summary"]) <= 40
    assert not operation["summary"].endswith(".")
    assert operation["description"].endswith(".")


def test_no_two_operations_have_one_summary() -> None:
    summaries = [each["summary"] for each in OPERATIONS.values()]
    assert len(set(summaries)) == len(summaries)


def interfaces() -> dict[str, tuple[str, dict[str, str]]]:
    """Return the interfaces of the document: what each extends, and its members' types."""
    found = re.findall(r"^interface (\w+)(?: extends (\w+))? {\n(.*?)^}", MODELS, re.M | re.S)
    return {
        name: (parent, dict(re.findall(r"^  (\w+\??): (.*);$", body, re.M)))
        for name, parent, body in found
    }


@pytest.mark.parametrize("name", interfaces())
def test_every_interface_of_the_document_is_a_schema_of_its_name(name: str) -> None:
    parent, members = interfaces()[name]
    members = {**(interfaces()[parent][1] if parent else {}), **members}
    described, required = members_of(SCHEMAS[name])
    assert {each.removesuffix("?") for each in members} <= described.keys()
    assert {each for each in members if not each.endswith("?")} <= required
    assert not {each[:-1] for each in members if each.endswith("?")} & required
    for member, kind in members.items():
        referred = re.fullmatch(r"(\w+?)(\[\])?", kind)
        if referred and referred[1] in interfaces():
            assert f"'#/components/schemas/{referred[1]}'" in str(described[member.rstrip("?")])
        for value in re.findall(r"'(\w+)'", kind):
            assert value in described[member]["enum"]


def members_of(schema: Any) -> tuple[dict[str, Any], set[str]]:
    """Return the members of a schema and of what it extends, and which are required."""
    members, required = dict(schema.get("properties", {})), set(schema.get("required", []))
    for part in schema.get("allOf", []):
        extended = SCHEMAS[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
        inherited, needed = members_of(extended)
        members, required = inherited | members, required | needed
    return members, required


def referred(value: Any) -> Iterator[str]:
    """Return every reference in a part of the document."""
    for each in parts(value):
        if "$ref" in each:
            yield each["$ref"]


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Return every object in a part of the document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from parts(each)


def test_a_reference_has_nothing_beside_it() -> None:
    # Generators ignore what is beside a reference.
    beside = [each for each in parts(DOCUMENT) if "$ref" in each and len(each) > 1]
    assert not beside


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {"getItemImage"}))
def test_every_response_has_an_envelope_with_a_name(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        if status.startswith("2"):
            reference = response["content"]["application/json"]["schema"]["$ref"]
            assert reference.endswith("Response")
            properties = resolved({"$ref": reference})["properties"]
            assert properties.keys() == {"success", "data", "metadata"}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_error_response_says_its_codes(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        if int(status) >= 400:
            failure = resolved(response)
            whole, narrowed = failure["content"]["application/json"]["schema"]["allOf"]
            assert whole == {"$ref": "#/components/schemas/ErrorResponse"}
            codes = narrowed["properties"]["error"]["properties"]["code"]["enum"]
            assert {errors.TABLE[code].status_code for code in codes} == {int(status)}
            assert all(f"`{code}`" in failure["description"] for code in codes)


def test_the_error_codes_are_an_enumeration() -> None:
    assert set(SCHEMAS["ErrorCode"]["enum"]) == errors.TABLE.keys()


def test_every_component_is_used() -> None:
    used = set(referred(DOCUMENT))
    for kind in ("schemas", "responses", "headers", "parameters"):
        assert not {
            name
            for name in DOCUMENT["components"][kind]
            if f"#/components/{kind}/{name}" not in used
        }


def test_a_server_is_named_and_no_licence_is_claimed() -> None:
    assert DOCUMENT["servers"] == SPECTACULAR_SETTINGS["SERVERS"]
    assert "license" not in DOCUMENT["info"]


def test_the_document_stays_small() -> None:
    assert len((ROOT / "openapi.yaml").read_bytes()) < 200_000


def examples() -> list[tuple[str, Any, str]]:
    """Return every example in the document: a name, its value, and the schema that it is of."""
    return [
        (f"{name} {status}", resolved(example)["value"], content["schema"]["$ref"])
        for name, operation in OPERATIONS.items()
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]


def test_the_document_has_an_example_of_each_documented_endpoint() -> None:
    assert {name for name, _, _ in examples()} >= {
        f"{name} 200"
        for name in (
            "getServer", "listLibraries", "listLibraryItems", "search", "listRecentlyAdded",
            "listLibraryCollections", "getCollection",
        )
    }  # fmt: skip


@pytest.mark.parametrize(("name", "value", "schema"), examples())
def test_every_example_fits_its_schema(name: str, value: Any, schema: str) -> None:
    validator = Draft202012Validator({"$ref": f"urn:api{schema}"}, registry=REGISTRY)
    assert [f"{each.json_path}: {each.message}" for each in validator.iter_errors(value)] == []
