"""One answer, two spellings: a tree of nodes written as Plex's XML or as its JSON."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

XML_TYPE = "text/xml;charset=utf-8"
JSON_TYPE = "application/json"

Value = str | int | float | bool | None

# Characters that XML 1.0 cannot hold at all.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


class Node:
    """An element: a name, attributes in order (None is left out), and child elements.

    `list_name` is what JSON calls the list it stands in: `Metadata` for all kinds of items.
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


def xml(root: Node) -> bytes:
    pieces = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write_xml(root, pieces)
    return "".join(pieces).encode()


def _write_xml(node: Node, pieces: list[str]) -> None:
    pieces.append(f"<{node.name}")
    for key, value in node.attributes.items():
        if isinstance(value, bool):
            pieces.append(f' {key}="{int(value)}"')
        elif isinstance(value, str):
            pieces.append(f' {key}="{escape(_ILLEGAL.sub("", value), _ENTITIES)}"')
        else:
            pieces.append(f' {key}="{value}"')
    if not node.children:
        pieces.append("/>\n")
        return
    pieces.append(">\n")
    for child in node.children:
        _write_xml(child, pieces)
    pieces.append(f"</{node.name}>\n")


def as_json(root: Node) -> bytes:
    return json.dumps({root.name: _plain(root)}, ensure_ascii=False).encode()


def _plain(node: Node) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in node.attributes.items():
        # Whole ratings come as integers in Plex's JSON.
        whole = isinstance(value, float) and value.is_integer()
        plain[key] = int(value) if isinstance(value, float) and whole else value
    for child in node.children:
        if child.list_name == "Meta":
            plain["Meta"] = _plain(child)
        else:
            plain.setdefault(child.list_name, []).append(_plain(child))
    return plain


def html(status: int, title: str) -> bytes:
    """Write the page that Plex answers errors with, whatever was asked for."""
    return (
        f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    ).encode()
