"""Parse the server's response about itself."""

from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.parsing.attributes import flag, instant, text, texts, whole


def parse_server(root: Element) -> media.ServerInfo:
    """Parse the response of `/`."""
    return media.ServerInfo(server=_server(root), features=_features(root))


def _server(root: Element) -> media.Server:
    return media.Server(
        name=text(root, "friendlyName"),
        version=text(root, "version"),
        platform=text(root, "platform"),
        platformVersion=text(root, "platformVersion"),
        machineIdentifier=text(root, "machineIdentifier"),
        updatedAt=instant(root, "updatedAt"),
        multiuser=flag(root, "multiuser"),
        transcoderActiveVideoSessions=whole(root, "transcoderActiveVideoSessions"),
        transcoderAudio=flag(root, "transcoderAudio"),
        transcoderVideo=flag(root, "transcoderVideo"),
        transcoderVideoBitrates=texts(root, "transcoderVideoBitrates"),
        transcoderVideoQualities=texts(root, "transcoderVideoQualities"),
        transcoderVideoResolutions=texts(root, "transcoderVideoResolutions"),
    )


def _features(root: Element) -> media.Features:
    owner_features = (root.get("ownerFeatures") or "").split(",")
    mapping_state = root.get("myPlexMappingState")
    livetv, music = whole(root, "livetv"), whole(root, "musicAnalysis")
    return media.Features(
        activityNotifications=flag(root, "eventStream"),
        collections="collections" in owner_features,
        dvr="dvr" in owner_features,
        livetv=bool(livetv) or "livetv" in owner_features,
        musicAnalysis=bool(music) or "music-analysis" in owner_features,
        photoTranscoding=flag(root, "transcoderPhoto"),
        premium=flag(root, "myPlexSubscription"),
        publish=None if mapping_state is None else mapping_state == "mapped",
        sync="sync" in owner_features or flag(root, "sync"),
        voiceSearch=flag(root, "voiceSearch"),
    )
