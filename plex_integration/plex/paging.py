"""Read a page of a list from Plex, whatever page sizes the server prefers.

A server may send fewer rows than requested, more, or the whole list; it may leave the length of the
list or the position of the page out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from xml.etree.ElementTree import Element

from plex_integration.plex.parsing.attributes import whole

T = TypeVar("T")

# Rows per request where a whole list is wanted; Plex refuses more than 1,000.
ROWS_PER_REQUEST = 500

GetRows = Callable[[int, int], Element]
"""Requests so many rows of a list, from a position on, and returns the response."""

ParseRows = Callable[[Sequence[Element], Element], Sequence[T]]
"""Parses rows of a response; the second argument is the response's container."""


@dataclass(frozen=True)
class ListPage(Generic[T]):
    """A page of a list: what its rows were parsed to, how many rows it has, the list's length."""

    parsed: Sequence[T]
    received: int
    total: int


def read_page(get: GetRows, parse: ParseRows[T], start: int, size: int | None) -> ListPage[T]:
    """Return rows [start, start + size) of a list, or all from `start` if `size` is None.

    Each response is parsed before the next one is requested: elements take much more memory.
    """
    most = ROWS_PER_REQUEST if size is None else size
    container = get(start, most)
    total, offset = _total_and_offset(container, start)
    rows = _rows(container)[max(0, start - offset) :][:size]
    parsed, received = list(parse(rows, container)), len(rows)
    wanted = max(0, total - start) if size is None else min(max(0, total - start), size)
    while 0 < received < wanted:
        container = get(start + received, min(most, wanted - received))
        rows = _rows(container)[: None if size is None else size - received]
        if not rows:
            break
        parsed += parse(rows, container)
        received += len(rows)
    return ListPage(parsed, received, total)


def list_length(container: Element) -> int:
    """Return the length of the list that a response shows the beginning of."""
    return _total_and_offset(container, 0)[0]


def _total_and_offset(container: Element, start: int) -> tuple[int, int]:
    """Return the list's length and the first row's position; without them, it is the whole list."""
    total, offset = whole(container, "totalSize"), whole(container, "offset")
    if total is None:
        offset = offset or 0
        return offset + len(_rows(container)), offset
    return total, start if offset is None else offset


def _rows(container: Element) -> list[Element]:
    return [each for each in container if each.tag != "Meta"]
