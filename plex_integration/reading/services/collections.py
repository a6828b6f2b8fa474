"""`GET /libraries/:libraryKey/collections` and `GET /collections/:collectionKey`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Collection
from plex_integration.reading.services.read import (
    Catalog,
    Read,
    Result,
    in_detail,
    is_lean,
    pagination,
)


def collections(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for all collections of a library, or for a page of them."""
    library = catalog.library(ids["libraryKey"])
    start, size = query["start"], query.get("size")

    def load(plex: PlexClient) -> Result:
        page = plex.collections(library, start, size)
        data = {
            "collections": page.collections,
            "total": page.total,
            "library": library.reference,
            "pagination": pagination(start, size, page),
        }
        shown = tags.libraries([library.id]) | {tags.collections_of(library.id)}
        return Result(data, shown | _watch_filtered(library.id, page.collections))

    return Read((library.id, start, size), load, [library])


def collection(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for a collection and its items, in its own order."""
    key = ids["collectionKey"]
    start, size, details = query["start"], query.get("size"), query["details"]

    def load(plex: PlexClient) -> Result:
        items_call = plex.start(plex.collection_items, key, start, size, lean=is_lean(details))
        found = plex.collection(key)
        page = items_call.result()
        items = [
            item if item.library else replace(item, library=found.library)
            for item in in_detail(plex, page.rows, details)
        ]
        data = {
            "collection": found,
            "items": items,
            "pagination": pagination(start, size, page),
        }
        library = found.library.id if found.library else None
        shown = tags.libraries(None if library is None else [library])
        shown |= {tags.collection(found.ratingKey)} | _watch_filtered(library or "", [found])
        return Result(data, shown | tags.items(items))

    return Read((key, start, size, details), load, catalog.libraries())


def _watch_filtered(library: str, shown: Sequence[Collection]) -> frozenset[str]:
    """Return the tag of collections some of which choose their items by watch state."""
    depends = any(each.dependsOnWatchState for each in shown)
    return frozenset({tags.watch_filtered(library)} if depends else ())
