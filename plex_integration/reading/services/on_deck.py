"""`GET /on-deck`."""

from collections.abc import Mapping
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.reading.services.read import Catalog, Read, Result, in_detail, is_lean


def on_deck(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for what to continue, last watched first."""
    limit, details = query["limit"], query["details"]

    def load(plex: PlexClient) -> Result:
        rows = plex.on_deck(limit, lean=is_lean(details))
        items = in_detail(plex, rows, details)
        data = {"items": items, "total": len(items)}
        return Result(data, tags.libraries(None) | {tags.ON_DECK} | tags.items(items))

    return Read((limit, details), load, catalog.libraries())
