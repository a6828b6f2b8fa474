"""Plex's XML elements to media types: pure, no network, no trust in what Plex sends.

A value of the wrong kind counts as absent: Plex's attributes are texts, and python-plexapi's own
casts turn a bad one into NaN, a local time or an exception (see `gateway`).
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.ids import is_id
from medianest.api.fields import iso_instant

Libraries = Mapping[str, media.Library]

# The actors an item carries, in billing order; Plex keeps up to 200, the item's own page has all.
ACTORS = 20

ITEM_TYPES = frozenset(
    (
        "movie",
        "show",
        "season",
        "episode",
        "artist",
        "album",
        "track",
        "photo",
        "photoalbum",
        "clip",
    )
)

# https://developer.plex.tv/pms/: what a stream's number says it is.
_STREAM_TYPES = {"1": "video", "2": "audio", "3": "subtitle", "4": "lyrics"}

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
# Python's own float() also takes blanks, underscores and other scripts' digits.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LAST_EPOCH_SECOND = 253402300799
_TRUE, _FALSE = frozenset(("1", "true")), frozenset(("0", "false"))

_EXTERNAL = {"imdb": "imdb", "tmdb": "tmdb", "tvdb": "tvdb", "mbid": "musicbrainz"}
# Agents from before 2020 put one outside id into the guid itself; a path behind the id (show,
# season, episode) makes it the show's id, not this item's.
_LEGACY_GUID = re.compile(
    r"com\.plexapp\.agents\.(imdb|themoviedb|thetvdb)://([A-Za-z0-9]+)(?:\?|$)"
)
_LEGACY_AGENTS = {"imdb": "imdb", "themoviedb": "tmdb", "thetvdb": "tvdb"}


def text(element: Element, name: str) -> str | None:
    """Return an attribute, or None."""
    return element.get(name)


def whole(element: Element, name: str) -> int | None:
    """Return an attribute as an integer of at most 64 bits' worth of digits, or None."""
    value = element.get(name, "")
    return int(value) if _INTEGER.fullmatch(value) else None


def number(element: Element, name: str) -> float | None:
    """Return an attribute as a finite number, or None."""
    written = element.get(name, "")
    value = float(written) if _NUMBER.fullmatch(written) else math.inf
    return value if math.isfinite(value) else None


def flag(element: Element, name: str) -> bool | None:
    """Return an attribute as a boolean, or None."""
    value = element.get(name, "").lower()
    return True if value in _TRUE else False if value in _FALSE else None


def instant(element: Element, name: str) -> str | None:
    """Return an attribute of epoch seconds as an ISO 8601 text, or None."""
    seconds = whole(element, name)
    if seconds is None or not 0 <= seconds <= _LAST_EPOCH_SECOND:
        return None
    return iso_instant(datetime.fromtimestamp(seconds, UTC))


def libraries(root: Element) -> list[media.Library]:
    """Map the answer of /library/sections; a library without a key cannot be asked for."""
    return [
        media.Library(
            id=key,
            key=f"/library/sections/{key}",
            title=text(each, "title"),
            type=text(each, "type"),
            agent=text(each, "agent"),
            scanner=text(each, "scanner"),
            language=text(each, "language"),
            uuid=text(each, "uuid"),
            refreshing=flag(each, "refreshing"),
            createdAt=instant(each, "createdAt"),
            updatedAt=instant(each, "updatedAt"),
            scannedAt=instant(each, "scannedAt"),
            content=flag(each, "content"),
            directory=flag(each, "directory"),
            contentChangedAt=whole(each, "contentChangedAt"),
            hidden=whole(each, "hidden"),
            location=[
                media.Location(whole(place, "id"), text(place, "path"))
                for place in each.findall("Location")
            ],
        )
        for each in root.findall("Directory")
        if is_id(key := each.get("key", ""))
    ]


