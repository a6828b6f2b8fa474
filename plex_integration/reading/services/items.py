"""`GET /items/:ratingKey`, its children, and `GET /items/lookup`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plex_integration.caching import tags
from plex_integration.errors import ItemNotFound
from plex_integration.plex import PlexClient
from plex_integration.plex.guids import items_with_guids
from plex_integration.plex.media import Item
from plex_integration.reading.services.read import (
    Catalog,
    Read,
    Result,
    in_detail,
    is_lean,
    pagination,
)

# The types whose children can be listed.
PARENTS = frozenset(("show", "season", "artist", "album", "photoalbum"))


def item(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for an item with everything Plex has of it, in one call."""
    key = ids["ratingKey"]

    def load(plex: PlexClient) -> Result:
        found = plex.item(key)
        if plex.connection.viewer:
            # Not every server keeps the owner's rating from other viewers.
            found = replace(found, userRating=None)
        return Result({"item": found}, _library_of(found) | tags.items([found]))

    return Read((key,), load, catalog.libraries())


def item_children(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for an item and its children at the same time."""
    key = ids["ratingKey"]
    start, size, details = query["start"], query["size"], query["details"]

    def load(plex: PlexClient) -> Result:
        children_call = plex.start(plex.children, key, start, size, lean=is_lean(details))
        parent = plex.item(key)
        if parent.type not in PARENTS:
            raise ItemNotFound(f"A {parent.type} has no children.")
        page = children_call.result()
        items = in_detail(plex, page.rows, details)
        data = {"parent": parent, "items": items, "pagination": pagination(start, size, page)}
        return Result(data, _library_of(parent) | tags.items([parent, *items]))

    return Read((key, start, size, details), load, catalog.libraries())


def item_lookup(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for the items of all libraries with a guid.

    A guid of Plex is looked up directly. A guid of another site is first looked up directly, then
    by the Plex guid to which each library's agent maps it.
    """
    guid, libraries = query["guid"], catalog.libraries()

    def load(plex: PlexClient) -> Result:
        found = items_with_guids(plex, [guid], libraries)[guid]
        data = {"items": found, "total": len(found)}
        return Result(data, tags.libraries(None) | tags.items(found))

    return Read((guid,), load, libraries)


def _library_of(found: Item) -> frozenset[str]:
    return tags.libraries([found.library.id] if found.library else None)
