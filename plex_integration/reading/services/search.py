"""`GET /search`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Row
from plex_integration.reading.services.read import Catalog, Read, Result, in_detail


def search(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for the best matches of all hubs together, best first."""
    text, limit, details = query["query"], query["limit"], query["details"]
    kind = query.get("type")

    def load(plex: PlexClient) -> Result:
        found, milliseconds = plex.search(text, limit)
        rows = in_detail(plex, _best(found, kind)[:limit], details)
        results = [replace(row.item, matchReason=row.reason or "title") for row in rows]
        data = {"results": results, "total": len(results), "queryTime": milliseconds}
        return Result(data, tags.libraries(None) | tags.items(results))

    return Read((text, limit, kind, details), load, catalog.libraries())


def _best(rows: list[Row], kind: str | None) -> list[Row]:
    """Return each item's best match, of one type or of all, best first."""
    best: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: -row.score):
        if kind in (None, row.item.type):
            best.setdefault(row.item.ratingKey, row)
    return list(best.values())
