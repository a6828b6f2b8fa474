"""What a user of Postman sees after an import of openapi.yaml."""

import json
from typing import Any

import pytest
import yaml

from tests.clients.conftest import HERE, Run
from tests.docs.pages import ROOT


@pytest.fixture(scope="module")
def collection(run: Run) -> Any:
    """The imported collection."""
    document = str(ROOT / "openapi.yaml")
    return json.loads(run("node", "postman/convert.cjs", document, folder=HERE))


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load((ROOT / "openapi.yaml").read_text())


def _operations(document: Any) -> list[Any]:
    return [
        operation
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
    ]


def test_every_tag_is_a_folder_with_its_description(collection: Any, document: Any) -> None:
    folders = {folder["name"]: folder["description"] for folder in collection["item"]}
    assert folders == {tag["name"]: tag["description"] for tag in document["tags"]}


def test_every_request_is_named_by_the_summary_of_its_operation(
    collection: Any, document: Any
) -> None:
    names = {
        (folder["name"], request["name"])
        for folder in collection["item"]
        for request in folder["item"]
    }
    operations = _operations(document)
    assert names == {(*each["tags"], each["summary"]) for each in operations}
    assert len(names) == len(operations)


def test_every_request_goes_to_the_base_url(collection: Any, document: Any) -> None:
    requests = [request["request"] for folder in collection["item"] for request in folder["item"]]
    assert {tuple(request["url"]["host"]) for request in requests} == {("{{baseUrl}}",)}
    variables = {each["key"]: each["value"] for each in collection["variable"]}
    assert variables == {"baseUrl": document["servers"][0]["url"]}


def test_only_requests_that_need_a_token_send_one(collection: Any) -> None:
    kinds = {
        request["name"]: request["request"]["auth"]["type"]
        for folder in collection["item"]
        for request in folder["item"]
    }
    assert kinds["Sign in"] == "noauth"
    assert kinds["List all libraries"] == "bearer"
