"""Render items, collections and playlists as nodes.

Like Plex, lists contain few details of an item: two genres, three actors, names without ids, files
without streams. Only /library/metadata returns all details.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plex_simulator.catalogue import Catalogue
from plex_simulator.messages import Request
from plex_simulator.models import (
    Account,
    Chapter,
    Collection,
    Item,
    Media,
    Part,
    Person,
    Playlist,
    Role,
    Stream,
    Tag,
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
class RenderOptions:
    """Which details of items a response contains."""

    full: bool = False
    section: bool = False  # whether each row names its library
    guids: bool = False
    chapters: bool = False
    checked_files: bool = False  # whether each file says if it exists
    excluded_elements: frozenset[str] = frozenset()
    excluded_fields: frozenset[str] = frozenset()

    @classmethod
    def from_request(
        cls, request: Request, *, full: bool = False, section: bool = False
    ) -> "RenderOptions":
        return cls(
            full=full,
            section=section or full,
            guids=full or request.flag("includeGuids"),
            chapters=full and request.flag("includeChapters"),
            checked_files=full and request.flag("checkFiles"),
            excluded_elements=request.names("excludeElements"),
            excluded_fields=request.names("excludeFields"),
        )

    def without_excluded(self, nodes: Iterable[Node]) -> list[Node]:
        """Return the nodes whose elements are not excluded."""
        return [node for node in nodes if node.name not in self.excluded_elements]


def item_node(
    catalogue: Catalogue,
    user: Account,
    item: Item,
    options: RenderOptions,
    extra_attributes: Mapping[str, Value] | None = None,
    extra_children: Sequence[Node] = (),
) -> Node:
    """Render an item as a user sees it."""
    attributes = _attributes(catalogue, user, item, options) | dict(extra_attributes or {})
    for name in options.excluded_fields:
        attributes.pop(name, None)
    children = options.without_excluded([*_children(catalogue, item, options), *extra_children])
    return Node(ELEMENTS.get(item.type, "Directory"), attributes, children, "Metadata")


def _attributes(
    catalogue: Catalogue, user: Account, item: Item, options: RenderOptions
) -> dict[str, Value]:
    watch_state = item.seen_by(user)
    suffix = "/children" if ELEMENTS.get(item.type) is None else ""
    parent, grandparent = item.parent_rating_key, item.grandparent_rating_key
    attributes: dict[str, Value] = {
        "ratingKey": item.rating_key,
        "key": f"/library/metadata/{item.rating_key}{suffix}",
        "parentRatingKey": parent,
        "grandparentRatingKey": grandparent,
        "guid": item.guid,
        "slug": item.slug,
        "parentGuid": item.parent_guid,
        "parentSlug": item.parent_slug,
        "grandparentGuid": item.grandparent_guid,
        "grandparentSlug": item.grandparent_slug,
        "studio": item.studio,
        "type": "photo" if item.type == "photoalbum" else item.type,
        "subtype": item.subtype,
        "title": item.title,
        "grandparentKey": grandparent and f"/library/metadata/{grandparent}",
        "parentKey": parent and f"/library/metadata/{parent}",
        "titleSort": item.title_sort,
    }
    if options.section:
        attributes |= section_attributes(catalogue, item.library_key)
    if item.leaf_count is not None and item.type in ("show", "season"):
        viewed_leaf_count: int | None = watch_state.viewed_leaf_count
    else:
        viewed_leaf_count = None
    return attributes | {
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
        "userRating": watch_state.user_rating,
        "viewCount": watch_state.view_count or None,
        "viewOffset": watch_state.view_offset or None,
        "lastViewedAt": watch_state.last_viewed_at,
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
        # Plex sends the number of tracks of an album only with all details.
        "leafCount": None if item.type == "album" and not options.full else item.leaf_count,
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
    """Return the attributes that name the library of a row."""
    library = catalogue.library(library_key)
    return {
        "librarySectionTitle": library.title if library else "",
        "librarySectionID": int(library_key),
        "librarySectionKey": f"/library/sections/{library_key}",
    }


def _children(catalogue: Catalogue, item: Item, options: RenderOptions) -> list[Node]:
    nodes = [_media_node(media, options) for media in item.media]
    nodes += _image_nodes(item)
    if options.full:
        nodes += locked_field_nodes(item)
        nodes += [_tag_node("Genre", "genre", genre) for genre in item.genres]
        nodes += [_tag_node("Country", "country", country) for country in item.countries]
        nodes += _collection_tag_nodes(catalogue, item)
        nodes += [_tag_node("Label", "label", label) for label in item.labels]
    else:
        nodes += [Node("Genre", {"tag": genre.tag}) for genre in item.genres[:2]]
        nodes += [Node("Country", {"tag": country.tag}) for country in item.countries[:2]]
        nodes += [Node("Collection", {"tag": tag.tag}) for tag in item.collections[:2]]
    nodes += [Node("Location", {"path": folder}) for folder in item.folders]
    if options.guids:
        nodes += [Node("Guid", {"id": guid}) for guid in item.guids]
    if options.full:
        nodes += [
            Node("Rating", {"image": rating.image, "value": rating.value, "type": rating.type})
            for rating in item.ratings
        ]
        nodes += [_person_node("Director", "director", person) for person in item.directors]
        nodes += [_person_node("Writer", "writer", person) for person in item.writers]
        nodes += [_role_node(role) for role in item.roles]
        nodes += [_person_node("Producer", "producer", person) for person in item.producers]
    else:
        nodes += [Node("Director", {"tag": person.tag}) for person in item.directors[:2]]
        nodes += [Node("Writer", {"tag": person.tag}) for person in item.writers[:2]]
        nodes += [Node("Role", {"tag": role.tag}) for role in item.roles[:3]]
    if options.chapters:
        nodes += [_chapter_node(chapter) for chapter in item.chapters]
    return nodes


def _tag_node(name: str, filter_name: str, tag: Tag) -> Node:
    return Node(name, {"id": tag.id, "filter": f"{filter_name}={tag.id}", "tag": tag.tag})


def _person_node(name: str, filter_name: str, person: Person) -> Node:
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


def _role_node(role: Role) -> Node:
    node = _person_node("Role", "actor", role.person)
    if role.role is not None:
        node.attributes["role"] = role.role
    return node


def locked_field_nodes(edited: Item | Collection | Playlist) -> list[Node]:
    return [Node("Field", {"locked": True, "name": name}) for name in edited.locked_fields]


def _chapter_node(chapter: Chapter) -> Node:
    return Node(
        "Chapter",
        {
            "id": chapter.id,
            "index": chapter.index,
            "startTimeOffset": chapter.start,
            "endTimeOffset": chapter.end,
            "tag": chapter.title,
        },
    )


def _collection_tag_nodes(catalogue: Catalogue, item: Item) -> list[Node]:
    by_tag = {
        collection.tag_id: collection for collection in catalogue.collections(item.library_key)
    }
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


def _image_nodes(item: Item) -> list[Node]:
    """Return an item's pictures and their colours. The poster of an episode is its season's."""
    is_episode = item.type == "episode"
    images = (
        ("coverPoster", item.parent_thumb if is_episode else item.thumb),
        ("snapshot", item.thumb if is_episode else None),
        ("background", item.art),
    )
    nodes = [
        Node("Image", {"alt": item.title, "type": image_type, "url": url})
        for image_type, url in images
        if url
    ]
    return [*nodes, _colours_node(item.rating_key)] if nodes else []


def _colours_node(rating_key: str) -> Node:
    """Return the colours of an item's pictures, here any that depend on its key."""
    corners = ("topLeft", "topRight", "bottomRight", "bottomLeft")
    colours = ((int(rating_key) + corner) * 2_654_435_761 % 2**24 for corner in range(4))
    return Node("UltraBlurColors", dict(zip(corners, map("{:06x}".format, colours), strict=True)))


