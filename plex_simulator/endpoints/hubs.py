"""Endpoints for search, recently added items and Continue Watching.

/hubs/search, /library/search, /library/recentlyAdded, /hubs/home/recentlyAdded, /library/onDeck
and /hubs/continueWatching.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from plex_simulator.endpoints.library import PLUGIN, respond_with_items
from plex_simulator.fields import TYPE_FIELDS
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import TYPE_NAMES, Account, Item, Library
from plex_simulator.nodes import Node, Value
from plex_simulator.queries import select
from plex_simulator.rendering import RenderOptions, item_node, section_attributes
from plex_simulator.routing import ServerState, route, visible_libraries
from plex_simulator.tables.item_table import ItemTable
from plex_simulator.visibility import visible_flags, visible_indexes

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
SEARCHED_TAGS = ("genre", "actor", "director")
TAG_TYPES = {"genre": 1, "collection": 2, "director": 4, "actor": 6}
MAX_RECENT_ITEMS = 5_000  # per library
MAX_ITEMS_PER_TAG = 200
DAY = 86_400

Tag = tuple[str, int, str]  # type, id, name
Place = tuple[ItemTable, int]  # table and index of an item
DatedPlace = tuple[int, ItemTable, int]  # a date, and table and index of an item


@dataclass(frozen=True, slots=True)
class Result:
    """A search result: an item, or a tag such as a person, a genre or a collection."""

    score: float
    library: Library
    item: Place | None = None
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
    limit = limit or 3
    # One more result than the hub shows tells that there are more.
    results = _search_libraries(state, request, libraries, query, limit + 1)
    hubs = [
        _hub_node(state, request, hub_type, _rank(hub_results, preferred_key), limit)
        for hub_type, hub_results in results.items()
    ]
    return request.respond_with_container(PLUGIN, hubs)


def search_items(state: ServerState, request: Request) -> Response:
    """Search all libraries and send one list of items, best first, as newer clients expect."""
    query = request.arg("query").strip().casefold()
    if not query:
        raise HTTPError(400)
    libraries, limit = visible_libraries(state, request), request.number("limit") or 100
    results = _search_libraries(state, request, libraries, query, limit)
    ranked = [
        (result, result.item)
        for hub_results in results.values()
        for result in hub_results
        if result.item
    ]
    ranked.sort(key=lambda pair: -pair[0].score)
    options = RenderOptions.from_request(request)
    rows = []
    for result, (table, index) in ranked[:limit]:
        extra: dict[str, Value] = {"librarySectionTitle": result.library.title}
        row = item_node(state.catalogue, request.user, table.item(index), options, extra)
        rows.append(Node("SearchResult", {"score": result.score}, [row]))
    return request.respond_with_container({}, rows)


def _search_libraries(
    state: ServerState, request: Request, libraries: list[Library], query: str, wanted: int
) -> dict[str, list[Result]]:
    """Return the results by hub type; of items, the `wanted` best ones per library and type."""
    results: dict[str, list[Result]] = {hub_type: [] for hub_type in HUB_TITLES}
    for library in libraries:
        if library.hidden < 2 and len(query) > 1:
            for hub_type, found in _search_library(state, request, library, query, wanted):
                results[hub_type] += found
    return results


def _search_library(
    state: ServerState, request: Request, library: Library, query: str, wanted: int
) -> Iterator[tuple[str, list[Result]]]:
    """Yield the items and tags of a library that match, and the items with a matching tag."""
    found = {}
    for item_type in library.item_types:
        table = state.catalogue.table(library.key, item_type)
        found[item_type] = _search_titles(table, request, query)
        yield item_type, _best_titles(table, library, request, query, found[item_type], wanted)
    top_table = state.catalogue.table(library.key, library.item_types[0])
    tags = list(_search_tags(state, request.user, top_table, query))
    for tag in tags:
        yield tag[0], [Result(_score(query, tag[2]), library, tag=tag)]
    tagged = _search_tagged_items(
        top_table, library, request.user, tags, set(found[top_table.type])
    )
    yield top_table.type, list(islice(tagged, wanted))


def _search_titles(table: ItemTable, request: Request, query: str) -> list[int]:
    """List the indexes of the items with a word in their title that starts with the query."""
    titles, start = table.column("title", request.user), f" {query}"
    visible = visible_indexes(table, request.user, table.indexes())
    return [index for index in visible if start in f" {titles[index]}"]


def _best_titles(
    table: ItemTable,
    library: Library,
    request: Request,
    query: str,
    indexes: Sequence[int],
    wanted: int,
) -> list[Result]:
    titles = table.column("title", request.user)
    # The shorter the title, the better is its score.
    best = heapq.nsmallest(wanted, indexes, key=lambda index: len(titles[index].strip()))
    return [Result(_score(query, titles[index].strip()), library, (table, index)) for index in best]


def _search_tagged_items(
    table: ItemTable, library: Library, user: Account, tags: Sequence[Tag], found: set[int]
) -> Iterator[Result]:
    """Yield the items that have one of the tags and were not found by their title."""
    for tag_type, tag_id, name in tags:
        if tag_type == "collection":
            continue
        reason: dict[str, Value] = {"reason": tag_type, "reasonTitle": name, "reasonID": tag_id}
        tagged = visible_indexes(table, user, table.tagged_items(tag_type, tag_id))
        for index in tagged[:MAX_ITEMS_PER_TAG]:
            if index not in found:
                found.add(index)
                yield Result(0.3, library, (table, index), extra_attributes=reason)


def _score(query: str, title: str) -> float:
    """Return the share of a title that the query covers, between 0.4 and 1."""
    return round(0.4 + 0.6 * len(query) / max(len(title), len(query)), 5)


def _rank(results: list[Result], preferred_key: str) -> list[Result]:
    """Sort results by score, those of the preferred library first."""
    return sorted(results, key=lambda result: (result.library.key != preferred_key, -result.score))


def _search_tags(state: ServerState, user: Account, table: ItemTable, query: str) -> Iterator[Tag]:
    """Find the people, genres and collections that have a word that starts with the query."""
    for tag_type in SEARCHED_TAGS:
        if tag_type not in TYPE_FIELDS[table.type]:
            continue
        for tag_id, name in table.tag_names(tag_type).items():
            if f" {query}" in f" {name.casefold()}" and _is_used(table, user, tag_type, tag_id):
                yield tag_type, tag_id, name
    for collection in state.catalogue.visible_collections(user, table.library_key):
        if f" {query}" in f" {collection.title.casefold()}":
            yield "collection", collection.tag_id, collection.title


def _is_used(table: ItemTable, user: Account, tag_type: str, tag_id: int) -> bool:
    """Return whether a user sees an item with a tag."""
    if visible_flags(table, user) is None:
        return True
    return len(visible_indexes(table, user, table.tagged_items(tag_type, tag_id))) > 0


def _hub_node(
    state: ServerState, request: Request, hub_type: str, results: list[Result], limit: int
) -> Node:
    options = RenderOptions.from_request(request, section=True)
    rows = []
    for result in results[:limit]:
        extra: dict[str, Value] = {**result.extra_attributes, "score": f"{result.score:.5f}"}
        if result.item is not None:
            table, index = result.item
            item = table.item(index)
            rows.append(item_node(state.catalogue, request.user, item, options, extra))
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
        row
        for library in visible_libraries(state, request)
        if library.hidden < 2
        for row in _recent_items(state, request, library, group_shows=False)
    ]
    rows.sort(key=lambda row: -row[0])
    if request.page() is None:
        rows = rows[:50]
    options = RenderOptions.from_request(request, section=True)
    return respond_with_items(state, request, rows, _read_dated, options)


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
        row
        for library in visible_libraries(state, request)
        if item_type in library.item_types and library_key in ("", library.key)
        for row in _recent_items(state, request, library, group_shows=True)
    ]
    rows.sort(key=lambda row: -row[0])
    options = RenderOptions.from_request(request, section=True)
    return respond_with_items(state, request, rows, _read_dated, options)


def _read_dated(row: DatedPlace) -> Item:
    added_at, table, index = row
    return replace(table.item(index), added_at=added_at)


def _recent_items(
    state: ServerState, request: Request, library: Library, *, group_shows: bool
) -> Iterator[DatedPlace]:
    """Yield the recent items of a library; episodes are grouped by season or show."""
    item_type = {"show": "episode", "artist": "album", "photo": "photo"}.get(library.type, "movie")
    table = state.catalogue.table(library.key, item_type)
    pairs = [("sort", "addedAt:desc")]
    newest = select(table, request.user, pairs, state.catalogue.now())[:MAX_RECENT_ITEMS]
    added_at = table.column("addedAt", request.user)
    if item_type == "episode":
        yield from _group_episodes(table, newest, added_at, group_shows)
    else:
        yield from ((added_at[index], table, index) for index in newest)


def _group_episodes(
    table: ItemTable, episodes: Sequence[int], added_at: Sequence[int], group_shows: bool
) -> Iterator[DatedPlace]:
    """Replace the episodes, which come newest first, by their seasons.

    With `group_shows`, replace the seasons of a show by the show if all were added within a day,
    and keep an episode that was added more than a day after the others of its season. The date of a
    season or show is that of its newest episode.
    """
    seasons, shows = table.ancestor_tables()
    episodes_by_season: dict[int, list[int]] = {}
    seasons_by_show: dict[int, list[int]] = {}
    for episode in episodes:
        season = table.ancestor_column(seasons)[episode]
        if season not in episodes_by_season:
            seasons_by_show.setdefault(table.ancestor_column(shows)[episode], []).append(season)
        episodes_by_season.setdefault(season, []).append(episode)
    for show, found_seasons in seasons_by_show.items():
        dates = [added_at[episodes_by_season[season][0]] for season in found_seasons]
        if group_shows and len(dates) > 1 and max(dates) - min(dates) < DAY:
            yield max(dates), shows, show
            continue
        for season, date in zip(found_seasons, dates, strict=True):
            newest, *others = episodes_by_season[season]
            is_single = not others or date - added_at[others[0]] > DAY
            if group_shows and is_single:
                yield date, table, newest
            else:
                yield date, seasons, season


# Continue Watching


def list_on_deck(state: ServerState, request: Request) -> Response:
    """List movies and episodes in progress, and the next episode of shows that were started."""
    options = RenderOptions.from_request(request, section=True)
    return respond_with_items(state, request, _on_deck(state, request), _read_place, options)


def show_continue_watching(state: ServerState, request: Request) -> Response:
    """Show the same items as a hub, `count` of them at most."""
    options = RenderOptions.from_request(request, section=True)
    found = _on_deck(state, request)
    count = request.number("count") or len(found)
    items = map(_read_place, found[:count])
    rows = [item_node(state.catalogue, request.user, item, options) for item in items]
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


def _read_place(place: Place) -> Item:
    table, index = place
    return table.item(index)


def _on_deck(state: ServerState, request: Request) -> list[Place]:
    """List what was viewed within the weeks of OnDeckWindow, latest first."""
    found: list[DatedPlace] = []
    for library in visible_libraries(state, request):
        if library.type == "show":
            found += _next_episodes(state, request, library)
        if library.type == "movie" and library.hidden < 2:
            table = state.catalogue.table(library.key, "movie")
            viewed_at = table.column("lastViewedAt", request.user)
            pairs = [("inProgress", "1"), ("sort", "lastViewedAt:desc")]
            for index in select(table, request.user, pairs, state.catalogue.now())[:50]:
                found.append((viewed_at[index] or 0, table, index))
    preferences = state.preferences
    start = state.catalogue.now() - preferences.on_deck_seconds
    found = [row for row in found if row[0] >= start]
    found.sort(key=lambda row: -row[0])
    return [(table, index) for _, table, index in found[: preferences.on_deck_limit]]


def _next_episodes(state: ServerState, request: Request, library: Library) -> Iterator[DatedPlace]:
    """Yield the last view date of the 20 latest shows and their next episode."""
    shows = state.catalogue.table(library.key, "show")
    viewed_at = shows.column("lastViewedAt", request.user)
    pairs = [("sort", "lastViewedAt:desc")]
    for show in select(shows, request.user, pairs, state.catalogue.now())[:20]:
        if viewed_at[show] is None:
            return
        episode = _next_episode(shows, show, request.user)
        if episode is not None:
            yield viewed_at[show], shows.child_table().child_table(), episode


def _next_episode(shows: ItemTable, show: int, user: Account) -> int | None:
    """Return the index of the episode in progress or else of the first that is not watched."""
    episodes = shows.child_table().child_table()
    states = {index: episodes.watch_state(index, user) for index in _episodes(shows, show, user)}
    started = [index for index, state in states.items() if state.view_offset]
    unwatched = [index for index, state in states.items() if not state.view_count]
    latest = max(started, key=lambda index: states[index].last_viewed_at or 0, default=None)
    return next(iter(unwatched), None) if latest is None else latest


def _episodes(shows: ItemTable, show: int, user: Account) -> Iterator[int]:
    """Yield the indexes of a show's episodes in their order, without the specials."""
    seasons = shows.child_table()
    numbers = seasons.column("index", user)
    for season in filter(numbers.__getitem__, shows.children(show)):
        yield from seasons.children(season)


ROUTES = [
    route("GET", "/hubs/search", search),
    route("GET", "/library/search", search_items),
    route("GET", "/library/recentlyAdded", list_recently_added),
    route("GET", "/hubs/home/recentlyAdded", list_recently_added_for_home),
    route("GET", "/library/onDeck", list_on_deck),
    route("GET", "/hubs/continueWatching", show_continue_watching),
    route("GET", "/hubs/continueWatching/items", list_on_deck),
]
