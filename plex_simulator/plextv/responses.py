"""The responses of plex.tv: JSON for clients that accept it, XML for the others."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from plex_simulator.messages import Request, Response
from plex_simulator.nodes import JSON_TYPE, Node, to_xml

PATHS = "/api/"  # the start of every path of plex.tv
XML_TYPE = "application/xml; charset=utf-8"


def is_plex_tv(path: str) -> bool:
    """Return whether a path belongs to plex.tv, and not to the server."""
    return path.startswith(PATHS)


def respond(request: Request, name: str, content: Any, status: int = 200) -> Response:
    """Send an object, or a list of objects, whose XML element has a name."""
    if request.wants_json:
        return Response(status, json.dumps(content, ensure_ascii=False).encode(), JSON_TYPE)
    return respond_with_xml(_to_node(name, content), status)


def respond_with_xml(root: Node, status: int = 200) -> Response:
    """Send XML, as the older paths do whatever the client accepts."""
    return Response(status, to_xml(root), XML_TYPE)


class Refused(Exception):
    """An error that is answered with a code of plex.tv."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(status, code, message)
        self.content = {"code": code, "message": message, "status": status}
        self.status = status


class NotFound(Refused):
    def __init__(self) -> None:
        super().__init__(404, 1002, "Not Found")


def respond_with_error(request: Request, refused: Refused) -> Response:
    """Send an error, in JSON or XML."""
    error, status = refused.content, refused.status
    if request.wants_json:
        return respond(request, "errors", {"errors": [error]}, status)
    return respond(request, "errors", [error], status)


def _to_node(name: str, content: Mapping[str, Any] | Sequence[Any]) -> Node:
    """Turn members into attributes, and lists into elements of the singular of their name."""
    if not isinstance(content, Mapping):
        return Node(name, {}, [_to_item(name.removesuffix("s"), item) for item in content])
    nested = {key: value for key, value in content.items() if isinstance(value, dict | list)}
    attributes = {key: value for key, value in content.items() if key not in nested}
    return Node(name, attributes, [_to_node(key, value) for key, value in nested.items()])


def _to_item(name: str, item: Any) -> Node:
    return _to_node(name, item) if isinstance(item, dict) else Node(name, {"id": item})
