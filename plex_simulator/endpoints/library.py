"""Endpoints for libraries and their items: /library/sections, /library/metadata and others."""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, TypeVar

from plex_simulator import filter_options
from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import (
    TYPE_NAMES,
    TYPE_NUMBERS,
    UNWATCHED,
    Account,
    Collection,
    Item,
    Library,
)
from plex_simulator.nodes import Node, Value
from plex_simulator.notifications import REFRESH_STEPS
from plex_simulator.queries import InvalidSort, read_sort, select
from plex_simulator.rendering import RenderOptions, collection_node, item_node, section_attributes
from plex_simulator.routing import (
    ServerState,
    find_item,
    get_item,
    get_library,
    route,
    visible_libraries,
)
from plex_simulator.tables.item_table import ItemTable
from plex_simulator.visibility import share_filter, visible_flags, visible_indexes

Row = TypeVar("Row")

MEDIA_TAGS: dict[str, Value] = {
    "mediaTagPrefix": "/system/bundle/media/flags/",
    "mediaTagVersion": 1_734_362_201,
}
PLUGIN: dict[str, Value] = {"identifier": "com.plexapp.plugins.library"}

# Plex refuses to list more items of a collection in one response.
MAX_UNPAGED_COLLECTION_ITEMS = 100

# Libraries


def show_root(state: ServerState, request: Request) -> Response:
    keys = ("sections", "recentlyAdded", "onDeck")
    directories = [Node("Directory", {"key": key, "title": key}) for key in keys]
    attributes: dict[str, Value] = {
        "allowSync": False,
        "content": "secondary",
        **PLUGIN,
        "title1": "Plex Library",
        "title2": "",
    }
    return request.respond_with_container(attributes, directories)


def list_libraries(state: ServerState, request: Request) -> Response:
    rows = [_library_node(library) for library in visible_libraries(state, request)]
    return request.respond_with_container({"allowSync": False, "title1": "Plex Library"}, rows)


def _library_node(library: Library) -> Node:
    return Node(
        "Directory",
        {
            "allowSync": True,
            "art": f"/:/resources/{library.type}-fanart.jpg",
            "composite": f"/library/sections/{library.key}/composite/{library.updated_at}",
            "filters": True,
            "refreshing": False,
            "thumb": f"/:/resources/{library.type}.png",
            "key": library.key,
            "type": library.type,
            "title": library.title,
            "agent": library.agent,
            "scanner": library.scanner,
            "language": library.language,
            "uuid": library.uuid,
            "updatedAt": library.updated_at,
            "createdAt": library.created_at,
            "scannedAt": library.scanned_at,
            "content": True,
            "directory": True,
            "contentChangedAt": library.content_changed_at,
            "hidden": library.hidden,
        },
        [Node("Location", {"id": int(library.key), "path": library.location})],
    )


def _container_attributes(library: Library, title2: str) -> dict[str, Value]:
    """Return the attributes of a container with rows of one library."""
    return {
        "allowSync": True,
        "art": f"/:/resources/{library.type}-fanart.jpg",
        **PLUGIN,
        "librarySectionID": int(library.key),
        "librarySectionTitle": library.title,
        "librarySectionUUID": library.uuid,
        **MEDIA_TAGS,
        "thumb": f"/:/resources/{library.type}.png",
        "title1": library.title,
        "title2": title2,
    }


def show_library(state: ServerState, request: Request, key: str) -> Response:
    library = get_library(state, request, key)
    views = [("all", f"All {library.title}"), ("unwatched", "Unwatched"), ("onDeck", "On Deck")]
    rows = [Node("Directory", {"key": name, "title": title}) for name, title in views]
    for name, _, title in filter_options.FILTERS[library.item_types[0]]:
        rows.append(Node("Directory", {"secondary": True, "key": name, "title": f"By {title}"}))
    if request.flag("includeDetails"):
        meta = filter_options.meta_node(library, library.item_types, "", advanced=True)
        rows += [node for node in meta.children if node.name == "Type"]
    attributes = _container_attributes(library, "")
    for name in ("title2", "librarySectionTitle", "librarySectionUUID"):
        del attributes[name]
    return request.respond_with_container(
        {**attributes, "content": "secondary", "viewGroup": "secondary"}, rows
    )


