"""`GET /libraries` and `GET /libraries/:libraryKey/genres`."""

from collections.abc import Mapping
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PendingCall, PlexClient
from plex_integration.plex.media import Filter, Library, LibraryStatistics, Storage
from plex_integration.reading.services.read import Catalog, Read, Result
from plex_integration.reading.services.types import LISTABLE, listable

# What is played in a library whose own items are not.
PLAYED = {"show": "episode", "artist": "track"}

Counts = dict[str, int | None]


def libraries(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for the list, then for every count at the same time; each may fail alone."""
    return Read((), _load)


def genres(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for a library's genres, in Plex's order."""
    library = catalog.library(ids["libraryKey"])
    kind = listable(library, library.type)

    def load(plex: PlexClient) -> Result:
        found = plex.genres(library.id, kind)
        data = {"genres": found.all, "total": len(found.all), "library": library.reference}
        return Result(data, tags.libraries([library.id]))

    return Read((library.id,), load)


def _load(plex: PlexClient) -> Result:
    storage_call = plex.start(plex.storage)
    listed = plex.libraries()
    count_calls = {library.id: _start_counts(plex, library) for library in listed}
    storage = storage_call.result_or_none()
    shown: list[dict[str, Any]] = []
    played: list[int | None] = []
    is_partial = storage_call.has_failed
    for library in listed:
        counts, filters = _counted(count_calls[library.id])
        is_partial = is_partial or any(call.has_failed for call in count_calls[library.id].values())
        statistics = _statistics(library, counts, (storage or {}).get(library.id))
        shown.append({"library": library, "statistics": statistics, "filters": filters or None})
        played.append(counts.get(PLAYED.get(library.type or "", library.type or "")))
    data = {"libraries": shown, "totalCount": len(listed), "totalMediaItems": _sum(played)}
    return Result(data, tags.libraries(None), is_partial)


def _start_counts(plex: PlexClient, library: Library) -> dict[str, PendingCall[Any]]:
    """Start a count per type; that of the library's own type brings its filters along."""
    return {
        kind: plex.start(
            plex.library_count_and_filters if kind == library.type else plex.library_count,
            library.id,
            kind,
        )
        for kind in LISTABLE.get(library.type or "", ())
        if kind != "photoalbum"
    }


def _counted(calls: Mapping[str, PendingCall[Any]]) -> tuple[Counts, list[Filter] | None]:
    counts: Counts = {}
    filters = None
    for kind, call in calls.items():
        counts[kind] = found = call.result_or_none()
        if isinstance(found, tuple):
            counts[kind], filters = found
    return counts, filters


def _statistics(library: Library, counts: Counts, storage: Storage | None) -> LibraryStatistics:
    return LibraryStatistics(
        count=counts.get(library.type or ""),
        totalSize=storage.totalSize if storage else None,
        totalDuration=storage.totalDuration if storage else None,
        seasons=counts.get("season"),
        episodes=counts.get("episode"),
        albums=counts.get("album"),
        tracks=counts.get("track"),
    )


def _sum(counts: list[int | None]) -> int | None:
    """Add counts up; one that is unknown makes the sum unknown."""
    return None if None in counts else sum(count or 0 for count in counts)
