"""`GET /playlists` and `GET /playlists/:playlistKey`."""

from collections.abc import Mapping, Sequence
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Playlist
from plex_integration.reading.services.read import (
    Catalog,
    Read,
    Result,
    in_detail,
    is_lean,
    pagination,
)


def playlists(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for all playlists, or for those of a type."""
    kind = query.get("type")

    def load(plex: PlexClient) -> Result:
        page = plex.playlists(kind)
        data = {"playlists": page.playlists, "total": page.total}
        shown = tags.libraries(None) | {tags.ALL_PLAYLISTS}
        return Result(data, shown | _watch_filtered(page.playlists))

    return Read((kind,), load)


def playlist(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for a playlist and its items, in its own order."""
    key = ids["playlistKey"]
    start, size, details = query["start"], query.get("size"), query["details"]

    def load(plex: PlexClient) -> Result:
        items_call = plex.start(plex.playlist_items, key, start, size, lean=is_lean(details))
        found = plex.playlist(key)
        page = items_call.result()
        items = in_detail(plex, page.rows, details)
        data = {"playlist": found, "items": items, "pagination": pagination(start, size, page)}
        shown = tags.libraries(None) | {tags.playlist(found.ratingKey)} | _watch_filtered([found])
        return Result(data, shown | tags.items(items))

    return Read((key, start, size, details), load, catalog.libraries())


def _watch_filtered(shown: Sequence[Playlist]) -> frozenset[str]:
    """Return the tag of playlists some of which choose their items by watch state."""
    depends = any(each.dependsOnWatchState for each in shown)
    return frozenset({tags.watch_filtered("")} if depends else ())