def list_library_items(state: ServerState, request: Request, key: str) -> Response:
    """List the items of one type in a library, filtered and sorted by the query."""
    library = get_library(state, request, key)
    item_type = _requested_type(request, library)
    if item_type == "collection":
        return list_collections(state, request, key)
    attributes: dict[str, Value] = {
        **_container_attributes(library, f"All {filter_options.TITLES.get(item_type, item_type)}"),
        "viewGroup": "photo" if item_type == "photoalbum" else item_type,
    }
    before = []
    if request.flag("includeMeta"):
        advanced = request.flag("includeAdvanced")
        before.append(
            filter_options.meta_node(library, library.item_types, item_type, advanced=advanced)
        )
    if item_type not in library.item_types:
        return request.respond_with_list([], _refuse_to_render, attributes, before)
    table = state.catalogue.table(key, item_type)
    indexes = _select(state, request, table)
    options = RenderOptions.from_request(request)

    def render(index: int) -> Node:
        return item_node(state.catalogue, request.user, table.item(index), options)

    return request.respond_with_list(indexes, render, attributes, before)


def _select(state: ServerState, request: Request, table: ItemTable) -> Sequence[int]:
    try:
        return select(table, request.user, request.pairs, state.catalogue.now())
    except InvalidSort as error:
        raise HTTPError(400) from error


def _requested_type(request: Request, library: Library) -> str:
    """Return the item type in the query, or the top level type of the library."""
    number = request.number("type")
    return library.item_types[0] if number is None else TYPE_NAMES.get(number, "")


def _refuse_to_render(_: Any) -> Node:
    raise AssertionError("an empty list has no rows to render")


def list_collections(state: ServerState, request: Request, key: str) -> Response:
    library = get_library(state, request, key)
    collections = state.catalogue.visible_collections(request.user, key)
    title = request.arg("title").casefold()
    collections = [each for each in collections if title in each.title.casefold()]
    field, _, direction = request.arg("sort", "titleSort").partition(":")
    sort_keys: dict[str, Callable[[Collection], Any]] = {
        "titleSort": lambda collection: collection.sort_title.casefold(),
        "addedAt": lambda collection: collection.added_at,
        "updatedAt": lambda collection: collection.updated_at,
        "id": lambda collection: int(collection.rating_key),
        "guid": lambda collection: collection.guid,
    }
    field = field.removeprefix("collection.")
    if field not in sort_keys or direction not in ("", "asc", "desc"):
        raise HTTPError(400)
    collections.sort(key=sort_keys[field], reverse=direction == "desc")
    options = RenderOptions.from_request(request)
    before = []
    if request.flag("includeMeta"):
        before.append(
            filter_options.meta_node(library, ("collection",), "collection", advanced=False)
        )

    def render(collection: Collection) -> Node:
        return collection_node(
            state.catalogue, request.user, collection, options, state.machine_identifier
        )

    attributes: dict[str, Value] = {
        **_container_attributes(library, "All Collections"),
        "viewGroup": "collection",
    }
    return request.respond_with_list(collections, render, attributes, before)


# Sorts and filters


def list_sorts(state: ServerState, request: Request, key: str) -> Response:
    library = get_library(state, request, key)
    item_type, advanced = _requested_type(request, library), request.flag("includeAdvanced")
    nodes = filter_options.sort_nodes(library, item_type, advanced=advanced)
    rows = [Node("Directory", node.attributes) for node in nodes]
    return request.respond_with_container(PLUGIN, rows)


def list_filters(state: ServerState, request: Request, key: str) -> Response:
    library = get_library(state, request, key)
    rows = [
        Node("Directory", node.attributes)
        for node in filter_options.filter_nodes(library, _requested_type(request, library))
    ]
    return request.respond_with_container(PLUGIN, rows)


