"""What a careful programmer writes with python-plexapi for a page of complete movies, as JSON.

Two requests, as the service sends them: the page, then its movies with everything. Objects do not
load themselves again (`PLEXAPI_PLEXAPI_AUTORELOAD`).
"""

import json
from datetime import datetime
from typing import Any

from plexapi.server import PlexServer

PAGE = "/library/sections/1/all?type=1&sort=titleSort"
SIZE = 50
# fmt: off
SIMPLE = (
    "ratingKey", "key", "guid", "type", "title", "titleSort", "originalTitle", "summary",
    "rating", "audienceRating", "year", "tagline", "contentRating", "duration", "art", "thumb",
    "theme", "studio", "viewCount", "viewOffset",
)
# fmt: on
TAGS = ("genres", "directors", "writers", "countries", "collections")
# fmt: off
OF_MEDIA = (
    "id", "duration", "bitrate", "width", "height", "aspectRatio", "audioChannels",
    "audioCodec", "videoCodec", "videoResolution", "container", "videoFrameRate",
    "videoProfile",
)
# fmt: on
OF_PART = ["id", "key", "duration", "file", "size", "container", "videoProfile"]


class CarefulScript:
    """A connected server."""

    def __init__(self, url: str, token: str) -> None:
        self._server = PlexServer(url, token)

    def page(self) -> bytes:
        """Return the first page of movies as JSON."""
        rows = self._server.fetchItems(
            PAGE, container_start=0, container_size=SIZE, maxresults=SIZE
        )
        keys = ",".join(str(row.ratingKey) for row in rows)
        found = self._server.fetchItems(f"/library/metadata/{keys}?includeGuids=1")
        return json.dumps({"items": [_item(movie) for movie in found]}).encode()


def _item(movie: Any) -> dict[str, Any]:
    return {
        **_members(movie, SIMPLE),
        **{name: _time(getattr(movie, name)) for name in ("addedAt", "updatedAt", "lastViewedAt")},
        "originallyAvailableAt": _time(movie.originallyAvailableAt),
        "externalIds": dict(guid.id.split("://", 1) for guid in movie.guids),
        **{name: [_members(tag, ("id", "tag")) for tag in getattr(movie, name)] for name in TAGS},
        "actors": [_members(role, ("id", "tag", "role", "thumb")) for role in movie.roles[:20]],
        "media": [
            {
                **_members(media, OF_MEDIA),
                "parts": [_members(part, OF_PART) for part in media.parts],
            }
            for media in movie.media
        ],
    }


def _members(holder: Any, names: Any) -> dict[str, Any]:
    return {name: getattr(holder, name) for name in names}


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
