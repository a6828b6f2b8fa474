"""`GET /search`."""

from collections.abc import Mapping
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.reading.services.read import Catalog, Read, Result, in_detail, is_lean


def search(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for the best matches of all hubs together, best first."""
    text, limit, details = query["query"], query["limit"], query["details"]
    kind = query.get("type")

    def load(plex: PlexClient) -> Result:
        found, milliseconds = plex.search(text, limit, kind, lean=is_lean(details))
        results = in_detail(plex, found, details)
        data = {"results": results, "total": len(results), "queryTime": milliseconds}
        return Result(data, tags.libraries(None) | tags.items(results))

    return Read((text, limit, kind, details), load, catalog.libraries())
