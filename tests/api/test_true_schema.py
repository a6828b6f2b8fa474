"""The OpenAPI document against what is really answered."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from plex_simulator import Simulator
from tests.conftest import Client

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "openapi.yaml").read_text())
REGISTRY: Any = Registry().with_resource(
    "urn:api", Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
)


def validate(body: Any, path: str, status: int, method: str = "get") -> None:
    """Raise unless the document describes this body; say which member is not as described."""
    pointer = "/".join(
        part.replace("~", "~0").replace("/", "~1")
        for part in ("paths", f"/api/v1{path}", method, "responses", str(status), "content",
                     "application/json", "schema")
    )  # fmt: skip
    schema = {"$ref": f"urn:api#/{pointer}"}
    problems = list(Draft202012Validator(schema, registry=REGISTRY).iter_errors(body))
    assert not problems, [(list(each.absolute_path), each.message) for each in problems][:5]


def undescribed(body: Any, path: str) -> set[str]:
    """Return the members of `data` that the document does not name."""
    schema = DOCUMENT["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]["schema"]["properties"]["data"]
    return set(_unknown(body["data"], schema, "data"))


def _unknown(value: Any, schema: Any, where: str) -> Any:
    while "$ref" in schema or "allOf" in schema or "oneOf" in schema:
        inner = schema.get("allOf") or [
            each for each in schema.get("oneOf", []) if each.get("type") != "null"
        ]
        name = schema["$ref"] if "$ref" in schema else inner[0].get("$ref")
        schema = DOCUMENT["components"]["schemas"][name.rsplit("/", 1)[1]]
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in schema.get("properties", {}):
                yield f"{where}.{name}"
            else:
                yield from _unknown(member, schema["properties"][name], f"{where}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from _unknown(each, schema["items"], f"{where}[]")


def asked(plex: Simulator) -> dict[str, list[str]]:
    """Return, for each path of the document, questions that show all it can answer."""
    catalogue = plex.catalogue
    show = catalogue.items("2", "show")[0].rating_key
    album = catalogue.items("5", "album")[0].rating_key
    movie = max(catalogue.items("1", "movie"), key=lambda item: len(item.roles))
    playlist = next(each for each in catalogue.playlists if each.user_id == catalogue.owner.id)
    collection = catalogue.collections("1")[0].rating_key
    libraries = {"1": "movie", "2": "episode", "5": "track", "6": "photo", "8": "movie"}
    return {
        "/plex/server": ["/plex/server"],
        "/plex/libraries": ["/plex/libraries"],
        "/plex/libraries/{libraryKey}/items": [
            *(f"/plex/libraries/{key}/items?size=200&type={kind}"
              for key, kind in libraries.items()),
            "/plex/libraries/1/items?details=summary",
        ],
        "/plex/libraries/{libraryKey}/collections": ["/plex/libraries/1/collections"],
        "/plex/libraries/{libraryKey}/genres": ["/plex/libraries/1/genres"],
        "/plex/collections/{collectionKey}": [f"/plex/collections/{collection}"],
        "/plex/search": ["/plex/search?query=the&limit=100"],
        "/plex/recently-added": ["/plex/recently-added?limit=100"],
        "/plex/on-deck": ["/plex/on-deck"],
        "/plex/items/lookup": [f"/plex/items/lookup?guid={movie.guid}"],
        "/plex/items/{ratingKey}": [f"/plex/items/{key}" for key in (movie.rating_key, show)],
        "/plex/items/{ratingKey}/children": [
            f"/plex/items/{key}/children" for key in (show, album)
        ],
        "/plex/playlists": ["/plex/playlists"],
        "/plex/playlists/{playlistKey}": [f"/plex/playlists/{playlist.rating_key}"],
    }  # fmt: skip


READ = sorted(
    path.removeprefix("/api/v1")
    for path, operations in DOCUMENT["paths"].items()
    if path.startswith("/api/v1/plex/") and "get" in operations and "images" not in path
)


@pytest.mark.parametrize("path", READ)
def test_every_answer_is_as_the_document_describes_it(
    api: Client, plex: Simulator, path: str
) -> None:
    for question in asked(plex)[path]:
        body = api.get(question).json()
        validate(body, path, 200)
        assert not undescribed(body, path)


@pytest.mark.parametrize("fault", [("status", {"status": 401}), ("html", {}), ("disconnect", {})])
@pytest.mark.parametrize("path", READ)
def test_every_failure_of_plex_is_as_the_document_describes_it(
    api: Client, plex: Simulator, path: str, fault: tuple[str, dict[str, int]]
) -> None:
    plex.fault(fault[0], **fault[1])
    answer = api.get(asked(plex)[path][0])
    assert answer.status_code in (401, 502, 503)
    validate(answer.json(), path, answer.status_code)


def test_signing_in_is_as_the_document_describes_it(anonymous: Client, user: Any) -> None:
    body = {"username": user.username, "password": "correct-horse-battery-staple"}
    pair = anonymous.post("/auth/token", json=body)
    validate(pair.json(), "/auth/token", 200, "post")
    refused = anonymous.post("/auth/token", json=body | {"password": "wrong"})
    validate(refused.json(), "/auth/token", 401, "post")
    malformed = anonymous.post("/auth/token", json={})
    validate(malformed.json(), "/auth/token", 400, "post")
