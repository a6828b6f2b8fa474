"""The server itself: /, /identity, /media/providers, /status/sessions, accounts and settings."""

from plex_simulator.endpoints.library import rows_of
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.models import Item, User
from plex_simulator.nodes import Node, Value
from plex_simulator.rendering import item_node, style
from plex_simulator.routing import NAME, VERSION, World, libraries_for, route

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


def _about(world: World, user: User) -> dict[str, Value]:
    """Describe the server; others than the owner are not told the owner's account."""
    account: dict[str, Value] = {
        "myPlexMappingState": "mapped",
        "myPlexSigninState": "ok",
        "myPlexSubscription": True,
        "myPlexUsername": world.catalogue.owner.email,
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
        "machineIdentifier": world.machine,
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
        "transcoderActiveVideoSessions": 1 if len(_sessions(world)) else 0,
        "transcoderAudio": True,
        "transcoderLyrics": True,
        "transcoderSubtitles": True,
        "transcoderVideo": True,
        "transcoderVideoBitrates": "64,96,208,320,720,1500,2000,3000,4000,8000,10000,12000,20000",
        "transcoderVideoQualities": "0,1,2,3,4,5,6,7,8,9,10,11,12",
        "transcoderVideoResolutions": "128,128,160,240,320,480,768,720,720,1080,1080,1080,1080",
        "updatedAt": world.catalogue.started_at - 86_400,
        "updater": True,
        "version": VERSION,
        "voiceSearch": True,
    }


def root(world: World, request: Request) -> Reply:
    rows = [
        Node("Directory", {"count": 1, "key": key, "title": key}) for key in DIRECTORIES.split()
    ]
    about = _about(world, request.user)
    more: dict[str, Value] = {
        "hubSearch": True,
        "itemClusters": True,
        "mediaProviders": True,
        "multiuser": True,
        "requestParametersInCookie": True,
        "transcoderPhoto": True,
    }
    return request.container(dict(sorted((about | more).items())), rows)


def identity(world: World, request: Request) -> Reply:
    head: dict[str, Value] = {
        "claimed": True,
        "machineIdentifier": world.machine,
        "version": VERSION,
    }
    return request.container(head)


def providers(world: World, request: Request) -> Reply:
    """Describe what is offered; with includeStorage=1 how much each library holds."""
    directories = [Node("Directory", {"hubKey": "/hubs", "title": "Home"})]
    for library in libraries_for(world, request):
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
            shelf = world.catalogue.shelf(library.key, library.item_types[-1])
            size, duration = world.catalogue.storage(library.key)
            attributes["storageTotal"] = size
            attributes["durationTotal"] = duration if shelf.type != "photo" else None
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
    for key, kind in (
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
        features.append(Node("Feature", {"key": key, "type": kind}))
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
    return request.container(_about(world, request.user), [provider])


# Sessions

PLAYERS = (
    ("living-room-tv", "Living Room TV", "Android", "10.0.0.21", "playing", "lan", 20_000),
    ("oskar-phone", "Oskar's Phone", "iOS", "10.0.0.35", "paused", "wan", 4_000),
    ("kitchen-speaker", "Kitchen Speaker", "Linux", "10.0.0.40", "playing", "lan", 900),
)


def _sessions(world: World) -> list[Item]:
    """Say what is being played: one film, one episode, one track, where there are any."""
    playing = []
    for library_key, kind, index in (("1", "movie", 4), ("2", "episode", 2), ("5", "track", 1)):
        items = world.catalogue.items(library_key, kind)
        if len(items) > index:
            playing.append(items[index])
    return playing


def sessions(world: World, request: Request) -> Reply:
    catalogue, look = world.catalogue, style(request, full=True)
    users = (catalogue.owner, catalogue.viewer, catalogue.owner)
    rows = []
    for number, item in enumerate(_sessions(world)):
        machine, title, platform, address, state, location, bandwidth = PLAYERS[number]
        user = users[number]
        portrait = f"https://plex.tv/users/{world.machine[:16]}/avatar?c={user.id}"
        more = [
            Node("User", {"id": str(user.id), "thumb": portrait, "title": user.name}),
            Node(
                "Player",
                {
                    "address": address,
                    "device": title,
                    "machineIdentifier": machine,
                    "platform": platform,
                    "platformVersion": "11",
                    "product": f"Plex for {platform}",
                    "state": state,
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
            more.append(_transcode(item))
        extra: dict[str, Value] = {
            "sessionKey": str(number + 1),
            "viewOffset": (item.duration or 0) // 4,
        }
        rows.append(item_node(catalogue, user, item, look, extra, more))
    return request.container({}, rows)


def _transcode(item: Item) -> Node:
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


def accounts(world: World, request: Request) -> Reply:
    rows = [
        Node("Account", {"id": user.id, "key": f"/accounts/{user.id}", "name": user.name})
        for user in world.catalogue.users
    ]
    return request.container({"identifier": "com.plexapp.system.accounts"}, rows)


def preferences(world: World, request: Request) -> Reply:
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
    return request.container({}, [Node("Setting", setting)])


def history(world: World, request: Request) -> Reply:
    """Refuse bad sorts as Plex does; the history itself is that of watched films."""
    field, _, direction = request.arg("sort", "viewedAt:desc").partition(":")
    if field not in ("viewedAt", "id") or direction not in ("", "asc", "desc"):
        raise Refusal(400)
    owner = world.catalogue.owner
    films = world.catalogue.items("1", "movie")[:1_000]
    seen = [item for item in films if item.seen_by(owner).view_count]
    down = direction != "asc"
    seen.sort(key=lambda item: item.seen_by(owner).last_viewed_at or 0, reverse=down)
    return rows_of(world, request, seen, style(request, section=True))


def scrobble(world: World, request: Request) -> Reply:
    return _mark(world, request, watched=True)


def unscrobble(world: World, request: Request) -> Reply:
    return _mark(world, request, watched=False)


def _mark(world: World, request: Request, *, watched: bool) -> Reply:
    item = world.catalogue.item(request.arg("key"))
    if item is None or not request.user.may_see(item.library_key):
        raise Refusal(404)
    world.catalogue.mark_watched(item.rating_key, request.user, watched=watched)
    return Reply()


def rate(world: World, request: Request) -> Reply:
    item = world.catalogue.item(request.arg("key"))
    if item is None or not request.user.may_see(item.library_key):
        raise Refusal(404)
    try:
        stars = float(request.arg("rating"))
    except ValueError:
        raise Refusal(400) from None
    world.catalogue.rate(item.rating_key, request.user, stars if stars >= 0 else None)
    return Reply()


ROUTES = [
    route("GET", "/", root),
    route("GET", "/identity", identity),
    route("GET", "/media/providers", providers),
    route("GET", "/status/sessions", sessions, refuse_others=403),
    route("GET", "/status/sessions/history/all", history, refuse_others=403),
    route("GET", "/accounts", accounts, refuse_others=403),
    route("GET", "/:/prefs", preferences, refuse_others=403),
    *(route(verb, "/:/scrobble", scrobble) for verb in ("GET", "PUT")),
    *(route(verb, "/:/unscrobble", unscrobble) for verb in ("GET", "PUT")),
    *(route(verb, "/:/rate", rate) for verb in ("GET", "PUT")),
]
