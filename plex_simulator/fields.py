"""The fields Plex sorts and filters by: how each is read off an item, and what kind it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plex_simulator.models import Item, Media, Viewing


@dataclass(frozen=True, slots=True)
class Field:
    kind: str  # tag, integer, string, date, boolean, exact
    read: Callable[[Item, Viewing], Any]
    personal: bool = False  # differs from user to user


def _media(item: Item) -> Media | None:
    return item.media[0] if item.media else None


def _ids(attribute: str) -> Callable[[Item, Viewing], tuple[int, ...]]:
    return lambda item, _: tuple(tag.id for tag in getattr(item, attribute))


def _plain(attribute: str) -> Callable[[Item, Viewing], Any]:
    return lambda item, _: getattr(item, attribute)


def _unviewed(item: Item, seen: Viewing) -> int | None:
    return None if item.leaf_count is None else item.leaf_count - seen.viewed_leaf_count


FIELDS: dict[str, Field] = {
    "titleSort": Field("string", lambda item, _: item.sort_title.casefold()),
    "title": Field("string", _plain("title")),
    "summary": Field("string", _plain("summary")),
    "tagline": Field("string", _plain("tagline")),
    "studio": Field("string", _plain("studio")),
    "editionTitle": Field("string", _plain("edition_title")),
    "guid": Field("exact", _plain("guid")),
    "contentRating": Field("exact", _plain("content_rating")),
    "network": Field("exact", _plain("network")),
    "id": Field("integer", lambda item, _: int(item.rating_key)),
    "index": Field("integer", _plain("index")),
    "absoluteIndex": Field("integer", _plain("index")),
    "year": Field("integer", _plain("year")),
    "decade": Field("integer", lambda item, _: item.year and item.year // 10 * 10),
    "rating": Field("integer", _plain("rating")),
    "audienceRating": Field("integer", _plain("audience_rating")),
    "duration": Field("integer", _plain("duration")),
    "originallyAvailableAt": Field("date", _plain("originally_available_at")),
    "addedAt": Field("date", _plain("added_at")),
    "updatedAt": Field("date", _plain("updated_at")),
    "viewUpdatedAt": Field("date", _plain("updated_at")),
    "resolution": Field("exact", lambda item, _: (m := _media(item)) and m.video_resolution),
    "mediaHeight": Field("integer", lambda item, _: (m := _media(item)) and m.height),
    "mediaBitrate": Field("integer", lambda item, _: (m := _media(item)) and m.bitrate),
    "hdr": Field("boolean", lambda item, _: (m := _media(item)) and m.video_profile == "main 10"),
    "duplicate": Field("boolean", lambda item, _: len(item.media) > 1),
    "unmatched": Field("boolean", lambda item, _: item.guid.startswith("local://")),
    "genre": Field("tag", _ids("genres")),
    "country": Field("tag", _ids("countries")),
    "director": Field("tag", _ids("directors")),
    "writer": Field("tag", _ids("writers")),
    "producer": Field("tag", _ids("producers")),
    "actor": Field("tag", _ids("roles")),
    "collection": Field("tag", _ids("collections")),
    "label": Field("tag", _ids("labels")),
    "viewCount": Field("integer", lambda _, seen: seen.view_count or None, personal=True),
    "viewOffset": Field("integer", lambda _, seen: seen.view_offset or None, personal=True),
    "lastViewedAt": Field("date", lambda _, seen: seen.last_viewed_at, personal=True),
    "userRating": Field("integer", lambda _, seen: seen.user_rating, personal=True),
    "inProgress": Field("boolean", lambda _, seen: seen.view_offset > 0, personal=True),
    "unviewedLeafCount": Field("integer", _unviewed, personal=True),
    # On shows "unwatched" means that no episode was seen; unwatchedLeaves that one was not.
    "unwatched": Field(
        "boolean",
        lambda _, seen: seen.view_count == 0 and seen.viewed_leaf_count == 0,
        personal=True,
    ),
    "unwatchedLeaves": Field(
        "boolean", lambda item, seen: bool(_unviewed(item, seen)), personal=True
    ),
}

# What a type can be filtered and sorted by; anything else is an unknown key.
_EVERYTHING = {"titleSort", "title", "summary", "guid", "id", "index", "addedAt", "updatedAt"}
_WATCHED = {"viewCount", "lastViewedAt", "userRating"}
_FILES = {"duration", "resolution", "mediaHeight", "mediaBitrate", "hdr", "duplicate"}
_FILES |= {"viewOffset", "inProgress", "unwatched", "unmatched"}
_CREDITS = {"genre", "country", "director", "writer", "producer", "actor", "collection", "label"}
_ABOUT = {"year", "decade", "rating", "audienceRating", "contentRating", "studio", "tagline"}
_ABOUT |= {"originallyAvailableAt"}
_LEAVES = {"unwatched", "unwatchedLeaves", "unviewedLeafCount", "unmatched"}

TYPE_FIELDS: dict[str, set[str]] = {
    "movie": _EVERYTHING | _WATCHED | _FILES | _CREDITS | _ABOUT | {"editionTitle"},
    "show": _EVERYTHING | _WATCHED | _LEAVES | _CREDITS | _ABOUT | {"network", "duration"},
    "season": _EVERYTHING | _WATCHED | _LEAVES | {"collection", "label"},
    "episode": _EVERYTHING | _WATCHED | _FILES | _ABOUT | {"collection", "label"},
    "artist": _EVERYTHING | _WATCHED | {"genre", "country", "collection", "label"},
    "album": _EVERYTHING | _WATCHED | _ABOUT | {"genre", "collection", "label"},
    "track": _EVERYTHING | _WATCHED | {"label", "duration", "absoluteIndex", "mediaBitrate"},
    "photoalbum": _EVERYTHING | {"userRating"},
    "photo": _EVERYTHING | {"userRating", "year", "originallyAvailableAt", "viewUpdatedAt"},
}
