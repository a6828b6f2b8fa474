"""The filters, sorts and fields that a library offers for each of its types (`Meta`)."""

from plex_simulator.models import TYPE_NUMBERS, Library
from plex_simulator.nodes import Node, Value

Option = tuple[str, str, str]  # key, type or default direction, title

TITLES = {
    "movie": "Movies",
    "show": "TV Shows",
    "season": "Seasons",
    "episode": "Episodes",
    "artist": "Artists",
    "album": "Albums",
    "track": "Tracks",
    "photoalbum": "Photo Albums",
    "photo": "Photos",
    "collection": "Collections",
}


def _options(text: str) -> list[Option]:
    """Parse options such as `year integer Year; hdr boolean HDR`."""
    parts = (part.strip().split(" ", 2) for part in text.split(";"))
    return [(key, second, title) for key, second, title in parts]


_CREDITS = (
    "collection string Collection; director string Director; actor string Actor; "
    "writer string Writer; producer string Producer; country string Country"
)
FILTERS: dict[str, list[Option]] = {
    "movie": _options(
        "genre string Genre; year integer Year; decade integer Decade; "
        f"contentRating string Content Rating; {_CREDITS}; studio string Studio; "
        "resolution string Resolution; hdr boolean HDR; unwatched boolean Unwatched; "
        "inProgress boolean In Progress; unmatched boolean Unmatched; "
        "editionTitle string Edition; label string Labels"
    ),
    "show": _options(
        "genre string Genre; year integer Year; contentRating string Content Rating; "
        f"studio string Studio; network string Network; {_CREDITS}; "
        "unwatchedLeaves boolean Unwatched; unmatched boolean Unmatched; label string Labels"
    ),
    "season": [],
    "episode": _options(
        "year integer Year; collection string Collection; resolution string Resolution; "
        "unwatched boolean Unwatched; inProgress boolean In Progress; unmatched boolean Unmatched"
    ),
    "artist": _options("genre string Genre; country string Country; collection string Collection"),
    "album": _options(
        "genre string Genre; year integer Year; decade integer Decade; "
        "collection string Collection; studio string Record Label"
    ),
    "track": [],
    "photoalbum": [],
    "photo": _options("year integer Year"),
    "collection": [],
}

_DATES = "addedAt desc Date Added; lastViewedAt desc Date Viewed"
SORTS: dict[str, list[Option]] = {
    "movie": _options(
        "titleSort asc Title; originallyAvailableAt desc Release Date; rating desc Critic Rating; "
        "audienceRating desc Audience Rating; duration desc Duration; viewOffset desc Progress; "
        f"viewCount desc Plays; {_DATES}; mediaHeight asc Resolution"
    ),
    "show": _options(
        "titleSort asc Title; originallyAvailableAt desc Release Date; rating desc Critic Rating; "
        "audienceRating desc Audience Rating; unviewedLeafCount desc Unwatched; "
        "episode.addedAt desc Last Episode Date Added; lastViewedAt desc Date Viewed; "
        "random desc Randomly"
    ),
    "season": _options("show.titleSort,index asc Show; random desc Randomly"),
    "episode": _options(
        "show.titleSort,season.index:nullsLast,episode.index:nullsLast,"
        "episode.originallyAvailableAt:nullsLast,episode.titleSort,episode.id asc Show; "
        "originallyAvailableAt desc Release Date; rating desc Critic Rating; "
        f"audienceRating desc Audience Rating; {_DATES}; random desc Randomly"
    ),
    "artist": _options(
        f"titleSort asc Title; userRating desc Rating; {_DATES}; viewCount desc Plays; "
        "random desc Randomly"
    ),
    "album": _options(
        "titleSort asc Title; "
        "artist.titleSort,album.titleSort,album.index,album.id,album.originallyAvailableAt "
        "asc Album Artist; year desc Year; "
        f"rating desc Critic Rating; {_DATES}; random desc Randomly"
    ),
    "track": _options(
        "titleSort asc Title; "
        "artist.titleSort,album.titleSort,album.year,track.absoluteIndex,track.index,"
        "track.titleSort,track.id asc Album Artist; "
        f"duration desc Duration; {_DATES}; random desc Randomly"
    ),
    "photoalbum": _options("titleSort asc Name"),
    "photo": _options("titleSort asc Title; addedAt desc Date Added; random desc Randomly"),
    "collection": _options("titleSort asc Title"),
}
# Additional sorts with includeAdvanced=1.
ADVANCED_SORTS: dict[str, list[Option]] = {
    "movie": _options(
        "year desc Year; userRating desc Rating; contentRating desc Content Rating; "
        "mediaBitrate desc Bitrate; random desc Randomly"
    ),
    "show": _options(
        "year desc Year; userRating desc Rating; contentRating desc Content Rating; "
        "addedAt desc Date Added"
    ),
    "season": _options(
        "season.index,season.titleSort asc Season; userRating desc Rating; addedAt desc Date Added"
    ),
    "episode": _options(
        "titleSort desc Title; year desc Year; userRating desc Rating; duration desc Duration; "
        "viewOffset desc Progress; viewCount desc Plays; mediaHeight desc Resolution; "
        "mediaBitrate desc Bitrate"
    ),
    "album": _options(
        "originallyAvailableAt desc Release Date; userRating desc Rating; viewCount desc Plays"
    ),
}
# The titles of the default sorts; other types are sorted by their first one.
DEFAULT_SORTS = {
    "season": "Show",
    "episode": "Show",
    "album": "Album Artist",
    "track": "Album Artist",
}

