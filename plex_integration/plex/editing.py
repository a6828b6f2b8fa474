"""What is asked of Plex to change collections and playlists; each write is sent once.

python-plexapi's `collection.py`, `playlist.py` and `mixins` show how each request looks. A title or
a summary is a parameter, an id in a path is digits; lists of items are cut into pieces, since Plex
takes them in the URL.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar
from urllib.parse import quote

import requests

from plex_integration.plex import parsing, media
from plex_integration.configuration.connection import Connection
from plex_integration.errors import CollectionNotFound, PlaylistNotFound, PlexApiError
from medianest.api.exceptions import Problem
from plex_integration.plex import transport
from plex_integration.plex.client import IDS_PER_CALL, TYPE_NUMBERS, Plex
from plex_integration.plex.ids import checked_id
from plex_integration.plex.http import NotThere, _parsed, _translated

COLLECTION_TYPE = 18
SORT_ORDERS = {"release": "0", "alpha": "1", "custom": "2"}
MODES = {"default": "-1", "hide": "0", "hideItems": "1", "showItems": "2"}
# What a playlist of each type holds; shows, seasons, artists and albums Plex takes for all below.
PLAYLIST_TYPES = {
    "movie": "video",
    "episode": "video",
    "clip": "video",
    "track": "audio",
    "photo": "photo",
}

# Plex, and proxies before it, refuse a request line of more than 8,000 bytes or so.
LONGEST_TARGET = 6_000
# What of the seconds is left to find out what became of a write that was not answered.
RESERVED, MOST_RESERVED = 0.2, 2.0

# Whether items are there, of which type and where, is all that is wanted; Plex may send more.
_AT_A_GLANCE: dict[str, Any] = {
    "excludeElements": "Media,Genre,Director,Writer,Producer,Role,Country,Collection,Guid,Rating,"
    "Chapter,Marker,Extras,Image,UltraBlurColors,Label,Similar,Mood,Style",
    "excludeFields": "summary,tagline",
}


@dataclass(frozen=True, slots=True)
class EditedCollection(media.Collection):
    """A collection with what only who edits it asks for; a smart one has no order of its own."""

    sortOrder: str | None = None
    mode: str | None = None


Made = EditedCollection | media.Playlist


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a collection or playlist; a playlist's has an id, as an item may stand twice."""

    ratingKey: str
    id: str | None


def was_sent(problem: Problem) -> bool:
    """Tell whether a write that failed may have reached Plex."""
    cause = problem.__cause__
    if isinstance(cause, requests.exceptions.ConnectTimeout):
        return False
    return not (type(cause) is TimeoutError or "NewConnectionError" in repr(cause))


def was_answered(problem: Problem) -> bool:
    """Tell whether Plex answered a write that failed, if only to refuse: then it is over."""
    return problem.__cause__ is None or isinstance(problem.__cause__, NotThere)


class Editor(Plex):
    """One write's conversation with Plex, and what collections and playlists have in common."""

    missing: ClassVar[type[Problem]]
    path: ClassVar[str]

    def __init__(
        self, to: Connection, seconds: float, libraries: Sequence[media.Library] = ()
    ) -> None:
        super().__init__(to, seconds, libraries)
        reserved = min(MOST_RESERVED, seconds * RESERVED)
        self._last_write = time.monotonic() + seconds - reserved

    def machine(self) -> str:
        """Ask for the server's own id, which the URIs of items begin with."""
        found = self._get("/identity").get("machineIdentifier", "")
        if not found.isalnum():
            raise PlexApiError
        return found

    def at_a_glance(self, keys: Sequence[str]) -> dict[str, media.Item]:
        """Ask which of these items are there, of which type and in which library; 50 a call."""
        calls = [
            self.start(self._glanced, keys[first : first + IDS_PER_CALL])
            for first in range(0, len(keys), IDS_PER_CALL)
        ]
        return {key: item for call in calls for key, item in call.result().items()}

    def pieces(self, keys: Sequence[str], *beside: str) -> list[list[str]]:
        """Cut a list of items into pieces of which each fits into a URL, beside other texts."""
        room = LONGEST_TARGET - 400 - sum(len(quote(text, safe="")) for text in beside)
        pieces: list[list[str]] = []
        left = 0
        for key in keys:
            length = len(key) + len("%2C")
            if left < length:
                pieces.append([])
                left = room
            pieces[-1].append(key)
            left -= length
        return pieces

    def places(self, key: str) -> list[Place]:
        """Ask what stands in it, in its own order."""
        try:
            page = self._page(self._places_path(checked_id(key)), 0, None, **_AT_A_GLANCE)
        except NotThere as error:
            raise self.missing from error
        return [
            Place(each.get("ratingKey", ""), each.get("playlistItemID"))
            for each in page.elements
            if each.get("ratingKey")
        ]

    def add(self, key: str, machine: str, keys: Sequence[str]) -> None:
        """Add items at its end, few enough for a URL."""
        self._send("PUT", f"{self.path}/{checked_id(key)}/items", uri=_uri(machine, keys))

    def take_out(self, key: str, place: str) -> None:
        """Take an item, or a playlist's row, out."""
        self._send("DELETE", f"{self.path}/{checked_id(key)}/items/{checked_id(place)}")

    def move(self, key: str, place: str, after: str | None) -> None:
        """Put an item, or a playlist's row, behind another one, or first."""
        where = {} if after is None else {"after": checked_id(after)}
        self._send("PUT", f"{self.path}/{checked_id(key)}/items/{checked_id(place)}/move", **where)

    def delete(self, key: str) -> None:
        """Delete it. Its items stay: this path is no item's."""
        self._send("DELETE", f"{self.path}/{checked_id(key)}")

    def _places_path(self, key: str) -> str:
        raise NotImplementedError

    def _glanced(self, keys: Sequence[str]) -> dict[str, media.Item]:
        joined = ",".join(checked_id(key) for key in keys)
        try:
            root = self._get(f"/library/metadata/{joined}", **_AT_A_GLANCE)
        except NotThere:  # none of them is there
            return {}
        rows = parsing.rows(root, root, self._known)
        return {row.item.ratingKey: row.item for row in rows}

    def _created(self, path: str, **parameters: str) -> str:
        """Create something and return its key."""
        with _translated(), transport.within(self._last_write):
            root = _parsed(self._server.send("POST", path, parameters))
        for each in root:
            if key := each.get("ratingKey"):
                return checked_id(key)
        raise PlexApiError

    def _send(self, method: str, path: str, **parameters: str) -> bytes:
        try:
            with transport.within(self._last_write):
                return self._server.send(method, path, parameters)
        except NotThere as error:
            raise self.missing from error


