"""`GET /items/:ratingKey`, its children, and `GET /items/lookup`."""

from collections.abc import Mapping, Sequence
from typing import Any

from plex_integration.caching import tags
from plex_integration.errors import ItemNotFound
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Item, Library, Row
from plex_integration.reading.services.read import Catalog, Read, Result, in_detail, pagination

# The types whose children can be listed, and those that a guid of Plex can name.
PARENTS = frozenset(("show", "season", "artist", "album", "photoalbum"))
# Libraries of personal media have Plex's agent "none", which knows no guids.
NO_AGENTS = frozenset((None, "com.plexapp.agents.none"))
LOOKED_UP = frozenset(("movie", "show", "season", "episode", "artist", "album", "track"))


def item(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for an item with everything Plex has of it, in one call."""
    key = ids["ratingKey"]

    def load(plex: PlexClient) -> Result:
        found = plex.item(key)
        return Result({"item": found}, _library_of(found) | tags.items([found]))

    return Read((key,), load, catalog.libraries())


def item_children(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for an item and its children at the same time."""
    key = ids["ratingKey"]
    start, size, details = query["start"], query["size"], query["details"]

    def load(plex: PlexClient) -> Result:
        children_call = plex.start(plex.children, key, start, size)
        parent = plex.item(key)
        if parent.type not in PARENTS:
            raise ItemNotFound(f"A {parent.type} has no children.")
        page = children_call.result()
        items = [row.item for row in in_detail(plex, page.rows, details)]
        data = {"parent": parent, "items": items, "pagination": pagination(start, size, page)}
        return Result(data, _library_of(parent) | tags.items([parent, *items]))

    return Read((key, start, size, details), load, catalog.libraries())


def item_lookup(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for the items of all libraries with a guid.

    A guid of Plex is looked up directly. A guid of another site is first looked up directly, then
    by the Plex guid to which each library's agent maps it.
    """
    guid = query["guid"]
    libraries = catalog.libraries()

    def load(plex: PlexClient) -> Result:
        rows = _plex_rows(plex, guid) if guid.startswith("plex://") else _outside_rows(plex, guid)
        if not rows and not guid.startswith("plex://"):
            rows = _matched_rows(plex, guid, libraries)
        rows = list({row.item.ratingKey: row for row in rows}.values())
        found = [row.item for row in plex.completed(rows)]
        data = {"items": found, "total": len(found)}
        return Result(data, tags.libraries(None) | tags.items(found))

    return Read((guid,), load, libraries)


def _plex_rows(plex: PlexClient, guid: str) -> list[Row]:
    kind = guid.partition("://")[2].partition("/")[0]
    return plex.with_guid(guid, kind) if kind in LOOKED_UP else []


def _outside_rows(plex: PlexClient, guid: str) -> list[Row]:
    calls = [plex.start(plex.with_guid, guid, kind) for kind in ("movie", "show")]
    return [row for call in calls for row in call.result()]


def _matched_rows(plex: PlexClient, guid: str, libraries: Sequence[Library]) -> list[Row]:
    agents = {
        library.agent: library
        for library in libraries
        if library.type in ("movie", "show") and library.agent not in NO_AGENTS
    }
    calls = [(library, plex.start(plex.matched_guid, guid, library)) for library in agents.values()]
    rows: list[Row] = []
    for library, call in calls:
        if (own := call.result()) and own.startswith(f"plex://{library.type}/"):
            rows += plex.with_guid(own, str(library.type))
    return rows


def _library_of(found: Item) -> frozenset[str]:
    return tags.libraries([found.library.id] if found.library else None)
