"""Search, what is new and what to watch next: /hubs, /library/recentlyAdded, /library/onDeck."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from plex_simulator.endpoints.library import PLUGIN, TAG_NAMES, rows_of
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.models import TYPE_NAMES, Item, Library
from plex_simulator.nodes import Node, Value
from plex_simulator.queries import select
from plex_simulator.rendering import item_node, section_attributes, style
from plex_simulator.routing import World, libraries_for, route
from plex_simulator.tables.item_table import Shelf

HUBS = {
    "movie": "Movies",
    "show": "Shows",
    "season": "Seasons",
    "episode": "Episodes",
    "artist": "Artists",
    "album": "Albums",
    "track": "Tracks",
    "photoalbum": "Photo Albums",
    "photo": "Photos",
    "collection": "Collections",
    "actor": "Actors",
    "director": "Directors",
    "genre": "Genres",
    "playlist": "Playlists",
    "place": "Places",
    "autotag": "Tags",
    "shared": "Shared",
}
TAG_TYPES = {"genre": 1, "collection": 2, "director": 4, "actor": 6}
NEWEST = 5_000  # how far back into each library the mixed lists look


@dataclass(frozen=True, slots=True)
class Hit:
    """An item found, or a tag (a person, a genre, a collection) found in one library."""

    score: float
    library: Library
    item: Item | None = None
    tag: tuple[str, int, str] | None = None  # kind, id, name
    extra: dict[str, Value] = field(default_factory=dict)


def search(world: World, request: Request) -> Reply:
    """Answer hubs of results, `limit` in each; a query of one letter finds nothing."""
    query = request.arg("query").strip().casefold()
    limit = request.number("limit")
    preferred = request.arg("sectionId")
    seen = libraries_for(world, request)
    if not query or (preferred and preferred not in {library.key for library in seen}):
        raise Refusal(400)
    if limit == 0:
        raise Refusal(500)
    found: dict[str, list[Hit]] = {kind: [] for kind in HUBS}
    if len(query) > 1:
        for library in seen:
            if library.hidden < 2:
                _search_library(world, request, library, query, found)
    hubs = [
        _hub(world, request, kind, _ranked(hits, preferred), limit or 3)
        for kind, hits in found.items()
    ]
    return request.container(PLUGIN, hubs)


def _ranked(hits: list[Hit], preferred: str) -> list[Hit]:
    """Put the best first; a section only moves its own results up."""
    return sorted(hits, key=lambda hit: (hit.library.key != preferred, -hit.score))


def _search_library(
    world: World, request: Request, library: Library, query: str, found: dict[str, list[Hit]]
) -> None:
    for kind in library.item_types:
        shelf = world.catalogue.shelf(library.key, kind)
        found[kind] += _by_title(shelf, library, request, query)
    first = world.catalogue.shelf(library.key, library.item_types[0])
    for kind, number, name in _tags(world, first, query):
        found[kind].append(Hit(_score(query, name), library, tag=(kind, number, name)))
        if kind == "collection":
            continue
        column = first.column(kind, request.user)
        having = [index for index in first.indexes() if number in column[index]]
        reason: dict[str, Value] = {"reason": kind, "reasonTitle": name, "reasonID": number}
        direct = {hit.item.rating_key for hit in found[first.type] if hit.item}
        found[first.type] += [
            Hit(0.3, library, first.item(index), extra=reason)
            for index in having[:200]
            if first.key(index) not in direct
        ]


def _by_title(shelf: Shelf, library: Library, request: Request, query: str) -> Iterator[Hit]:
    def titles() -> list[str]:
        # A removed item leaves its place in the column, without a title.
        column = shelf.column("title", request.user) if len(shelf) else []
        return [f" {(title or '').casefold()}" for title in column]

    words = shelf.kept("search words", titles)
    beginning = f" {query}"
    for index in shelf.indexes():
        if beginning in words[index]:
            yield Hit(_score(query, words[index].strip()), library, shelf.item(index))


def _score(query: str, title: str) -> float:
    return round(0.4 + 0.6 * len(query) / max(len(title), len(query)), 5)


def _tags(world: World, shelf: Shelf, query: str) -> Iterator[tuple[str, int, str]]:
    """Find people, genres and collections of a library by the beginnings of their words."""
    if shelf.type in ("movie", "show", "artist", "album"):
        for kind, number, name in shelf.kept("tags", lambda: _all_tags(shelf)):
            if f" {query}" in f" {name.casefold()}":
                yield kind, number, name
    for made in world.catalogue.collections(shelf.library_key):
        if f" {query}" in f" {made.title.casefold()}":
            yield "collection", made.tag_id, made.title


def _all_tags(shelf: Shelf) -> list[tuple[str, int, str]]:
    tags: dict[tuple[str, int], str] = {}
    for index in shelf.indexes():
        item = shelf.item(index)
        tags |= {("genre", genre.id): TAG_NAMES.get(genre.id, genre.tag) for genre in item.genres}
        tags |= {("actor", role.id): role.tag for role in item.roles}
        tags |= {("director", person.id): person.tag for person in item.directors}
    return [(kind, number, name) for (kind, number), name in tags.items()]


def _hub(world: World, request: Request, kind: str, hits: list[Hit], limit: int) -> Node:
    look = style(request, section=True)
    shown = hits[:limit]
    rows = []
    for hit in shown:
        score: dict[str, Value] = {**hit.extra, "score": f"{hit.score:.5f}"}
        if hit.item is not None:
            rows.append(item_node(world.catalogue, request.user, hit.item, look, score))
        elif hit.tag is not None:
            rows.append(_tag_row(world, hit, hit.tag, score))
    head: dict[str, Value] = {
        "title": HUBS[kind],
        "type": kind,
        "hubIdentifier": kind,
        "context": f"hub.search.{kind}",
        "size": len(rows),
        "more": len(hits) > len(shown),
        "style": "shelf",
    }
    return Node("Hub", head, rows)


def _tag_row(world: World, hit: Hit, tag: tuple[str, int, str], score: dict[str, Value]) -> Node:
    kind, number, name = tag
    attributes: dict[str, Value] = {
        "key": f"/library/sections/{hit.library.key}/all?{kind}={number}",
        **section_attributes(world.catalogue, hit.library.key),
        "librarySectionType": 1,
        "type": "tag",
        "id": number,
        "filter": f"{kind}={number}",
        "tag": name,
        "tagType": TAG_TYPES[kind],
        **score,
    }
    return Node("Directory", attributes)


def library_search(world: World, request: Request) -> Reply:
    """Answer the flat search of newer clients: items only, best first."""
    query = request.arg("query").strip().casefold()
    if not query:
        raise Refusal(400)
    found: dict[str, list[Hit]] = {kind: [] for kind in HUBS}
    for library in libraries_for(world, request):
        if library.hidden < 2 and len(query) > 1:
            _search_library(world, request, library, query, found)
    hits = [(hit, hit.item) for some in found.values() for hit in some if hit.item]
    hits.sort(key=lambda pair: -pair[0].score)
    look = style(request)
    rows = []
    for hit, item in hits[: request.number("limit") or 100]:
        extra: dict[str, Value] = {"librarySectionTitle": hit.library.title}
        row = item_node(world.catalogue, request.user, item, look, extra)
        rows.append(Node("SearchResult", {"score": hit.score}, [row]))
    return request.container({}, rows)


# What is new


def recently_added(world: World, request: Request) -> Reply:
    """Mix movies, seasons, albums and photos, newest first; 50 unless paged."""
    rows = [
        item
        for library in libraries_for(world, request)
        if library.hidden < 2
        for item in _newest(world, request, library, whole_shows=False)
    ]
    rows.sort(key=lambda item: -item.added_at)
    if request.window() is None:
        rows = rows[:50]
    return rows_of(world, request, rows, style(request, section=True))


def home_recently_added(world: World, request: Request) -> Reply:
    """List what is new of one library type; new episodes stand alone, as season or as show."""
    number = request.number("type")
    kind = TYPE_NAMES.get(number or 0)
    if kind is None:
        raise Refusal(400)
    section = request.arg("sectionID")
    rows = [
        item
        for library in libraries_for(world, request)
        if kind in library.item_types and section in ("", library.key)
        for item in _newest(world, request, library, whole_shows=True)
    ]
    rows.sort(key=lambda item: -item.added_at)
    return rows_of(world, request, rows, style(request, section=True))


def _newest(
    world: World, request: Request, library: Library, *, whole_shows: bool
) -> Iterator[Item]:
    kind = {"show": "episode", "artist": "album", "photo": "photo"}.get(library.type, "movie")
    shelf = world.catalogue.shelf(library.key, kind)
    newest = select(shelf, request.user, [("sort", "addedAt:desc")], world.catalogue.now())
    items = (shelf.item(index) for index in newest[:NEWEST])
    if kind == "episode":
        yield from _grouped(world, items, whole_shows)
    else:
        yield from items


def _grouped(world: World, episodes: Iterable[Item], whole_shows: bool) -> Iterator[Item]:
    """Group new episodes: a season's are one row, and so are those of a show added in one day.

    A row of a season or show is dated by its newest episode.
    """
    seasons: dict[str, list[Item]] = {}
    shows: dict[str, list[str]] = {}
    for episode in episodes:
        season = str(episode.parent_rating_key)
        if season not in seasons:
            shows.setdefault(str(episode.grandparent_rating_key), []).append(season)
        seasons.setdefault(season, []).append(episode)
    for show, keys in shows.items():
        days = [seasons[key][0].added_at for key in keys]
        if whole_shows and len(keys) > 1 and max(days) - min(days) < 86_400:
            yield _dated(world, show, max(days))
            continue
        for key in keys:
            first, *others = seasons[key]
            alone = not others or first.added_at - others[0].added_at > 86_400
            yield first if whole_shows and alone else _dated(world, key, first.added_at)


def _dated(world: World, key: str, added_at: int) -> Item:
    item = world.catalogue.item(key)
    if item is None:
        raise Refusal(404)
    return replace(item, added_at=added_at)


# What to watch next


def on_deck(world: World, request: Request) -> Reply:
    """List what is in progress, and the next episode of shows that were begun."""
    found: list[tuple[int, Item]] = []
    for library in libraries_for(world, request):
        if library.type == "show":
            found += _next_episodes(world, request, library)
        if library.type == "movie" and library.hidden < 2:
            shelf = world.catalogue.shelf(library.key, "movie")
            pairs = [("inProgress", "1"), ("sort", "lastViewedAt:desc")]
            for index in select(shelf, request.user, pairs, world.catalogue.now())[:50]:
                item = shelf.item(index)
                found.append((item.seen_by(request.user).last_viewed_at or 0, item))
    found.sort(key=lambda pair: -pair[0])
    rows = [item for _, item in found]
    return rows_of(world, request, rows, style(request, section=True))


def _next_episodes(world: World, request: Request, library: Library) -> Iterator[tuple[int, Item]]:
    shelf = world.catalogue.shelf(library.key, "show")
    pairs = [("sort", "lastViewedAt:desc")]
    for index in select(shelf, request.user, pairs, world.catalogue.now())[:20]:
        show = shelf.item(index)
        last = show.seen_by(request.user).last_viewed_at
        if last is None:
            return
        for season in world.catalogue.children(show.rating_key):
            unseen = [
                episode
                for episode in world.catalogue.children(season.rating_key)
                if episode.seen_by(request.user).view_count == 0
            ]
            if unseen and season.index:
                yield last, unseen[0]
                break


ROUTES = [
    route("GET", "/hubs/search", search),
    route("GET", "/library/search", library_search),
    route("GET", "/library/recentlyAdded", recently_added),
    route("GET", "/hubs/home/recentlyAdded", home_recently_added),
    route("GET", "/library/onDeck", on_deck),
    route("GET", "/hubs/continueWatching/items", on_deck),
]
