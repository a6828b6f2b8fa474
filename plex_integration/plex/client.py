"""What this service requests from a Plex Media Server: one method per question."""

import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

from plex_integration.configuration.connection import Connection
from plex_integration.errors import (
    CollectionNotFound,
    ItemNotFound,
    LibraryNotFound,
    PlaylistNotFound,
    PlexApiError,
)
from plex_integration.plex import media
from plex_integration.plex.calls import PlexCalls
from plex_integration.plex.counting import DatedRow, count_since
from plex_integration.plex.errors import PlexNotFound, missing, not_found_as
from plex_integration.plex.ids import checked_id, is_id
from plex_integration.plex.paging import ROWS_PER_REQUEST, list_length
from plex_integration.plex.parsing.attributes import whole
from plex_integration.plex.parsing.collections import parse_collection, parse_collections
from plex_integration.plex.parsing.items import (
    complete_item,
    item_elements,
    parse_item_details,
    parse_items,
    parse_rows,
    parse_search_rows,
    rows_of_hubs,
    without_element,
)
from plex_integration.plex.parsing.libraries import (
    parse_choices,
    parse_filters,
    parse_libraries,
    parse_storage,
)
from plex_integration.plex.parsing.playlists import parse_playlists
from plex_integration.plex.parsing.server import parse_server

T = TypeVar("T")

# Plex's number of each metadata type that this service uses: https://developer.plex.tv/pms/
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

_MACHINE_IDENTIFIER = re.compile("[A-Za-z0-9_-]{1,64}")

# How many items one request to /library/metadata may name.
IDS_PER_CALL = 50

# How many items with up to 50 guids are found: several libraries may have the same movie.
GUID_ROWS = 200

# Attributes of items that this service does not read. Plex need not leave out what is excluded.
_UNREAD = (
    "absoluteIndex,audienceRatingImage,chapterSource,createdAtAccuracy,createdAtTZOffset,"
    "grandparentArt,grandparentGuid,grandparentKey,grandparentSlug,grandparentTheme,"
    "grandparentThumb,hasPremiumPrimaryExtra,lastRatedAt,librarySectionKey,librarySectionUUID,"
    "loudnessAnalysisVersion,parentGuid,parentKey,parentSlug,parentStudio,parentTheme,parentThumb,"
    "parentYear,primaryExtraKey,ratingImage,skipCount,slug"
)

# What a request adds if it needs the attributes of items alone.
LEAN: dict[str, Any] = {
    "excludeElements": "Media,Genre,Director,Writer,Producer,Role,Country,Collection,Guid,Rating,"
    "Chapter,Marker,Extras,Image,UltraBlurColors,Label,Similar,Mood,Style",
    "excludeFields": f"summary,tagline,{_UNREAD}",
}

# What a request adds if it needs the times of rows alone: their ids and types come with them.
_TIMES_ONLY: dict[str, Any] = LEAN | {
    "excludeFields": f"{LEAN['excludeFields']},"
    "art,audienceRating,banner,childCount,contentRating,duration,editionTitle,"
    "grandparentRatingKey,grandparentTitle,guid,index,key,lastViewedAt,leafCount,librarySectionID,"
    "librarySectionTitle,originallyAvailableAt,originalTitle,parentIndex,parentRatingKey,"
    "parentTitle,rating,seasonCount,studio,subtype,theme,thumb,title,titleSort,updatedAt,"
    "userRating,viewCount,viewedLeafCount,viewOffset,year"
}

# What a request for several complete items adds: only the page of a single item shows these.
_WITHOUT_EXTRAS: dict[str, Any] = {
    "excludeElements": "Producer,Rating,Chapter,Marker,Extras,Image,UltraBlurColors,Label,Similar,"
    "Mood,Style,Field,Stream",
    "excludeFields": _UNREAD,
}

_RECENTLY_ADDED = "/library/recentlyAdded"


