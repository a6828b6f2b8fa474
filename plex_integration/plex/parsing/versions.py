"""Parse the versions of an item, their files and the streams in them."""

from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.parsing.attributes import flag, number, text, whole

# What a stream's number stands for: https://developer.plex.tv/pms/
_STREAM_TYPES = dict(zip("1234", media.STREAM_TYPES, strict=True))


def parse_versions(element: Element, *, with_streams: bool = False) -> list[media.Media] | None:
    """Parse the versions of an item; None if it has none."""
    return [_version(each, with_streams) for each in element.findall("Media")] or None


def _version(element: Element, with_streams: bool) -> media.Media:
    return media.Media(
        id=whole(element, "id"),
        duration=whole(element, "duration"),
        bitrate=whole(element, "bitrate"),
        width=whole(element, "width"),
        height=whole(element, "height"),
        aspectRatio=number(element, "aspectRatio"),
        audioChannels=whole(element, "audioChannels"),
        audioCodec=text(element, "audioCodec"),
        videoCodec=text(element, "videoCodec"),
        videoResolution=text(element, "videoResolution"),
        container=text(element, "container"),
        videoFrameRate=text(element, "videoFrameRate"),
        videoProfile=text(element, "videoProfile"),
        parts=[_part(each, with_streams) for each in element.findall("Part")],
    )


def _part(element: Element, with_streams: bool) -> media.Part:
    return media.Part(
        id=whole(element, "id"),
        key=text(element, "key"),
        duration=whole(element, "duration"),
        file=text(element, "file"),
        size=whole(element, "size"),
        container=text(element, "container"),
        videoProfile=text(element, "videoProfile"),
        streams=[_stream(each) for each in element.findall("Stream")] if with_streams else None,
    )


def _stream(element: Element) -> media.Stream:
    return media.Stream(
        id=whole(element, "id"),
        streamType=_STREAM_TYPES.get(element.get("streamType", "")),
        codec=text(element, "codec"),
        index=whole(element, "index"),
        language=text(element, "language"),
        languageCode=text(element, "languageCode"),
        title=text(element, "title"),
        displayTitle=text(element, "displayTitle"),
        default=bool(flag(element, "default")),
        selected=bool(flag(element, "selected")),
        forced=bool(flag(element, "forced")),
        bitrate=whole(element, "bitrate"),
        channels=whole(element, "channels"),
        width=whole(element, "width"),
        height=whole(element, "height"),
    )
