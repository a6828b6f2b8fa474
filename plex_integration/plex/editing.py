"""Change collections and playlists in Plex; each write is sent exactly once.

The requests are those of python-plexapi's `collection.py`, `playlist.py` and `mixins`. Plex takes
titles, summaries and lists of items in the URL, so what does not fit into one URL is split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar
from urllib.parse import quote
from xml.etree.ElementTree import Element

from plex_integration.errors import CollectionNotFound, PlaylistNotFound, PlexApiError
from plex_integration.plex import media
from plex_integration.plex.client import IDS_PER_CALL, LEAN, TYPE_NUMBERS
from plex_integration.plex.errors import PlexNotFound, missing, not_found_as
from plex_integration.plex.ids import checked_id, is_id
from plex_integration.plex.parsing.collections import collection_element, parse_collection
from plex_integration.plex.parsing.items import parse_items
from plex_integration.plex.transport import enforce_deadline
from plex_integration.plex.writer import PlexWriter

COLLECTION_TYPE = 18
SORT_ORDERS = {"release": "0", "alpha": "1", "custom": "2"}
MODES = {"default": "-1", "hide": "0", "hideItems": "1", "showItems": "2"}
# The playlist type of each item type. For a show, a season, an artist or an album, Plex would add
# everything below it.
PLAYLIST_TYPES = {
    "movie": "video",
    "episode": "video",
    "clip": "video",
    "track": "audio",
    "photo": "photo",
}

# The longest path and query of a request: Plex and proxies refuse about 8,000 bytes.
MAX_TARGET_LENGTH = 6_000


@dataclass(frozen=True, slots=True)
class EditableCollection(media.Collection):
    """A collection with the preferences that can be edited; a smart one has no sort order."""

    sortOrder: str | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a collection or playlist.

    Only a position in a playlist has an id, because an item may be in a playlist several times.
    """

    ratingKey: str
    id: str | None


class ItemListEditor(PlexWriter):
    """Write to lists of items, and read what a write needs: what both editors share."""

    path: ClassVar[str]

    def item_summaries(self, keys: Sequence[str]) -> dict[str, media.Item]:
        """Return the items that exist, with type and library: 50 per request, in parallel."""
        calls = [
            self.start(self._summaries, keys[first : first + IDS_PER_CALL])
            for first in range(0, len(keys), IDS_PER_CALL)
        ]
        return {key: item for call in calls for key, item in call.result().items()}

    def chunks(self, keys: Sequence[str], *other_texts: str) -> list[list[str]]:
        """Split a list of items so that each chunk fits into a URL, together with other texts."""
        room = MAX_TARGET_LENGTH - 400 - sum(len(quote(text, safe="")) for text in other_texts)
        chunks: list[list[str]] = []
        left = 0
        for key in keys:
            length = len(key) + len("%2C")
            if left < length:
                chunks.append([])
                left = room
            chunks[-1].append(key)
            left -= length
        return chunks

    def positions(self, key: str) -> Sequence[Position]:
        """Return what the list contains, in its own order, without what has no valid id."""
        with not_found_as(self.not_found):
            path = self._items_path(checked_id(key))
            return self._page(_positions, path, 0, None, **LEAN).parsed

    def add(self, key: str, machine: str, keys: Sequence[str]) -> None:
        """Append items, no more than one chunk."""
        self._write("PUT", f"{self.path}/{checked_id(key)}/items", uri=_uri(machine, keys))

    def remove(self, key: str, position: str) -> None:
        """Remove an item from a collection, or a position from a playlist."""
        self._write("DELETE", f"{self.path}/{checked_id(key)}/items/{checked_id(position)}")

    def move(self, key: str, position: str, after: str | None) -> None:
        """Move a collection's item, or a playlist's position, after another one or to the front."""
        path = f"{self.path}/{checked_id(key)}/items/{checked_id(position)}/move"
        where = {} if after is None else {"after": checked_id(after)}
        self._write("PUT", path, **where)

    def delete(self, key: str) -> None:
        """Delete the list; its items stay, because this path is never that of an item."""
        self._write("DELETE", f"{self.path}/{checked_id(key)}")

    def _items_path(self, key: str) -> str:
        raise NotImplementedError

    def _summaries(self, keys: Sequence[str]) -> dict[str, media.Item]:
        joined = ",".join(checked_id(key) for key in keys)
        try:
            root = self._get(f"/library/metadata/{joined}", **LEAN)
        except PlexNotFound:  # none of them exists
            return {}
        return {item.ratingKey: item for item in parse_items(root, root, self._known)}

    def _create(self, **parameters: str) -> str:
        """Create a list and return its key."""
        with enforce_deadline(self._write_deadline):
            root = self._http.create(self.path, parameters)
        for each in root:
            if is_id(key := each.get("ratingKey", "")):
                return key
        raise PlexApiError