def count_first_characters(state: ServerState, request: Request, key: str) -> Response:
    """Count the items per first letter of their sort title; `#` stands for all non-letters."""
    library = get_library(state, request, key)
    table = state.catalogue.table(key, _requested_type(request, library))
    column = table.column("titleSort", request.user)
    counts: Counter[str] = Counter()
    visible = visible_indexes(table, request.user, table.indexes())
    for character, count in Counter(column[index][:1] for index in visible).items():
        counts[character.upper() if character.isalpha() else "#"] += count
    rows = [
        Node("Directory", {"size": count, "key": letter, "title": letter})
        for letter, count in sorted(counts.items())
    ]
    return request.respond_with_container(_container_attributes(library, "By First Letter"), rows)


def list_filter_choices(state: ServerState, request: Request, key: str, field: str) -> Response:
    """List the values of a filter in a library; the values of tags are their ids."""
    library = get_library(state, request, key)
    item_type = _requested_type(request, library)
    if item_type not in library.item_types or field not in TYPE_FIELDS[item_type]:
        raise HTTPError(404)
    table = state.catalogue.table(key, item_type)
    choices = table.cached(
        ("choices", field, request.user.id, share_filter(table, request.user)),
        lambda: _collect_choices(request.user, table, field),
    )
    number = TYPE_NUMBERS[item_type]
    type_filter = "" if item_type == library.item_types[0] else f"type={number}&"
    rows = [
        Node(
            "Directory",
            {
                "fastKey": f"/library/sections/{key}/all?{type_filter}{field}={value}",
                "key": value,
                "title": title,
                "type": field,
            },
        )
        for title, value in choices
    ]
    attributes: dict[str, Value] = {
        **_container_attributes(library, f"By {field.capitalize()}"),
        "content": "secondary",
        "viewGroup": "secondary",
    }
    return request.respond_with_container(attributes, rows)


def _collect_choices(user: Account, table: ItemTable, field: str) -> list[tuple[str, str]]:
    """List the titles and values of a filter among the items that a user sees, by title."""
    if FIELDS[field].type == "boolean":
        return [("No", "0"), ("Yes", "1")]
    if FIELDS[field].type == "tag":
        names = table.tag_names(field, visible_flags(table, user))
        return sorted((name, str(tag_id)) for tag_id, name in names.items())
    values = _different_values(user, table, field)
    ordered = sorted(values, reverse=field in ("year", "decade"))
    return [(str(value), str(value)) for value in ordered]


def _different_values(user: Account, table: ItemTable, field: str) -> set[Any]:
    column = table.column(field, user)
    visible = visible_indexes(table, user, table.indexes())
    examples = {column[index]: index for index in visible if column[index] is not None}
    if FIELDS[field].type == "string":  # the strings of columns are case-folded
        return {FIELDS[field].read(table.item(index), UNWATCHED) for index in examples.values()}
    return set(examples)


# Items of all libraries


def list_all_items(state: ServerState, request: Request) -> Response:
    """List the items of one type in all libraries of the user."""
    number = request.number("type")
    item_type = TYPE_NAMES.get(number or 1, "")
    tables = [
        state.catalogue.table(library.key, item_type)
        for library in visible_libraries(state, request)
        if item_type in library.item_types
    ]
    found = [(table, _select(state, request, table)) for table in tables]
    if "random" in request.arg("sort"):  # a different order each time it is read
        found = [(table, list(indexes)) for table, indexes in found]
    starts = list(accumulate((len(indexes) for _, indexes in found), initial=0))
    options = RenderOptions.from_request(request, section=True)

    def render(place: int) -> Node:
        number = bisect_right(starts, place) - 1
        table, indexes = found[number]
        item = table.item(indexes[place - starts[number]])
        return item_node(state.catalogue, request.user, item, options)

    attributes: dict[str, Value] = {"allowSync": False, **PLUGIN, **MEDIA_TAGS}
    return request.respond_with_list(_merge(found, request), render, attributes)