def filters(root: Element) -> list[media.Filter]:
    """Map the filters of the type that `includeMeta=1` marks active."""
    return [
        media.Filter(
            filter=text(each, "filter"),
            filterType=text(each, "filterType"),
            key=text(each, "key"),
            title=text(each, "title"),
            type=text(each, "type"),
        )
        for kind in root.findall("Meta/Type")
        if flag(kind, "active")
        for each in kind.findall("Filter")
    ]


def storage(root: Element) -> dict[str, media.Storage]:
    """Map the storage totals of /media/providers?includeStorage=1, by library."""
    return {
        each.get("id", ""): media.Storage(whole(each, "storageTotal"), whole(each, "durationTotal"))
        for provider in root.findall("MediaProvider")
        if provider.get("identifier") == "com.plexapp.plugins.library"
        for feature in provider.findall("Feature")
        if feature.get("type") == "content"
        for each in feature.findall("Directory")
        if each.get("storageTotal") or each.get("durationTotal")
    }


def choices(root: Element) -> media.Choices:
    """Map a filter's choices."""
    return media.Choices(
        tuple(
            media.Choice(int(key), each.get("title", ""))
            for each in root.findall("Directory")
            if is_id(key := each.get("key", ""))
        )
    )


def server(root: Element) -> media.ServerAnswer:
    """Map the answer of `/`."""
    owner_features = (root.get("ownerFeatures") or "").split(",")
    mapping_state = root.get("myPlexMappingState")
    livetv, music = whole(root, "livetv"), whole(root, "musicAnalysis")
    return media.ServerAnswer(
        server=media.Server(
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
            transcoderVideoBitrates=_list(root, "transcoderVideoBitrates"),
            transcoderVideoQualities=_list(root, "transcoderVideoQualities"),
            transcoderVideoResolutions=_list(root, "transcoderVideoResolutions"),
        ),
        features=media.Features(
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
        ),
    )


def rows(elements: Iterable[Element], container: Element, known: Libraries) -> list[media.Row]:
    """Map a list's items; what has no id or is no item is left out.

    The container tells the library where its items do not; `known` tells a library's title and
    type, which Plex sends with neither.
    """
    return [_row(each, container, known) for each in elements if _is_item(each)]


def search_rows(root: Element, known: Libraries) -> list[media.Row]:
    """Map the items of a search's hubs in the order Plex sent them; people and tags are none."""
    return [
        _row(each, each, known) for hub in root.findall("Hub") for each in hub if _is_item(each)
    ]


def item_elements(root: Element) -> dict[str, Element]:
    """Return a full answer's elements by rating key, to complete rows with."""
    return {each.get("ratingKey", ""): each for each in root if _is_item(each)}


def complete(row: media.Row, full: Element, known: Libraries) -> media.Row:
    """Replace a row's item by its full answer; the list keeps the say on why it is there.

    That is also when it came: a list of new things dates a season by its newest episode.
    """
    item = _item(full, full, known, row.item.library)
    return media.Row(
        item=replace(
            item,
            addedAt=row.item.addedAt or item.addedAt,
            playlistItemId=row.item.playlistItemId,
        ),
        addedAtSeconds=row.addedAtSeconds,
        score=row.score,
        reason=row.reason,
    )


def whole_item(root: Element, known: Libraries) -> media.Item | None:
    """Map an item's own answer with everything it holds; None where the id is no item's."""
    for each in root:
        if _is_item(each):
            return replace(
                _item(each, root, known),
                actors=_actors(each) or None,
                media=[_media(version, with_streams=True) for version in each.findall("Media")]
                or None,
                producers=_tags(each, "Producer"),
                ratings=_ratings(each) or None,
                chapters=_chapters(each) or None,
                editionTitle=text(each, "editionTitle"),
                userRating=number(each, "userRating"),
            )
    return None


