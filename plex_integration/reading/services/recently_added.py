"""`GET /recently-added`."""

import time
from collections.abc import Mapping
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient, PlexNotFound
from plex_integration.plex.media import Library, Page
from plex_integration.reading.services.read import Catalog, Read, Result, in_detail, is_lean
from plex_integration.reading.services.types import listable

DAYS = 30
AGE = f"-{DAYS}d"

# Without a type, Plex groups new episodes of shows itself, and music comes as albums.
GROUPED = frozenset(("show",))
UNGROUPED = ("movie", "episode", "album", "photo")
DEFAULT_TYPE = {"artist": "album"}


def recently_added(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for what was added in the last 30 days, newest first."""
    library = catalog.library(query["library"]) if "library" in query else None
    kind = _kind(library, query.get("type"))
    limit, details = query["limit"], query["details"]

    def load(plex: PlexClient) -> Result:
        page = _page(plex, library, kind, limit, lean=is_lean(details))
        items = in_detail(plex, page.rows, details)
        data = {"items": items, "total": page.total, "timeframe": f"last_{DAYS}_days"}
        shown = tags.libraries([library.id] if library else None)
        return Result(data, shown | tags.items(items))

    return Read((library.id if library else None, kind, limit, details), load, catalog.libraries())


def _kind(library: Library | None, wanted: str | None) -> str | None:
    """Return the type to ask for; None where Plex groups the rows."""
    if library is None:
        return wanted
    if wanted is not None:
        return listable(library, wanted)
    if library.type in GROUPED:
        return None
    return DEFAULT_TYPE.get(library.type or "", library.type)


def _page(
    plex: PlexClient, library: Library | None, kind: str | None, limit: int, *, lean: bool
) -> Page:
    """Return the newest rows, and how many there are in all."""
    if kind is not None:
        return plex.added_since(AGE, kind, library, limit, lean=lean)
    since = int(time.time()) - DAYS * 86400
    try:
        if library is None:
            return plex.recently_added(since, limit, lean=lean)
        return plex.recently_added_in(library.reference, since, limit, lean=lean)
    except PlexNotFound:
        return _ungrouped(plex, library, limit, lean=lean)


def _ungrouped(plex: PlexClient, library: Library | None, limit: int, *, lean: bool) -> Page:
    """Return the rows of a server that has no list in which it groups them: single episodes."""
    kinds = UNGROUPED if library is None else ("episode",)
    calls = [plex.start(plex.added_since, AGE, kind, library, limit, lean=lean) for kind in kinds]
    pages = [call.result() for call in calls]
    rows = [row for page in pages for row in page.rows]
    newest = sorted(rows, key=lambda row: row.addedAtSeconds or 0, reverse=True)[:limit]
    return Page(newest, sum(page.total for page in pages), len(newest))
