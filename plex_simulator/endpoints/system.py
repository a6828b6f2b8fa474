"""Endpoints for the server itself: /, /identity, /media/providers, /accounts and /:/prefs."""

from plex_simulator.endpoints.sessions import playing_items
from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import Account
from plex_simulator.nodes import Node, Value
from plex_simulator.preferences import PREFERENCES, Preference, Setting
from plex_simulator.routing import NAME, VERSION, ServerState, route, visible_libraries

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


def _server_attributes(state: ServerState, user: Account) -> dict[str, Value]:
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
        "transcoderActiveVideoSessions": 1 if playing_items(state) else 0,
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


def list_accounts(state: ServerState, request: Request) -> Response:
    """List the accounts that have access, after the nameless one with the id 0."""
    members = [(user.id, user.name) for user in state.catalogue.users if user.has_access]
    rows = [_account_node(number, name) for number, name in [(0, ""), *members]]
    return request.respond_with_container({"identifier": "com.plexapp.system.accounts"}, rows)


def _account_node(number: int, name: str) -> Node:
    return Node(
        "Account",
        {
            "id": number,
            "key": f"/accounts/{number}",
            "name": name,
            "defaultAudioLanguage": "en",
            "autoSelectAudio": True,
            "defaultSubtitleLanguage": "en",
            "subtitleMode": 1,
            "thumb": "",
        },
    )


def list_preferences(state: ServerState, request: Request) -> Response:
    values = state.preferences.values
    rows = [_preference_node(each, values[each.id]) for each in PREFERENCES]
    return request.respond_with_container({}, rows)


def _preference_node(preference: Preference, value: Setting) -> Node:
    return Node(
        "Setting",
        {
            "id": preference.id,
            "label": preference.label,
            "summary": "",
            "type": preference.type,
            "default": preference.default,
            "value": value,
            "hidden": False,
            "advanced": False,
            "group": preference.group,
            "enumValues": preference.choices or None,
        },
    )


def change_preferences(state: ServerState, request: Request) -> Response:
    """Set the settings in the query."""
    texts = {name: text for name, text in request.pairs if not name.startswith("X-Plex-")}
    try:
        state.preferences.change(texts)
    except ValueError:
        raise HTTPError(400) from None
    return Response(type="text/html")


ROUTES = [
    route("GET", "/", show_root),
    route("GET", "/identity", show_identity),
    route("GET", "/media/providers", list_providers),
    route("GET", "/accounts", list_accounts, non_owner_status=403),
    route("GET", "/:/prefs", list_preferences, non_owner_status=403),
    route("PUT", "/:/prefs", change_preferences, non_owner_status=403),
]
