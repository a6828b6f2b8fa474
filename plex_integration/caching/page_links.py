"""The `Link` header of a page: where the next, the previous, the first and the last page are.

A link repeats the parameters of the request that its endpoint knows, and no others (RFC 8288).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from medianest.api.public_url import public_url
from plex_integration.caching.entry import Head

MAX_TARGET = 1024
"""A longer target gets no links: four of them would be more than many proxies accept."""


@dataclass(frozen=True)
class PageRequest:
    """The page that a request asks for; `target` is its path and its other known parameters."""

    target: str
    start: int
    size: int


def page_request(
    path: str, given: Any, known: frozenset[str], query: Mapping[str, Any]
) -> PageRequest | None:
    """Return the page that a request asks for; None where it asks for everything at once.

    `given` are the parameters as they were sent, `known` the names that the endpoint knows, and
    `query` the validated parameters.
    """
    if not query.get("size"):
        return None
    others = [
        (name, value)
        for name, values in given.lists()
        for value in values
        if name in known and name not in ("start", "size")
    ]
    target = f"{path}?{urlencode(others)}&" if others else f"{path}?"
    return PageRequest(target, query["start"], query["size"]) if len(target) <= MAX_TARGET else None


def link_header(page: PageRequest | None, head: Head) -> str:
    """Return the header for a page of a list that has as many rows as the entry says."""
    if page is None or head.total < 0:
        return ""
    return _header(public_url(page.target), page.start, page.size, head.total, head.has_more)


@lru_cache(maxsize=1024)
def _header(target: str, start: int, size: int, total: int, has_more: bool) -> str:
    pages = _pages(start, size, total, has_more)
    return ", ".join(
        f'<{target}start={first}&size={rows}>; rel="{relation}"' for relation, first, rows in pages
    )


def _pages(start: int, size: int, total: int, has_more: bool) -> Iterator[tuple[str, int, int]]:
    """Return the relation, the start and the size of each page that a page leads to."""
    last = _last(start, size, total)
    yield "first", 0, size
    if start > last:  # beyond the end
        yield "prev", last, size
    elif start > 0:
        # Before a page that does not begin at a multiple of the size, only what is left.
        yield "prev", max(0, start - size), min(start, size)
    if has_more:
        yield "next", start + size, size
    yield "last", last, size


def _last(start: int, size: int, total: int) -> int:
    """Return where the last page begins, in steps from this page's beginning."""
    if total <= 0:
        return 0
    begins = start if start < total else 0
    return begins + (total - 1 - begins) // size * size
