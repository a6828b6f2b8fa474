"""Collections and playlists made, filled, ordered, edited and deleted, as Plex clients do."""

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from urllib.parse import unquote

from plex_simulator.endpoints.library import PLUGIN, TAGS
from plex_simulator.endpoints.playlists import own_playlist
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.models import TYPE_NAMES, Collection, Entry, Item
from plex_simulator.rendering import Style, collection_node, playlist_node
from plex_simulator.routing import World, route, visible_item, visible_library

URI = re.compile(r"server://([0-9a-f]{40})/com\.plexapp\.plugins\.library(/.*)", re.DOTALL)
ITEMS = re.compile(r"/library/metadata/([\d,]+)")
EDITS = {"title": "title", "titleSort": "title_sort", "summary": "summary"}
EDITS |= {"contentRating": "content_rating"}
PREFERENCES = {"collectionMode": "mode", "collectionSort": "sort"}
MEDIA_KINDS = {"movie": "video", "episode": "video", "track": "audio", "photo": "photo"}


def _content(world: World, request: Request) -> str:
    """Read the path that a uri names on this server."""
    match = URI.fullmatch(request.arg("uri"))
    if not match or match[1] != world.machine:
        raise Refusal(400)
    return match[2]


def _items(world: World, request: Request) -> list[Item]:
    match = ITEMS.fullmatch(unquote(_content(world, request)))
    if not match:
        raise Refusal(400)
    return [visible_item(world, request, key) for key in match[1].split(",") if key]


def _collection(world: World, request: Request, key: str) -> Collection:
    made = world.catalogue.collection(key)
    if made is None or not request.user.may_see(made.library_key):
        raise Refusal(404)
    return made


def _plain_collection(world: World, request: Request, key: str) -> Collection:
    made = _collection(world, request, key)
    if made.smart:
        raise Refusal(400)
    return made


def _show_collection(world: World, request: Request, made: Collection) -> Reply:
    look = Style(full=True, section=True)
    node = collection_node(world.catalogue, request.user, made, look, world.machine)
    return request.container({**PLUGIN, **TAGS}, [node])


def create_collection(world: World, request: Request) -> Reply:
    library = visible_library(world, request, request.arg("sectionId"))
    subtype = TYPE_NAMES.get(request.number("type") or 0, "")
    title = request.arg("title")
    if subtype not in library.item_types or not title:
        raise Refusal(400)
    if request.flag("smart"):
        content = _content(world, request)
        made = world.catalogue.add_collection(library.key, title, subtype, content=content)
        return _show_collection(world, request, made)
    items = _items(world, request) if request.arg("uri") else []
    if any(item.library_key != library.key or item.type != subtype for item in items):
        raise Refusal(400)
    keys = [item.rating_key for item in items]
    made = world.catalogue.add_collection(library.key, title, subtype, keys)
    return _show_collection(world, request, made)


def fill_collection(world: World, request: Request, key: str) -> Reply:
    """Add items, those that are in already not again; a smart one takes a new query only."""
    made = _collection(world, request, key)
    if made.smart:
        content = _content(world, request)
        if ITEMS.fullmatch(unquote(content)):
            raise Refusal(400)
        return _show_collection(
            world, request, world.catalogue.change_collection(key, content=content)
        )
    added = [item.rating_key for item in _items(world, request) if item.type == made.subtype]
    keys = tuple(dict.fromkeys((*made.item_keys, *added)))
    if keys != made.item_keys:
        made = world.catalogue.change_collection(key, item_keys=keys)
    return _show_collection(world, request, made)


def take_from_collection(world: World, request: Request, key: str, item: str) -> Reply:
    made = _plain_collection(world, request, key)
    if item not in made.item_keys:
        raise Refusal(404)
    keys = tuple(other for other in made.item_keys if other != item)
    return _show_collection(world, request, world.catalogue.change_collection(key, item_keys=keys))


def move_in_collection(world: World, request: Request, key: str, item: str) -> Reply:
    made = _plain_collection(world, request, key)
    keys = _moved(made.item_keys, item, request.arg("after"))
    return _show_collection(world, request, world.catalogue.change_collection(key, item_keys=keys))


def _moved(keys: Sequence[Any], key: Any, after: Any) -> tuple[Any, ...]:
    """Put a key behind another one, or first where that is empty."""
    if key not in keys or (after and after not in keys):
        raise Refusal(404)
    if key == after:
        return tuple(keys)
    rest = [other for other in keys if other != key]
    rest.insert(rest.index(after) + 1 if after else 0, key)
    return tuple(rest)


def delete_collection(world: World, request: Request, key: str) -> Reply:
    _collection(world, request, key)
    world.catalogue.remove_collection(key)
    return Reply()


def delete_metadata(world: World, request: Request, key: str) -> Reply:
    if world.catalogue.collection(key) is not None:
        return delete_collection(world, request, key)
    visible_item(world, request, key)
    world.catalogue.remove(key)
    return Reply()


