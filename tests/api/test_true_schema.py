"""The OpenAPI document against what is really answered."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
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


def resolved(part: Any) -> Any:
    """Return a part of the document, or what it refers to."""
    while "$ref" in part:
        part = REGISTRY.resolver("urn:api").lookup(part["$ref"]).contents
    return part


def pointer_to(path: str, status: int, method: str = "get") -> str:
    """Return where the document describes the JSON of a response."""
    response = DOCUMENT["paths"][f"/api/v1{path}"][method]["responses"][str(status)]
    written = path.replace("/", "~1")
    inline = f"#/paths/~1api~1v1{written}/{method}/responses/{status}"
    return f"{response.get('$ref', inline)}/content/application~1json/schema"


def validate(body: Any, path: str, status: int, method: str = "get") -> None:
    """Raise unless the document describes this body; say which member is not as described."""
    schema = {"$ref": f"urn:api{pointer_to(path, status, method)}"}
    problems = list(Draft202012Validator(schema, registry=REGISTRY).iter_errors(body))
    assert not problems, [(list(each.absolute_path), each.message) for each in problems][:5]


def undescribed(body: Any, path: str) -> set[str]:
    """Return the members of `data` that the document does not name."""
    schema = {"$ref": pointer_to(path, 200)}
    return set(_unknown(body["data"], members_of(schema)["data"], "data"))


def members_of(schema: Any) -> dict[str, Any]:
    """Return the members that a schema describes, with those of the schemas that it extends."""
    schema = resolved(schema)
    extended = [*schema.get("allOf", []), *schema.get("oneOf", [])]
    inherited = [members_of(each) for each in extended]
    return reduce(or_, [*inherited, schema.get("properties", {})])


def _unknown(value: Any, schema: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        members = members_of(schema)
        for name, member in value.items():
            if name not in members:
                yield f"{where}.{name}"
            else:
                yield from _unknown(member, members[name], f"{where}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from _unknown(each, resolved(schema)["items"], f"{where}[]")


def sample_requests(plex: Simulator) -> dict[str, list[str]]:
    """Return, for each path of the document, requests whose answers show all it can return."""
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
        "/plex/items": [f"/plex/items?ids={movie.rating_key},{show},{album},9999999"],
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
    for request_path in sample_requests(plex)[path]:
        body = api.get(request_path).json()
        validate(body, path, 200)
        assert not undescribed(body, path)


@pytest.mark.parametrize("fault", [("status", {"status": 401}), ("html", {}), ("disconnect", {})])
@pytest.mark.parametrize("path", READ)
def test_every_failure_of_plex_is_as_the_document_describes_it(
    api: Client, plex: Simulator, path: str, fault: tuple[str, dict[str, int]]
) -> None:
    plex.fault(fault[0], **fault[1])
    answer = api.get(sample_requests(plex)[path][0])
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
