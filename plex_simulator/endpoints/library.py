"""The libraries and what is in them: /library/sections, /library/metadata and their kin."""

from collections.abc import Callable, Sequence
from typing import Any

from plex_simulator import filter_options
from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.generation.metadata import COUNTRIES, GENRES, LABELS, MUSIC_GENRES
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.models import TYPE_NAMES, TYPE_NUMBERS, Collection, Item, Library
from plex_simulator.nodes import Node, Value
from plex_simulator.queries import BadQuery, select
from plex_simulator.rendering import Style, collection_node, item_node, section_attributes, style
from plex_simulator.routing import (
    World,
    libraries_for,
    route,
    visible_item,
    visible_library,
)
from plex_simulator.tables.item_table import Shelf

TAGS: dict[str, Value] = {
    "mediaTagPrefix": "/system/bundle/media/flags/",
    "mediaTagVersion": 1_734_362_201,
}
PLUGIN: dict[str, Value] = {"identifier": "com.plexapp.plugins.library"}
TAG_NAMES = {tag.id: tag.tag for tag in (*GENRES, *MUSIC_GENRES, *COUNTRIES, *LABELS)}


def root(world: World, request: Request) -> Reply:
    keys = ("sections", "recentlyAdded", "onDeck")
    directories = [Node("Directory", {"key": key, "title": key}) for key in keys]
    head: dict[str, Value] = {
        "allowSync": False,
        "content": "secondary",
        **PLUGIN,
        "title1": "Plex Library",
        "title2": "",
    }
    return request.container(head, directories)


def sections(world: World, request: Request) -> Reply:
    rows = [_section(library) for library in libraries_for(world, request)]
    return request.container({"allowSync": False, "title1": "Plex Library"}, rows)


def _section(library: Library) -> Node:
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


def _head(library: Library, title2: str) -> dict[str, Value]:
    return {
        "allowSync": True,
        "art": f"/:/resources/{library.type}-fanart.jpg",
        **PLUGIN,
        "librarySectionID": int(library.key),
        "librarySectionTitle": library.title,
        "librarySectionUUID": library.uuid,
        **TAGS,
        "thumb": f"/:/resources/{library.type}.png",
        "title1": library.title,
        "title2": title2,
    }


def section(world: World, request: Request, key: str) -> Reply:
    library = visible_library(world, request, key)
    plain = [("all", f"All {library.title}"), ("unwatched", "Unwatched"), ("onDeck", "On Deck")]
    rows = [Node("Directory", {"key": name, "title": title}) for name, title in plain]
    for name, _, title in filter_options.FILTERS[library.item_types[0]]:
        rows.append(Node("Directory", {"secondary": True, "key": name, "title": f"By {title}"}))
    if request.flag("includeDetails"):
        described = filter_options.meta(library, library.item_types, "", advanced=True)
        rows += [node for node in described.children if node.name == "Type"]
    head = _head(library, "")
    del head["title2"], head["librarySectionTitle"], head["librarySectionUUID"]
    return request.container({**head, "content": "secondary", "viewGroup": "secondary"}, rows)


def section_all(world: World, request: Request, key: str) -> Reply:
    """List a library: one type of it, filtered and sorted as the query says."""
    library = visible_library(world, request, key)
    kind = _type(request, library)
    if kind == "collection":
        return collections(world, request, key)
    head: dict[str, Value] = {
        **_head(library, f"All {filter_options.TITLES.get(kind, kind)}"),
        "viewGroup": "photo" if kind == "photoalbum" else kind,
    }
    before = []
    if request.flag("includeMeta"):
        advanced = request.flag("includeAdvanced")
        before.append(filter_options.meta(library, library.item_types, kind, advanced=advanced))
    if kind not in library.item_types:
        return request.listing([], _nothing, head, before)
    shelf = world.catalogue.shelf(key, kind)
    chosen = _chosen(world, request, shelf)
    look = style(request)

    def render(index: int) -> Node:
        return item_node(world.catalogue, request.user, shelf.item(index), look)

    return request.listing(chosen, render, head, before)


