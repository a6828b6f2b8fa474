"""One answer's conversation with Plex: one identity, one deadline, calls side by side."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar
from xml.etree.ElementTree import Element

from plex_integration.configuration import connection
from plex_integration.plex import parsing, media
from plex_integration.configuration.connection import Connection
from plex_integration.errors import (
    CollectionNotFound,
    ItemNotFound,
    LibraryNotFound,
    PlaylistNotFound,
    PlexServerUnavailable,
)
from medianest.api.exceptions import Problem
from plex_integration.plex import transport
from plex_integration.plex.ids import checked_id
from plex_integration.plex.http import NotThere, Server

T = TypeVar("T")

# https://developer.plex.tv/pms/: the metadata types this service asks for.
TYPE_NUMBERS = {
    "movie": 1,
    "show": 2,
    "season": 3,
    "episode": 4,
    "artist": 8,
    "album": 9,
    "track": 10,
    "photo": 13,
    "photoalbum": 14,
}

# How many items one /library/metadata call may name.
IDS_PER_CALL = 50
# Rows per call where a whole list is wanted; Plex refuses more than 1,000.
ROWS_PER_CALL = 500

_pool = ThreadPoolExecutor(max_workers=32, thread_name_prefix="plex")


def is_plex_up(seconds: float = 2) -> None:
    """Ask the configured Plex for its identity, which needs no token. Raises what is wrong."""
    configured = connection.current()
    if configured is None:
        raise PlexServerUnavailable("No Plex server is configured.")
    Plex(configured, min(seconds, configured.seconds)).identity()


class Pending(Generic[T]):
    """A call that runs beside others of the same answer."""

    def __init__(self, future: "Future[T]", deadline: float) -> None:
        self._future = future
        self._deadline = deadline

    def result(self) -> T:
        """Wait for the call, to the deadline at most; raise what it raised."""
        try:
            return self._future.result(max(0.0, self._deadline - time.monotonic()) + 0.2)
        except TimeoutError:
            self._future.cancel()
            raise PlexServerUnavailable from None

    def or_none(self) -> T | None:
        """Wait for the call; None where Plex failed it."""
        try:
            return self.result()
        except Problem:
            return None


class Plex:
    """One answer's conversation with a Plex server.

    `seconds` bounds all its calls together; `libraries` are those already known, whose titles and
    types Plex does not send with their items.
    """

    def __init__(
        self, to: Connection, seconds: float, libraries: Sequence[media.Library] = ()
    ) -> None:
        self.connection = to
        self._server = _server(to)
        self._deadline = time.monotonic() + seconds
        self._known = {library.id: library for library in libraries}

    def start(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> Pending[T]:
        """Run one of this conversation's calls beside the caller."""
        return Pending(_pool.submit(call, *args, **kwargs), self._deadline)

    def identity(self) -> None:
        """Ask whether anyone is there: `GET /identity`."""
        self._get("/identity")

    def server(self) -> media.ServerAnswer:
        """Ask who the server is: `GET /`."""
        return parsing.server(self._get("/"))

    def session_count(self) -> int | None:
        """Ask how many play something now; for the server's owner only."""
        return parsing.whole(self._get("/status/sessions"), "size")

    def storage(self) -> dict[str, media.Storage]:
        """Ask for the bytes and playing time of every library, by library."""
        return parsing.storage(self._get("/media/providers", includeStorage=1))

    def libraries(self) -> list[media.Library]:
        """Ask for the libraries this token may see."""
        return parsing.libraries(self._get("/library/sections"))

    def library_count(self, key: str, kind: str) -> int:
        """Ask how many items of a type a library holds."""
        return self._count(key, kind)[0]

    def library_count_and_filters(self, key: str, kind: str) -> tuple[int, list[media.Filter]]:
        """Ask how many items of a type a library holds, and how to filter them, in one call."""
        total, root = self._count(key, kind, includeMeta=1)
        return total, parsing.filters(root)

    def genres(self, key: str, kind: str) -> media.Choices:
        """Ask for a library's genres, as items of a type carry them; photos carry none."""
        try:
            root = self._get(f"/library/sections/{checked_id(key)}/genre", type=TYPE_NUMBERS[kind])
        except NotThere:
            return media.Choices()
        return parsing.choices(root)

    def library_items(
        self,
        library: media.Library,
        kind: str,
        start: int,
        size: int,
        sort: str,
        filters: Mapping[str, str | int],
        with_guids: bool,
    ) -> media.Page:
        """Ask for a page of a library's items, in Plex's order.

        Raises LibraryNotFound where the library went away since it was listed.
        """
        parameters: dict[str, Any] = {"type": TYPE_NUMBERS[kind], "sort": sort, **filters}
        if with_guids:
            parameters["includeGuids"] = 1
        try:
            page = self._page(
                f"/library/sections/{checked_id(library.id)}/all", start, size, **parameters
            )
        except NotThere as error:
            raise LibraryNotFound from error
        return self._rows(page, library)

    def added_since(
        self,
        age: str,
        kind: str,
        library: media.Library | None,
        size: int,
    ) -> media.Page:
        """Ask for the newest items of a type, no older than `age` (such as `-30d`)."""
        path = f"/library/sections/{checked_id(library.id)}/all" if library else "/library/all"
        page = self._page(
            path, 0, size, **{"type": TYPE_NUMBERS[kind], "sort": "addedAt:desc", "addedAt>>": age}
        )
        return self._rows(page, library)

    def recently_added(self, since: int) -> list[media.Row]:
        """Ask for all rows added since an epoch second, newest first, as Plex groups them."""
        rows: list[media.Row] = []
        start, total = 0, 1
        while start < total:
            page = self._page("/library/recentlyAdded", start, ROWS_PER_CALL)
            found = self._rows(page, None).rows
            rows += [row for row in found if (row.addedAtSeconds or 0) >= since]
            if not page.elements or any((row.addedAtSeconds or 0) < since for row in found):
                break
            start, total = start + len(page.elements), page.total
        return rows

    def search(self, query: str, limit: int) -> tuple[list[media.Row], int]:
        """Ask every hub for its `limit` best matches; tell also the milliseconds that Plex took."""
        began = time.perf_counter()
        root = self._get("/hubs/search", query=query, limit=limit)
        took = round((time.perf_counter() - began) * 1000)
        return parsing.search_rows(root, self._known), took

    def collections(
        self, library: media.Library, start: int, size: int | None
    ) -> media.CollectionPage:
        """Ask for a library's collections; all of them where `size` is None."""
        path = f"/library/sections/{checked_id(library.id)}/collections"
        try:
            page = self._page(path, start, size)
        except NotThere as error:
            raise LibraryNotFound from error
        return media.CollectionPage(
            collections=parsing.collections(page.elements, library.reference),
            total=page.total,
            asked=len(page.elements),
        )

    def collection(self, key: str) -> media.Collection:
        """Ask for a collection itself. Raises CollectionNotFound, also for another kind's id."""
        try:
            root = self._get(f"/library/metadata/{checked_id(key)}")
        except NotThere as error:
            raise CollectionNotFound from error
        found = parsing.collection(root, self._known)
        if found is None:
            raise CollectionNotFound
        return found

    def collection_items(self, key: str, start: int, size: int | None) -> media.Page:
        """Ask for a collection's items in the collection's own order; all where `size` is None."""
        try:
            page = self._page(f"/library/collections/{checked_id(key)}/children", start, size)
        except NotThere as error:
            raise CollectionNotFound from error
        return self._rows(page, None)

    def item(self, key: str) -> media.Item:
        """Ask for an item with everything it holds. Raises ItemNotFound."""
        try:
            root = self._get(f"/library/metadata/{checked_id(key)}", includeChapters=1)
        except NotThere as error:
            raise ItemNotFound from error
        found = parsing.whole_item(root, self._known)
        if found is None:
            raise ItemNotFound
        return found

    def children(self, key: str, start: int, size: int) -> media.Page:
        """Ask for an item's children: seasons, episodes, albums or tracks, in Plex's order."""
        try:
            # Without the row "All episodes", which is no season.
            page = self._page(
                f"/library/metadata/{checked_id(key)}/children", start, size, excludeAllLeaves=1
            )
        except NotThere as error:
            raise ItemNotFound from error
        return self._rows(page, None)

    def with_guid(self, guid: str, kind: str) -> list[media.Row]:
        """Ask all libraries for the items of a type with a guid of Plex's or of an outside site.

        Plex ignores a filter it does not know, so what it sends is looked at again.
        """
        page = self._page(
            "/library/all", 0, IDS_PER_CALL, type=TYPE_NUMBERS[kind], guid=guid, includeGuids=1
        )
        return [row for row in self._rows(page, None).rows if _has_guid(row.item, guid)]

    def matched_guid(self, guid: str, library: media.Library) -> str | None:
        """Ask a library's agent which of Plex's own guids an outside one stands for.

        The agent is asked through any item of the library, as python-plexapi's `getGuid` does:
        `imdb://tt0944947` is looked for as the title `imdb-tt0944947`.
        """
        sample = self._page(f"/library/sections/{checked_id(library.id)}/all", 0, 1)
        keys = [each.get("ratingKey", "") for each in sample.elements]
        if not keys or library.agent is None:
            return None
        try:
            root = self._get(
                f"/library/metadata/{checked_id(keys[0])}/matches",
                manual=1,
                title=guid.replace("://", "-"),
                agent=library.agent,
            )
        except NotThere:
            return None
        found = next(iter(root.findall("SearchResult")), None)
        return None if found is None else found.get("guid")

    def on_deck(self, limit: int) -> list[media.Row]:
        """Ask what to continue, in Plex's order: last watched first."""
        return list(self._rows(self._page("/library/onDeck", 0, limit), None).rows)

    def playlists(self, kind: str | None) -> media.PlaylistPage:
        """Ask for the token's playlists: all, or those of a type."""
        parameters = {} if kind is None else {"playlistType": kind}
        page = self._page("/playlists", 0, None, **parameters)
        found = [
            each
            for each in parsing.playlists(page.elements)
            if kind is None or each.playlistType == kind
        ]
        return media.PlaylistPage(found, len(found), len(found))

    def playlist(self, key: str) -> media.Playlist:
        """Ask for a playlist itself. Raises PlaylistNotFound, also for another kind's id."""
        try:
            root = self._get(f"/playlists/{checked_id(key)}")
        except NotThere as error:
            raise PlaylistNotFound from error
        found = parsing.playlists(root)
        if not found:
            raise PlaylistNotFound
        return found[0]

    def playlist_items(self, key: str, start: int, size: int | None) -> media.Page:
        """Ask for a playlist's items in its own order; all where `size` is None."""
        try:
            page = self._page(f"/playlists/{checked_id(key)}/items", start, size)
        except NotThere as error:
            raise PlaylistNotFound from error
        return self._rows(page, None)

    def completed(self, rows: Sequence[media.Row]) -> list[media.Row]:
        """Replace cut-short items by their full answers, 50 a call, side by side.

        An item that went away since it was listed stays as the list had it.
        """
        keys = list(dict.fromkeys(row.item.ratingKey for row in rows))
        calls = [
            self.start(self._full, keys[first : first + IDS_PER_CALL])
            for first in range(0, len(keys), IDS_PER_CALL)
        ]
        full: dict[str, Element] = {}
        for call in calls:
            full |= call.result()
        return [
            parsing.complete(row, full[key], self._known)
            if (key := row.item.ratingKey) in full
            else row
            for row in rows
        ]

    def libraries_of(self, keys: Sequence[str]) -> set[str] | None:
        """Ask which libraries up to 50 items are in; None where one of them cannot be told."""
        full = self._full(keys)
        found = {full[key].get("librarySectionID") for key in keys if key in full}
        known = {library for library in found if library}
        return known if len(full) == len(set(keys)) and len(known) == len(found) else None

    def _rows(self, page: "_Page", library: media.Library | None) -> media.Page:
        if library is not None:
            # Section lists name their library on the container, but not every Plex does.
            page.container.set("librarySectionID", library.id)
        rows = parsing.rows(page.elements, page.container, self._known)
        return media.Page(rows, page.total, len(page.elements))

    def _full(self, keys: Sequence[str]) -> dict[str, Element]:
        joined = ",".join(checked_id(key) for key in keys)
        try:
            return parsing.item_elements(self._get(f"/library/metadata/{joined}"))
        except NotThere:  # all of them went away
            return {}

    def _count(self, key: str, kind: str, **parameters: Any) -> tuple[int, Element]:
        page = self._page(
            f"/library/sections/{checked_id(key)}/all", 0, 0, type=TYPE_NUMBERS[kind], **parameters
        )
        return page.total, page.container

    def _page(self, path: str, start: int, size: int | None, **parameters: Any) -> "_Page":
        """Ask for rows [start, start + size) of a list, whatever page size Plex has a mind for.

        Plex may send fewer rows than asked (then the rest is asked for), more, or all of them.
        """
        most = ROWS_PER_CALL if size is None else size
        first = self._get(path, start, most, **parameters)
        elements = _content(first)
        total = parsing.whole(first, "totalSize")
        offset = parsing.whole(first, "offset")
        if total is None or total < 0:
            total, offset = (offset or 0) + len(elements), offset or 0
        elements = elements[max(0, start - (start if offset is None else offset)) :]
        wanted = max(0, total - start)
        wanted = wanted if size is None else min(wanted, size)
        while 0 < len(elements) < wanted:
            more = _content(
                self._get(
                    path, start + len(elements), min(most, wanted - len(elements)), **parameters
                )
            )
            if not more:
                break
            elements += more
        return _Page(first, elements if size is None else elements[:size], total)

    def _get(
        self, path: str, start: int | None = None, size: int | None = None, **parameters: Any
    ) -> Element:
        headers = {}
        if size is not None:
            headers = {
                "X-Plex-Container-Start": str(start),
                "X-Plex-Container-Size": str(size),
            }
        with transport.within(self._deadline):
            return self._server.query(path, headers=headers, params=parameters)


@dataclass(frozen=True)
class _Page:
    container: Element
    elements: Sequence[Element]
    total: int


@lru_cache(maxsize=8)
def _server(to: Connection) -> Server:
    return Server(to)


def _content(root: Element) -> list[Element]:
    return [each for each in root if each.tag != "Meta"]


def _has_guid(item: media.Item, guid: str) -> bool:
    if item.guid == guid:
        return True
    site, _, identifier = guid.partition("://")
    known = item.externalIds
    return known is not None and getattr(known, site, None) == identifier
