"""One function per endpoint, named as the endpoint: what to ask Plex, and what of it to answer.

Knows no HTTP and no cache. Each takes the validated query and says what is asked: a canonical form
of the upstream query, equal for equal ones, and a function that loads what the payload shows.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

from plex_integration.plex import media
from medianest.api.exceptions import Invalid
from plex_integration.errors import ItemNotFound, PlexApiError
from plex_integration.plex import Plex

# What a library of each type can list; the first is what it lists by itself.
LISTABLE = {
    "movie": ("movie",),
    "show": ("show", "season", "episode"),
    "artist": ("artist", "album", "track"),
    "photo": ("photo", "photoalbum"),
}

# How Plex spells "not yet watched" for each type that can be watched.
UNWATCHED = {
    "movie": "unwatched",
    "show": "unwatchedLeaves",
    "season": "episode.unwatched",
    "episode": "unwatched",
}

# Which type's genres an item is found by: seasons and episodes have their show's, tracks their
# album's, and Plex wants the foreign field's type in front.
GENRES_OF = {
    "season": ("show", "show.genre"),
    "episode": ("show", "show.genre"),
    "track": ("album", "album.genre"),
}

# Which types Plex can filter by year, and how; it would ignore the filter for any other.
YEAR = {
    "movie": "year",
    "show": "year",
    "episode": "year",
    "album": "year",
    "track": "album.year",
    "photo": "year",
}

# Plex puts items without the value last when it descends; when it ascends it must be told.
ASCENDING = {"rating:asc": "rating:nullsLast", "year:asc": "year:nullsLast"}

RECENT_DAYS = 30

# Whose children can be listed, and what a guid can name.
PARENTS = frozenset(("show", "season", "artist", "album", "photoalbum"))
LOOKED_UP = frozenset(("movie", "show", "season", "episode", "artist", "album", "track"))

# Recently added without a type: Plex groups new episodes itself, and music comes as albums.
GROUPED = frozenset(("show",))
RECENT_KIND = {"artist": "album"}


@dataclass(frozen=True)
class Answer:
    """What an endpoint shows, the libraries it depends on (None: all), and whether Plex failed
    a part of it."""

    data: Mapping[str, Any]
    libraries: Sequence[str] | None
    partial: bool = False


@dataclass(frozen=True)
class Asked:
    """What is to be asked of Plex: as canonical as the upstream query is, how to load it, and the
    libraries that its items can be of."""

    canonical: Sequence[Any]
    load: Callable[[Plex], Answer]
    libraries: Sequence[media.Library] = ()


class Lists(Protocol):
    """The server's own lists, kept: they make queries canonical and spare Plex the asking."""

    def libraries(self) -> Sequence[media.Library]:
        """Return all libraries."""

    def library(self, key: str) -> media.Library:
        """Return one library. Raises LibraryNotFound."""

    def genres(self, library: media.Library, kind: str) -> media.Choices:
        """Return a library's genres, as items of a type carry them."""


def server() -> Asked:
    """Answer `GET /server`: four calls side by side, of which the server's own must succeed."""
    return Asked((), _server)


def _server(plex: Plex) -> Answer:
    answer = plex.start(plex.server)
    sessions = plex.start(plex.session_count)
    libraries = plex.start(plex.libraries)
    storage = plex.start(plex.storage)
    known = answer.result()
    counted, playing, stored = libraries.or_none(), sessions.or_none(), storage.or_none()
    totals = (stored or {}).values()
    address = urlsplit(plex.connection.url)
    data = {
        "server": known.server,
        "connection": {
            "uri": plex.connection.url,
            "local": _is_local(address.hostname or ""),
            "relay": None,
            "address": address.hostname,
            "port": address.port or (443 if address.scheme == "https" else 80),
            "protocol": address.scheme,
        },
        "features": known.features,
        "statistics": {
            "accountID": None,
            "deviceID": None,
            "sessionCount": playing,
            "libraryCount": None if counted is None else len(counted),
            "totalSize": _sum(each.totalSize for each in totals),
            "totalDuration": _sum(each.totalDuration for each in totals),
        },
    }
    return Answer(data, None, partial=None in (counted, playing, stored))