def _merge(found: Sequence[tuple[ItemTable, Sequence[int]]], request: Request) -> Sequence[int]:
    """Merge the sorted items of several libraries by the first sort field.

    Return the places that the items have when the libraries follow each other.
    """
    sort = request.arg("sort") or "titleSort"
    if len(found) < 2 or "random" in sort:
        return range(sum(len(indexes) for _, indexes in found))
    # A change gives a table new indexes. The result holds the old ones, so that their ids stay
    # different from those of the new ones.
    key = "merged", request.user.id, sort, *(id(indexes) for _, indexes in found)
    merged: tuple[Any, Sequence[int]] = found[0][0].cached(
        key, lambda: (found, _sort_places(found, request.user, sort))
    )
    return merged[1]


def _sort_places(
    found: Sequence[tuple[ItemTable, Sequence[int]]], user: Account, sort: str
) -> Sequence[int]:
    places = range(sum(len(indexes) for _, indexes in found))
    values: list[Any] = []
    for table, indexes in found:
        first = read_sort(table, sort)[0]
        column = table.column(first.name, user, first.table)
        values += [column[index] for index in indexes]
    known, unknown = list(places), list[int]()
    if None in values:
        known = [place for place in places if values[place] is not None]
        unknown = [place for place in places if values[place] is None]
    known.sort(key=values.__getitem__, reverse=first.descending)
    return array("I", known + unknown if first.unknown_last else unknown + known)


# Single items


def show_items(state: ServerState, request: Request, keys: str) -> Response:
    """Send one or several items or collections with all details, in the requested order.

    Plex apps have the items refreshed at the same time, which is reported to all listeners.
    """
    nodes = [
        node for key in keys.split(",") if (node := _find_node(state, request, key)) is not None
    ]
    if not nodes:
        raise HTTPError(404)
    steps = [name for name in REFRESH_STEPS if request.flag(name)]
    if steps:
        state.broadcast.send_refresh(request.path, steps, request.user.id)
    attributes: dict[str, Value] = {"allowSync": True, **PLUGIN, **MEDIA_TAGS}
    if len(nodes) == 1:
        attributes |= {
            name: nodes[0].attributes.get(name)
            for name in ("librarySectionID", "librarySectionTitle")
        }
    return request.respond_with_container(attributes, nodes)


def _find_node(state: ServerState, request: Request, key: str) -> Node | None:
    """Render the item or collection with a rating key, or return None if there is none."""
    options = RenderOptions.from_request(request, full=True)
    collection = state.catalogue.visible_collection(request.user, key)
    if collection is not None:
        return collection_node(
            state.catalogue, request.user, collection, options, state.machine_identifier
        )
    item = find_item(state, request, key)
    return None if item is None else item_node(state.catalogue, request.user, item, options)


def list_children(state: ServerState, request: Request, key: str) -> Response:
    """List the children of an item, or the items of a collection."""
    if state.catalogue.collection(key) is not None:
        return list_collection_items(state, request, key)
    item = get_item(state, request, key)
    return _list_descendants(state, request, item, state.catalogue.children(key))


def list_leaves(state: ServerState, request: Request, key: str) -> Response:
    """List the episodes of a show or the tracks of an artist."""
    item = get_item(state, request, key)
    return _list_descendants(state, request, item, _leaves(state, item))


def _leaves(state: ServerState, item: Item) -> list[Item]:
    children = state.catalogue.children(item.rating_key)
    found = state.catalogue.find(item.rating_key)
    if found is None or found[0].child is None or found[0].child.child is None:
        return children
    return [leaf for child in children for leaf in state.catalogue.children(child.rating_key)]


def _list_descendants(
    state: ServerState, request: Request, item: Item, rows: list[Item]
) -> Response:
    library = get_library(state, request, item.library_key)
    options = RenderOptions.from_request(request)
    attributes: dict[str, Value] = {
        **_container_attributes(library, item.title),
        "key": item.rating_key,
        "parentTitle": item.title,
        "viewGroup": rows[0].type if rows else None,
    }
    if item.type == "season":
        attributes |= {"grandparentTitle": item.parent_title, "parentIndex": item.index}

    def render(row: Item) -> Node:
        return item_node(state.catalogue, request.user, row, options)

    return request.respond_with_list(rows, render, attributes)


