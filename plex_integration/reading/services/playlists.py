"""`GET /playlists` and `GET /playlists/:playlistKey`."""

from collections.abc import Mapping
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.reading.services.read import Catalog, Read, Result, in_detail, pagination


def playlists(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for all playlists, or for those of a type."""
    kind = query.get("type")

    def load(plex: PlexClient) -> Result:
        page = plex.playlists(kind)
        data = {"playlists": page.playlists, "total": page.total}
        return Result(data, tags.libraries(None) | {tags.ALL_PLAYLISTS})

    return Read((kind,), load)


def playlist(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for a playlist and its items, in its own order."""
    key = ids["playlistKey"]
    start, size, details = query["start"], query.get("size"), query["details"]

    def load(plex: PlexClient) -> Result:
        items_call = plex.start(plex.playlist_items, key, start, size)
        found = plex.playlist(key)
        page = items_call.result()
        items = [row.item for row in in_detail(plex, page.rows, details)]
        data = {"playlist": found, "items": items, "pagination": pagination(start, size, page)}
        shown = tags.libraries(None) | {tags.playlist(found.ratingKey)}
        return Result(data, shown | tags.items(items))

    return Read((key, start, size, details), load, catalog.libraries())
