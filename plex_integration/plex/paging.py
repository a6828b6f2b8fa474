"""Read a page of a list from Plex, whatever page sizes the server prefers.

A server may send fewer rows than requested, more, or the whole list; it may leave the length of the
list or the position of the page out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from plex_integration.plex.parsing.attributes import whole

# Rows per request where a whole list is wanted; Plex refuses more than 1,000.
ROWS_PER_REQUEST = 500

GetRows = Callable[[int, int], Element]
"""Requests so many rows of a list, from a position on, and returns the response."""


@dataclass(frozen=True)
class RawPage:
    """The rows of a page as elements, the first response's container and the list's length."""

    container: Element
    elements: Sequence[Element]
    total: int


def read_page(get: GetRows, start: int, size: int | None) -> RawPage:
    """Return rows [start, start + size) of a list, or all from `start` if `size` is None."""
    most = ROWS_PER_REQUEST if size is None else size
    container = get(start, most)
    total, offset = _total_and_offset(container, start)
    elements = _rows(container)[max(0, start - offset) :]
    wanted = max(0, total - start)
    wanted = wanted if size is None else min(wanted, size)
    _request_the_rest(get, elements, start, wanted, most)
    return RawPage(container, elements[:size], total)


def _total_and_offset(container: Element, start: int) -> tuple[int, int]:
    """Return the list's length and the first row's position; without them, it is the whole list."""
    total, offset = whole(container, "totalSize"), whole(container, "offset")
    if total is None:
        offset = offset or 0
        return offset + len(_rows(container)), offset
    return total, start if offset is None else offset


def _request_the_rest(
    get: GetRows, elements: list[Element], start: int, wanted: int, most: int
) -> None:
    while 0 < len(elements) < wanted:
        more = _rows(get(start + len(elements), min(most, wanted - len(elements))))
        if not more:
            break
        elements += more


def _rows(container: Element) -> list[Element]:
    return [each for each in container if each.tag != "Meta"]