def _media_node(media: Media, options: RenderOptions) -> Node:
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
        options.without_excluded(_part_node(part, options) for part in media.parts),
    )


def _part_node(part: Part, options: RenderOptions) -> Node:
    checked = True if options.checked_files else None
    return Node(
        "Part",
        {
            "accessible": checked,
            "exists": checked,
            "id": part.id,
            "key": part.key,
            "duration": part.duration,
            "file": part.file,
            "size": part.size,
            "container": part.container,
            "videoProfile": part.video_profile,
        },
        options.without_excluded(map(_stream_node, part.streams if options.full else ())),
    )


def _stream_node(stream: Stream) -> Node:
    return Node(
        "Stream",
        {
            "id": stream.id,
            "streamType": stream.stream_type,
            "default": stream.default or None,
            "selected": stream.selected or None,
            "forced": stream.forced or None,
            "codec": stream.codec,
            "index": stream.index,
            "channels": stream.channels,
            "bitrate": stream.bitrate,
            "language": stream.language,
            "languageCode": stream.language_code,
            "width": stream.width,
            "height": stream.height,
            "title": stream.title,
            "displayTitle": stream.display_title,
        },
    )


def collection_node(
    catalogue: Catalogue,
    user: Account,
    collection: Collection,
    options: RenderOptions,
    machine_identifier: str,
) -> Node:
    """Render a collection with the number of items that a user sees in it."""
    count, first_year, last_year = catalogue.collection_summary(collection.rating_key, user)
    composite = f"/library/collections/{collection.rating_key}/composite/{collection.updated_at}"
    poster = f"/library/metadata/{collection.rating_key}/thumb/{collection.updated_at}"
    content = collection.content and _content_uri(collection.content, machine_identifier)
    attributes: dict[str, Value] = {
        "ratingKey": collection.rating_key,
        "key": f"/library/collections/{collection.rating_key}/children",
        "guid": collection.guid,
        "type": "collection",
        "title": collection.title,
        "titleSort": collection.title_sort,
    }
    if options.section:
        attributes |= section_attributes(catalogue, collection.library_key)
    attributes |= {
        "contentRating": collection.content_rating,
        "subtype": collection.subtype,
        "summary": collection.summary,
        "smart": True if collection.smart else None,
        "content": content,
        "index": collection.tag_id,
        "ratingCount": 1,
        "thumb": poster if collection.custom_thumb else f"{composite}?width=400&height=600",
        "art": collection.art,
        "addedAt": collection.added_at,
        "updatedAt": collection.updated_at,
        # Plex sends these three as strings, also in JSON.
        "childCount": str(count),
        "minYear": None if first_year is None else str(first_year),
        "maxYear": None if last_year is None else str(last_year),
        "collectionMode": None if collection.mode == -1 else collection.mode,
        "collectionSort": collection.sort or None,
        "collectionFilterBasedOnUser": collection.filter_user or None,
    }
    for name in options.excluded_fields:
        attributes.pop(name, None)
    children = locked_field_nodes(collection) if options.full else []
    children.append(_colours_node(collection.rating_key))
    return Node("Directory", attributes, children, "Metadata")


def playlist_node(catalogue: Catalogue, playlist: Playlist, machine_identifier: str) -> Node:
    """Render a playlist with the number and duration of its items."""
    count, duration = catalogue.playlist_summary(playlist.rating_key)
    content = playlist.content and _content_uri(playlist.content, machine_identifier)
    attributes: dict[str, Value] = {
        "ratingKey": playlist.rating_key,
        "key": f"/playlists/{playlist.rating_key}/items",
        "guid": playlist.guid,
        "type": "playlist",
        "title": playlist.title,
        "summary": playlist.summary,
        "smart": playlist.smart,
        "playlistType": playlist.playlist_type,
        "composite": f"/playlists/{playlist.rating_key}/composite/{playlist.updated_at}",
        "content": content,
        "viewCount": playlist.view_count or None,
        "lastViewedAt": playlist.last_viewed_at,
        "duration": duration or None,
        "leafCount": count,
        "addedAt": playlist.added_at,
        "updatedAt": playlist.updated_at,
    }
    return Node("Playlist", attributes, (), "Metadata")


def _content_uri(content: str, machine_identifier: str) -> str:
    return f"server://{machine_identifier}/com.plexapp.plugins.library{content}"
