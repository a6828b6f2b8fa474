"""What a script with python-plexapi does for similar JSON: the careful one and the naive one.

Their JSON is not the service's to the byte: the naive one's rows have only what a list has.

The careful script loads nothing twice: it asks for one page, and for its items in full at once. The
naive one lists the whole library with `all()` and writes the page from what the list has. Reloads
are switched off for both (the setting of the service does it).
"""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from plexapi.server import PlexServer

_TEXTS = (
    "guid", "type", "subtype", "title", "titleSort", "originalTitle", "summary", "rating",
    "audienceRating", "year", "tagline", "contentRating", "duration", "art", "thumb", "theme",
    "studio", "parentTitle", "index", "parentIndex", "grandparentTitle", "editionTitle",
    "userRating",
)  # fmt: skip
_TAGS = ("genres", "directors", "writers", "countries", "collections")
_MEDIA = (
    "id", "duration", "bitrate", "width", "height", "aspectRatio", "audioChannels", "audioCodec",
    "videoCodec", "videoResolution", "container", "videoFrameRate", "videoProfile",
)  # fmt: skip
_PART = ("id", "key", "duration", "size", "container", "videoProfile")
_STREAM = (
    "index", "language", "languageCode", "title", "displayTitle", "bitrate", "channels", "width",
    "height",
)  # fmt: skip
_STREAM_TYPES = {1: "video", 2: "audio", 3: "subtitle", 4: "lyrics"}
_EXTERNAL_IDS = {"imdb": "imdb", "tmdb": "tmdb", "tvdb": "tvdb", "mbid": "musicbrainz"}
_SIZE = 50


class Careful:
    """Ask for what the service asks for, and build the same JSON from python-plexapi's objects."""

    def __init__(self, server: PlexServer) -> None:
        self._server = server

    def movies(self) -> Any:
        return self._page(1, 1)

    def episodes(self) -> Any:
        return self._page(2, 4)

    def search(self, text: str) -> Any:
        root = self._server.query(f"/hubs/search?query={text}&limit={_SIZE}")
        rows = [row for hub in root if hub.get("type") == "movie" for row in hub]
        return [item(each) for each in self._complete([row.get("ratingKey") for row in rows])]

    def details(self, key: str) -> Any:
        (found,) = self._server.fetchItems(f"/library/metadata/{key}?includeChapters=1")
        return details(found)

    def _page(self, section: int, kind: int) -> Any:
        path = f"/library/sections/{section}/all?type={kind}&sort=titleSort:asc"
        rows = self._server.query(f"{path}&X-Plex-Container-Start=0&X-Plex-Container-Size={_SIZE}")
        return [item(each) for each in self._complete([row.get("ratingKey") for row in rows])]

    def _complete(self, keys: Sequence[Any]) -> list[Any]:
        found = self._server.fetchItems(f"/library/metadata/{','.join(keys)}")
        by_key = {str(each.ratingKey): each for each in found}
        return [by_key[key] for key in keys]


class Naive(Careful):
    """List everything and keep the first page."""

    def movies(self) -> Any:
        return [item(each) for each in self._server.library.sectionByID(1).all()[:_SIZE]]

    def episodes(self) -> Any:
        found = self._server.library.sectionByID(2).all(libtype="episode")
        return [item(each) for each in found[:_SIZE]]

    def search(self, text: str) -> Any:
        return [item(each) for each in self._server.search(text, mediatype="movie", limit=_SIZE)]


def written(data: Any) -> bytes:
    """Write the JSON and compress it, as a small web service would."""
    text = json.dumps({"success": True, "data": data}, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), 6)


def item(found: Any) -> dict[str, Any]:
    """Return an item as the service writes it, but for links and file paths."""
    members = {name: getattr(found, name, None) for name in _TEXTS}
    members |= {name: _tags(getattr(found, name, ())) for name in _TAGS}
    members |= {
        "originallyAvailableAt": _day(found.originallyAvailableAt),
        "externalIds": _external_ids(found),
        "actors": [_actor(each) for each in getattr(found, "roles", ())[:20]],
        "media": [_media(each) for each in found.media],
        "parentRatingKey": _text(getattr(found, "parentRatingKey", None)),
        "grandparentRatingKey": _text(getattr(found, "grandparentRatingKey", None)),
    }
    return _present(members) | {
        "ratingKey": str(found.ratingKey),
        "key": found.key,
        "addedAt": _instant(found.addedAt),
        "updatedAt": _instant(found.updatedAt),
        "library": {
            "id": str(found.librarySectionID),
            "title": found.librarySectionTitle,
            "type": "movie" if found.type == "movie" else "show",
        },
        "playbackProgress": {
            "viewOffset": found.viewOffset or 0,
            "viewCount": found.viewCount or 0,
            "lastViewedAt": _instant(found.lastViewedAt),
        },
    }


def details(found: Any) -> dict[str, Any]:
    """Return an item with everything that Plex has of it."""
    more = {
        "actors": [_actor(each) for each in found.roles],
        "producers": _tags(found.producers),
        "ratings": [_rating(each) for each in found.ratings],
        "chapters": [_chapter(each) for each in found.chapters],
        "media": [_media(each, with_streams=True) for each in found.media],
    }
    return item(found) | _present(more)


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, [], {})}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _instant(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d")


def _tags(found: Sequence[Any]) -> list[dict[str, Any]]:
    return [_present({"id": each.id, "tag": each.tag}) for each in found]


def _actor(found: Any) -> dict[str, Any]:
    return _present({"id": found.id, "tag": found.tag, "role": found.role, "thumb": found.thumb})


def _external_ids(found: Any) -> dict[str, str]:
    pairs = [each.id.split("://") for each in getattr(found, "guids", ())]
    return {_EXTERNAL_IDS[scheme]: identity for scheme, identity in pairs}


def _rating(found: Any) -> dict[str, Any]:
    provider = (found.image or "").partition("://")[0]
    return _present({"type": found.type}) | {"provider": provider, "value": found.value}


def _chapter(found: Any) -> dict[str, Any]:
    return _present({"index": found.index, "title": found.title}) | {
        "id": found.id,
        "startTimeOffset": found.start,
        "endTimeOffset": found.end,
    }


def _media(found: Any, *, with_streams: bool = False) -> dict[str, Any]:
    parts = [_part(each, with_streams) for each in found.parts]
    return {name: getattr(found, name) for name in _MEDIA} | {"parts": parts}


def _part(found: Any, with_streams: bool) -> dict[str, Any]:
    members = {name: getattr(found, name) for name in _PART} | {"file": None}
    if with_streams:
        members["streams"] = [_stream(each) for each in found.streams]
    return members


def _stream(found: Any) -> dict[str, Any]:
    return _present({name: getattr(found, name, None) for name in _STREAM}) | {
        "id": found.id,
        "streamType": _STREAM_TYPES[found.streamType],
        "codec": found.codec,
        "default": bool(found.default),
        "selected": bool(found.selected),
        "forced": bool(getattr(found, "forced", False)),
    }
