"""Complete the document that drf-spectacular generates."""

from collections.abc import Iterable, Iterator
from typing import Any

from plex_integration.openapi import (
    envelopes,
    examples,
    headers,
    parameters,
    problems,
)
from plex_integration.openapi.headers import Header

_READS_BY_POST = frozenset({"findItems"})
"""The operations with a body that write nothing; their responses are cached as those of a GET."""

_METHODS = ("get", "post", "put", "patch", "delete")

_OPTIONAL_BODIES = frozenset({"createPlexPin", "switchPlexHomeUser"})
"""The operations whose body may be missing; every other body is required."""


def complete(result: Any, generator: Any, request: Any, public: Any) -> Any:
    """Wrap every response in the envelope, add errors and headers, and share what is equal."""
    _remove_marks(result)
    _order_methods(result)
    components = result["components"]
    components["responses"] = {
        "NotModified": _not_modified(headers.CACHED),
        "PictureNotModified": _not_modified(headers.PICTURE),
    }
    components["headers"] = headers.components()
    components["examples"] = examples.components()
    components["schemas"] |= envelopes.COMPONENTS
    operations = list(_operations(result))
    for path, method, operation in operations:
        _complete_body(operation)
        _complete_responses(path, method, operation, components)
        examples.add_to(operation)
    components["parameters"] = parameters.shared(operation for _, _, operation in operations)
    return result


def _operations(result: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in result["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _order_methods(result: Any) -> None:
    """Put the methods of each path in one order: drf-spectacular has them in a set."""
    for path, item in result["paths"].items():
        result["paths"][path] = {name: item[name] for name in _METHODS if name in item}


def _remove_marks(value: Any) -> None:
    """Remove drf-spectacular's marks for its own enum hook, which this document does without."""
    if isinstance(value, dict):
        value.pop("x-spec-enum-id", None)
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            _remove_marks(each)


def _complete_body(operation: dict[str, Any]) -> None:
    if "requestBody" in operation:
        # drf-spectacular does not require the body of a PATCH.
        is_required = operation["operationId"] not in _OPTIONAL_BODIES
        operation["requestBody"]["required"] = is_required


def _complete_responses(path: str, method: str, operation: Any, components: Any) -> None:
    responses = operation["responses"]
    if operation["operationId"] == "getItemImage":
        responses["200"] |= _about("The picture.", headers.PICTURE)
        responses["304"] = {"$ref": "#/components/responses/PictureNotModified"}
    elif not path.startswith("/api/v1/plex/"):
        for response in responses.values():
            _wrap(response, "Metadata", components["schemas"])
            response |= _about("Success.", headers.PLAIN)
    elif method == "get" or operation["operationId"] in _READS_BY_POST:
        _wrap(responses["200"], "CachedMetadata", components["schemas"])
        sent = headers.PAGE if _has_pages(operation) else headers.CACHED
        responses["200"] |= _about("Success.", sent)
        if method == "get":
            responses["304"] = {"$ref": "#/components/responses/NotModified"}
    else:
        _complete_write(responses, components["schemas"])
    for status, (name, response) in problems.responses(operation["operationId"]).items():
        responses[status] = {"$ref": f"#/components/responses/{name}"}
        components["responses"][name] = response


def _has_pages(operation: dict[str, Any]) -> bool:
    return any(each["name"] == "size" for each in operation.get("parameters", ()))


def _complete_write(responses: dict[str, Any], schemas: dict[str, Any]) -> None:
    for response in responses.values():
        _wrap(response, "Metadata", schemas)
    if "201" in responses:
        responses["200"] |= _about("What a dry run would do.", headers.WRITTEN)
        responses["201"] |= _about("Created.", headers.CREATED)
    else:
        plan = "The result, or with `dryRun` the plan."
        responses["200"] |= _about(plan, headers.WRITTEN)


def _wrap(response: dict[str, Any], metadata: str, schemas: dict[str, Any]) -> None:
    content = response.get("content", {}).get("application/json", {})
    name, schema = envelopes.success(content.get("schema", {"type": "object"}), metadata)
    schemas[name] = schema
    reference = {"$ref": f"#/components/schemas/{name}"}
    response["content"] = {"application/json": {"schema": reference}}


def _about(description: str, sent: Iterable[Header]) -> dict[str, Any]:
    return {"description": description, "headers": headers.references(sent)}


def _not_modified(sent: Iterable[Header]) -> dict[str, Any]:
    return _about("The client's `If-None-Match` names the present `ETag`.", sent)
