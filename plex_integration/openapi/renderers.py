"""The OpenAPI document as compact JSON, and as YAML in which what is small takes one line."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer
from yaml import Node, SafeDumper, dump

_WIDTH, _SHORT = 100, 80


class _Dumper(SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _mapping(dumper: SafeDumper, data: dict[str, Any]) -> Node:
    is_short = _is_flat(data.values()) and len(str(data)) <= _SHORT
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=is_short)


def _sequence(dumper: SafeDumper, data: list[Any]) -> Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=_is_flat(data))


def _is_flat(values: Iterable[Any]) -> bool:
    return not any(isinstance(each, dict | list) for each in values)


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _sequence)


class JsonRenderer(BaseRenderer):
    """Write the document as JSON without blanks."""

    media_type = "application/json"
    format = "json"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


class OpenApiJsonRenderer(JsonRenderer):
    """The same, for clients that ask for OpenAPI's own media type."""

    media_type = "application/vnd.oai.openapi+json"


class YamlRenderer(BaseRenderer):
    """Write the document as YAML."""

    media_type = "application/yaml"
    format = "yaml"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": _WIDTH}
        written: bytes = dump(data, Dumper=_Dumper, encoding="utf-8", **options)
        return written


class OpenApiYamlRenderer(YamlRenderer):
    """The same, for clients that ask for OpenAPI's own media type."""

    media_type = "application/vnd.oai.openapi"