def libraries() -> Asked:
    """Answer `GET /libraries`: the list, then every count side by side, each failing alone."""
    return Asked((), _libraries)


def _libraries(plex: Plex) -> Answer:
    storage = plex.start(plex.storage)
    listed = plex.libraries()
    counting = {
        library.id: {
            kind: plex.start(plex.library_count_and_filters, library.id, kind)
            if kind == library.type
            else plex.start(plex.library_count, library.id, kind)
            for kind in LISTABLE.get(library.type or "", ())
            if kind != "photoalbum"
        }
        for library in listed
    }
    stored = storage.or_none()
    totals = stored or {}
    answers = []
    partial = stored is None
    played: int | None = 0
    for library in listed:
        counts: dict[str, int | None] = {}
        filters: Sequence[media.Filter] | None = None
        for kind, call in counting[library.id].items():
            found = call.or_none()
            partial = partial or found is None
            if isinstance(found, tuple):
                counts[kind], filters = found
            else:
                counts[kind] = found
        total = totals.get(library.id)
        statistics = media.LibraryStatistics(
            count=counts.get(library.type or ""),
            totalSize=total.totalSize if total else None,
            totalDuration=total.totalDuration if total else None,
            seasons=counts.get("season"),
            episodes=counts.get("episode"),
            albums=counts.get("album"),
            tracks=counts.get("track"),
        )
        answers.append({"library": library, "statistics": statistics, "filters": filters or None})
        # What is played: movies, episodes, tracks, photos. One unknown makes the sum unknown.
        leaf = {"show": "episode", "artist": "track"}.get(library.type or "", library.type or "")
        count = counts.get(leaf)
        played = None if played is None or count is None else played + count
    data = {"libraries": answers, "totalCount": len(listed), "totalMediaItems": played}
    return Answer(data, None, partial)


