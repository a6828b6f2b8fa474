"""The filters, sorts and fields a library advertises for each of its types (`Meta`)."""

from plex_simulator.models import TYPE_NUMBERS, Library
from plex_simulator.nodes import Node, Value

Entry = tuple[str, str, str]

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


def _entries(text: str) -> list[Entry]:
    """Read `key kind Title` triples, parted by semicolons."""
    return [(a, b, c) for a, b, c in (part.strip().split(" ", 2) for part in text.split(";"))]


_CREDITS = (
    "collection string Collection; director string Director; actor string Actor; "
    "writer string Writer; producer string Producer; country string Country"
)
FILTERS: dict[str, list[Entry]] = {
    "movie": _entries(
        "genre string Genre; year integer Year; decade integer Decade; "
        f"contentRating string Content Rating; {_CREDITS}; studio string Studio; "
        "resolution string Resolution; hdr boolean HDR; unwatched boolean Unwatched; "
        "inProgress boolean In Progress; unmatched boolean Unmatched; "
        "editionTitle string Edition; label string Labels"
    ),
    "show": _entries(
        "genre string Genre; year integer Year; contentRating string Content Rating; "
        f"studio string Studio; network string Network; {_CREDITS}; "
        "unwatchedLeaves boolean Unwatched; unmatched boolean Unmatched; label string Labels"
    ),
    "season": [],
    "episode": _entries(
        "year integer Year; collection string Collection; resolution string Resolution; "
        "unwatched boolean Unwatched; inProgress boolean In Progress; unmatched boolean Unmatched"
    ),
    "artist": _entries("genre string Genre; country string Country; collection string Collection"),
    "album": _entries(
        "genre string Genre; year integer Year; decade integer Decade; "
        "collection string Collection; studio string Record Label"
    ),
    "track": [],
    "photoalbum": [],
    "photo": _entries("year integer Year"),
    "collection": [],
}

_DATES = "addedAt desc Date Added; lastViewedAt desc Date Viewed"
SORTS: dict[str, list[Entry]] = {
    "movie": _entries(
        "titleSort asc Title; originallyAvailableAt desc Release Date; rating desc Critic Rating; "
        "audienceRating desc Audience Rating; duration desc Duration; viewOffset desc Progress; "
        f"viewCount desc Plays; {_DATES}; mediaHeight asc Resolution"
    ),
    "show": _entries(
        "titleSort asc Title; originallyAvailableAt desc Release Date; rating desc Critic Rating; "
        "audienceRating desc Audience Rating; unviewedLeafCount desc Unwatched; "
        "episode.addedAt desc Last Episode Date Added; lastViewedAt desc Date Viewed; "
        "random desc Randomly"
    ),
    "season": _entries("show.titleSort,index asc Show; random desc Randomly"),
    "episode": _entries(
        "show.titleSort,season.index:nullsLast,episode.index:nullsLast asc Show; "
        "originallyAvailableAt desc Release Date; rating desc Critic Rating; "
        f"audienceRating desc Audience Rating; {_DATES}; random desc Randomly"
    ),
    "artist": _entries(
        f"titleSort asc Title; userRating desc Rating; {_DATES}; viewCount desc Plays; "
        "random desc Randomly"
    ),
    "album": _entries(
        "titleSort asc Title; artist.titleSort,album.titleSort asc Album Artist; year desc Year; "
        f"rating desc Critic Rating; {_DATES}; random desc Randomly"
    ),
    "track": _entries(
        "titleSort asc Title; artist.titleSort,album.titleSort,track.index asc Album Artist; "
        f"duration desc Duration; {_DATES}; random desc Randomly"
    ),
    "photoalbum": _entries("titleSort asc Name"),
    "photo": _entries("titleSort asc Title; addedAt desc Date Added; random desc Randomly"),
    "collection": _entries("titleSort asc Title"),
}
# What includeAdvanced=1 shows on top.
ADVANCED: dict[str, list[Entry]] = {
    "movie": _entries(
        "year desc Year; userRating desc Rating; contentRating desc Content Rating; "
        "mediaBitrate desc Bitrate; random desc Randomly"
    ),
    "show": _entries(
        "year desc Year; userRating desc Rating; contentRating desc Content Rating; "
        "addedAt desc Date Added"
    ),
}

