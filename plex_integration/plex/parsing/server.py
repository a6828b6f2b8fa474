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
    mapping_state = root.get("myPlexMappingState")
    return media.Features(
        activityNotifications=flag(root, "eventStream"),
        collections=_feature(root, "collections"),
        dvr=_feature(root, "dvr"),
        livetv=_feature(root, "livetv", _is_version(root, "livetv")),
        musicAnalysis=_feature(root, "music-analysis", _is_version(root, "musicAnalysis")),
        photoTranscoding=flag(root, "transcoderPhoto"),
        premium=flag(root, "myPlexSubscription"),
        publish=None if mapping_state is None else mapping_state == "mapped",
        sync=_feature(root, "sync", flag(root, "sync")),
        voiceSearch=flag(root, "voiceSearch"),
    )


def _feature(root: Element, name: str, reported: bool | None = None) -> bool | None:
    """Return whether the server has a feature; None where Plex sends nothing about it.

    `reported` is what an attribute of its own says. `ownerFeatures` lists what the owner may use.
    """
    listed = texts(root, "ownerFeatures")
    if reported or listed is None:
        return reported
    return name in listed


def _is_version(root: Element, name: str) -> bool | None:
    """Return whether a version is one: Plex sends 0, or nothing, for a feature that is off."""
    version = whole(root, name)
    return None if version is None else version > 0