def library_items(lists: Lists, library_key: str, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /libraries/:libraryKey/items`: one list call, and one per 50 items in full."""
    library = lists.library(library_key)
    kind = _listable(library, query.get("type") or library.type)
    start, size, details = query["start"], query["size"], query["details"]
    sort = ASCENDING.get(query["sort"], query["sort"])
    filters = _filters(lists, library, kind, query)

    def load(plex: Plex) -> Answer:
        page = (
            media.Page([], 0, 0)
            if filters is None
            else plex.library_items(
                library, kind, start, size, sort, filters, with_guids=details == "summary"
            )
        )
        data = {
            "items": [row.item for row in _in_detail(plex, page.rows, details)],
            "pagination": _pagination(start, size, page),
            "libraryInfo": library.reference,
        }
        return Answer(data, [library.id])

    return Asked((library.id, kind, start, size, sort, filters, details), load, [library])


def search(lists: Lists, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /search`: the best matches of all hubs together, best first."""
    text, limit, kind, details = (
        query["query"], query["limit"], query.get("type"), query["details"]
    )  # fmt: skip

    def load(plex: Plex) -> Answer:
        found, took = plex.search(text, limit)
        best: dict[str, media.Row] = {}
        for row in sorted(found, key=lambda row: -row.score):
            if kind in (None, row.item.type):
                best.setdefault(row.item.ratingKey, row)
        rows = _in_detail(plex, list(best.values())[:limit], details)
        results = [replace(row.item, matchReason=row.reason or "title") for row in rows]
        return Answer({"results": results, "total": len(results), "queryTime": took}, None)

    return Asked((text, limit, kind, details), load, lists.libraries())


def recently_added(lists: Lists, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /recently-added`: what the last 30 days brought, newest first."""
    library = lists.library(query["library"]) if "library" in query else None
    kind = query.get("type")
    if library is not None:
        if kind is not None:
            _listable(library, kind)
        elif library.type not in GROUPED:
            kind = RECENT_KIND.get(library.type or "", library.type)
    limit, details = query["limit"], query["details"]

    def load(plex: Plex) -> Answer:
        if kind is not None:
            page = plex.added_since(f"-{RECENT_DAYS}d", kind, library, limit)
            rows, total = page.rows, page.total
        else:
            rows = [
                row
                for row in plex.recently_added(int(time.time()) - RECENT_DAYS * 86400)
                if library is None or row.item.library == library.reference
            ]
            total = len(rows)
        data = {
            "items": [row.item for row in _in_detail(plex, rows[:limit], details)],
            "total": total,
            "timeframe": f"last_{RECENT_DAYS}_days",
        }
        return Answer(data, [library.id] if library else None)

    return Asked((library.id if library else None, kind, limit, details), load, lists.libraries())


def collections(lists: Lists, library_key: str, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /libraries/:libraryKey/collections`: all of them, or the page asked for."""
    library = lists.library(library_key)
    start, size = query["start"], query.get("size")

    def load(plex: Plex) -> Answer:
        page = plex.collections(library, start, size)
        data = {
            "collections": page.collections,
            "total": page.total,
            "library": library.reference,
            "pagination": _pagination(start, size, page),
        }
        return Answer(data, [library.id])

    return Asked((library.id, start, size), load, [library])


def collection(lists: Lists, collection_key: str, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /collections/:collectionKey`: it and its items, in its own order."""
    start, size, details = query["start"], query.get("size"), query["details"]

    def load(plex: Plex) -> Answer:
        asking = plex.start(plex.collection_items, collection_key, start, size)
        found = plex.collection(collection_key)
        page = asking.result()
        rows = [
            replace(row, item=replace(row.item, library=row.item.library or found.library))
            for row in page.rows
        ]
        data = {
            "collection": found,
            "items": [row.item for row in _in_detail(plex, rows, details)],
            "pagination": _pagination(start, size, page),
        }
        return Answer(data, [found.library.id] if found.library else None)

    return Asked((collection_key, start, size, details), load, lists.libraries())


def item(lists: Lists, rating_key: str) -> Asked:
    """Answer `GET /items/:ratingKey`: one call."""

    def load(plex: Plex) -> Answer:
        found = plex.item(rating_key)
        return Answer({"item": found}, [found.library.id] if found.library else None)

    return Asked((rating_key,), load, lists.libraries())


def item_children(lists: Lists, rating_key: str, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /items/:ratingKey/children`: the item and its children, side by side."""
    start, size, details = query["start"], query["size"], query["details"]

    def load(plex: Plex) -> Answer:
        asking = plex.start(plex.children, rating_key, start, size)
        parent = plex.item(rating_key)
        if parent.type not in PARENTS:
            raise ItemNotFound(f"A {parent.type} has no children.")
        page = asking.result()
        data = {
            "parent": parent,
            "items": [row.item for row in _in_detail(plex, page.rows, details)],
            "pagination": _pagination(start, size, page),
        }
        return Answer(data, [parent.library.id] if parent.library else None)

    return Asked((rating_key, start, size, details), load, lists.libraries())


def item_lookup(lists: Lists, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /items/lookup`: the items of all libraries with a guid.

    Plex's own guids are asked for as they are; an outside one is first looked for as it is, then
    under the guid of Plex's that each library's agent says it stands for.
    """
    guid = query["guid"]
    site, _, identifier = guid.partition("://")
    libraries = lists.libraries()

    def load(plex: Plex) -> Answer:
        if site == "plex":
            kind = identifier.partition("/")[0]
            rows = plex.with_guid(guid, kind) if kind in LOOKED_UP else []
        else:
            searches = [plex.start(plex.with_guid, guid, kind) for kind in ("movie", "show")]
            rows = [row for search in searches for row in search.result()]
            if not rows:
                rows = _matched(plex, guid, libraries)
        rows = list({row.item.ratingKey: row for row in rows}.values())
        found = [row.item for row in plex.completed(rows)]
        return Answer({"items": found, "total": len(found)}, None)

    return Asked((guid,), load, libraries)


def _matched(plex: Plex, guid: str, libraries: Sequence[media.Library]) -> list[media.Row]:
    agents = {library.agent: library for library in libraries if library.type in ("movie", "show")}
    asking = [
        (library, plex.start(plex.matched_guid, guid, library)) for library in agents.values()
    ]
    rows: list[media.Row] = []
    for library, call in asking:
        if (own := call.result()) and own.startswith(f"plex://{library.type}/"):
            rows += plex.with_guid(own, str(library.type))
    return rows


def on_deck(lists: Lists, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /on-deck`: what to continue, last watched first."""
    limit, details = query["limit"], query["details"]

    def load(plex: Plex) -> Answer:
        rows = _in_detail(plex, plex.on_deck(limit), details)
        return Answer({"items": [row.item for row in rows], "total": len(rows)}, None)

    return Asked((limit, details), load, lists.libraries())


def genres(lists: Lists, library_key: str) -> Asked:
    """Answer `GET /libraries/:libraryKey/genres`: for a filter menu, in Plex's order."""
    library = lists.library(library_key)
    kind = _listable(library, library.type)

    def load(plex: Plex) -> Answer:
        found = plex.genres(library.id, kind)
        data = {"genres": found.all, "total": len(found.all), "library": library.reference}
        return Answer(data, [library.id])

    return Asked((library.id,), load)


def playlists(query: Mapping[str, Any]) -> Asked:
    """Answer `GET /playlists`: all, or those of a type."""
    kind = query.get("type")

    def load(plex: Plex) -> Answer:
        page = plex.playlists(kind)
        return Answer({"playlists": page.playlists, "total": page.total}, None)

    return Asked((kind,), load)


def playlist(lists: Lists, playlist_key: str, query: Mapping[str, Any]) -> Asked:
    """Answer `GET /playlists/:playlistKey`: it and its items, in its own order."""
    start, size, details = query["start"], query.get("size"), query["details"]

    def load(plex: Plex) -> Answer:
        asking = plex.start(plex.playlist_items, playlist_key, start, size)
        found = plex.playlist(playlist_key)
        page = asking.result()
        data = {
            "playlist": found,
            "items": [row.item for row in _in_detail(plex, page.rows, details)],
            "pagination": _pagination(start, size, page),
        }
        return Answer(data, None)

    return Asked((playlist_key, start, size, details), load, lists.libraries())


def _listable(library: media.Library, kind: str | None) -> str:
    allowed = LISTABLE.get(library.type or "", ())
    if kind not in allowed:
        if not allowed:
            raise PlexApiError(f"Libraries of type {library.type!r} cannot be listed.")
        raise Invalid(details={"type": [f"A {library.type} library lists: {', '.join(allowed)}."]})
    return kind


def _filters(
    lists: Lists, library: media.Library, kind: str, query: Mapping[str, Any]
) -> dict[str, str | int] | None:
    """Return Plex's filters; None where nothing can match. Raises Invalid for a senseless one."""
    filters: dict[str, str | int] = {}
    if "unwatched" in query and kind not in UNWATCHED:
        raise Invalid(details={"unwatched": [f"A {kind} is not watched; leave this out."]})
    if "year" in query and kind not in YEAR:
        raise Invalid(details={"year": [f"A {kind} has no year; leave this out."]})
    if query.get("unwatched"):
        filters[UNWATCHED[kind]] = 1
    if "year" in query:
        filters[YEAR[kind]] = query["year"]
    if "genre" in query:
        owner, field = GENRES_OF.get(kind, (kind, "genre"))
        genres = lists.genres(library, owner)
        wanted = query["genre"]
        genre = wanted if wanted in genres.ids else genres.by_title.get(wanted.casefold())
        if genre is None:
            return None
        filters[field] = genre
    return filters


def _in_detail(plex: Plex, rows: Sequence[media.Row], details: str) -> Sequence[media.Row]:
    return rows if details == "summary" else plex.completed(rows)


def _pagination(
    start: int, size: int | None, page: media.Page | media.CollectionPage
) -> dict[str, Any]:
    return {
        "start": start,
        "size": page.asked if size is None else size,
        "total": page.total,
        "hasMore": start + page.asked < page.total,
    }


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _is_local(host: str) -> bool | None:
    """Tell whether an address is on the local network; None for a name, which may be anywhere."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_private
    except ValueError:
        return None