_ABOUT = "addedAt date Date Added; viewCount integer Plays; lastViewedAt date Last Watched"
_TAGS = (
    "genre tag Genre; collection tag Collection; director tag Director; writer tag Writer; "
    "producer tag Producer; actor tag Actor; country tag Country; label tag Label"
)
FIELDS: dict[str, list[Entry]] = {
    "movie": _entries(
        "title string Title; studio string Studio; userRating integer Rating; "
        "contentRating tag Content Rating; year integer Year; decade integer Decade; "
        "originallyAvailableAt date Release Date; duration integer Duration; "
        "unmatched boolean Unmatched; duplicate boolean Duplicate; "
        f"{_TAGS}; {_ABOUT}; unwatched boolean Unwatched; resolution resolution Resolution; "
        "hdr boolean HDR; mediaBitrate integer Bitrate; inProgress boolean In Progress; "
        "editionTitle string Edition"
    ),
    "show": _entries(
        "title string Show Title; studio string Studio; network tag Network; "
        "userRating integer Rating; contentRating tag Content Rating; year integer Year; "
        f"{_TAGS}; {_ABOUT}; unmatched boolean Unmatched; "
        "unwatchedLeaves boolean Unwatched Episodes"
    ),
    "season": [],
    "episode": _entries(
        "title string Episode Title; originallyAvailableAt date Release Date; year integer Year; "
        f"userRating integer Rating; {_ABOUT}; unwatched boolean Unwatched; "
        "inProgress boolean In Progress; duplicate boolean Duplicate; hdr boolean HDR; "
        "resolution resolution Resolution; mediaBitrate integer Bitrate; "
        "unmatched boolean Unmatched"
    ),
    "artist": _entries(
        "title string Artist Title; userRating integer Rating; genre tag Genre; "
        f"country tag Country; collection tag Collection; {_ABOUT}"
    ),
    "album": _entries(
        "title string Album Title; year integer Year; decade integer Decade; "
        "studio string Record Label; rating integer Critic Rating; userRating integer Rating; "
        f"genre tag Genre; collection tag Collection; {_ABOUT}"
    ),
    "track": _entries(f"title string Track Title; userRating integer Rating; {_ABOUT}"),
    "photoalbum": [],
    "photo": _entries("title string Title; year integer Year; addedAt date Date Added"),
    "collection": _entries("title string Title"),
}
SCOPED = ("show", "season", "episode", "artist", "album", "track")

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


def meta(library: Library, types: tuple[str, ...], active: str, *, advanced: bool) -> Node:
    """Describe what each type can be filtered and sorted by."""
    kinds = [_type(library, kind, kind == active, advanced) for kind in types]
    operators = [
        Node(
            "FieldType",
            {"type": kind},
            [Node("Operator", {"key": key, "title": title}) for key, title in listed.items()],
        )
        for kind, listed in OPERATORS.items()
    ]
    return Node("Meta", {}, [*kinds, *operators])


def _type(library: Library, kind: str, active: bool, advanced: bool) -> Node:
    number = TYPE_NUMBERS[kind]
    root = f"/library/sections/{library.key}"
    sorts = [
        _sort(root, *entry, first=position == 0)
        for position, entry in enumerate(SORTS[kind] + (ADVANCED.get(kind, []) if advanced else []))
    ]
    prefix = f"{kind}." if kind in SCOPED else ""
    fields = [
        Node("Field", {"key": prefix + key, "title": title, "type": field_type})
        for key, field_type, title in FIELDS[kind]
    ]
    head: dict[str, Value] = {
        "key": f"{root}/all?type={number}",
        "type": kind,
        "title": TITLES[kind],
        "active": active,
    }
    return Node("Type", head, [*filters(library, kind), *sorts, *fields])


def filters(library: Library, kind: str) -> list[Node]:
    suffix = "" if kind == "movie" else f"?type={TYPE_NUMBERS[kind]}"
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
        for name, filter_type, title in FILTERS[kind]
    ]


def _sort(root: str, key: str, direction: str, title: str, *, first: bool) -> Node:
    head, *rest = key.split(",")
    attributes: dict[str, Value] = {
        "default": "asc" if first and direction == "asc" else None,
        "defaultDirection": direction,
        "descKey": ",".join([f"{head}:desc", *rest]),
        "firstCharacterKey": f"{root}/firstCharacter" if key == "titleSort" else None,
        "key": key,
        "title": title,
    }
    return Node("Sort", attributes)