class CollectionEditor(Editor):
    """Changes a library's collections."""

    missing = CollectionNotFound
    path = "/library/collections"

    def made(self, key: str) -> EditedCollection:
        """Ask for a collection itself. Raises CollectionNotFound, also for another kind's id."""
        try:
            root = self._get(f"/library/metadata/{checked_id(key)}")
        except NotThere as error:
            raise CollectionNotFound from error
        found = parsing.collection(root, self._known)
        if found is None:
            raise CollectionNotFound
        element = next(each for each in root if each.get("ratingKey") == found.ratingKey)
        known = {field.name: getattr(found, field.name) for field in fields(found)}
        order = _name(SORT_ORDERS, element.get("collectionSort", "0"))
        return EditedCollection(
            **known,
            sortOrder=None if found.smart else order,
            mode=_name(MODES, element.get("collectionMode", "-1")),
        )

    def titled(self, library: media.Library, title: str) -> dict[str, media.Collection]:
        """Ask for the library's collections of a title, by key."""
        listed = self.collections(library, 0, None).collections
        return {each.ratingKey: each for each in listed if each.title == title}

    def create(
        self, library: media.Library, kind: str, title: str, machine: str, keys: Sequence[str]
    ) -> str:
        """Create a collection of items of one type; return its key."""
        return self._created(
            self.path,
            type=str(TYPE_NUMBERS[kind]),
            title=title,
            smart="0",
            sectionId=library.id,
            uri=_uri(machine, keys),
        )

    def edit(self, key: str, library: str, values: Mapping[str, str]) -> None:
        """Change fields; they are locked, as in Plex's own apps, so that a scan keeps them."""
        for few in _edits(values):
            self._send(
                "PUT",
                f"/library/sections/{checked_id(library)}/all",
                type=str(COLLECTION_TYPE),
                id=checked_id(key),
                **few,
            )

    def prefer(self, key: str, values: Mapping[str, str]) -> None:
        """Change the sort order or the mode."""
        spelled = {}
        if "sortOrder" in values:
            spelled["collectionSort"] = SORT_ORDERS[values["sortOrder"]]
        if "mode" in values:
            spelled["collectionMode"] = MODES[values["mode"]]
        self._send("PUT", f"{self.path}/{checked_id(key)}/prefs", **spelled)

    def _places_path(self, key: str) -> str:
        return f"{self.path}/{key}/children"


class PlaylistEditor(Editor):
    """Changes the token's playlists."""

    missing = PlaylistNotFound
    path = "/playlists"

    def made(self, key: str) -> media.Playlist:
        """Ask for a playlist itself. Raises PlaylistNotFound, also for another kind's id."""
        return self.playlist(key)

    def titled(self, kind: str, title: str) -> dict[str, media.Playlist]:
        """Ask for the playlists of a type and title, by key."""
        listed = self.playlists(kind).playlists
        return {each.ratingKey: each for each in listed if each.title == title}

    def create(self, kind: str, title: str, machine: str, keys: Sequence[str]) -> str:
        """Create a playlist of `video`, `audio` or `photo`; return its key."""
        return self._created(self.path, type=kind, title=title, smart="0", uri=_uri(machine, keys))

    def edit(self, key: str, values: Mapping[str, str]) -> None:
        """Change the title or the summary."""
        for few in _edits(values):
            self._send("PUT", f"{self.path}/{checked_id(key)}", **few)

    def _places_path(self, key: str) -> str:
        return f"{self.path}/{key}/items"


def _uri(machine: str, keys: Sequence[str]) -> str:
    joined = ",".join(checked_id(key) for key in keys)
    return f"server://{machine}/com.plexapp.plugins.library/library/metadata/{joined}"


def _edits(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Spell changed fields as Plex wants them, in as few requests as their URLs can hold."""
    edits: list[dict[str, str]] = []
    left = 0
    for name, value in values.items():
        spelled = {f"{name}.value": value, f"{name}.locked": "1"}
        length = sum(len(part) + len(quote(text, safe="")) for part, text in spelled.items()) + 4
        if left < length:
            edits.append({})
            left = LONGEST_TARGET - 100
        edits[-1] |= spelled
        left -= length
    return edits


def _name(names: Mapping[str, str], number: str) -> str | None:
    return next((name for name, each in names.items() if each == number), None)