# Collections


def show_collection(state: ServerState, request: Request, key: str) -> Response:
    """Send a collection, or an item if the key is that of an item, as Plex does."""
    node = _find_node(state, request, key)
    if node is None:
        raise HTTPError(404)
    collection = state.catalogue.collection(key)
    if collection is not None and request.flag("includePreferences"):
        modes = "-1:Default|0:Hide|1:Hide items|2:Show items"
        sorts = "0:Release date|1:Alphabetical|2:Custom"
        users = "0:Server admin|1:User viewing the content"
        settings = [
            _setting_node("collectionMode", collection.mode, modes),
            _setting_node("collectionSort", collection.sort, sorts),
        ]
        if collection.smart:
            settings.append(
                _setting_node("collectionFilterBasedOnUser", collection.filter_user, users)
            )
        node.children.append(Node("Preferences", {}, settings))
    return request.respond_with_container({"allowSync": True, **PLUGIN, **MEDIA_TAGS}, [node])


def _setting_node(name: str, value: int, choices: str) -> Node:
    default = choices.split(":")[0]
    attributes: dict[str, Value] = {
        "id": name,
        "type": "int",
        "default": default,
        "value": str(value),
        "hidden": False,
        "advanced": False,
        "enumValues": choices,
    }
    return Node("Setting", attributes)


def list_collection_items(state: ServerState, request: Request, key: str) -> Response:
    """List the items of a collection; large collections need a paged request."""
    collection = state.catalogue.visible_collection(request.user, key)
    if collection is None:
        raise HTTPError(404)
    items = state.catalogue.collection_items(key, request.user)
    if len(items) > MAX_UNPAGED_COLLECTION_ITEMS and request.page() is None:
        raise HTTPError(400)
    library = get_library(state, request, collection.library_key)
    options = RenderOptions.from_request(request)
    attributes: dict[str, Value] = {
        **_container_attributes(library, collection.title),
        "key": key,
        "parentTitle": collection.title,
        "viewGroup": collection.subtype,
    }

    def render(row: Item) -> Node:
        return item_node(state.catalogue, request.user, row, options)

    return request.respond_with_list(items, render, attributes)


def respond_with_items(
    state: ServerState,
    request: Request,
    rows: Sequence[Row],
    read: Callable[[Row], Item],
    options: RenderOptions,
) -> Response:
    """Send items of several libraries, each with the name of its library.

    `read` returns the item of a row. Only the items of the requested page are read.
    """

    def render(row: Row) -> Node:
        item = read(row)
        library = state.catalogue.library(item.library_key)
        extra: dict[str, Value] = {"librarySectionUUID": library.uuid if library else None}
        extra |= section_attributes(state.catalogue, item.library_key)
        return item_node(state.catalogue, request.user, item, options, extra)

    attributes: dict[str, Value] = {"allowSync": False, **PLUGIN, **MEDIA_TAGS}
    return request.respond_with_list(rows, render, attributes)


ROUTES = [
    route("GET", "/library", show_root, non_owner_status=401),
    route("GET", "/library/sections", list_libraries),
    route("GET", "/library/sections/<>", show_library),
    route("GET", "/library/sections/<>/all", list_library_items),
    route("GET", "/library/sections/<>/collections", list_collections),
    route("GET", "/library/sections/<>/sorts", list_sorts),
    route("GET", "/library/sections/<>/filters", list_filters),
    route("GET", "/library/sections/<>/firstCharacter", count_first_characters),
    route("GET", "/library/all", list_all_items),
    route("GET", "/library/metadata/<>", show_items),
    route("GET", "/library/metadata/<>/children", list_children),
    route("GET", "/library/metadata/<>/allLeaves", list_leaves),
    route("GET", "/library/collections/<>", show_collection),
    route("GET", "/library/collections/<>/children", list_collection_items),
    route("GET", "/library/collections/<>/items", list_collection_items),
]
# The last segment is the name of any filter, so this route must come after all others.
FILTER_CHOICES_ROUTE = route("GET", "/library/sections/<>/<>", list_filter_choices)