class CollectionEditor(ItemListEditor):
    """Read and write the collections of a library."""

    not_found = CollectionNotFound
    path = "/library/collections"

    def current(self, key: str) -> EditableCollection:
        """Return a collection as it is now. Raises CollectionNotFound, also for another id."""
        with not_found_as(CollectionNotFound):
            root = self._get(f"/library/metadata/{checked_id(key)}")
        element, collection = collection_element(root), parse_collection(root, self._known)
        if element is None or collection is None:
            raise missing(root, ["collection"], CollectionNotFound)
        known = {field.name: getattr(collection, field.name) for field in fields(collection)}
        sort_order = _name_of(element.get("collectionSort", "0"), SORT_ORDERS)
        return EditableCollection(
            **known,
            sortOrder=None if collection.smart else sort_order,
            mode=_name_of(element.get("collectionMode", "-1"), MODES),
        )

    def with_title(self, library: media.Library, title: str) -> dict[str, media.Collection]:
        """Return the library's collections that have a title, by key."""
        listed = self.collections(library, 0, None).collections
        return {each.ratingKey: each for each in listed if each.title == title}

    def create(
        self, library: media.Library, kind: str, title: str, machine: str, keys: Sequence[str]
    ) -> str:
        """Create a collection of items of one type and return its key."""
        return self._create(
            type=str(TYPE_NUMBERS[kind]),
            title=title,
            smart="0",
            sectionId=library.id,
            uri=_uri(machine, keys),
        )

    def edit(self, key: str, library: str, values: Mapping[str, str]) -> None:
        """Change fields and lock them, as Plex's own apps do, so that no scan overwrites them."""
        path = f"/library/sections/{checked_id(library)}/all"
        for edits in _chunks_of_edits(values):
            self._write("PUT", path, type=str(COLLECTION_TYPE), id=checked_id(key), **edits)

    def set_preferences(self, key: str, values: Mapping[str, str]) -> None:
        """Change the sort order, the mode or both."""
        preferences = {}
        if "sortOrder" in values:
            preferences["collectionSort"] = SORT_ORDERS[values["sortOrder"]]
        if "mode" in values:
            preferences["collectionMode"] = MODES[values["mode"]]
        self._write("PUT", f"{self.path}/{checked_id(key)}/prefs", **preferences)

    def _items_path(self, key: str) -> str:
        return f"{self.path}/{key}/children"


class PlaylistEditor(ItemListEditor):
    """Read and write the playlists of the token's user."""

    not_found = PlaylistNotFound
    path = "/playlists"

    def current(self, key: str) -> media.Playlist:
        """Return a playlist as it is now. Raises PlaylistNotFound, also for another id."""
        return self.playlist(key)

    def with_title(self, kind: str, title: str) -> dict[str, media.Playlist]:
        """Return the playlists of a type that have a title, by key."""
        listed = self.playlists(kind).playlists
        return {each.ratingKey: each for each in listed if each.title == title}

    def create(self, kind: str, title: str, machine: str, keys: Sequence[str]) -> str:
        """Create a playlist of type `video`, `audio` or `photo` and return its key."""
        return self._create(type=kind, title=title, smart="0", uri=_uri(machine, keys))

    def edit(self, key: str, values: Mapping[str, str]) -> None:
        """Change the title, the summary or both."""
        for edits in _chunks_of_edits(values):
            self._write("PUT", f"{self.path}/{checked_id(key)}", **edits)

    def _items_path(self, key: str) -> str:
        return f"{self.path}/{key}/items"


def _uri(machine: str, keys: Sequence[str]) -> str:
    joined = ",".join(checked_id(key) for key in keys)
    return f"server://{machine}/com.plexapp.plugins.library/library/metadata/{joined}"


def _chunks_of_edits(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return changed fields as Plex's parameters, in as few chunks as fit into a URL each."""
    chunks: list[dict[str, str]] = []
    left = 0
    for name, value in values.items():
        edit = {f"{name}.value": value, f"{name}.locked": "1"}
        length = sum(len(part) + len(quote(text, safe="")) for part, text in edit.items()) + 4
        if left < length:
            chunks.append({})
            left = MAX_TARGET_LENGTH - 100
        chunks[-1] |= edit
        left -= length
    return chunks


def _name_of(number: str, numbers: Mapping[str, str]) -> str | None:
    return next((name for name, each in numbers.items() if each == number), None)


def _positions(elements: Sequence[Element], container: Element) -> list[Position]:
    return [
        Position(rating_key, position)
        for each in elements
        if is_id(rating_key := each.get("ratingKey", ""))
        and ((position := each.get("playlistItemID")) is None or is_id(position))
    ]
