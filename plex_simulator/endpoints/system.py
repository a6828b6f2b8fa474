"""Endpoints for the server itself: /, /identity, /media/providers, /status, accounts and settings.

Also /:/scrobble and /:/rate, which change the watch state of an item.
"""

from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import Item, User
from plex_simulator.nodes import Node, Value
from plex_simulator.rendering import RenderOptions, item_node
from plex_simulator.routing import NAME, VERSION, ServerState, get_item, route, visible_libraries

OWNER_FEATURES = (
    "3e5a1c52-6bb3-41f0-9a4e-0d7c3c5a5d11,adaptive_bitrate,camera_upload,collections,"
    "content_filter,dvr,hardware_transcoding,home,livetv,loudness,lyrics,music-analysis,"
    "music_videos,pass,photo_autotags,premium_music_metadata,radio,session_bandwidth_restrictions,"
    "sync,trailers,webhooks"
)
DIRECTORIES = (
    "activities butler channels clients devices diagnostics hubs library livetv media metadata "
    "playQueues playlists resources search server servers statistics system transcode updater user"
)


def _server_attributes(state: ServerState, user: User) -> dict[str, Value]:
    """Describe the server; only the owner gets the attributes of the plex.tv account."""
    account: dict[str, Value] = {
        "myPlexMappingState": "mapped",
        "myPlexSigninState": "ok",
        "myPlexSubscription": True,
        "myPlexUsername": state.catalogue.owner.email,
        "offlineTranscode": 1,
        "ownerFeatures": OWNER_FEATURES,
    }
    return {
        "allowCameraUpload": True,
        "allowChannelAccess": True,
        "allowMediaDeletion": user.is_owner,
        "allowSharing": True,
        "allowSync": user.is_owner,
        "allowTuners": True,
        "backgroundProcessing": True,
        "certificate": True,
        "companionProxy": True,
        "countryCode": "dnk",
        "diagnostics": "logs,databases,streaminglogs",
        "eventStream": True,
        "friendlyName": NAME,
        "livetv": 7,
        "machineIdentifier": state.machine_identifier,
        "musicAnalysis": 2,
        "myPlex": True,
        **(account if user.is_owner else {}),
        "photoAutoTag": True,
        "platform": "Linux",
        "platformVersion": "22.04.3 LTS (Jammy Jellyfish)",
        "pluginHost": True,
        "pushNotifications": False,
        "readOnlyLibraries": False,
        "streamingBrainABRVersion": 3,
        "streamingBrainVersion": 2,
        "sync": True,
        "transcoderActiveVideoSessions": 1 if _playing_items(state) else 0,
        "transcoderAudio": True,
        "transcoderLyrics": True,
        "transcoderSubtitles": True,
        "transcoderVideo": True,
        "transcoderVideoBitrates": "64,96,208,320,720,1500,2000,3000,4000,8000,10000,12000,20000",
        "transcoderVideoQualities": "0,1,2,3,4,5,6,7,8,9,10,11,12",
        "transcoderVideoResolutions": "128,128,160,240,320,480,768,720,720,1080,1080,1080,1080",
        "updatedAt": state.catalogue.started_at - 86_400,
        "updater": True,
        "version": VERSION,
        "voiceSearch": True,
    }


def show_root(state: ServerState, request: Request) -> Response:
    rows = [
        Node("Directory", {"count": 1, "key": key, "title": key}) for key in DIRECTORIES.split()
    ]
    server_attributes = _server_attributes(state, request.user)
    root_attributes: dict[str, Value] = {
        "hubSearch": True,
        "itemClusters": True,
        "mediaProviders": True,
        "multiuser": True,
        "requestParametersInCookie": True,
        "transcoderPhoto": True,
    }
    attributes = dict(sorted((server_attributes | root_attributes).items()))
    return request.respond_with_container(attributes, rows)


def show_identity(state: ServerState, request: Request) -> Response:
    attributes: dict[str, Value] = {
        "claimed": True,
        "machineIdentifier": state.machine_identifier,
        "version": VERSION,
    }
    return request.respond_with_container(attributes)


def list_providers(state: ServerState, request: Request) -> Response:
    """Describe the media provider and its libraries, with includeStorage=1 also their size."""
    directories = [Node("Directory", {"hubKey": "/hubs", "title": "Home"})]
    for library in visible_libraries(state, request):
        attributes: dict[str, Value] = {
            "agent": library.agent,
            "language": library.language,
            "refreshing": False,
            "scanner": library.scanner,
            "uuid": library.uuid,
            "id": library.key,
            "key": f"/library/sections/{library.key}",
            "hubKey": f"/hubs/sections/{library.key}",
            "type": library.type,
            "title": library.title,
            "updatedAt": library.updated_at,
            "scannedAt": library.scanned_at,
        }
        if request.flag("includeStorage") and request.user.is_owner:
            table = state.catalogue.table(library.key, library.item_types[-1])
            size, duration = state.catalogue.storage(library.key)
            attributes["storageTotal"] = size
            attributes["durationTotal"] = duration if table.type != "photo" else None
        pivots = [
            Node(
                "Pivot",
                {
                    "id": "library",
                    "key": f"/library/sections/{library.key}/all",
                    "type": "list",
                    "title": "Library",
                    "context": "content.library",
                    "symbol": "library",
                },
            )
        ]
        directories.append(Node("Directory", attributes, pivots))
    features = [Node("Feature", {"key": "/library/sections", "type": "content"}, directories)]
    for key, feature_type in (
        ("/hubs/search", "search"),
        ("/library/matches", "match"),
        ("/library/metadata", "metadata"),
        ("/photo/:/transcode", "imagetranscoder"),
        ("/hubs/promoted", "promoted"),
        ("/hubs/continueWatching", "continuewatching"),
        ("/playlists", "playlist"),
        ("/library/collections", "collection"),
        ("/:/timeline", "timeline"),
    ):
        features.append(Node("Feature", {"key": key, "type": feature_type}))
    provider = Node(
        "MediaProvider",
        {
            "identifier": "com.plexapp.plugins.library",
            "title": "Library",
            "types": "video,audio,photo",
            "protocols": "stream,download",
        },
        features,
    )
    return request.respond_with_container(_server_attributes(state, request.user), [provider])


