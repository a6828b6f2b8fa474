"""How items, collections and playlists look in an answer.

Lists are slim, as Plex's are: two genres, three actors, names without ids, files without
streams. The full form comes from /library/metadata only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plex_simulator.catalogue import Catalogue
from plex_simulator.messages import Request
from plex_simulator.models import (
    Collection,
    Item,
    Media,
    Part,
    Person,
    Playlist,
    Role,
    Stream,
    Tag,
    User,
)
from plex_simulator.nodes import Node, Value

ELEMENTS = {
    "movie": "Video",
    "episode": "Video",
    "track": "Track",
    "photo": "Photo",
    "playlist": "Playlist",
}


@dataclass(frozen=True, slots=True)
class Style:
    full: bool = False
    section: bool = False  # whether each row says which library it is from
    guids: bool = False
    without_elements: frozenset[str] = frozenset()
    without_fields: frozenset[str] = frozenset()


def style(request: Request, *, full: bool = False, section: bool = False) -> Style:
    return Style(
        full=full,
        section=section or full,
        guids=full or request.flag("includeGuids"),
        without_elements=request.names("excludeElements"),
        without_fields=request.names("excludeFields"),
    )


def item_node(
    catalogue: Catalogue,
    user: User,
    item: Item,
    look: Style,
    extra: Mapping[str, Value] | None = None,
    more: Sequence[Node] = (),
) -> Node:
    attributes = _attributes(catalogue, user, item, look) | dict(extra or {})
    for name in look.without_fields:
        attributes.pop(name, None)
    children = [*_children(catalogue, item, look), *more]
    if look.without_elements:
        children = [child for child in children if child.name not in look.without_elements]
    return Node(ELEMENTS.get(item.type, "Directory"), attributes, children, "Metadata")


def _attributes(catalogue: Catalogue, user: User, item: Item, look: Style) -> dict[str, Value]:
    seen = item.seen_by(user)
    below = "/children" if ELEMENTS.get(item.type) is None else ""
    parent, grandparent = item.parent_rating_key, item.grandparent_rating_key
    named: dict[str, Value] = {
        "ratingKey": item.rating_key,
        "key": f"/library/metadata/{item.rating_key}{below}",
        "parentRatingKey": parent,
        "grandparentRatingKey": grandparent,
        "guid": item.guid,
        "parentGuid": item.parent_guid,
        "grandparentGuid": item.grandparent_guid,
        "studio": item.studio,
        "type": "photo" if item.type == "photoalbum" else item.type,
        "subtype": item.subtype,
        "title": item.title,
        "grandparentKey": grandparent and f"/library/metadata/{grandparent}",
        "parentKey": parent and f"/library/metadata/{parent}",
        "titleSort": item.title_sort,
    }
    if look.section:
        named |= section_attributes(catalogue, item.library_key)
    watched = seen.view_count or None
    if item.leaf_count is not None and item.type in ("show", "season"):
        viewed_leaf_count: int | None = seen.viewed_leaf_count
    else:
        viewed_leaf_count = None
    return named | {
        "grandparentTitle": item.grandparent_title,
        "parentTitle": item.parent_title,
        "originalTitle": item.original_title,
        "editionTitle": item.edition_title,
        "contentRating": item.content_rating,
        "summary": item.summary,
        "index": item.index,
        "parentIndex": item.parent_index,
        "rating": item.rating,
        "audienceRating": item.audience_rating,
        "userRating": seen.user_rating,
        "viewCount": watched,
        "viewOffset": seen.view_offset or None,
        "lastViewedAt": seen.last_viewed_at,
        "year": item.year,
        "parentYear": item.parent_year,
        "tagline": item.tagline,
        "thumb": item.thumb,
        "art": item.art,
        "banner": item.banner,
        "theme": item.theme,
        "parentThumb": item.parent_thumb,
        "grandparentThumb": item.grandparent_thumb,
        "grandparentArt": item.grandparent_art,
        "duration": item.duration,
        "originallyAvailableAt": item.originally_available_at,
        # Albums tell their number of tracks only in full.
        "leafCount": None if item.type == "album" and not look.full else item.leaf_count,
        "viewedLeafCount": viewed_leaf_count,
        "childCount": item.child_count,
        "seasonCount": item.season_count,
        "addedAt": item.added_at,
        "updatedAt": item.updated_at,
        "audienceRatingImage": item.audience_rating_image,
        "ratingImage": item.rating_image,
        "chapterSource": "media" if item.chapters else None,
    }


def section_attributes(catalogue: Catalogue, library_key: str) -> dict[str, Value]:
    library = catalogue.library(library_key)
    return {
        "librarySectionTitle": library.title if library else "",
        "librarySectionID": int(library_key),
        "librarySectionKey": f"/library/sections/{library_key}",
    }


def _children(catalogue: Catalogue, item: Item, look: Style) -> list[Node]:
    nodes = [_media(media, look.full) for media in item.media]
    if look.full:
        nodes += _pictures(item)
        nodes += [_tag("Genre", "genre", genre) for genre in item.genres]
        nodes += [_tag("Country", "country", country) for country in item.countries]
        nodes += _collections(catalogue, item)
        nodes += [_tag("Label", "label", label) for label in item.labels]
    else:
        nodes += [Node("Genre", {"tag": genre.tag}) for genre in item.genres[:2]]
        nodes += [Node("Country", {"tag": country.tag}) for country in item.countries[:2]]
        nodes += [Node("Collection", {"tag": tag.tag}) for tag in item.collections[:2]]
    if look.guids:
        nodes += [Node("Guid", {"id": guid}) for guid in item.guids]
    if look.full:
        nodes += [
            Node("Rating", {"image": score.image, "value": score.value, "type": score.type})
            for score in item.ratings
        ]
        nodes += [_person("Director", "director", person) for person in item.directors]
        nodes += [_person("Writer", "writer", person) for person in item.writers]
        nodes += [_role(role) for role in item.roles]
        nodes += [_person("Producer", "producer", person) for person in item.producers]
        nodes += [
            Node(
                "Chapter",
                {
                    "id": chapter.id,
                    "filter": None,
                    "index": chapter.index,
                    "startTimeOffset": chapter.start,
                    "endTimeOffset": chapter.end,
                    "tag": chapter.title,
                },
            )
            for chapter in item.chapters
        ]
    else:
        nodes += [Node("Director", {"tag": person.tag}) for person in item.directors[:2]]
        nodes += [Node("Writer", {"tag": person.tag}) for person in item.writers[:2]]
        nodes += [Node("Role", {"tag": role.tag}) for role in item.roles[:3]]
    return nodes


def _tag(name: str, filter_name: str, tag: Tag) -> Node:
    return Node(name, {"id": tag.id, "filter": f"{filter_name}={tag.id}", "tag": tag.tag})


def _person(name: str, filter_name: str, person: Person) -> Node:
    return Node(
        name,
        {
            "id": person.id,
            "filter": f"{filter_name}={person.id}",
            "tag": person.tag,
            "tagKey": person.tag_key,
            "thumb": person.thumb,
        },
    )


def _role(role: Role) -> Node:
    node = _person("Role", "actor", role.person)
    if role.role is not None:
        node.attributes["role"] = role.role
    return node


def _collections(catalogue: Catalogue, item: Item) -> list[Node]:
    by_tag = {made.tag_id: made for made in catalogue.collections(item.library_key)}
    return [
        Node(
            "Collection",
            {
                "id": tag.id,
                "filter": f"collection={tag.id}",
                "tag": tag.tag,
                "guid": by_tag[tag.id].guid,
            },
        )
        for tag in item.collections
        if tag.id in by_tag
    ]


def _pictures(item: Item) -> list[Node]:
    kinds = (("coverPoster", item.thumb), ("background", item.art))
    return [
        Node("Image", {"alt": item.title, "type": kind, "url": url}) for kind, url in kinds if url
    ]


def _media(media: Media, full: bool) -> Node:
    return Node(
        "Media",
        {
            "id": media.id,
            "duration": media.duration,
            "bitrate": media.bitrate,
            "width": media.width,
            "height": media.height,
            "aspectRatio": media.aspect_ratio,
            "audioChannels": media.audio_channels,
            "audioCodec": media.audio_codec,
            "videoCodec": media.video_codec,
            "videoResolution": media.video_resolution,
            "container": media.container,
            "videoFrameRate": media.video_frame_rate,
            "videoProfile": media.video_profile,
            "hasVoiceActivity": False if media.video_codec or media.width is None else None,
        },
        [_part(part, full) for part in media.parts],
    )


def _part(part: Part, full: bool) -> Node:
    return Node(
        "Part",
        {
            "id": part.id,
            "key": part.key,
            "duration": part.duration,
            "file": part.file,
            "size": part.size,
            "container": part.container,
            "videoProfile": part.video_profile,
        },
        [_stream(stream) for stream in part.streams] if full else (),
    )


def _stream(stream: Stream) -> Node:
    return Node(
        "Stream",
        {
            "id": stream.id,
            "streamType": stream.stream_type,
            "default": True if stream.stream_type < 3 else None,
            "codec": stream.codec,
            "index": stream.index,
            "channels": stream.channels,
            "bitrate": stream.bitrate,
            "language": stream.language,
            "languageCode": stream.language_code,
            "displayTitle": stream.title,
        },
    )


def collection_node(
    catalogue: Catalogue, user: User, made: Collection, look: Style, machine: str
) -> Node:
    count, first, last = catalogue.collection_span(made.rating_key, user)
    composite = f"/library/collections/{made.rating_key}/composite/{made.updated_at}"
    poster = f"/library/metadata/{made.rating_key}/thumb/{made.updated_at}"
    content = made.content and f"server://{machine}/com.plexapp.plugins.library{made.content}"
    attributes: dict[str, Value] = {
        "ratingKey": made.rating_key,
        "key": f"/library/collections/{made.rating_key}/children",
        "guid": made.guid,
        "type": "collection",
        "title": made.title,
        "titleSort": made.title_sort,
    }
    if look.section:
        attributes |= section_attributes(catalogue, made.library_key)
    attributes |= {
        "contentRating": made.content_rating,
        "subtype": made.subtype,
        "summary": made.summary,
        "smart": True if made.smart else None,
        "content": content,
        "index": made.tag_id,
        "ratingCount": 1,
        "thumb": poster if made.custom_thumb else f"{composite}?width=400&height=600",
        "art": made.art,
        "addedAt": made.added_at,
        "updatedAt": made.updated_at,
        # These three are text even in JSON.
        "childCount": str(count),
        "minYear": None if first is None else str(first),
        "maxYear": None if last is None else str(last),
        "collectionMode": None if made.mode == -1 else made.mode,
        "collectionSort": made.sort or None,
    }
    for name in look.without_fields:
        attributes.pop(name, None)
    return Node("Directory", attributes, (), "Metadata")


def playlist_node(catalogue: Catalogue, made: Playlist, machine: str) -> Node:
    items = catalogue.playlist_items(made.rating_key)
    content = made.content and f"server://{machine}/com.plexapp.plugins.library{made.content}"
    attributes: dict[str, Value] = {
        "ratingKey": made.rating_key,
        "key": f"/playlists/{made.rating_key}/items",
        "guid": made.guid,
        "type": "playlist",
        "title": made.title,
        "summary": made.summary,
        "smart": made.smart,
        "playlistType": made.playlist_type,
        "composite": f"/playlists/{made.rating_key}/composite/{made.updated_at}",
        "content": content,
        "viewCount": made.view_count or None,
        "lastViewedAt": made.last_viewed_at,
        "duration": sum(item.duration or 0 for _, item in items) or None,
        "leafCount": len(items),
        "addedAt": made.added_at,
        "updatedAt": made.updated_at,
    }
    return Node("Playlist", attributes, (), "Metadata")
