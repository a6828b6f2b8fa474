"""What each endpoint must show to a viewer, worked out from what Plex itself says to this viewer.

Plex is asked directly, with the viewer's own token, and its XML is read without the service's code.
Of each response the facts are compared that depend on the viewer: which items there are and in
which order, how many, and how far the viewer has watched them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import requests

from plex_simulator.models import Account

PAGE, DAYS = 20, 30
TYPE_NUMBERS = {
    "movie": 1, "show": 2, "season": 3, "episode": 4, "artist": 8, "album": 9, "track": 10,
}  # fmt: skip
COUNTED = {
    "movie": ("movie",), "show": ("show", "season", "episode"), "artist": ("artist", "album"),
}  # fmt: skip
SEARCHED = ("movie", "show", "episode", "artist", "album", "track")


class NotShown(Exception):
    """Plex does not show this to the viewer."""


class Plex:
    """A Plex Media Server as one viewer sees it."""

    def __init__(self, url: str, account: Account) -> None:
        self._url, self._account, self._session = url, account, requests.Session()
        self._session.trust_env = False

    def get(self, path: str, start: int = 0, size: int | None = None, **query: Any) -> Element:
        """GET a path. Raises NotShown after 401, 403 or 404."""
        headers = {"X-Plex-Token": self._account.server_token}
        if size is not None:
            headers |= {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}
        answer = self._session.get(self._url + path, params=query, headers=headers, timeout=30)
        if answer.status_code in (401, 403, 404):
            raise NotShown
        answer.raise_for_status()
        return ElementTree.fromstring(answer.content)

    def libraries(self) -> dict[str, str]:
        """Return the types of the libraries by their ids."""
        return {each.attrib["key"]: each.attrib["type"] for each in self.get("/library/sections")}

    def library(self, key: str) -> str:
        """Return the type of a library. Raises NotShown."""
        try:
            return self.libraries()[key]
        except KeyError:
            raise NotShown from None


Facts = Any
"""Facts of a response, in a form that compares and that JSON could hold."""


@dataclass(frozen=True)
class Case:
    """A request, how its facts are worked out from Plex, and how they are read from the response.

    `missing` is the error of a viewer to whom Plex does not show it.
    """

    endpoint: str
    path: str
    ask: Callable[[Plex], Facts]
    read: Callable[[Any], Facts]
    missing: str = ""

    def expected(self, plex: Plex) -> Facts:
        """Return the facts for a viewer, or the code of the error."""
        try:
            return self.ask(plex)
        except NotShown:
            return self.missing


def item_facts(element: Element) -> list[Any]:
    """Return what Plex says about an item to this viewer."""
    viewed = element.get("lastViewedAt")
    leaves = element.get("viewedLeafCount")
    return [
        element.attrib["ratingKey"],
        int(element.get("viewCount", 0)),
        int(element.get("viewOffset", 0)),
        viewed and datetime.fromtimestamp(int(viewed), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        leaves and int(leaves),
    ]


def read_item(shown: Mapping[str, Any]) -> list[Any]:
    """Return the same facts from an item of a response."""
    played = shown["playbackProgress"]
    return [
        shown["ratingKey"],
        played["viewCount"],
        played["viewOffset"],
        played["lastViewedAt"],
        shown.get("viewedLeafCount"),
    ]


def _rows(elements: Iterable[Element]) -> list[list[Any]]:
    return [item_facts(each) for each in elements if each.get("ratingKey")]


def _read_rows(shown: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    return [read_item(each) for each in shown]


def _total(root: Element) -> int:
    return int(root.get("totalSize", root.get("size", 0)))


def _page(root: Element) -> Facts:
    return [_rows(root), _total(root)]


def _read_page(data: Any) -> Facts:
    return [_read_rows(data["items"]), data["pagination"]["total"]]


def _read_list(data: Any) -> Facts:
    return [_read_rows(data["items"]), data["total"]]


def server() -> Case:
    """`/server`: how many libraries and sessions the viewer may know of."""

    def ask(plex: Plex) -> Facts:
        try:
            sessions = int(plex.get("/status/sessions").attrib["size"])
        except NotShown:
            sessions = None
        return [len(plex.libraries()), sessions]

    def read(data: Any) -> Facts:
        statistics = data["statistics"]
        return [statistics["libraryCount"], statistics["sessionCount"]]

    return Case("plex-server", "/plex/server", ask, read)


def libraries() -> Case:
    """`/libraries`: which there are, and how many items of each type they have."""

    def ask(plex: Plex) -> Facts:
        return [[key, *_counts(plex, key, kind)] for key, kind in plex.libraries().items()]

    def read(data: Any) -> Facts:
        return [[each["id"], *_read_counts(each)] for each in data["libraries"]]

    return Case("plex-libraries", "/plex/libraries", ask, read)


def _counts(plex: Plex, key: str, kind: str) -> list[int]:
    path = f"/library/sections/{key}/all"
    counted = COUNTED.get(kind, ())
    return [_total(plex.get(path, size=0, type=TYPE_NUMBERS[each])) for each in counted]


def _read_counts(library: Any) -> list[int]:
    statistics = library["statistics"]
    names = {"season": "seasons", "episode": "episodes", "album": "albums"}
    counted = COUNTED.get(library["type"], ())
    return [statistics[names.get(each, "count")] for each in counted]


def library_items(key: str, kind: str, more: str = "", **query: Any) -> Case:
    """`/libraries/:libraryKey/items`: one page; `query` is `more` in the words of Plex."""

    def ask(plex: Plex) -> Facts:
        plex.library(key)
        query_of_all = {"type": TYPE_NUMBERS[kind], "sort": "titleSort:asc"} | query
        return _page(plex.get(f"/library/sections/{key}/all", size=PAGE, **query_of_all))

    path = f"/plex/libraries/{key}/items?size={PAGE}&type={kind}{more}"
    return Case("plex-library-items", path, ask, _read_page, "LIBRARY_NOT_FOUND")


def genres(key: str) -> Case:
    """`/libraries/:libraryKey/genres`"""

    def ask(plex: Plex) -> Facts:
        kind = TYPE_NUMBERS[plex.library(key)]
        root = plex.get(f"/library/sections/{key}/genre", type=kind)
        return [[int(each.attrib["key"]), each.attrib["title"]] for each in root]

    def read(data: Any) -> Facts:
        return [[each["id"], each["title"]] for each in data["genres"]]

    return Case("plex-genres", f"/plex/libraries/{key}/genres", ask, read, "LIBRARY_NOT_FOUND")


def collections(key: str) -> Case:
    """`/libraries/:libraryKey/collections`"""

    def ask(plex: Plex) -> Facts:
        plex.library(key)
        root = plex.get(f"/library/sections/{key}/collections")
        return [[each.attrib["ratingKey"], int(each.attrib["childCount"])] for each in root]

    def read(data: Any) -> Facts:
        return [[each["ratingKey"], each["childCount"]] for each in data["collections"]]

    path = f"/plex/libraries/{key}/collections"
    return Case("plex-collections", path, ask, read, "LIBRARY_NOT_FOUND")


def collection(key: str) -> Case:
    """`/collections/:collectionKey`"""

    def ask(plex: Plex) -> Facts:
        (found,) = plex.get(f"/library/metadata/{key}")
        children = plex.get(f"/library/collections/{key}/children")
        return [int(found.attrib["childCount"]), *_page(children)]

    def read(data: Any) -> Facts:
        return [data["collection"]["childCount"], *_read_page(data)]

    path = f"/plex/collections/{key}"
    return Case("plex-collection-detail", path, ask, read, "COLLECTION_NOT_FOUND")


def item(key: str) -> Case:
    """`/items/:ratingKey`"""

    def ask(plex: Plex) -> Facts:
        return _rows(plex.get(f"/library/metadata/{key}"))

    def read(data: Any) -> Facts:
        return _read_rows([data["item"]])

    return Case("plex-item", f"/plex/items/{key}", ask, read, "ITEM_NOT_FOUND")


def many_items(keys: Sequence[str]) -> Case:
    """`/items`: which of them the viewer may see, in this order, and which are missing."""

    def ask(plex: Plex) -> Facts:
        found: dict[str, list[Any]] = {}
        for key in keys:
            with suppress(NotShown):
                found |= {each[0]: each for each in _rows(plex.get(f"/library/metadata/{key}"))}
        return [list(found.values()), [f"no {key}" for key in keys if key not in found]]

    def read(data: Any) -> Facts:
        return [_read_rows(data["items"]), [f"no {key}" for key in data["missing"]]]

    return Case("plex-items", f"/plex/items?ids={','.join(keys)}", ask, read)


def children(key: str) -> Case:
    """`/items/:ratingKey/children`"""

    def ask(plex: Plex) -> Facts:
        parent = plex.get(f"/library/metadata/{key}")
        path = f"/library/metadata/{key}/children"
        return [_rows(parent), *_page(plex.get(path, size=50, excludeAllLeaves=1))]

    def read(data: Any) -> Facts:
        return [_read_rows([data["parent"]]), *_read_page(data)]

    path = f"/plex/items/{key}/children"
    return Case("plex-item-children", path, ask, read, "ITEM_NOT_FOUND")


def lookup(guid: str, kind: str) -> Case:
    """`/items/lookup`"""

    def ask(plex: Plex) -> Facts:
        found = _rows(plex.get("/library/all", size=50, type=TYPE_NUMBERS[kind], guid=guid))
        return [found, len(found)]

    return Case("plex-item-lookup", f"/plex/items/lookup?guid={guid}", ask, _read_list)


def on_deck() -> Case:
    """`/on-deck`"""

    def ask(plex: Plex) -> Facts:
        found = _rows(plex.get("/library/onDeck", size=50))
        return [found, len(found)]

    return Case("plex-on-deck", "/plex/on-deck", ask, _read_list)


def playlists() -> Case:
    """`/playlists`"""

    def ask(plex: Plex) -> Facts:
        found = plex.get("/playlists")
        return [[each.attrib["ratingKey"], int(each.attrib["leafCount"])] for each in found]

    def read(data: Any) -> Facts:
        return [[each["ratingKey"], each["itemCount"]] for each in data["playlists"]]

    return Case("plex-playlists", "/plex/playlists", ask, read)


def playlist(key: str) -> Case:
    """`/playlists/:playlistKey`"""

    def ask(plex: Plex) -> Facts:
        (found,) = plex.get(f"/playlists/{key}")
        return [int(found.attrib["leafCount"]), *_page(plex.get(f"/playlists/{key}/items"))]

    def read(data: Any) -> Facts:
        return [data["playlist"]["itemCount"], *_read_page(data)]

    path = f"/plex/playlists/{key}"
    return Case("plex-playlist", path, ask, read, "PLAYLIST_NOT_FOUND")


def search(text: str) -> Case:
    """`/search`: which items it finds, in any order."""

    def ask(plex: Plex) -> Facts:
        hubs = plex.get("/hubs/search", query=text, limit=200)
        return sorted({tuple(row[:3]) for row in _rows(each for hub in hubs for each in hub)})

    def read(data: Any) -> Facts:
        return sorted({tuple(row[:3]) for row in _read_rows(data["results"])})

    return Case("plex-search", f"/plex/search?query={text}&limit=200", ask, read)


def recently_added(since: int) -> Case:
    """`/recently-added`: what was added since an epoch second."""

    def ask(plex: Plex) -> Facts:
        rows = plex.get("/library/recentlyAdded", size=500)
        new = [each for each in rows if int(each.attrib["addedAt"]) >= since]
        return [_rows(new[:50]), len(new)]

    return Case("plex-recent", "/plex/recently-added", ask, _read_list)


def picture(key: str, kind: str) -> Case:
    """`/items/:ratingKey/images/:kind`: only whether the viewer may see it."""

    def ask(plex: Plex) -> Facts:
        (found,) = plex.get(f"/library/metadata/{key}")
        return [found.get(kind, "") != ""]

    def read(data: Any) -> Facts:
        return [data.startswith(b"\xff\xd8")]

    path = f"/plex/items/{key}/images/{kind}?width=160"
    return Case("plex-item-image", path, ask, read, "ITEM_NOT_FOUND")