def edit(world: World, request: Request, section: str) -> Reply:
    """Edit items or collections: `id=1,2` and `title.value=…`; unknown fields are ignored."""
    visible_library(world, request, section)
    values = {
        EDITS[field]: value
        for name, value in request.pairs
        for field, dot, rest in [name.partition(".")]
        if rest == "value" and field in EDITS
    }
    for key in filter(None, request.arg("id").split(",")):
        if request.number("type") == 18:
            _collection(world, request, key)
            known = {field.name for field in fields(Collection)}
            changed = {name: value for name, value in values.items() if name in known}
            world.catalogue.change_collection(key, **changed)
        else:
            visible_item(world, request, key)
            world.catalogue.change(key, **values)
    return Reply()


def preferences(world: World, request: Request, key: str) -> Reply:
    _collection(world, request, key)
    changed = {}
    for name, field in PREFERENCES.items():
        text = request.arg(name)
        if text:
            if text not in ("-1", "0", "1", "2"):
                raise Refusal(400)
            changed[field] = int(text)
    world.catalogue.change_collection(key, **changed)
    return Reply()


# Playlists


def create_playlist(world: World, request: Request) -> Reply:
    title, content = request.arg("title"), _content(world, request)
    if not title:
        raise Refusal(400)
    if request.flag("smart"):
        kind = request.arg("type") or "video"
        made = world.catalogue.add_playlist(request.user, title, kind, content=content)
    else:
        items = _items(world, request)
        kinds = {MEDIA_KINDS.get(item.type) for item in items}
        kind = request.arg("type") or next(iter(kinds), None) or "video"
        if kinds - {kind}:
            raise Refusal(400)
        keys = [item.rating_key for item in items]
        made = world.catalogue.add_playlist(request.user, title, kind, keys)
    return request.container(PLUGIN, [playlist_node(world.catalogue, made, world.machine)])


def fill_playlist(world: World, request: Request, key: str) -> Reply:
    made = own_playlist(world, request, key)
    if made.smart:
        content = _content(world, request)
        if ITEMS.fullmatch(unquote(content)):
            raise Refusal(400)
        made = world.catalogue.change_playlist(key, content=content)
    else:
        items = _items(world, request)
        if any(MEDIA_KINDS.get(item.type) != made.playlist_type for item in items):
            raise Refusal(400)
        made = world.catalogue.extend_playlist(key, [item.rating_key for item in items])
    return request.container(PLUGIN, [playlist_node(world.catalogue, made, world.machine)])


def _entries(world: World, request: Request, key: str) -> dict[str, Entry]:
    made = own_playlist(world, request, key)
    if made.smart:
        raise Refusal(400)
    return {str(entry.id): entry for entry in made.entries}


def take_from_playlist(world: World, request: Request, key: str, item: str) -> Reply:
    entries = _entries(world, request, key)
    if item not in entries:
        raise Refusal(404)
    del entries[item]
    world.catalogue.change_playlist(key, entries=tuple(entries.values()))
    return Reply()


def move_in_playlist(world: World, request: Request, key: str, item: str) -> Reply:
    entries = _entries(world, request, key)
    order = _moved(list(entries), item, request.arg("after"))
    world.catalogue.change_playlist(key, entries=tuple(entries[name] for name in order))
    return Reply()


def edit_playlist(world: World, request: Request, key: str) -> Reply:
    own_playlist(world, request, key)
    given = dict(request.pairs)
    changed = {
        name: given.get(name, given.get(f"{name}.value"))
        for name in ("title", "summary")
        if name in given or f"{name}.value" in given
    }
    world.catalogue.change_playlist(key, **changed)
    return Reply()


def delete_playlist(world: World, request: Request, key: str) -> Reply:
    own_playlist(world, request, key)
    world.catalogue.remove_playlist(key)
    return Reply()


COLLECTION, PLAYLIST = "/library/collections/<>", "/playlists/<>"
ROUTES = [
    route("POST", "/library/collections", create_collection, refuse_others=403),
    route("PUT", f"{COLLECTION}/items", fill_collection, refuse_others=403),
    route("DELETE", f"{COLLECTION}/items/<>", take_from_collection, refuse_others=403),
    route("DELETE", f"{COLLECTION}/children/<>", take_from_collection, refuse_others=403),
    route("PUT", f"{COLLECTION}/items/<>/move", move_in_collection, refuse_others=403),
    route("DELETE", COLLECTION, delete_collection, refuse_others=403),
    route("DELETE", "/library/metadata/<>", delete_metadata, refuse_others=403),
    route("PUT", "/library/sections/<>/all", edit, refuse_others=403),
    route("PUT", "/library/metadata/<>/prefs", preferences, refuse_others=403),
    route("PUT", f"{COLLECTION}/prefs", preferences, refuse_others=403),
    route("POST", "/playlists", create_playlist),
    route("PUT", f"{PLAYLIST}/items", fill_playlist),
    route("DELETE", f"{PLAYLIST}/items/<>", take_from_playlist),
    route("PUT", f"{PLAYLIST}/items/<>/move", move_in_playlist),
    route("PUT", PLAYLIST, edit_playlist),
    route("DELETE", PLAYLIST, delete_playlist),
]
