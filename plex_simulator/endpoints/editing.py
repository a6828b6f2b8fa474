"""Endpoints that create, change and delete collections and playlists, and edit items."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from plex_simulator.endpoints.library import MEDIA_TAGS, PLUGIN
from plex_simulator.endpoints.playlists import get_playlist, respond_with_playlist
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import (
    TYPE_NAMES,
    TYPE_NUMBERS,
    Collection,
    Item,
    Playlist,
    PlaylistEntry,
)
from plex_simulator.rendering import RenderOptions, collection_node
from plex_simulator.routing import ServerState, get_item, get_library, route

URI = re.compile(r"server://([0-9a-f]{40})/com\.plexapp\.plugins\.library(/.*)", re.DOTALL)
ITEMS_PATH = re.compile(r"/library/metadata/([\d,]+)")

# Query parameters and the attributes that they change.
EDITABLE_FIELDS = {
    "title": "title",
    "titleSort": "title_sort",
    "summary": "summary",
    "contentRating": "content_rating",
    "originalTitle": "original_title",
    "tagline": "tagline",
    "studio": "studio",
}
REQUIRED_FIELDS = {"title", "summary"}  # empty instead of missing
PREFERENCES = {
    "collectionMode": "mode",
    "collectionSort": "sort",
    "collectionFilterBasedOnUser": "filter_user",
}

CUSTOM_ORDER = 2  # the value of collectionSort

PLAYLIST_TYPES = {"movie": "video", "episode": "video", "track": "audio", "photo": "photo"}


def _uri_path(state: ServerState, request: Request) -> str:
    """Return the path in the query parameter `uri`, which must be a URI of this server."""
    match = URI.fullmatch(request.arg("uri"))
    if not match or match[1] != state.machine_identifier:
        raise HTTPError(400)
    return match[2]


def _uri_items(state: ServerState, request: Request) -> list[Item]:
    """Return the items in the query parameter `uri`."""
    match = ITEMS_PATH.fullmatch(unquote(_uri_path(state, request)))
    if not match:
        raise HTTPError(400)
    return [get_item(state, request, key) for key in match[1].split(",") if key]


def _uri_query(state: ServerState, request: Request) -> str:
    """Return the query in the parameter `uri` for a smart collection or playlist."""
    path = _uri_path(state, request)
    if ITEMS_PATH.fullmatch(unquote(path)):
        raise HTTPError(400)
    return path


def _moved(keys: Sequence[Any], key: Any, after: Any) -> tuple[Any, ...]:
    """Return the keys with one key moved behind another, or to the start if `after` is empty."""
    if key not in keys or (after and after not in keys):
        raise HTTPError(404)
    if key == after:
        return tuple(keys)
    others = [other for other in keys if other != key]
    others.insert(others.index(after) + 1 if after else 0, key)
    return tuple(others)


# Collections


def _get_collection(state: ServerState, request: Request, key: str) -> Collection:
    """Return a collection; raise a 404 error if it is unknown or the user has no access."""
    collection = state.catalogue.collection(key)
    if collection is None or not request.user.may_see(collection.library_key):
        raise HTTPError(404)
    return collection


def _get_plain_collection(state: ServerState, request: Request, key: str) -> Collection:
    """Return a collection; raise a 400 error if it is smart."""
    collection = _get_collection(state, request, key)
    if collection.smart:
        raise HTTPError(400)
    return collection


def _respond_with_collection(
    state: ServerState, request: Request, collection: Collection
) -> Response:
    options = RenderOptions(full=True, section=True)
    node = collection_node(
        state.catalogue, request.user, collection, options, state.machine_identifier
    )
    return request.respond_with_container({**PLUGIN, **MEDIA_TAGS}, [node])


def create_collection(state: ServerState, request: Request) -> Response:
    library = get_library(state, request, request.arg("sectionId"))
    subtype = TYPE_NAMES.get(request.number("type") or 0, "")
    title = request.arg("title")
    if subtype not in library.item_types or not title:
        raise HTTPError(400)
    if request.flag("smart"):
        content = _uri_path(state, request)
        collection = state.catalogue.add_collection(library.key, title, subtype, content=content)
        return _respond_with_collection(state, request, collection)
    items = _uri_items(state, request) if request.arg("uri") else []
    if any(item.library_key != library.key or item.type != subtype for item in items):
        raise HTTPError(400)
    keys = [item.rating_key for item in items]
    collection = state.catalogue.add_collection(library.key, title, subtype, keys)
    return _respond_with_collection(state, request, collection)


def add_to_collection(state: ServerState, request: Request, key: str) -> Response:
    """Add items that are not in the collection yet, or replace the query of a smart collection."""
    collection = _get_collection(state, request, key)
    if collection.smart:
        content = _uri_query(state, request)
        collection = state.catalogue.change_collection(key, content=content)
        return _respond_with_collection(state, request, collection)
    items = _uri_items(state, request)
    added = [item.rating_key for item in items if item.type == collection.subtype]
    keys = tuple(dict.fromkeys((*collection.item_keys, *added)))
    if keys != collection.item_keys:
        collection = state.catalogue.change_collection(key, item_keys=keys)
    return _respond_with_collection(state, request, collection)


def remove_from_collection(
    state: ServerState, request: Request, key: str, item_key: str
) -> Response:
    collection = _get_plain_collection(state, request, key)
    if item_key not in collection.item_keys:
        raise HTTPError(404)
    keys = tuple(other for other in collection.item_keys if other != item_key)
    collection = state.catalogue.change_collection(key, item_keys=keys)
    return _respond_with_collection(state, request, collection)


def move_in_collection(state: ServerState, request: Request, key: str, item_key: str) -> Response:
    """Move an item in the order that the collection is shown in, which becomes its custom order."""
    _get_plain_collection(state, request, key)
    shown = [item.rating_key for item in state.catalogue.collection_items(key)]
    keys = _moved(shown, item_key, request.arg("after"))
    collection = state.catalogue.change_collection(key, item_keys=keys, sort=CUSTOM_ORDER)
    return _respond_with_collection(state, request, collection)


def change_collection_preferences(state: ServerState, request: Request, key: str) -> Response:
    _get_collection(state, request, key)
    changes = {}
    for name, attribute in PREFERENCES.items():
        text = request.arg(name)
        if text:
            if text not in ("-1", "0", "1", "2"):
                raise HTTPError(400)
            changes[attribute] = int(text)
    state.catalogue.change_collection(key, **changes)
    return Response()


def delete_library_collection(
    state: ServerState, request: Request, section: str, key: str
) -> Response:
    if _get_collection(state, request, key).library_key != section:
        raise HTTPError(404)
    return delete_collection(state, request, key)


def delete_collection(state: ServerState, request: Request, key: str) -> Response:
    _get_collection(state, request, key)
    state.catalogue.remove_collection(key)
    return Response()


# Items


def delete_item(state: ServerState, request: Request, key: str) -> Response:
    """Delete an item or a collection."""
    if state.catalogue.collection(key) is not None:
        return delete_collection(state, request, key)
    get_item(state, request, key)
    state.catalogue.remove(key)
    return Response()


def edit_items(state: ServerState, request: Request, section: str) -> Response:
    """Edit items or collections: `id=1,2` and `title.value=…`; unknown fields are ignored."""
    get_library(state, request, section)
    for key in filter(None, request.arg("id").split(",")):
        if request.number("type") == TYPE_NUMBERS["collection"]:
            collection = _get_collection(state, request, key)
            state.catalogue.change_collection(key, **_edits(request, collection))
        else:
            item = get_item(state, request, key)
            state.catalogue.change(key, **_edits(request, item))
    return Response()


def _edits(request: Request, edited: Item | Collection | Playlist) -> dict[str, Any]:
    """Return the attributes that `title.value=…&title.locked=1` changes."""
    edits: dict[str, Any] = {}
    locked = set(edited.locked_fields)
    for name, value in request.pairs:
        field, _, suffix = name.partition(".")
        attribute = EDITABLE_FIELDS.get(field, "")
        if suffix == "value" and hasattr(edited, attribute):
            edits[attribute] = value if value or field in REQUIRED_FIELDS else None
        elif suffix == "locked" and request.flag(name):
            locked.add(field)
        elif suffix == "locked":
            locked.discard(field)
    return {**edits, "locked_fields": tuple(sorted(locked))}


# Playlists


def create_playlist(state: ServerState, request: Request) -> Response:
    title, content = request.arg("title"), _uri_path(state, request)
    if not title:
        raise HTTPError(400)
    if request.flag("smart"):
        playlist_type = request.arg("type") or "video"
        playlist = state.catalogue.add_playlist(request.user, title, playlist_type, content=content)
    else:
        items = _uri_items(state, request)
        types = {PLAYLIST_TYPES.get(item.type) for item in items}
        playlist_type = request.arg("type") or next(iter(types), None) or "video"
        if types - {playlist_type}:
            raise HTTPError(400)
        keys = [item.rating_key for item in items]
        playlist = state.catalogue.add_playlist(request.user, title, playlist_type, keys)
    return respond_with_playlist(state, request, playlist)


def add_to_playlist(state: ServerState, request: Request, key: str) -> Response:
    """Append items, or replace the query of a smart playlist."""
    playlist = get_playlist(state, request, key)
    if playlist.smart:
        content = _uri_query(state, request)
        playlist = state.catalogue.change_playlist(key, content=content)
    else:
        items = _uri_items(state, request)
        if any(PLAYLIST_TYPES.get(item.type) != playlist.playlist_type for item in items):
            raise HTTPError(400)
        playlist = state.catalogue.extend_playlist(key, [item.rating_key for item in items])
    return respond_with_playlist(state, request, playlist)


def _get_entries(state: ServerState, request: Request, key: str) -> dict[str, PlaylistEntry]:
    """Return the entries of a playlist by id; raise a 400 error if the playlist is smart."""
    playlist = get_playlist(state, request, key)
    if playlist.smart:
        raise HTTPError(400)
    return {str(entry.id): entry for entry in playlist.entries}


def remove_from_playlist(state: ServerState, request: Request, key: str, entry_id: str) -> Response:
    entries = _get_entries(state, request, key)
    if entry_id not in entries:
        raise HTTPError(404)
    del entries[entry_id]
    state.catalogue.change_playlist(key, entries=tuple(entries.values()))
    return Response()


def move_in_playlist(state: ServerState, request: Request, key: str, entry_id: str) -> Response:
    entries = _get_entries(state, request, key)
    ids = _moved(list(entries), entry_id, request.arg("after"))
    state.catalogue.change_playlist(key, entries=tuple(entries[each] for each in ids))
    return Response()


def edit_playlist(state: ServerState, request: Request, key: str) -> Response:
    """Change the title or summary: `title=…` or `title.value=…`."""
    playlist = get_playlist(state, request, key)
    query = dict(request.pairs)
    edits: dict[str, Any] = {name: query[name] for name in ("title", "summary") if name in query}
    state.catalogue.change_playlist(key, **(edits | _edits(request, playlist)))
    return Response()


def delete_playlist(state: ServerState, request: Request, key: str) -> Response:
    get_playlist(state, request, key)
    state.catalogue.remove_playlist(key)
    return Response()


COLLECTION, PLAYLIST = "/library/collections/<>", "/playlists/<>"
LIBRARY_COLLECTION = "/library/sections/<>/collection/<>"
ROUTES = [
    route("POST", "/library/collections", create_collection, non_owner_status=403),
    route("PUT", f"{COLLECTION}/items", add_to_collection, non_owner_status=403),
    route("DELETE", f"{COLLECTION}/items/<>", remove_from_collection, non_owner_status=403),
    route("DELETE", f"{COLLECTION}/children/<>", remove_from_collection, non_owner_status=403),
    route("PUT", f"{COLLECTION}/items/<>/move", move_in_collection, non_owner_status=403),
    route("DELETE", COLLECTION, delete_collection, non_owner_status=403),
    route("DELETE", LIBRARY_COLLECTION, delete_library_collection, non_owner_status=403),
    route("DELETE", "/library/metadata/<>", delete_item, non_owner_status=403),
    route("PUT", "/library/sections/<>/all", edit_items, non_owner_status=403),
    route("PUT", "/library/metadata/<>/prefs", change_collection_preferences, non_owner_status=403),
    route("PUT", f"{COLLECTION}/prefs", change_collection_preferences, non_owner_status=403),
    route("POST", "/playlists", create_playlist),
    route("PUT", f"{PLAYLIST}/items", add_to_playlist),
    route("DELETE", f"{PLAYLIST}/items/<>", remove_from_playlist),
    route("PUT", f"{PLAYLIST}/items/<>/move", move_in_playlist),
    route("PUT", PLAYLIST, edit_playlist),
    route("DELETE", PLAYLIST, delete_playlist),
]
