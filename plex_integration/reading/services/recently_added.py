"""`GET /recently-added`."""

import time
from collections.abc import Mapping
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Library, Row
from plex_integration.reading.services.read import Catalog, Read, Result, in_detail
from plex_integration.reading.services.types import listable

DAYS = 30

# Without a type, Plex groups new episodes of shows itself, and music comes as albums.
GROUPED = frozenset(("show",))
DEFAULT_TYPE = {"artist": "album"}


def recently_added(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for what was added in the last 30 days, newest first."""
    library = catalog.library(query["library"]) if "library" in query else None
    kind = _kind(library, query.get("type"))
    limit, details = query["limit"], query["details"]

    def load(plex: PlexClient) -> Result:
        rows, total = _rows(plex, library, kind, limit)
        items = [row.item for row in in_detail(plex, rows[:limit], details)]
        data = {"items": items, "total": total, "timeframe": f"last_{DAYS}_days"}
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


def _rows(
    plex: PlexClient, library: Library | None, kind: str | None, limit: int
) -> tuple[list[Row], int]:
    """Return the rows, newest first, and how many there are in all."""
    if kind is not None:
        page = plex.added_since(f"-{DAYS}d", kind, library, limit)
        return list(page.rows), page.total
    since = int(time.time()) - DAYS * 86400
    rows = [
        row
        for row in plex.recently_added(since)
        if library is None or row.item.library == library.reference
    ]
    return rows, len(rows)
