"""The HTTP requests and responses of the endpoints."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from plex_simulator.models import Account
from plex_simulator.nodes import JSON_TYPE, XML_TYPE, Node, Value, error_page, to_json, to_xml

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    type: str = XML_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


class HTTPError(Exception):
    """An error that is answered with one of Plex's HTML error pages."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def response(self) -> Response:
        title = HTTPStatus(self.status).phrase
        return Response(self.status, error_page(self.status, title), "text/html")


@dataclass(slots=True)
class Request:
    method: str
    path: str
    pairs: Sequence[tuple[str, str]]  # the query in its order, with repeated names
    headers: Mapping[str, str]  # the names are in lower case
    body: bytes
    user: Account
    url: str  # the base URL of the simulator

    def arg(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return next((value for key, value in self.pairs if key == name), default)

    def flag(self, name: str) -> bool:
        """Return whether a query parameter is switched on."""
        return self.arg(name) in ("1", "true")

    def number(self, name: str) -> int | None:
        """Return a query parameter as a whole number, or None if it is missing or invalid."""
        return _parse_whole_number(self.arg(name))

    def names(self, name: str) -> frozenset[str]:
        """Return a query parameter that is a comma-separated list of names."""
        return frozenset(filter(None, self.arg(name).split(",")))

    @property
    def wants_json(self) -> bool:
        return JSON_TYPE in self.headers.get("accept", "")

    def page(self) -> tuple[int, int] | None:
        """Return start and size of the requested page, or None if the request is not paged.

        Like Plex, ignore a size in the query if there is no start.
        """
        start = self.headers.get("x-plex-container-start") or self.arg("X-Plex-Container-Start")
        size_header = self.headers.get("x-plex-container-size")
        size = _parse_whole_number(size_header or self.arg("X-Plex-Container-Size"))
        if size is None or (not start and not size_header):
            return None
        return _parse_whole_number(start) or 0, size

    # Responses

    def respond(self, root: Node, headers: Mapping[str, str] | None = None) -> Response:
        """Send a tree in the format that the client accepts."""
        if self.wants_json:
            return Response(200, to_json(root), JSON_TYPE, headers or {})
        return Response(200, to_xml(root), XML_TYPE, headers or {})

    def respond_with_container(
        self,
        attributes: Mapping[str, Value],
        children: Iterable[Node] = (),
        before: Iterable[Node] = (),
    ) -> Response:
        """Send a MediaContainer whose size is the number of its children.

        The nodes in `before` come first and do not count.
        """
        rows = list(children)
        return self.respond(
            Node("MediaContainer", {"size": len(rows), **attributes}, [*before, *rows])
        )

    def respond_with_list(
        self,
        rows: Sequence[Row],
        render: Callable[[Row], Node],
        attributes: Mapping[str, Value],
        before: Iterable[Node] = (),
    ) -> Response:
        """Send the requested page of rows; the total is only in the responses to paged requests."""
        limit = self.number("limit")
        if limit is not None:
            rows = rows[:limit]
        page = self.page()
        if page is None:
            return self.respond_with_container(attributes, map(render, rows), before)
        start, size = page
        nodes = [render(row) for row in rows[start : start + size]]
        paging = {"size": len(nodes), "totalSize": len(rows), "offset": start}
        return self.respond(
            Node("MediaContainer", {**paging, **attributes}, [*before, *nodes]),
            {
                "X-Plex-Container-Start": str(start),
                "X-Plex-Container-Total-Size": str(len(rows)),
            },
        )


def _parse_whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