class PlexClient(PlexCalls):
    """Request media types from a Plex Media Server; all calls together take `seconds` at most.

    `libraries` are those already known: Plex sends items without their library's title and type.
    A `lean` list may lack what is below its items, and their long texts: `completed` adds them.
    """

    def __init__(
        self, connection: Connection, seconds: float, libraries: Sequence[media.Library] = ()
    ) -> None:
        super().__init__(connection, seconds)
        self._known = {library.id: library.reference for library in libraries}

    # --- The server ------------------------------------------------------------------------------

    def identity(self) -> None:
        """Check that Plex responds; this request needs no token."""
        self._get("/identity")

    def machine_identifier(self) -> str:
        """Return the server's own id, which is part of every item's URI; it needs no token."""
        found = self._get("/identity").get("machineIdentifier", "")
        if not _MACHINE_IDENTIFIER.fullmatch(found):
            raise PlexApiError
        return found

    def server(self) -> media.ServerInfo:
        """Return what the server says about itself and its features."""
        return parse_server(self._get("/"))

    def session_count(self) -> int | None:
        """Return how many clients are playing something; Plex requires the owner's token."""
        return whole(self._get("/status/sessions"), "size")

    def played_percent(self) -> int:
        """Return from which percentage on a video counts as watched; needs the owner's token.

        Raises PlexApiError if the server does not say.
        """
        found = self._get("/:/prefs").find("Setting[@id='LibraryVideoPlayedThreshold']")
        percent = None if found is None else whole(found, "value")
        if percent is None or not 1 <= percent <= 100:
            raise PlexApiError
        return percent

    def storage(self) -> dict[str, media.Storage]:
        """Return the bytes and the playing time of every library, by library id."""
        return parse_storage(self._get("/media/providers", includeStorage=1))

    # --- Libraries -------------------------------------------------------------------------------

    def libraries(self) -> Sequence[media.Library]:
        """Return the libraries that this token may see and that can be read."""
        return self.library_list().all

    def library_list(self) -> media.Libraries:
        """Return the same libraries, and whether they are all that Plex sent."""
        return parse_libraries(self._get("/library/sections"))

    def library_count(self, key: str, kind: str) -> int:
        """Return how many items of a type a library has."""
        return list_length(self._count(key, kind))

    def library_count_and_filters(self, key: str, kind: str) -> tuple[int, list[media.Filter]]:
        """Return how many items of a type a library has, and their filters, in one request."""
        container = self._count(key, kind, includeMeta=1)
        return list_length(container), parse_filters(container)

    def genres(self, key: str, kind: str) -> media.Choices:
        """Return the genres that a library's items of a type have; photos have none."""
        try:
            root = self._get(f"/library/sections/{checked_id(key)}/genre", type=TYPE_NUMBERS[kind])
        except PlexNotFound:
            return media.Choices()
        return parse_choices(root)

    def library_items(
        self,
        library: media.Library,
        kind: str,
        start: int,
        size: int,
        sort: str,
        filters: Mapping[str, str | int],
        *,
        lean: bool = False,
    ) -> media.Page:
        """Return a page of a library's items in Plex's order.

        Raises LibraryNotFound if the library was removed since it was listed.
        """
        parameters: dict[str, Any] = {"type": TYPE_NUMBERS[kind], "sort": sort, **filters}
        if not lean:
            parameters["includeGuids"] = 1
        with not_found_as(LibraryNotFound):
            return self._rows(
                _all_items_path(library), start, size, library, lean=lean, **parameters
            )

    def added_since(
        self,
        age: str,
        kind: str,
        library: media.Library | None,
        size: int,
        *,
        lean: bool = False,
    ) -> media.Page:
        """Return the newest items of a type that are not older than `age` (such as `-30d`)."""
        parameters = {"type": TYPE_NUMBERS[kind], "sort": "addedAt:desc", "addedAt>>": age}
        return self._rows(_all_items_path(library), 0, size, library, lean=lean, **parameters)

    def recently_added(self, since: int, limit: int, *, lean: bool = False) -> media.Page:
        """Return the newest rows since an epoch second, as Plex groups them, and count all of them.

        Raises PlexNotFound if the server does not have this list, which Plex does not document.
        """
        page = self._rows(_RECENTLY_ADDED, 0, limit, lean=lean)
        new = [row for row in page.rows if (row.addedAtSeconds or 0) >= since]
        # Rows that cannot be read have no time from which to count.
        is_whole = not new or len(new) < len(page.rows) or page.received >= page.total
        total = len(new) if is_whole else self._count_since(since, page)
        return media.Page(new, total, page.received)

    def recently_added_in(
        self, library: media.LibraryReference, since: int, limit: int, *, lean: bool = False
    ) -> media.Page:
        """Return the same for one library. Plex has one list for all libraries: it is read whole.

        Raises PlexNotFound as `recently_added` does.
        """
        rows: list[media.Row] = []
        start, total, found = 0, 1, 0
        while start < total:
            # Rows that are only counted need no more than their library and their time.
            is_lean = lean or found >= limit
            page = self._rows(_RECENTLY_ADDED, start, ROWS_PER_REQUEST, lean=is_lean)
            new = [row for row in page.rows if (row.addedAtSeconds or 0) >= since]
            own = [row for row in new if row.library == library]
            rows += own[: limit - len(rows)]
            found += len(own)
            if not page.received or len(new) < len(page.rows):
                break
            start, total = start + page.received, page.total
        return media.Page(rows, found, len(rows))

    def _count_since(self, since: int, page: media.Page) -> int:
        """Count the rows of the list that are not older; those of the page are known to be.

        Reading all rows of a large server would take seconds.
        """
        newest, last = page.rows[0].addedAtSeconds or 0, page.rows[-1].addedAtSeconds or 0
        return count_since(
            self._added_at,
            since,
            DatedRow(0, newest),
            DatedRow(page.received - 1, last),
            page.total,
        )

    def _added_at(self, start: int, size: int) -> Sequence[int]:
        return self._page(_moments, _RECENTLY_ADDED, start, size, **_TIMES_ONLY).parsed

    def search(
        self, query: str, limit: int, kind: str | None = None, *, lean: bool = False
    ) -> tuple[list[media.Row], int]:
        """Return the best matches, of one type or of all, and the milliseconds that Plex needed."""
        began = time.perf_counter()
        parameters = LEAN if lean else {}
        root = self._get("/hubs/search", query=query, limit=limit, **parameters)
        milliseconds = round((time.perf_counter() - began) * 1000)
        return parse_search_rows(root, limit, kind, self._known), milliseconds

    def on_deck(self, limit: int, *, lean: bool = False) -> list[media.Row]:
        """Return what the user may continue, last watched first."""
        try:
            return list(self._rows("/library/onDeck", 0, limit, lean=lean).rows)
        except PlexNotFound:
            # Plex documents only this one. It is a hub, or the rows of one.
            parameters = LEAN if lean else {}
            root = self._get("/hubs/continueWatching", 0, limit, count=limit, **parameters)
            return parse_rows(rows_of_hubs(root)[:limit], root, self._known)

    # --- Items -----------------------------------------------------------------------------------

    def item(self, key: str) -> media.Item:
        """Return an item with all its details. Raises ItemNotFound."""
        with not_found_as(ItemNotFound):
            root = self._get(f"/library/metadata/{checked_id(key)}", includeChapters=1)
        item = parse_item_details(root, self._known)
        if item is None:
            raise missing(root, media.ITEM_TYPES, ItemNotFound)
        return item

    def items(self, keys: Sequence[str]) -> dict[str, list[media.Item]]:
        """Return complete items by rating key: 50 per request, in parallel.

        A key of nothing, or of something that is no item, is not there.
        """
        found = self.run_each(self._items, _portions(keys))
        return {item.ratingKey: [item] for each in found for item in each}

    def _items(self, keys: Sequence[str]) -> list[media.Item]:
        try:
            root = self._get(f"/library/metadata/{_joined(keys)}", **_WITHOUT_EXTRAS)
        except PlexNotFound:  # there is none of them
            return []
        return parse_items(root, root, self._known)

    def share_filter_tags(self, item: media.Item) -> dict[str, list[str]]:
        """Return what the filters of a share look at: the labels and the content rating.

        They are those of the movie, show, artist or photo album that the item belongs to.
        """
        key = item.grandparentRatingKey or item.parentRatingKey or item.ratingKey
        element = self._elements([key]).get(key, Element("Video"))
        labels = [each.get("tag", "") for each in element.findall("Label")]
        return {"label": labels, "contentRating": [element.get("contentRating", "")]}

    def children(self, key: str, start: int, size: int, *, lean: bool = False) -> media.Page:
        """Return a page of an item's seasons, episodes, albums or tracks. Raises ItemNotFound."""
        path = f"/library/metadata/{checked_id(key)}/children"
        with not_found_as(ItemNotFound):
            # Without the row "All episodes", which is not a season.
            return self._rows(path, start, size, lean=lean, excludeAllLeaves=1)

    def with_guids(self, guids: Sequence[str], kind: str) -> list[media.Row]:
        """Return the items of a type that have one of up to 50 guids.

        Plex ignores a filter it does not know, so the response is checked.
        """
        page = self._rows(
            "/library/all",
            0,
            GUID_ROWS,
            type=TYPE_NUMBERS[kind],
            guid=",".join(guids),
            includeGuids=1,
        )
        return [row for row in page.rows if any(map(row.read_item().has_guid, guids))]

    def any_key(self, library: media.Library) -> str | None:
        """Return the rating key of any item of a library; None for an empty one."""
        keys = self._page(_rating_keys, _all_items_path(library), 0, 1).parsed
        return keys[0] if keys else None

    def matched_guid(self, guid: str, library: media.Library, key: str) -> str | None:
        """Return Plex's own guid for an external one, as the library's agent knows it.

        An agent can only be reached through an item, any item, of the library, whose key is given,
        as in python-plexapi's `getGuid`: `imdb://tt0944947` is sent as the title `imdb-tt0944947`.
        """
        path, title = f"/library/metadata/{key}/matches", guid.replace("://", "-")
        try:
            root = self._get(path, manual=1, title=title, agent=library.agent)
        except PlexNotFound:
            return None
        match = root.find("SearchResult")
        return None if match is None else match.get("guid")

    def completed(self, rows: Sequence[media.Row]) -> list[media.Item]:
        """Return the complete items of rows: 50 per request, in parallel.

        An item that was removed since it was listed stays as the list had it.
        """
        found = self.run_each(self._completed, _portions(rows))
        return [item for each in found for item in each]

    def libraries_of(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the libraries of up to 50 items and collections that Plex names, by rating key."""
        root = self._get(f"/library/metadata/{_joined(keys)}")
        return {
            key: library
            for each in root
            if (key := each.get("ratingKey")) and (library := each.get("librarySectionID"))
        }

    # --- Collections and playlists ---------------------------------------------------------------

    def collections(
        self, library: media.Library, start: int, size: int | None
    ) -> media.CollectionPage:
        """Return a page of a library's collections, or all from `start` if `size` is None."""
        with not_found_as(LibraryNotFound):
            page = self._page(
                partial(_collections, library.reference),
                f"/library/sections/{checked_id(library.id)}/collections",
                start,
                size,
            )
        return media.CollectionPage(page.parsed, page.total, page.received)

    def collection(self, key: str) -> media.Collection:
        """Return a collection. Raises CollectionNotFound, also for the id of something else."""
        with not_found_as(CollectionNotFound):
            root = self._get(f"/library/metadata/{checked_id(key)}")
        collection = parse_collection(root, self._known)
        if collection is None:
            raise missing(root, ["collection"], CollectionNotFound)
        return collection

    def collection_items(
        self, key: str, start: int, size: int | None, *, lean: bool = False
    ) -> media.Page:
        """Return a page of a collection's items in its own order, or all if `size` is None."""
        with not_found_as(CollectionNotFound):
            path = f"/library/collections/{checked_id(key)}/children"
            return self._rows(path, start, size, lean=lean)

    def playlists(self, kind: str | None) -> media.PlaylistPage:
        """Return the token's playlists, all or those of a type."""
        parameters = {} if kind is None else {"playlistType": kind}
        page = self._page(_playlists, "/playlists", 0, None, **parameters)
        found = [each for each in page.parsed if kind is None or each.playlistType == kind]
        return media.PlaylistPage(found, len(found), len(found))

    def playlist(self, key: str) -> media.Playlist:
        """Return a playlist. Raises PlaylistNotFound, also for the id of something else."""
        with not_found_as(PlaylistNotFound):
            root = self._get(f"/playlists/{checked_id(key)}")
        found = parse_playlists(root)
        if not found:
            raise missing(root, ["playlist"], PlaylistNotFound)
        return found[0]

    def playlist_items(
        self, key: str, start: int, size: int | None, *, lean: bool = False
    ) -> media.Page:
        """Return a page of a playlist's items in its own order, or all if `size` is None."""
        with not_found_as(PlaylistNotFound):
            return self._rows(f"/playlists/{checked_id(key)}/items", start, size, lean=lean)

    # --- What several methods share --------------------------------------------------------------

    def _rows(
        self,
        path: str,
        start: int,
        size: int | None,
        library: media.Library | None = None,
        *,
        lean: bool = False,
        **parameters: Any,
    ) -> media.Page:
        if lean:
            parameters |= LEAN
        # A whole list can have many responses, and their elements must not all be held.
        parse = partial(self._parse_rows, library, are_held=size is not None)
        page = self._page(parse, path, start, size, **parameters)
        return media.Page(page.parsed, page.total, page.received)

    def _parse_rows(
        self,
        library: media.Library | None,
        elements: Sequence[Element],
        container: Element,
        *,
        are_held: bool,
    ) -> list[media.Row]:
        if library is not None:
            # The lists of a library name it on the container, but not on every server.
            container.set("librarySectionID", library.id)
        rows = parse_rows(elements, container, self._known)
        return rows if are_held else [without_element(row) for row in rows]

    def _completed(self, rows: Sequence[media.Row]) -> list[media.Item]:
        keys = list(dict.fromkeys(row.ratingKey for row in rows))
        elements = self._elements(keys, **_WITHOUT_EXTRAS)
        return [
            complete_item(row, elements[key], self._known)
            if (key := row.ratingKey) in elements
            else row.read_item()
            for row in rows
        ]

    def _elements(self, keys: Sequence[str], **parameters: Any) -> dict[str, Element]:
        try:
            return item_elements(self._get(f"/library/metadata/{_joined(keys)}", **parameters))
        except PlexNotFound:  # all of them were removed
            return {}

    def _count(self, key: str, kind: str, **parameters: Any) -> Element:
        path = f"/library/sections/{checked_id(key)}/all"
        return self._get(path, 0, 0, type=TYPE_NUMBERS[kind], **parameters)


def _portions(all: Sequence[T]) -> list[Sequence[T]]:
    """Split what is requested into what one request may name."""
    return [all[first : first + IDS_PER_CALL] for first in range(0, len(all), IDS_PER_CALL)]


def _joined(keys: Sequence[str]) -> str:
    return ",".join(checked_id(key) for key in keys)


def _all_items_path(library: media.Library | None) -> str:
    """Return the path of the items of a library, or of all libraries if it is None."""
    return f"/library/sections/{checked_id(library.id)}/all" if library else "/library/all"


def _rating_keys(elements: Sequence[Element], container: Element) -> list[str]:
    return [key for each in elements if is_id(key := each.get("ratingKey", ""))]


def _moments(elements: Sequence[Element], container: Element) -> list[int]:
    return [whole(each, "addedAt") or 0 for each in elements]


def _collections(
    library: media.LibraryReference, elements: Sequence[Element], container: Element
) -> list[media.Collection]:
    return parse_collections(elements, library)


def _playlists(elements: Sequence[Element], container: Element) -> list[media.Playlist]:
    return parse_playlists(elements)
