"""The endpoint for what is playing: /status/sessions.

Three items always play, if the libraries have them; after them come the sessions that clients
report.
"""

from collections.abc import Iterator

from plex_simulator.messages import Request, Response
from plex_simulator.models import Account, Item
from plex_simulator.nodes import Node, Value
from plex_simulator.playback import Player
from plex_simulator.rendering import RenderOptions, item_node
from plex_simulator.routing import ServerState, route


def _player(player_id: str, title: str, platform: str, host: int) -> Player:
    return Player(player_id, title, f"Plex for {platform}", platform, f"10.0.0.{host}")


# library key, item type and index of the items that are playing
PLAYING = (("1", "movie", 4), ("2", "episode", 2), ("5", "track", 1))

# The players that play them, with their state, location and bandwidth.
PLAYERS = (
    (_player("living-room-tv", "Living Room TV", "Android", 21), "playing", "lan", 20_000),
    (_player("oskar-phone", "Oskar's Phone", "iOS", 35), "paused", "wan", 4_000),
    (_player("kitchen-speaker", "Kitchen Speaker", "Linux", 40), "playing", "lan", 900),
)


def playing_items(state: ServerState) -> list[Item]:
    """Return the items that are playing: a movie, an episode and a track, if there are any."""
    playing = []
    for library_key, item_type, index in PLAYING:
        items = state.catalogue.items(library_key, item_type)
        if len(items) > index:
            playing.append(items[index])
    return playing


def list_sessions(state: ServerState, request: Request) -> Response:
    options = RenderOptions.from_request(request, full=True)
    rows = [*_fixed_sessions(state, options), *_reported_sessions(state, options)]
    return request.respond_with_container({}, rows)


def _fixed_sessions(state: ServerState, options: RenderOptions) -> Iterator[Node]:
    catalogue = state.catalogue
    users = (catalogue.owner, catalogue.viewer, catalogue.owner)
    for number, item in enumerate(playing_items(state)):
        player, playback, location, bandwidth = PLAYERS[number]
        user = users[number]
        children = [
            _user_node(user),
            _player_node(player, user, playback, location),
            _session_node(f"session{number}", bandwidth, location),
        ]
        if item.type == "movie":
            children.append(_transcode_node(item))
        extra = _session_attributes(number + 1, (item.duration or 0) // 4)
        yield item_node(catalogue, user, item, options, extra, children)


def _reported_sessions(state: ServerState, options: RenderOptions) -> Iterator[Node]:
    for session in state.playback.sessions:
        item = state.catalogue.item(session.rating_key)
        if item is not None:
            children = [
                _user_node(session.user),
                _player_node(session.player, session.user, session.state, "lan"),
                _session_node(session.id, 20_000, "lan"),
            ]
            extra = _session_attributes(session.number, session.offset)
            yield item_node(state.catalogue, session.user, item, options, extra, children)


def _session_attributes(number: int, offset: int) -> dict[str, Value]:
    return {"sessionKey": str(number), "viewOffset": offset}


def _user_node(user: Account) -> Node:
    thumb = f"https://plex.tv/users/{user.uuid}/avatar?c={user.id}"
    return Node("User", {"id": str(user.id), "thumb": thumb, "title": user.name})


def _player_node(player: Player, user: Account, playback: str, location: str) -> Node:
    return Node(
        "Player",
        {
            "address": player.address,
            "device": player.title,
            "machineIdentifier": player.id,
            "platform": player.platform,
            "platformVersion": "11",
            "product": player.product,
            "state": playback,
            "title": player.title,
            "version": "9.1.0",
            "local": location == "lan",
            "relayed": False,
            "secure": True,
            "userID": user.id,
        },
    )


def _session_node(session_id: str, bandwidth: int, location: str) -> Node:
    return Node("Session", {"id": session_id, "bandwidth": bandwidth, "location": location})


def _transcode_node(item: Item) -> Node:
    return Node(
        "TranscodeSession",
        {
            "key": "/transcode/sessions/kbzm2x4a9fj",
            "throttled": False,
            "complete": False,
            "progress": 25.5,
            "size": -22,
            "speed": 3.2,
            "duration": item.duration,
            "context": "streaming",
            "videoDecision": "transcode",
            "audioDecision": "copy",
            "protocol": "dash",
            "container": "mp4",
            "videoCodec": "h264",
            "audioCodec": "aac",
            "width": 1280,
            "height": 544,
        },
    )


ROUTES = [route("GET", "/status/sessions", list_sessions, non_owner_status=403)]