_ABOUT = "addedAt date Date Added; viewCount integer Plays; lastViewedAt date Last Watched"
_TAGS = (
    "genre tag Genre; collection tag Collection; director tag Director; writer tag Writer; "
    "producer tag Producer; actor tag Actor; country tag Country; label tag Label"
)
FIELDS: dict[str, list[Option]] = {
    "movie": _options(
        "title string Title; studio string Studio; userRating integer Rating; "
        "contentRating tag Content Rating; year integer Year; decade integer Decade; "
        "originallyAvailableAt date Release Date; duration integer Duration; "
        "unmatched boolean Unmatched; duplicate boolean Duplicate; "
        f"{_TAGS}; {_ABOUT}; unwatched boolean Unwatched; resolution resolution Resolution; "
        "hdr boolean HDR; mediaBitrate integer Bitrate; inProgress boolean In Progress; "
        "editionTitle string Edition"
    ),
    "show": _options(
        "title string Show Title; studio string Studio; network tag Network; "
        "userRating integer Rating; contentRating tag Content Rating; year integer Year; "
        f"{_TAGS}; {_ABOUT}; unmatched boolean Unmatched; "
        "unwatchedLeaves boolean Unwatched Episodes"
    ),
    "season": [],
    "episode": _options(
        "title string Episode Title; originallyAvailableAt date Release Date; year integer Year; "
        f"userRating integer Rating; {_ABOUT}; unwatched boolean Unwatched; "
        "inProgress boolean In Progress; duplicate boolean Duplicate; hdr boolean HDR; "
        "resolution resolution Resolution; mediaBitrate integer Bitrate; "
        "unmatched boolean Unmatched"
    ),
    "artist": _options(
        "title string Artist Title; userRating integer Rating; genre tag Genre; "
        f"country tag Country; collection tag Collection; {_ABOUT}"
    ),
    "album": _options(
        "title string Album Title; year integer Year; decade integer Decade; "
        "studio string Record Label; rating integer Critic Rating; userRating integer Rating; "
        f"genre tag Genre; collection tag Collection; {_ABOUT}"
    ),
    "track": _options(f"title string Track Title; userRating integer Rating; {_ABOUT}"),
    "photoalbum": [],
    "photo": _options("title string Title; year integer Year; addedAt date Date Added"),
    "collection": _options("title string Title"),
}
# The types whose fields have the type as a prefix, for instance show.title.
SCOPED_TYPES = ("show", "season", "episode", "artist", "album", "track")

OPERATORS = {
    "tag": {"=": "is", "!=": "is not"},
    "integer": {"=": "is", "!=": "is not", ">>=": "is greater than", "<<=": "is less than"},
    "string": {
        "=": "contains",
        "!=": "does not contain",
        "==": "is",
        "!==": "is not",
        "<=": "begins with",
        ">=": "ends with",
    },
    "boolean": {"=": "is true", "!=": "is false"},
    "date": {"<<=": "is before", ">>=": "is after"},
    "resolution": {"=": "is"},
}


def meta_node(
    library: Library, item_types: tuple[str, ...], active_type: str, *, advanced: bool
) -> Node:
    """Make the element that describes the filters, sorts and fields of each type."""
    types = [
        _type_node(library, item_type, item_type == active_type, advanced)
        for item_type in item_types
    ]
    operators = [
        Node(
            "FieldType",
            {"type": field_type},
            [Node("Operator", {"key": key, "title": title}) for key, title in titles.items()],
        )
        for field_type, titles in OPERATORS.items()
    ]
    return Node("Meta", {}, [*types, *operators])


def _type_node(library: Library, item_type: str, active: bool, advanced: bool) -> Node:
    number = TYPE_NUMBERS[item_type]
    root = f"/library/sections/{library.key}"
    prefix = f"{item_type}." if item_type in SCOPED_TYPES else ""
    fields = [
        Node("Field", {"key": prefix + key, "title": title, "type": field_type})
        for key, field_type, title in FIELDS[item_type]
    ]
    attributes: dict[str, Value] = {
        "key": f"{root}/all?type={number}",
        "type": item_type,
        "title": TITLES[item_type],
        "active": active,
    }
    sorts = sort_nodes(library, item_type, advanced=advanced)
    return Node("Type", attributes, [*filter_nodes(library, item_type), *sorts, *fields])


def filter_nodes(library: Library, item_type: str) -> list[Node]:
    """Make one element per filter of a type."""
    suffix = "" if item_type == "movie" else f"?type={TYPE_NUMBERS[item_type]}"
    return [
        Node(
            "Filter",
            {
                "filter": name,
                "filterType": filter_type,
                "key": f"/library/sections/{library.key}/{name}{suffix}",
                "title": title,
                "type": "filter",
            },
        )
        for name, filter_type, title in FILTERS[item_type]
    ]


def sort_nodes(library: Library, item_type: str, *, advanced: bool) -> list[Node]:
    """Make one element per sort of a type."""
    options = SORTS[item_type] + (ADVANCED_SORTS.get(item_type, []) if advanced else [])
    default = DEFAULT_SORTS.get(item_type, options[0][2])
    return [_sort_node(library, *option, default=option[2] == default) for option in options]


def _sort_node(library: Library, key: str, direction: str, title: str, *, default: bool) -> Node:
    first_field, *other_fields = key.split(",")
    first_characters = f"/library/sections/{library.key}/firstCharacter"
    attributes: dict[str, Value] = {
        "default": direction if default else None,
        "defaultDirection": direction,
        "descKey": ",".join([f"{first_field}:desc", *other_fields]),
        "firstCharacterKey": first_characters if key == "titleSort" else None,
        "key": key,
        "title": title,
    }
    return Node("Sort", attributes)