def playlists(elements: Iterable[Element]) -> list[media.Playlist]:
    """Map a list of playlists."""
    return [
        media.Playlist(
            ratingKey=key,
            key=f"/playlists/{key}",
            type="playlist",
            title=text(each, "title"),
            playlistType=text(each, "playlistType"),
            smart=bool(flag(each, "smart")),
            addedAt=instant(each, "addedAt"),
            updatedAt=instant(each, "updatedAt"),
            itemCount=whole(each, "leafCount"),
            duration=whole(each, "duration"),
            summary=text(each, "summary"),
            composite=text(each, "composite"),
        )
        for each in elements
        if each.get("type") == "playlist" and is_id(key := each.get("ratingKey", ""))
    ]


def collections(
    elements: Iterable[Element], library: media.LibraryReference
) -> list[media.Collection]:
    """Map a list of collections."""
    return [
        _collection(each, library)
        for each in elements
        if each.get("type") == "collection" and is_id(each.get("ratingKey", ""))
    ]


def collection(root: Element, known: Libraries) -> media.Collection | None:
    """Map one collection's own answer; None where the id is another kind of thing's."""
    for each in root:
        if each.get("type") == "collection" and is_id(each.get("ratingKey", "")):
            return _collection(each, _library(each, root, known))
    return None


def _is_item(element: Element) -> bool:
    return element.get("type") in ITEM_TYPES and is_id(element.get("ratingKey", ""))


def _row(element: Element, container: Element, known: Libraries) -> media.Row:
    return media.Row(
        item=_item(element, container, known),
        addedAtSeconds=whole(element, "addedAt"),
        score=number(element, "score") or 0.0,
        reason=element.get("reason") or None,
    )


def _item(
    element: Element,
    container: Element,
    known: Libraries,
    library: media.LibraryReference | None = None,
) -> media.Item:
    key = element.attrib["ratingKey"]
    kind = element.attrib["type"]
    # Photo albums come as photos whose key leads to children.
    if kind == "photo" and element.tag == "Directory":
        kind = "photoalbum"
    title = text(element, "title")
    leaves = whole(element, "leafCount")
    children = whole(element, "childCount")
    is_show = kind == "show"
    return media.Item(
        ratingKey=key,
        key=f"/library/metadata/{key}",
        type=kind,
        title=title,
        addedAt=instant(element, "addedAt"),
        updatedAt=instant(element, "updatedAt"),
        library=_library(element, container, known) or library,
        playbackProgress=media.PlaybackProgress(
            viewOffset=whole(element, "viewOffset") or 0,
            viewCount=whole(element, "viewCount") or 0,
            lastViewedAt=instant(element, "lastViewedAt"),
        ),
        guid=text(element, "guid"),
        externalIds=_external_ids(element),
        subtype=text(element, "subtype"),
        titleSort=text(element, "titleSort") or title,
        originalTitle=text(element, "originalTitle"),
        summary=text(element, "summary"),
        rating=number(element, "rating"),
        audienceRating=number(element, "audienceRating"),
        year=whole(element, "year"),
        tagline=text(element, "tagline"),
        contentRating=text(element, "contentRating"),
        duration=whole(element, "duration"),
        originallyAvailableAt=text(element, "originallyAvailableAt"),
        art=text(element, "art"),
        thumb=text(element, "thumb"),
        banner=text(element, "banner"),
        theme=text(element, "theme"),
        studio=text(element, "studio"),
        genres=_tags(element, "Genre"),
        directors=_tags(element, "Director"),
        writers=_tags(element, "Writer"),
        actors=_actors(element)[:ACTORS] or None,
        countries=_tags(element, "Country"),
        collections=_tags(element, "Collection"),
        media=[_media(each) for each in element.findall("Media")] or None,
        parentRatingKey=text(element, "parentRatingKey"),
        parentTitle=text(element, "parentTitle"),
        grandparentRatingKey=text(element, "grandparentRatingKey"),
        grandparentTitle=text(element, "grandparentTitle"),
        index=whole(element, "index"),
        parentIndex=whole(element, "parentIndex"),
        # Plex says `seasonCount` only where the show has specials, which childCount includes.
        seasonCount=_first(whole(element, "seasonCount"), children) if is_show else None,
        episodeCount=leaves if is_show else None,
        childCount=children,
        leafCount=leaves,
        viewedLeafCount=whole(element, "viewedLeafCount"),
        playlistItemId=whole(element, "playlistItemID"),
    )


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _library(
    element: Element, container: Element, known: Libraries
) -> media.LibraryReference | None:
    for source in (element, container):
        if key := source.get("librarySectionID"):
            if library := known.get(key):
                return library.reference
            return media.LibraryReference(key, source.get("librarySectionTitle"), None)
    return None


