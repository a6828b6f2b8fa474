"""The fields that Plex can filter and sort by: their type, and how to read them from an item."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plex_simulator.models import Item, Media, WatchState


@dataclass(frozen=True, slots=True)
class Field:
    """A field of items. Its type decides which operators a filter can use."""

    type: str  # tag, integer, string, date, boolean or exact
    read: Callable[[Item, WatchState], Any]
    personal: bool = False  # whether the value depends on the user


def _first_media(item: Item) -> Media | None:
    return item.media[0] if item.media else None


# The fields of type "tag", and the attributes of items with the tags or people.
TAG_ATTRIBUTES = {
    "genre": "genres",
    "country": "countries",
    "director": "directors",
    "writer": "writers",
    "producer": "producers",
    "actor": "roles",
    "collection": "collections",
    "label": "labels",
}


def _tag_ids(attribute: str) -> Callable[[Item, WatchState], tuple[int, ...]]:
    return lambda item, _: tuple(tag.id for tag in getattr(item, attribute))


def _attribute(name: str) -> Callable[[Item, WatchState], Any]:
    return lambda item, _: getattr(item, name)


def _unviewed_leaf_count(item: Item, watch_state: WatchState) -> int | None:
    return None if item.leaf_count is None else item.leaf_count - watch_state.viewed_leaf_count


FIELDS: dict[str, Field] = {
    "titleSort": Field("string", lambda item, _: item.sort_title.casefold()),
    "title": Field("string", _attribute("title")),
    "summary": Field("string", _attribute("summary")),
    "tagline": Field("string", _attribute("tagline")),
    "studio": Field("string", _attribute("studio")),
    "editionTitle": Field("string", _attribute("edition_title")),
    "guid": Field("exact", _attribute("guid")),
    "contentRating": Field("exact", _attribute("content_rating")),
    "network": Field("exact", _attribute("network")),
    "id": Field("integer", lambda item, _: int(item.rating_key)),
    "index": Field("integer", _attribute("index")),
    "absoluteIndex": Field("integer", _attribute("index")),
    "year": Field("integer", _attribute("year")),
    "decade": Field("integer", lambda item, _: item.year and item.year // 10 * 10),
    "rating": Field("integer", _attribute("rating")),
    "audienceRating": Field("integer", _attribute("audience_rating")),
    "duration": Field("integer", _attribute("duration")),
    "originallyAvailableAt": Field("date", _attribute("originally_available_at")),
    "addedAt": Field("date", _attribute("added_at")),
    "updatedAt": Field("date", _attribute("updated_at")),
    "viewUpdatedAt": Field("date", _attribute("updated_at")),
    "resolution": Field("exact", lambda item, _: (m := _first_media(item)) and m.video_resolution),
    "mediaHeight": Field("integer", lambda item, _: (m := _first_media(item)) and m.height),
    "mediaBitrate": Field("integer", lambda item, _: (m := _first_media(item)) and m.bitrate),
    "hdr": Field(
        "boolean", lambda item, _: (m := _first_media(item)) and m.video_profile == "main 10"
    ),
    "duplicate": Field("boolean", lambda item, _: len(item.media) > 1),
    "unmatched": Field("boolean", lambda item, _: item.guid.startswith("local://")),
    **{name: Field("tag", _tag_ids(attribute)) for name, attribute in TAG_ATTRIBUTES.items()},
    "viewCount": Field("integer", lambda _, state: state.view_count, personal=True),
    "viewOffset": Field("integer", lambda _, state: state.view_offset, personal=True),
    "lastViewedAt": Field("date", lambda _, state: state.last_viewed_at, personal=True),
    "userRating": Field("integer", lambda _, state: state.user_rating, personal=True),
    "inProgress": Field("boolean", lambda _, state: state.view_offset > 0, personal=True),
    "unviewedLeafCount": Field("integer", _unviewed_leaf_count, personal=True),
    # For shows, "unwatched" means that no episode was watched, and "unwatchedLeaves" that at least
    # one was not.
    "unwatched": Field(
        "boolean",
        lambda _, state: state.view_count == 0 and state.viewed_leaf_count == 0,
        personal=True,
    ),
    "unwatchedLeaves": Field(
        "boolean", lambda item, state: bool(_unviewed_leaf_count(item, state)), personal=True
    ),
}

# The fields of each type. Plex ignores filters by other fields.
_COMMON = {"titleSort", "title", "summary", "guid", "id", "index", "addedAt", "updatedAt"}
_WATCHED = {"viewCount", "lastViewedAt", "userRating"}
_FILES = {"duration", "resolution", "mediaHeight", "mediaBitrate", "hdr", "duplicate"}
_FILES |= {"viewOffset", "inProgress", "unwatched", "unmatched"}
_CREDITS = {"genre", "country", "director", "writer", "producer", "actor", "collection", "label"}
_ABOUT = {"year", "decade", "rating", "audienceRating", "contentRating", "studio", "tagline"}
_ABOUT |= {"originallyAvailableAt"}
_LEAVES = {"unwatched", "unwatchedLeaves", "unviewedLeafCount", "unmatched"}

TYPE_FIELDS: dict[str, set[str]] = {
    "movie": _COMMON | _WATCHED | _FILES | _CREDITS | _ABOUT | {"editionTitle"},
    "show": _COMMON | _WATCHED | _LEAVES | _CREDITS | _ABOUT | {"network", "duration"},
    "season": _COMMON | _WATCHED | _LEAVES | {"collection", "label"},
    "episode": _COMMON | _WATCHED | _FILES | _ABOUT | {"collection", "label"},
    "artist": _COMMON | _WATCHED | {"genre", "country", "collection", "label"},
    "album": _COMMON | _WATCHED | _ABOUT | {"genre", "collection", "label"},
    "track": _COMMON | _WATCHED | {"label", "duration", "absoluteIndex", "mediaBitrate"},
    "photoalbum": _COMMON | {"userRating"},
    "photo": _COMMON | {"userRating", "year", "originallyAvailableAt", "viewUpdatedAt"},
}
