"""Playlists, which belong to whoever made them: /playlists."""

from plex_simulator.endpoints.library import PLUGIN
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.models import Item, Playlist
from plex_simulator.nodes import Node, Value
from plex_simulator.rendering import item_node, playlist_node, style
from plex_simulator.routing import World, route


def own_playlist(world: World, request: Request, key: str) -> Playlist:
    made = world.catalogue.playlist(key)
    if made is None or made.user_id != request.user.id:
        raise Refusal(404)
    return made


def playlists(world: World, request: Request) -> Reply:
    kind, smart, title = request.arg("playlistType"), request.arg("smart"), request.arg("title")
    found = [
        made
        for made in world.catalogue.playlists
        if made.user_id == request.user.id
        and kind in ("", made.playlist_type)
        and smart in ("", str(int(made.smart)))
        and title.casefold() in made.title.casefold()
    ]
    found.sort(key=lambda made: made.title.casefold())

    def render(made: Playlist) -> Node:
        return playlist_node(world.catalogue, made, world.machine)

    return request.listing(found, render, {})


def playlist(world: World, request: Request, key: str) -> Reply:
    made = own_playlist(world, request, key)
    return request.container(PLUGIN, [playlist_node(world.catalogue, made, world.machine)])


def playlist_items(world: World, request: Request, key: str) -> Reply:
    made = own_playlist(world, request, key)
    look = style(request, section=True)

    def render(row: tuple[int | None, Item]) -> Node:
        extra: dict[str, Value] = {"playlistItemID": row[0]}
        return item_node(world.catalogue, request.user, row[1], look, extra)

    items = world.catalogue.playlist_items(key)
    head: dict[str, Value] = {
        "composite": f"/playlists/{key}/composite/{made.updated_at}",
        "duration": sum(item.duration or 0 for _, item in items) // 1_000,
        "leafCount": len(items),
        "playlistType": made.playlist_type,
        "ratingKey": key,
        "smart": made.smart,
        "title": made.title,
    }
    return request.listing(items, render, head)


ROUTES = [
    route("GET", "/playlists", playlists),
    route("GET", "/playlists/<>", playlist),
    route("GET", "/playlists/<>/items", playlist_items),
]
