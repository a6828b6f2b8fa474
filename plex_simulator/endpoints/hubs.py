"""Endpoints for search, recently added items and Continue Watching.

/hubs/search, /library/search, /library/recentlyAdded, /hubs/home/recentlyAdded, /library/onDeck
and /hubs/continueWatching.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from plex_simulator.endpoints.library import PLUGIN, TAG_NAMES, respond_with_items
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import TYPE_NAMES, Item, Library
from plex_simulator.nodes import Node, Value
from plex_simulator.queries import select
from plex_simulator.rendering import RenderOptions, item_node, section_attributes
from plex_simulator.routing import ServerState, route, visible_libraries
from plex_simulator.tables.item_table import ItemTable

HUB_TITLES = {
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
MAX_RECENT_ITEMS = 5_000  # per library
MAX_ITEMS_PER_TAG = 200
DAY = 86_400

Tag = tuple[str, int, str]  # type, id, name


@dataclass(frozen=True, slots=True)
class Result:
    """A search result: an item, or a tag such as a person, a genre or a collection."""

    score: float
    library: Library
    item: Item | None = None
    tag: Tag | None = None
    extra_attributes: dict[str, Value] = field(default_factory=dict)


# Search


def search(state: ServerState, request: Request) -> Response:
    """Search all libraries and send one hub of results per type; `limit` applies to each hub.

    A query with one letter has no results.
    """
    query = request.arg("query").strip().casefold()
    limit = request.number("limit")
    preferred_key = request.arg("sectionId")
    libraries = visible_libraries(state, request)
    if not query or (preferred_key and preferred_key not in {each.key for each in libraries}):
        raise HTTPError(400)
    if limit == 0:
        raise HTTPError(500)
    results = _search_libraries(state, request, libraries, query)
    hubs = [
        _hub_node(state, request, hub_type, _rank(hub_results, preferred_key), limit or 3)
        for hub_type, hub_results in results.items()
    ]
    return request.respond_with_container(PLUGIN, hubs)


def search_items(state: ServerState, request: Request) -> Response:
    """Search all libraries and send one list of items, best first, as newer clients expect."""
    query = request.arg("query").strip().casefold()
    if not query:
        raise HTTPError(400)
    libraries = visible_libraries(state, request)
    results = _search_libraries(state, request, libraries, query)
    ranked = [
        (result, result.item)
        for hub_results in results.values()
        for result in hub_results
        if result.item
    ]
    ranked.sort(key=lambda pair: -pair[0].score)
    options = RenderOptions.from_request(request)
    rows = []
    for result, item in ranked[: request.number("limit") or 100]:
        extra: dict[str, Value] = {"librarySectionTitle": result.library.title}
        row = item_node(state.catalogue, request.user, item, options, extra)
        rows.append(Node("SearchResult", {"score": result.score}, [row]))
    return request.respond_with_container({}, rows)


def _search_libraries(
    state: ServerState, request: Request, libraries: list[Library], query: str
) -> dict[str, list[Result]]:
    """Return the results of all libraries by hub type."""
    results: dict[str, list[Result]] = {hub_type: [] for hub_type in HUB_TITLES}
    for library in libraries:
        if library.hidden < 2 and len(query) > 1:
            _search_library(state, request, library, query, results)
    return results


def _search_library(
    state: ServerState,
    request: Request,
    library: Library,
    query: str,
    results: dict[str, list[Result]],
) -> None:
    """Add the items and tags of a library that match, and the items with a matching tag."""
    for item_type in library.item_types:
        table = state.catalogue.table(library.key, item_type)
        results[item_type] += _search_titles(table, library, request, query)
    top_table = state.catalogue.table(library.key, library.item_types[0])
    for tag in _search_tags(state, top_table, query):
        tag_type, tag_id, name = tag
        results[tag_type].append(Result(_score(query, name), library, tag=tag))
        if tag_type == "collection":
            continue
        column = top_table.column(tag_type, request.user)
        tagged = [index for index in top_table.indexes() if tag_id in column[index]]
        reason: dict[str, Value] = {"reason": tag_type, "reasonTitle": name, "reasonID": tag_id}
        found_keys = {result.item.rating_key for result in results[top_table.type] if result.item}
        results[top_table.type] += [
            Result(0.3, library, top_table.item(index), extra_attributes=reason)
            for index in tagged[:MAX_ITEMS_PER_TAG]
            if top_table.key(index) not in found_keys
        ]


def _search_titles(
    table: ItemTable, library: Library, request: Request, query: str
) -> Iterator[Result]:
    """Find the items that have a word in their title that starts with the query."""
    titles = table.cached("search titles", lambda: _normalize_titles(table, request))
    for index in table.indexes():
        if f" {query}" in titles[index]:
            yield Result(_score(query, titles[index].strip()), library, table.item(index))


def _normalize_titles(table: ItemTable, request: Request) -> list[str]:
    """Return all titles in lower case after a space, so that " x" finds words that start with x."""
    column = table.column("title", request.user) if len(table) else []
    # The title of a removed item can be None.
    return [f" {(title or '').casefold()}" for title in column]


def _score(query: str, title: str) -> float:
    """Return the share of a title that the query covers, between 0.4 and 1."""
    return round(0.4 + 0.6 * len(query) / max(len(title), len(query)), 5)


def _rank(results: list[Result], preferred_key: str) -> list[Result]:
    """Sort results by score, those of the preferred library first."""
    return sorted(results, key=lambda result: (result.library.key != preferred_key, -result.score))


def _search_tags(state: ServerState, table: ItemTable, query: str) -> Iterator[Tag]:
    """Find the people, genres and collections that have a word that starts with the query."""
    if table.type in ("movie", "show", "artist", "album"):
        for tag in table.cached("tags", lambda: _collect_tags(table)):
            if f" {query}" in f" {tag[2].casefold()}":
                yield tag
    for collection in state.catalogue.collections(table.library_key):
        if f" {query}" in f" {collection.title.casefold()}":
            yield "collection", collection.tag_id, collection.title


def _collect_tags(table: ItemTable) -> list[Tag]:
    names: dict[tuple[str, int], str] = {}
    for index in table.indexes():
        item = table.item(index)
        names |= {("genre", genre.id): TAG_NAMES.get(genre.id, genre.tag) for genre in item.genres}
        names |= {("actor", role.id): role.tag for role in item.roles}
        names |= {("director", person.id): person.tag for person in item.directors}
    return [(tag_type, tag_id, name) for (tag_type, tag_id), name in names.items()]


def _hub_node(
    state: ServerState, request: Request, hub_type: str, results: list[Result], limit: int
) -> Node:
    options = RenderOptions.from_request(request, section=True)
    rows = []
    for result in results[:limit]:
        extra: dict[str, Value] = {**result.extra_attributes, "score": f"{result.score:.5f}"}
        if result.item is not None:
            rows.append(item_node(state.catalogue, request.user, result.item, options, extra))
        elif result.tag is not None:
            rows.append(_tag_node(state, result.library, result.tag, extra))
    attributes: dict[str, Value] = {
        "title": HUB_TITLES[hub_type],
        "type": hub_type,
        "hubIdentifier": hub_type,
        "context": f"hub.search.{hub_type}",
        "size": len(rows),
        "more": len(results) > limit,
        "style": "shelf",
    }
    return Node("Hub", attributes, rows)


def _tag_node(state: ServerState, library: Library, tag: Tag, extra: dict[str, Value]) -> Node:
    tag_type, tag_id, name = tag
    attributes: dict[str, Value] = {
        "key": f"/library/sections/{library.key}/all?{tag_type}={tag_id}",
        **section_attributes(state.catalogue, library.key),
        "librarySectionType": 1,
        "type": "tag",
        "id": tag_id,
        "filter": f"{tag_type}={tag_id}",
        "tag": name,
        "tagType": TAG_TYPES[tag_type],
        **extra,
    }
    return Node("Directory", attributes)


# Recently added items


def list_recently_added(state: ServerState, request: Request) -> Response:
    """List movies, seasons, albums and photos, newest first; without paging, only 50 of them."""
    rows = [
        item
        for library in visible_libraries(state, request)
        if library.hidden < 2
        for item in _recent_items(state, request, library, group_shows=False)
    ]
    rows.sort(key=lambda item: -item.added_at)
    if request.page() is None:
        rows = rows[:50]
    options = RenderOptions.from_request(request, section=True)
    return respond_with_items(state, request, rows, options)


def list_recently_added_for_home(state: ServerState, request: Request) -> Response:
    """List the recent items of one library type, newest first.

    New episodes are listed as an episode, as their season or as their show.
    """
    number = request.number("type")
    item_type = TYPE_NAMES.get(number or 0)
    if item_type is None:
        raise HTTPError(400)
    library_key = request.arg("sectionID")
    rows = [
        item
        for library in visible_libraries(state, request)
        if item_type in library.item_types and library_key in ("", library.key)
        for item in _recent_items(state, request, library, group_shows=True)
    ]
    rows.sort(key=lambda item: -item.added_at)
    options = RenderOptions.from_request(request, section=True)
    return respond_with_items(state, request, rows, options)


def _recent_items(
    state: ServerState, request: Request, library: Library, *, group_shows: bool
) -> Iterator[Item]:
    """Yield the recent items of a library; episodes are grouped by season or show."""
    item_type = {"show": "episode", "artist": "album", "photo": "photo"}.get(library.type, "movie")
    table = state.catalogue.table(library.key, item_type)
    newest = select(table, request.user, [("sort", "addedAt:desc")], state.catalogue.now())
    items = (table.item(index) for index in newest[:MAX_RECENT_ITEMS])
    if item_type == "episode":
        yield from _group_episodes(state, items, group_shows)
    else:
        yield from items


def _group_episodes(
    state: ServerState, episodes: Iterable[Item], group_shows: bool
) -> Iterator[Item]:
    """Replace the episodes, which come newest first, by their seasons.

    With `group_shows`, replace the seasons of a show by the show if all were added within a day,
    and keep an episode that was added more than a day after the others of its season. The date of a
    season or show is that of its newest episode.
    """
    episodes_by_season: dict[str, list[Item]] = {}
    seasons_by_show: dict[str, list[str]] = {}
    for episode in episodes:
        season = str(episode.parent_rating_key)
        if season not in episodes_by_season:
            seasons_by_show.setdefault(str(episode.grandparent_rating_key), []).append(season)
        episodes_by_season.setdefault(season, []).append(episode)
    for show, seasons in seasons_by_show.items():
        dates = [episodes_by_season[season][0].added_at for season in seasons]
        if group_shows and len(seasons) > 1 and max(dates) - min(dates) < DAY:
            yield _item_with_date(state, show, max(dates))
            continue
        for season in seasons:
            newest, *others = episodes_by_season[season]
            is_single = not others or newest.added_at - others[0].added_at > DAY
            if group_shows and is_single:
                yield newest
            else:
                yield _item_with_date(state, season, newest.added_at)


def _item_with_date(state: ServerState, key: str, added_at: int) -> Item:
    item = state.catalogue.item(key)
    if item is None:
        raise HTTPError(404)
    return replace(item, added_at=added_at)


# Continue Watching


def list_on_deck(state: ServerState, request: Request) -> Response:
    """List movies in progress and the next episode of shows that were started."""
    options = RenderOptions.from_request(request, section=True)
    return respond_with_items(state, request, _on_deck(state, request), options)


def show_continue_watching(state: ServerState, request: Request) -> Response:
    """Show the same items as a hub, `count` of them at most."""
    options = RenderOptions.from_request(request, section=True)
    found = _on_deck(state, request)
    count = request.number("count") or len(found)
    rows = [item_node(state.catalogue, request.user, item, options) for item in found[:count]]
    attributes: dict[str, Value] = {
        "title": "Continue Watching",
        "type": "mixed",
        "hubIdentifier": "continueWatching",
        "context": "hub.continueWatching",
        "key": "/hubs/continueWatching/items",
        "size": len(rows),
        "more": len(found) > count,
        "style": "hero",
    }
    return request.respond_with_container({}, [Node("Hub", attributes, rows)])


def _on_deck(state: ServerState, request: Request) -> list[Item]:
    found: list[tuple[int, Item]] = []
    for library in visible_libraries(state, request):
        if library.type == "show":
            found += _next_episodes(state, request, library)
        if library.type == "movie" and library.hidden < 2:
            table = state.catalogue.table(library.key, "movie")
            pairs = [("inProgress", "1"), ("sort", "lastViewedAt:desc")]
            for index in select(table, request.user, pairs, state.catalogue.now())[:50]:
                item = table.item(index)
                found.append((item.seen_by(request.user).last_viewed_at or 0, item))
    found.sort(key=lambda pair: -pair[0])
    return [item for _, item in found]


def _next_episodes(
    state: ServerState, request: Request, library: Library
) -> Iterator[tuple[int, Item]]:
    """Yield the last view date of the 20 latest shows and their first unwatched episode."""
    table = state.catalogue.table(library.key, "show")
    pairs = [("sort", "lastViewedAt:desc")]
    for index in select(table, request.user, pairs, state.catalogue.now())[:20]:
        show = table.item(index)
        last_viewed_at = show.seen_by(request.user).last_viewed_at
        if last_viewed_at is None:
            return
        for season in state.catalogue.children(show.rating_key):
            unwatched = [
                episode
                for episode in state.catalogue.children(season.rating_key)
                if episode.seen_by(request.user).view_count == 0
            ]
            if unwatched and season.index:
                yield last_viewed_at, unwatched[0]
                break


ROUTES = [
    route("GET", "/hubs/search", search),
    route("GET", "/library/search", search_items),
    route("GET", "/library/recentlyAdded", list_recently_added),
    route("GET", "/hubs/home/recentlyAdded", list_recently_added_for_home),
    route("GET", "/library/onDeck", list_on_deck),
    route("GET", "/hubs/continueWatching", show_continue_watching),
    route("GET", "/hubs/continueWatching/items", list_on_deck),
]
