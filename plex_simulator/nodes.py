"""A tree of nodes that can be written as Plex's XML and as Plex's JSON."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

XML_TYPE = "text/xml;charset=utf-8"
JSON_TYPE = "application/json"

SINGLE = {"Meta", "UltraBlurColors"}  # the elements that are one object in JSON, not a list

Value = str | int | float | bool | None

# Characters that XML 1.0 cannot contain, not even escaped.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Most values have none of the characters that are removed or escaped, so this is checked first.
_SPECIAL = re.compile('[&<>"\x00-\x1f\ud800-\udfff\ufffe\uffff]')
_ENTITIES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


class Node:
    """An element with a name, attributes in order, and child elements.

    Attributes that are None are left out. `list_name` is the name of the JSON list that holds the
    node, for instance `Metadata` for items of all types.
    """

    __slots__ = ("attributes", "children", "list_name", "name")

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, Value],
        children: Iterable["Node"] = (),
        list_name: str | None = None,
    ) -> None:
        self.name = name
        self.attributes = {key: value for key, value in attributes.items() if value is not None}
        self.children = list(children)
        self.list_name = list_name or name


def to_xml(root: Node) -> bytes:
    """Write a tree as XML."""
    pieces = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write_xml(root, pieces)
    return "".join(pieces).encode()


def _write_xml(node: Node, pieces: list[str]) -> None:
    pieces.append(f"<{node.name}")
    for key, value in node.attributes.items():
        if isinstance(value, bool):
            pieces.append(f' {key}="{int(value)}"')
        elif isinstance(value, str):
            text = _escape(value) if _SPECIAL.search(value) else value
            pieces.append(f' {key}="{text}"')
        else:
            pieces.append(f' {key}="{value}"')
    if not node.children:
        pieces.append("/>\n")
        return
    pieces.append(">\n")
    for child in node.children:
        _write_xml(child, pieces)
    pieces.append(f"</{node.name}>\n")


def _escape(text: str) -> str:
    return escape(_ILLEGAL.sub("", text), _ENTITIES)


def to_json(root: Node) -> bytes:
    """Write a tree as JSON."""
    return json.dumps({root.name: _to_dict(root)}, ensure_ascii=False).encode()


def _to_dict(node: Node) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in node.attributes.items():
        # Plex writes ratings without decimals as integers.
        is_whole = isinstance(value, float) and value.is_integer()
        result[key] = int(value) if isinstance(value, float) and is_whole else value
    for child in node.children:
        if child.list_name in SINGLE:
            result[child.list_name] = _to_dict(child)
        else:
            result.setdefault(child.list_name, []).append(_to_dict(child))
    return result


def error_page(status: int, title: str) -> bytes:
    """Write the HTML page of an error, which Plex sends regardless of the Accept header."""
    return (
        f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    ).encode()
