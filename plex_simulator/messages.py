"""A request as the endpoints see it, and their reply."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from plex_simulator.models import User
from plex_simulator.nodes import JSON_TYPE, XML_TYPE, Node, Value, as_json, html, xml

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    type: str = XML_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Ends a request with one of Plex's HTML error pages."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def reply(self) -> Reply:
        title = HTTPStatus(self.status).phrase
        return Reply(self.status, html(self.status, title), "text/html")


@dataclass(slots=True)
class Request:
    method: str
    path: str
    pairs: Sequence[tuple[str, str]]  # the query in its order, repeated names kept
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    user: User
    url: str  # the address the simulator was reached at

    def arg(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.pairs if key == name), default)

    def flag(self, name: str) -> bool:
        return self.arg(name) in ("1", "true")

    def number(self, name: str) -> int | None:
        """Read a whole number; None where it is missing or something else."""
        return _whole(self.arg(name))

    def names(self, name: str) -> frozenset[str]:
        return frozenset(filter(None, self.arg(name).split(",")))

    @property
    def wants_json(self) -> bool:
        return JSON_TYPE in self.headers.get("accept", "")

    def window(self) -> tuple[int, int] | None:
        """Read start and size of the page asked for; None asks for everything.

        Plex ignores a size in the query that comes without a start.
        """
        start = self.headers.get("x-plex-container-start") or self.arg("X-Plex-Container-Start")
        in_header = self.headers.get("x-plex-container-size")
        size = _whole(in_header or self.arg("X-Plex-Container-Size"))
        if size is None or (not start and not in_header):
            return None
        return _whole(start) or 0, size

    # Replies

    def reply(self, root: Node, headers: Mapping[str, str] | None = None) -> Reply:
        if self.wants_json:
            return Reply(200, as_json(root), JSON_TYPE, headers or {})
        return Reply(200, xml(root), XML_TYPE, headers or {})

    def container(
        self,
        attributes: Mapping[str, Value],
        children: Iterable[Node] = (),
        before: Iterable[Node] = (),
    ) -> Reply:
        """Answer a MediaContainer whose size is the number of its children."""
        rows = list(children)
        return self.reply(
            Node("MediaContainer", {"size": len(rows), **attributes}, [*before, *rows])
        )

    def listing(
        self,
        rows: Sequence[Row],
        render: Callable[[Row], Node],
        attributes: Mapping[str, Value],
        before: Iterable[Node] = (),
    ) -> Reply:
        """Answer the rows asked for; only a paged answer says how many there are in all."""
        limit = self.number("limit")
        if limit is not None:
            rows = rows[:limit]
        window = self.window()
        if window is None:
            return self.container(attributes, map(render, rows), before)
        start, size = window
        shown = [render(row) for row in rows[start : start + size]]
        paging = {"size": len(shown), "totalSize": len(rows), "offset": start}
        return self.reply(
            Node("MediaContainer", {**paging, **attributes}, [*before, *shown]),
            {
                "X-Plex-Container-Start": str(start),
                "X-Plex-Container-Total-Size": str(len(rows)),
            },
        )


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
