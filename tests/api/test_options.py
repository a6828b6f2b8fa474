"""OPTIONS describes an endpoint for people and programs, as the OpenAPI document does."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts.models import User
from plex_simulator import Simulator
from tests.conftest import Client

DOCUMENT: Any = yaml.safe_load((Path(__file__).parents[2] / "openapi.yaml").read_text())


def described(api: Client, path: str) -> Any:
    response = api.options(path)
    assert response.status_code == 200, response.text
    return response.json()["data"]


def test_an_endpoint_is_described_with_its_parameters_and_their_bounds(
    api: Client, plex: Simulator
) -> None:
    found = described(api, "/plex/libraries/1/items")
    assert found["name"] == "Library items"
    assert set(found["methods"]) == {"GET", "HEAD", "OPTIONS"}
    assert "application/json" in found["renders"]
    assert found["parses"] == ["application/json"]
    (operation,) = found["operations"]
    assert found["description"] == operation["summary"]
    parameters = {each["name"]: each for each in operation["parameters"]}
    assert parameters["libraryKey"]["in"] == "path"
    assert parameters["size"]["schema"]["minimum"] == 1
    assert parameters["size"]["schema"]["maximum"] == 200
    assert parameters["size"]["schema"]["default"] == 50
    assert "titleSort" in str(parameters["sort"]["schema"])
    assert parameters["size"]["description"]
    assert plex.count() == 0


def test_an_endpoint_that_changes_something_is_described_with_its_body(
    api: Client, plex: Simulator
) -> None:
    User.objects.update(is_superuser=True)
    found = described(api, "/plex/collections/1")
    assert [each["method"] for each in found["operations"]] == ["GET", "PATCH", "DELETE"]
    (edit,) = [each for each in found["operations"] if each["method"] == "PATCH"]
    assert "title" in edit["body"]["properties"]
    assert edit["operationId"] == "editCollection"


@pytest.mark.parametrize(
    ("path", "name"),
    [("/plex/server", "Server"), ("/plex/recently-added", "Recent"), ("/auth/session",
      "Session"), ("/health", "Health"), ("/plex/", "Index"), ("/auth/plex/pins",
      "Plex pins"), ("/errors", "Errors")],
)  # fmt: skip
def test_an_endpoint_is_named_in_words_and_no_class_is_named(
    api: Client, plex: Simulator, path: str, name: str
) -> None:
    response = api.options(path)
    assert response.status_code == 200
    assert response.json()["data"]["name"] == name
    for inner in ("ViewSet", "Serializer", "Payload", "Renderer", "medianest.", "$ref"):
        assert inner not in response.text


def test_every_operation_of_the_document_is_described_by_its_path(
    api: Client, plex: Simulator
) -> None:
    User.objects.update(is_superuser=True)
    for path, item in DOCUMENT["paths"].items():
        concrete = path.removeprefix("/api/v1")
        for key in ("libraryKey", "ratingKey", "collectionKey", "playlistKey", "pinId"):
            concrete = concrete.replace(f"{{{key}}}", "1")
        concrete = concrete.replace("{kind}", "thumb").replace("{uuid}", "a")
        operations = described(api, concrete)["operations"]
        names = {each["operationId"] for each in operations}
        assert names == {
            operation["operationId"] for method, operation in item.items() if method != "parameters"
        }
        assert all(each["documentation"].startswith("/api/v1/docs#/") for each in operations)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_about_the_document_has_no_description(api: Client, path: str) -> None:
    refused = api.options(path)
    assert refused.status_code == 405
    assert refused.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/schema", "/errors"])
def test_what_is_not_part_of_the_document_is_described_in_the_envelope_too(
    api: Client, path: str
) -> None:
    answer = api.options(path).json()
    assert answer["success"] is True
    assert answer["data"]["description"].endswith(".")
    assert {"timestamp", "requestId"} <= answer["metadata"].keys()
