"""Endpoints for reading playlists, which belong to one user each: /playlists."""

from plex_simulator.catalogue import PlaylistRow
from plex_simulator.endpoints.library import PLUGIN
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import Item, Playlist
from plex_simulator.nodes import Node, Value
from plex_simulator.rendering import RenderOptions, item_node, locked_field_nodes, playlist_node
from plex_simulator.routing import ServerState, route


def get_playlist(state: ServerState, request: Request, key: str) -> Playlist:
    """Return a playlist; raise a 404 error if it is unknown or belongs to another user."""
    playlist = state.catalogue.playlist(key)
    if playlist is None or playlist.user_id != request.user.id:
        raise HTTPError(404)
    return playlist


def list_playlists(state: ServerState, request: Request) -> Response:
    """List the playlists of the user, filtered by `playlistType`, `smart` and `title`."""
    playlist_type, smart = request.arg("playlistType"), request.arg("smart")
    title = request.arg("title").casefold()
    playlists = [
        playlist
        for playlist in state.catalogue.playlists
        if playlist.user_id == request.user.id
        and playlist_type in ("", playlist.playlist_type)
        and smart in ("", str(int(playlist.smart)))
        and title in playlist.title.casefold()
    ]
    playlists.sort(key=lambda playlist: playlist.title.casefold())

    def render(playlist: Playlist) -> Node:
        return playlist_node(state.catalogue, playlist, state.machine_identifier)

    return request.respond_with_list(playlists, render, {})


def respond_with_playlist(state: ServerState, request: Request, playlist: Playlist) -> Response:
    row = playlist_node(state.catalogue, playlist, state.machine_identifier)
    row.children += locked_field_nodes(playlist)
    return request.respond_with_container(PLUGIN, [row])


def show_playlist(state: ServerState, request: Request, key: str) -> Response:
    return respond_with_playlist(state, request, get_playlist(state, request, key))


def list_playlist_items(state: ServerState, request: Request, key: str) -> Response:
    playlist = get_playlist(state, request, key)
    options = RenderOptions.from_request(request, section=True)
    count, duration = state.catalogue.playlist_summary(key)
    attributes: dict[str, Value] = {
        "composite": f"/playlists/{key}/composite/{playlist.updated_at}",
        "duration": duration // 1_000,
        "leafCount": count,
        "playlistType": playlist.playlist_type,
        "ratingKey": key,
        "smart": playlist.smart,
        "title": playlist.title,
    }

    def render_item(item: Item) -> Node:
        return item_node(state.catalogue, request.user, item, options)

    def render_entry(row: PlaylistRow) -> Node:
        entry_id, table, index = row
        extra: dict[str, Value] = {"playlistItemID": entry_id}
        return item_node(state.catalogue, request.user, table.item(index), options, extra)

    if playlist.content is not None:
        items = state.catalogue.run_query(playlist.content, request.user, leaves=True)
        return request.respond_with_list(items, render_item, attributes)
    return request.respond_with_list(state.catalogue.playlist_rows(key), render_entry, attributes)


ROUTES = [
    route("GET", "/playlists", list_playlists),
    route("GET", "/playlists/<>", show_playlist),
    route("GET", "/playlists/<>/items", list_playlist_items),
]