def _chosen(world: World, request: Request, shelf: Shelf) -> Sequence[int]:
    try:
        return select(shelf, request.user, request.pairs, world.catalogue.now())
    except BadQuery as bad:
        raise Refusal(400) from bad


def _type(request: Request, library: Library) -> str:
    number = request.number("type")
    return library.item_types[0] if number is None else TYPE_NAMES.get(number, "")


def _nothing(_: Any) -> Node:
    raise AssertionError("an empty list has no rows to render")


def collections(world: World, request: Request, key: str) -> Reply:
    library = visible_library(world, request, key)
    found = world.catalogue.collections(key)
    title = request.arg("title").casefold()
    found = [made for made in found if title in made.title.casefold()]
    field, _, direction = request.arg("sort", "titleSort").partition(":")
    keys: dict[str, Callable[[Collection], Any]] = {
        "titleSort": lambda made: made.sort_title.casefold(),
        "addedAt": lambda made: made.added_at,
        "updatedAt": lambda made: made.updated_at,
        "id": lambda made: int(made.rating_key),
        "guid": lambda made: made.guid,
    }
    name = field.removeprefix("collection.")
    if name not in keys or direction not in ("", "asc", "desc"):
        raise Refusal(400)
    found.sort(key=keys[name], reverse=direction == "desc")
    look = style(request)
    before = []
    if request.flag("includeMeta"):
        before.append(filter_options.meta(library, ("collection",), "collection", advanced=False))

    def render(made: Collection) -> Node:
        return collection_node(world.catalogue, request.user, made, look, world.machine)

    head: dict[str, Value] = {**_head(library, "All Collections"), "viewGroup": "collection"}
    return request.listing(found, render, head, before)


def sorts(world: World, request: Request, key: str) -> Reply:
    library = visible_library(world, request, key)
    rows = [
        Node("Directory", {"defaultDirection": direction, "key": name, "title": title})
        for name, direction, title in filter_options.SORTS[_type(request, library)]
    ]
    return request.container(PLUGIN, rows)


def filters(world: World, request: Request, key: str) -> Reply:
    library = visible_library(world, request, key)
    rows = [
        Node("Directory", node.attributes)
        for node in filter_options.filters(library, _type(request, library))
    ]
    return request.container(PLUGIN, rows)


def first_characters(world: World, request: Request, key: str) -> Reply:
    library = visible_library(world, request, key)
    shelf = world.catalogue.shelf(key, _type(request, library))
    counted: dict[str, int] = {}
    column = shelf.column("titleSort", request.user)
    for index in shelf.indexes():
        letter = column[index][:1].upper()
        counted[letter if letter.isalpha() else "#"] = (
            counted.get(letter if letter.isalpha() else "#", 0) + 1
        )
    rows = [
        Node("Directory", {"size": count, "key": letter, "title": letter})
        for letter, count in sorted(counted.items())
    ]
    return request.container(_head(library, "By First Letter"), rows)


def choices(world: World, request: Request, key: str, field: str) -> Reply:
    """List the values a filter can take in this library, genres with their tag ids."""
    library = visible_library(world, request, key)
    kind = _type(request, library)
    if kind not in library.item_types or field not in TYPE_FIELDS[kind]:
        raise Refusal(404)
    shelf = world.catalogue.shelf(key, kind)
    listed = shelf.kept(("choices", field, request.user.id), lambda: _values(world, shelf, field))
    number = TYPE_NUMBERS[kind]
    suffix = "" if kind == library.item_types[0] else f"type={number}&"
    rows = [
        Node(
            "Directory",
            {
                "fastKey": f"/library/sections/{key}/all?{suffix}{field}={value}",
                "key": value,
                "title": title,
                "type": field,
            },
        )
        for title, value in listed
    ]
    head: dict[str, Value] = {**_head(library, f"By {field.capitalize()}"), "content": "secondary"}
    return request.container({**head, "viewGroup": "secondary"}, rows)