# Sessions

# library key, item type and index of the items that are playing
PLAYING = (("1", "movie", 4), ("2", "episode", 2), ("5", "track", 1))

# id, title, platform, address, state, location and bandwidth of their players
PLAYERS = (
    ("living-room-tv", "Living Room TV", "Android", "10.0.0.21", "playing", "lan", 20_000),
    ("oskar-phone", "Oskar's Phone", "iOS", "10.0.0.35", "paused", "wan", 4_000),
    ("kitchen-speaker", "Kitchen Speaker", "Linux", "10.0.0.40", "playing", "lan", 900),
)


def _playing_items(state: ServerState) -> list[Item]:
    """Return the items that are playing: a movie, an episode and a track, if there are any."""
    playing = []
    for library_key, item_type, index in PLAYING:
        items = state.catalogue.items(library_key, item_type)
        if len(items) > index:
            playing.append(items[index])
    return playing


def list_sessions(state: ServerState, request: Request) -> Response:
    catalogue, options = state.catalogue, RenderOptions.from_request(request, full=True)
    users = (catalogue.owner, catalogue.viewer, catalogue.owner)
    rows = []
    for number, item in enumerate(_playing_items(state)):
        player_id, title, platform, address, playback, location, bandwidth = PLAYERS[number]
        user = users[number]
        avatar = f"https://plex.tv/users/{state.machine_identifier[:16]}/avatar?c={user.id}"
        children = [
            Node("User", {"id": str(user.id), "thumb": avatar, "title": user.name}),
            Node(
                "Player",
                {
                    "address": address,
                    "device": title,
                    "machineIdentifier": player_id,
                    "platform": platform,
                    "platformVersion": "11",
                    "product": f"Plex for {platform}",
                    "state": playback,
                    "title": title,
                    "version": "9.1.0",
                    "local": location == "lan",
                    "relayed": False,
                    "secure": True,
                    "userID": user.id,
                },
            ),
            Node(
                "Session", {"id": f"session{number}", "bandwidth": bandwidth, "location": location}
            ),
        ]
        if item.type == "movie":
            children.append(_transcode_node(item))
        extra: dict[str, Value] = {
            "sessionKey": str(number + 1),
            "viewOffset": (item.duration or 0) // 4,
        }
        rows.append(item_node(catalogue, user, item, options, extra, children))
    return request.respond_with_container({}, rows)


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


def list_accounts(state: ServerState, request: Request) -> Response:
    rows = [
        Node("Account", {"id": user.id, "key": f"/accounts/{user.id}", "name": user.name})
        for user in state.catalogue.users
    ]
    return request.respond_with_container({"identifier": "com.plexapp.system.accounts"}, rows)


def list_preferences(state: ServerState, request: Request) -> Response:
    setting: dict[str, Value] = {
        "id": "FriendlyName",
        "label": "Friendly name",
        "type": "text",
        "default": "",
        "value": NAME,
        "hidden": False,
        "advanced": False,
        "group": "general",
    }
    return request.respond_with_container({}, [Node("Setting", setting)])


def scrobble(state: ServerState, request: Request) -> Response:
    return _mark_watched(state, request, watched=True)


def unscrobble(state: ServerState, request: Request) -> Response:
    return _mark_watched(state, request, watched=False)


def _mark_watched(state: ServerState, request: Request, *, watched: bool) -> Response:
    item = get_item(state, request, request.arg("key"))
    state.catalogue.mark_watched(item.rating_key, request.user, watched=watched)
    return Response()


def rate(state: ServerState, request: Request) -> Response:
    item = get_item(state, request, request.arg("key"))
    try:
        rating = float(request.arg("rating"))
    except ValueError:
        raise HTTPError(400) from None
    state.catalogue.rate(item.rating_key, request.user, rating if rating >= 0 else None)
    return Response()


ROUTES = [
    route("GET", "/", show_root),
    route("GET", "/identity", show_identity),
    route("GET", "/media/providers", list_providers),
    route("GET", "/status/sessions", list_sessions, non_owner_status=403),
    route("GET", "/accounts", list_accounts, non_owner_status=403),
    route("GET", "/:/prefs", list_preferences, non_owner_status=403),
    *(route(method, "/:/scrobble", scrobble) for method in ("GET", "PUT")),
    *(route(method, "/:/unscrobble", unscrobble) for method in ("GET", "PUT")),
    *(route(method, "/:/rate", rate) for method in ("GET", "PUT")),
]
