"""What every service returns and uses: a read, its result, pages, and items in full."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from plex_integration.plex import PlexClient
from plex_integration.plex.media import Choices, CollectionPage, Item, Library, Page, Row


@dataclass(frozen=True)
class Result:
    """What an endpoint shows, its cache tags, and whether Plex failed a part of it."""

    data: Mapping[str, Any]
    tags: frozenset[str]
    is_partial: bool = False


@dataclass(frozen=True)
class Read:
    """A query to Plex: `query` is equal for equal queries and for no others; `load` asks Plex.

    `libraries` are those that the items can belong to.
    """

    query: Sequence[Any]
    load: Callable[[PlexClient], Result]
    libraries: Sequence[Library] = ()


class Catalog(Protocol):
    """The server's libraries and genres, which make queries canonical and spare requests."""

    def libraries(self) -> Sequence[Library]:
        """Return all libraries."""

    def library(self, key: str) -> Library:
        """Return one library. Raises LibraryNotFound."""

    def genres(self, library: Library, kind: str) -> Choices:
        """Return a library's genres, as items of a type carry them."""


def is_lean(details: str) -> bool:
    """Return whether a list needs only the items' own attributes, as `in_detail` replaces them."""
    return details != "summary"


def in_detail(plex: PlexClient, rows: Sequence[Row], details: str) -> list[Item]:
    """Return complete items, or with `summary` the items as Plex lists them."""
    return plex.completed(rows) if is_lean(details) else [row.read_item() for row in rows]


def pagination(start: int, size: int | None, page: Page | CollectionPage) -> dict[str, Any]:
    """Return where a page lies in the whole list; without a size it is as large as it came."""
    return {
        "start": start,
        "size": page.received if size is None else size,
        "total": page.total,
        # An empty page is the end, whatever length Plex names: a client would go on for ever.
        "hasMore": page.received > 0 and start + page.received < page.total,
    }
