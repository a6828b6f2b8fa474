"""The operations of the OpenAPI document, for the pages and OPTIONS responses that describe them.

Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.urls import reverse

_METHODS = ("get", "post", "put", "patch", "delete")

_generate: Callable[[], Mapping[str, Any]] = dict


@dataclass(frozen=True)
class Operation:
    """A method of a path. `parameters` and `body` are JSON schemas without references."""

    id: str
    method: str
    path: str
    subject: str
    summary: str
    description: str
    parameters: list[dict[str, Any]]
    body: dict[str, Any] | None

    @property
    def url(self) -> str:
        """The address that opens this operation in Swagger UI."""
        return f"{reverse('docs')}#/{quote(self.subject, safe='')}/{self.id}"


def use_document(generate: Callable[[], Mapping[str, Any]]) -> None:
    """Set the function that generates the document. The app that describes the API sets it."""
    global _generate
    _generate = generate
    _all.cache_clear()


def of_path(path: str) -> list[Operation]:
    """Return the operations of a path as the document writes it, such as `/api/v1/plex/{id}`."""
    return _all().get(path, [])


@lru_cache(maxsize=1)
def _all() -> dict[str, list[Operation]]:
    """Read the document, once in a process: to generate it takes a part of a second."""
    document = _generate()
    return {
        path: [_operation(path, name, item[name], document) for name in _METHODS if name in item]
        for path, item in document.get("paths", {}).items()
    }


def _operation(
    path: str, method: str, written: Mapping[str, Any], document: Mapping[str, Any]
) -> Operation:
    body = written.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        id=written["operationId"],
        method=method.upper(),
        path=path,
        subject=written["tags"][0],
        summary=written.get("summary", written.get("description", "")).replace("`", ""),
        description=written.get("description", ""),
        parameters=_resolved(written.get("parameters", []), document),
        body=_resolved(body["schema"], document) if body else None,
    )


def _resolved(value: Any, document: Mapping[str, Any]) -> Any:
    """Replace every reference by what it refers to."""
    if isinstance(value, list):
        return [_resolved(each, document) for each in value]
    if not isinstance(value, dict):
        return value
    if reference := value.get("$ref"):
        target: Any = document
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]
        value = {**target, **{name: each for name, each in value.items() if name != "$ref"}}
    return {name: _resolved(each, document) for name, each in value.items()}