def _values(world: World, shelf: Shelf, field: str) -> list[tuple[str, str]]:
    if FIELDS[field].kind == "boolean":
        return [("No", "0"), ("Yes", "1")]
    names = {made.tag_id: made.title for made in world.catalogue.collections(shelf.library_key)}
    if field in ("director", "writer", "producer", "actor"):
        people = (_people(shelf.item(index), field) for index in shelf.indexes())
        names = {person.id: person.tag for some in people for person in some}
        return sorted((tag, str(number)) for number, tag in names.items())
    column = shelf.column(field, world.catalogue.owner)
    values = (column[index] for index in shelf.indexes())
    if FIELDS[field].kind == "tag":
        names |= TAG_NAMES
        found = {number for some in values for number in some}
        return sorted((names[number], str(number)) for number in found)
    known = {value for value in values if value is not None}
    ordered = sorted(known, reverse=field in ("year", "decade"))
    return [(str(value), str(value)) for value in ordered]


def _people(item: Item, field: str) -> Sequence[Any]:
    return {
        "director": item.directors,
        "writer": item.writers,
        "producer": item.producers,
        "actor": item.roles,
    }[field]


# Over all libraries


def library_all(world: World, request: Request) -> Reply:
    """List one type over all libraries that are not hidden away entirely."""
    number = request.number("type")
    kind = TYPE_NAMES.get(number or 1, "")
    shelves = [
        world.catalogue.shelf(library.key, kind)
        for library in libraries_for(world, request)
        if kind in library.item_types
    ]
    picked = [(shelf, index) for shelf in shelves for index in _chosen(world, request, shelf)]
    sort = request.arg("sort")
    if len(shelves) > 1:
        picked = _merged(picked, sort or "titleSort", request)
    look = style(request, section=True)

    def render(place: tuple[Shelf, int]) -> Node:
        return item_node(world.catalogue, request.user, place[0].item(place[1]), look)

    return request.listing(picked, render, {"allowSync": False, **PLUGIN, **TAGS})


def _merged(
    picked: list[tuple[Shelf, int]], sort: str, request: Request
) -> list[tuple[Shelf, int]]:
    """Merge sorted lists by their first sort field; ties stay as the libraries come."""
    field, *directions = sort.split(",")[0].split(":")
    field = field.rpartition(".")[2]
    if field not in FIELDS or "random" in sort:
        return picked
    columns = {shelf.number: shelf.column(field, request.user) for shelf, _ in picked}
    known = [p for p in picked if columns[p[0].number][p[1]] is not None]
    unknown = [p for p in picked if columns[p[0].number][p[1]] is None]
    down = "desc" in directions
    known.sort(key=lambda place: columns[place[0].number][place[1]], reverse=down)
    return known + unknown if down else unknown + known


# Single items


def metadata(world: World, request: Request, keys: str) -> Reply:
    """Answer one or several items in full, in the order asked for."""
    wanted = [_whatever(world, request, key) for key in keys.split(",")]
    found = [node for node in wanted if node is not None]
    if not found:
        raise Refusal(404)
    head: dict[str, Value] = {"allowSync": True, **PLUGIN, **TAGS}
    if len(found) == 1:
        head |= {
            name: found[0].attributes.get(name)
            for name in ("librarySectionID", "librarySectionTitle")
        }
    return request.container(head, found)


def _whatever(world: World, request: Request, key: str) -> Node | None:
    look = style(request, full=True)
    made = world.catalogue.collection(key)
    if made is not None and request.user.may_see(made.library_key):
        return collection_node(world.catalogue, request.user, made, look, world.machine)
    item = world.catalogue.item(key)
    if item is None or not request.user.may_see(item.library_key):
        return None
    return item_node(world.catalogue, request.user, item, look)


def children(world: World, request: Request, key: str) -> Reply:
    if world.catalogue.collection(key) is not None:
        return collection_items(world, request, key)
    item = visible_item(world, request, key)
    below = world.catalogue.children(key)
    return _below(world, request, item, below)