def _collection(element: Element, library: media.LibraryReference | None) -> media.Collection:
    key = element.attrib["ratingKey"]
    title = text(element, "title")
    return media.Collection(
        ratingKey=key,
        key=f"/library/metadata/{key}",
        type="collection",
        title=title,
        addedAt=instant(element, "addedAt"),
        updatedAt=instant(element, "updatedAt"),
        childCount=whole(element, "childCount"),
        smart=bool(flag(element, "smart")),
        library=library,
        titleSort=text(element, "titleSort") or title,
        summary=text(element, "summary"),
        contentRating=text(element, "contentRating"),
        art=text(element, "art"),
        thumb=text(element, "thumb"),
        subtype=text(element, "subtype"),
    )


def _list(element: Element, name: str) -> list[str] | None:
    value = element.get(name)
    return None if value is None else [part for part in value.split(",") if part]


def _tags(element: Element, name: str) -> list[media.Tag] | None:
    found: Iterable[Element] = element.findall(name)
    return [
        media.Tag(tag=each.attrib["tag"], id=whole(each, "id"))
        for each in found
        if each.get("tag") is not None
    ] or None


def _actors(element: Element) -> list[media.Actor]:
    return [
        media.Actor(
            tag=each.attrib["tag"],
            id=whole(each, "id"),
            role=text(each, "role"),
            thumb=text(each, "thumb"),
        )
        for each in element.findall("Role")
        if each.get("tag") is not None
    ]


def _ratings(element: Element) -> list[media.Rating]:
    return [
        # The image names who rated: rottentomatoes://image.rating.ripe.
        media.Rating(each.get("image", "").partition("://")[0], text(each, "type"), value)
        for each in element.findall("Rating")
        if (value := number(each, "value")) is not None
    ]


def _chapters(element: Element) -> list[media.Chapter]:
    return [
        media.Chapter(
            id=whole(each, "id"),
            index=whole(each, "index"),
            title=text(each, "tag"),
            startTimeOffset=whole(each, "startTimeOffset"),
            endTimeOffset=whole(each, "endTimeOffset"),
        )
        for each in element.findall("Chapter")
    ]


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


def _media(element: Element, *, with_streams: bool = False) -> media.Media:
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
        parts=[
            media.Part(
                id=whole(part, "id"),
                key=text(part, "key"),
                duration=whole(part, "duration"),
                file=text(part, "file"),
                size=whole(part, "size"),
                container=text(part, "container"),
                videoProfile=text(part, "videoProfile"),
                streams=[_stream(each) for each in part.findall("Stream")]
                if with_streams
                else None,
            )
            for part in element.findall("Part")
        ],
    )


def _external_ids(element: Element) -> media.ExternalIds | None:
    known: dict[str, str] = {}
    if legacy := _LEGACY_GUID.match(element.get("guid", "")):
        known[_LEGACY_AGENTS[legacy[1]]] = legacy[2]
    for each in element.findall("Guid"):
        scheme, _, identifier = each.get("id", "").partition("://")
        if scheme in _EXTERNAL and identifier:
            known[_EXTERNAL[scheme]] = identifier
    return media.ExternalIds(**known) if known else None
