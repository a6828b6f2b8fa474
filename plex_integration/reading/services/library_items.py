"""`GET /libraries/:libraryKey/items`."""

from collections.abc import Mapping
from typing import Any

from medianest.api.exceptions import Invalid
from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Library, Page
from plex_integration.reading.services.read import (
    Catalog,
    Read,
    Result,
    in_detail,
    is_lean,
    pagination,
)
from plex_integration.reading.services.types import (
    ASCENDING,
    GENRES_OF,
    UNWATCHED,
    YEAR,
    listable,
)

Filters = dict[str, str | int]


def library_items(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask for a page of the list, and once per 50 of its items in full."""
    library = catalog.library(ids["libraryKey"])
    kind = listable(library, query.get("type") or library.type)
    start, size, details = query["start"], query["size"], query["details"]
    sort = ASCENDING.get(query["sort"], query["sort"])
    filters = _filters(catalog, library, kind, query)
    is_unwatched = query.get("unwatched", False)

    def load(plex: PlexClient) -> Result:
        page = Page([], 0, 0)
        if filters is not None:
            lean = is_lean(details)
            page = plex.library_items(library, kind, start, size, sort, filters, lean=lean)
        items = in_detail(plex, page.rows, details)
        data = {
            "items": items,
            "pagination": pagination(start, size, page),
            "libraryInfo": library.reference,
        }
        shown = tags.libraries([library.id]) | tags.items(items)
        return Result(data, shown | {tags.unwatched(library.id)} if is_unwatched else shown)

    return Read((library.id, kind, start, size, sort, filters, details), load, [library])


def _filters(
    catalog: Catalog, library: Library, kind: str, query: Mapping[str, Any]
) -> Filters | None:
    """Return Plex's filters; None where nothing can match.

    Raises Invalid for a filter that the type does not have.
    """
    filters: Filters = {}
    if "unwatched" in query and kind not in UNWATCHED:
        raise Invalid(details={"unwatched": [f"A {kind} is not watched; leave this out."]})
    if "year" in query and kind not in YEAR:
        raise Invalid(details={"year": [f"A {kind} has no year; leave this out."]})
    if query.get("unwatched"):
        filters[UNWATCHED[kind]] = 1
    if "year" in query:
        filters[YEAR[kind]] = query["year"]
    if "genre" in query:
        field, genre = _genre(catalog, library, kind, query["genre"])
        if genre is None:
            return None
        filters[field] = genre
    return filters


def _genre(catalog: Catalog, library: Library, kind: str, wanted: str) -> tuple[str, str | None]:
    """Return Plex's field and the id of a genre that is given by its id or its name."""
    owner, field = GENRES_OF.get(kind, (kind, "genre"))
    genres = catalog.genres(library, owner)
    genre = wanted if wanted in genres.ids else genres.by_title.get(wanted.casefold())
    return field, genre