def all_leaves(world: World, request: Request, key: str) -> Reply:
    item = visible_item(world, request, key)
    return _below(world, request, item, _leaves(world, item))


def _leaves(world: World, item: Item) -> list[Item]:
    below = world.catalogue.children(item.rating_key)
    found = world.catalogue.place(item.rating_key)
    if found is None or found[0].child is None or found[0].child.child is None:
        return below
    return [leaf for child in below for leaf in world.catalogue.children(child.rating_key)]


def _below(world: World, request: Request, item: Item, rows: list[Item]) -> Reply:
    library = visible_library(world, request, item.library_key)
    look = style(request)
    head: dict[str, Value] = {
        **_head(library, item.title),
        "key": item.rating_key,
        "parentTitle": item.title,
        "viewGroup": rows[0].type if rows else None,
    }
    if item.type == "season":
        head |= {"grandparentTitle": item.parent_title, "parentIndex": item.index}

    def render(row: Item) -> Node:
        return item_node(world.catalogue, request.user, row, look)

    return request.listing(rows, render, head)


def collection(world: World, request: Request, key: str) -> Reply:
    """Answer a collection; the id of an item answers that item, as Plex does."""
    node = _whatever(world, request, key)
    if node is None:
        raise Refusal(404)
    made = world.catalogue.collection(key)
    if made is not None and request.flag("includePreferences"):
        settings = (
            _setting("collectionMode", made.mode, "-1:Default|0:Hide|1:Hide items|2:Show items"),
            _setting("collectionSort", made.sort, "0:Release date|1:Alphabetical|2:Custom"),
        )
        node.children.append(Node("Preferences", {}, settings))
    return request.container({"allowSync": True, **PLUGIN, **TAGS}, [node])


def _setting(name: str, value: int, choices: str) -> Node:
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


def collection_items(world: World, request: Request, key: str) -> Reply:
    """List a collection's items; more than a hundred are only given page by page."""
    made = world.catalogue.collection(key)
    if made is None or not request.user.may_see(made.library_key):
        raise Refusal(404)
    items = world.catalogue.collection_items(key, request.user)
    if len(items) > 100 and request.window() is None:
        raise Refusal(400)
    library = visible_library(world, request, made.library_key)
    look = style(request)
    head: dict[str, Value] = {
        **_head(library, made.title),
        "key": key,
        "parentTitle": made.title,
        "viewGroup": made.subtype,
    }

    def render(row: Item) -> Node:
        return item_node(world.catalogue, request.user, row, look)

    return request.listing(items, render, head)


def rows_of(world: World, request: Request, items: Sequence[Item], look: Style) -> Reply:
    """List items of several libraries, each with its library's name."""

    def render(item: Item) -> Node:
        library = world.catalogue.library(item.library_key)
        extra: dict[str, Value] = {"librarySectionUUID": library.uuid if library else None}
        extra |= section_attributes(world.catalogue, item.library_key)
        return item_node(world.catalogue, request.user, item, look, extra)

    return request.listing(items, render, {"allowSync": False, **PLUGIN, **TAGS})


ROUTES = [
    route("GET", "/library", root, refuse_others=401),
    route("GET", "/library/sections", sections),
    route("GET", "/library/sections/<>", section),
    route("GET", "/library/sections/<>/all", section_all),
    route("GET", "/library/sections/<>/collections", collections),
    route("GET", "/library/sections/<>/sorts", sorts),
    route("GET", "/library/sections/<>/filters", filters),
    route("GET", "/library/sections/<>/firstCharacter", first_characters),
    route("GET", "/library/all", library_all),
    route("GET", "/library/metadata/<>", metadata),
    route("GET", "/library/metadata/<>/children", children),
    route("GET", "/library/metadata/<>/allLeaves", all_leaves),
    route("GET", "/library/collections/<>", collection),
    route("GET", "/library/collections/<>/children", collection_items),
    route("GET", "/library/collections/<>/items", collection_items),
]
# After all others, since any word could be a filter's name.
CHOICES = route("GET", "/library/sections/<>/<>", choices)
