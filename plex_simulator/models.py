"""What a simulated media server holds, as plain facts.

Nothing here knows about HTTP, XML or how the facts were made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

TYPE_NUMBERS = {
    "movie": 1,
    "show": 2,
    "season": 3,
    "episode": 4,
    "artist": 8,
    "album": 9,
    "track": 10,
    "photo": 13,
    "photoalbum": 14,
    "playlist": 15,
    "collection": 18,
}
TYPE_NAMES = {number: name for name, number in TYPE_NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    email: str
    token: str
    libraries: frozenset[str] | None  # None: the owner, who sees all

    @property
    def is_owner(self) -> bool:
        return self.libraries is None

    def may_see(self, library_key: str) -> bool:
        return self.libraries is None or library_key in self.libraries


@dataclass(frozen=True, slots=True)
class Tag:
    id: int
    tag: str


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    tag: str
    tag_key: str
    thumb: str | None


@dataclass(frozen=True, slots=True)
class Role:
    person: Person
    role: str | None

    @property
    def id(self) -> int:
        return self.person.id

    @property
    def tag(self) -> str:
        return self.person.tag


@dataclass(frozen=True, slots=True)
class Score:
    image: str
    value: float
    type: str


@dataclass(frozen=True, slots=True)
class Stream:
    id: int
    stream_type: int  # 1 video, 2 audio, 3 subtitles
    codec: str
    index: int
    language: str | None
    language_code: str | None
    title: str
    channels: int | None = None
    bitrate: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    id: int
    key: str
    file: str
    size: int
    duration: int | None
    container: str | None
    video_profile: str | None
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class Media:
    id: int
    parts: tuple[Part, ...]
    duration: int | None = None
    bitrate: int | None = None
    width: int | None = None
    height: int | None = None
    aspect_ratio: float | None = None
    audio_channels: int | None = None
    audio_codec: str | None = None
    video_codec: str | None = None
    video_resolution: str | None = None
    container: str | None = None
    video_frame_rate: str | None = None
    video_profile: str | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    id: int
    index: int
    start: int
    end: int
    title: str


@dataclass(frozen=True, slots=True)
class Viewing:
    """One user's history with one item; for shows and seasons, with its episodes."""

    view_count: int = 0
    view_offset: int = 0
    last_viewed_at: int | None = None
    user_rating: float | None = None
    viewed_leaf_count: int = 0


UNSEEN = Viewing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Anything in a library that has a rating key. Times are epoch seconds, durations ms."""

    rating_key: str
    library_key: str
    type: str  # "photoalbum" for photo albums, although Plex writes "photo"
    title: str
    added_at: int
    guid: str
    subtype: str | None = None
    title_sort: str | None = None  # None: sorted by the title itself
    original_title: str | None = None
    summary: str = ""
    tagline: str | None = None
    studio: str | None = None
    network: str | None = None
    content_rating: str | None = None
    rating: float | None = None
    rating_image: str | None = None
    audience_rating: float | None = None
    audience_rating_image: str | None = None
    year: int | None = None
    duration: int | None = None
    originally_available_at: str | None = None
    updated_at: int | None = None
    edition_title: str | None = None
    thumb: str | None = None
    art: str | None = None
    theme: str | None = None
    banner: str | None = None
    index: int | None = None
    parent_index: int | None = None
    parent_rating_key: str | None = None
    parent_guid: str | None = None
    parent_title: str | None = None
    parent_year: int | None = None
    parent_thumb: str | None = None
    grandparent_rating_key: str | None = None
    grandparent_guid: str | None = None
    grandparent_title: str | None = None
    grandparent_thumb: str | None = None
    grandparent_art: str | None = None
    leaf_count: int | None = None
    child_count: int | None = None
    season_count: int | None = None  # only where a show has specials
    genres: tuple[Tag, ...] = ()
    countries: tuple[Tag, ...] = ()
    directors: tuple[Person, ...] = ()
    writers: tuple[Person, ...] = ()
    producers: tuple[Person, ...] = ()
    roles: tuple[Role, ...] = ()
    collections: tuple[Tag, ...] = ()
    labels: tuple[Tag, ...] = ()
    guids: tuple[str, ...] = ()
    ratings: tuple[Score, ...] = ()
    media: tuple[Media, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    viewing: Mapping[int, Viewing] = field(default_factory=dict)  # by user id

    @property
    def sort_title(self) -> str:
        return self.title_sort or self.title

    def seen_by(self, user: User) -> Viewing:
        return self.viewing.get(user.id, UNSEEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    key: str
    type: str
    title: str
    agent: str
    scanner: str
    language: str
    uuid: str
    location: str
    hidden: int
    created_at: int
    updated_at: int
    scanned_at: int
    content_changed_at: int
    item_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    rating_key: str
    tag_id: int  # what all?collection= wants; never the rating key
    guid: str
    library_key: str
    subtype: str
    title: str
    added_at: int
    updated_at: int
    title_sort: str | None = None
    summary: str = ""
    content_rating: str | None = None
    art: str | None = None
    custom_thumb: bool = False
    smart: bool = False
    content: str | None = None  # a smart collection's query, "/library/sections/1/all?type=1&…"
    item_keys: tuple[str, ...] = ()  # a plain collection's items, in custom order
    mode: int = -1
    sort: int = 0  # 0 by release, 1 by title, 2 custom

    @property
    def sort_title(self) -> str:
        return self.title_sort or self.title


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    rating_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    rating_key: str
    guid: str
    user_id: int
    title: str
    playlist_type: str  # video, audio, photo
    added_at: int
    updated_at: int
    summary: str = ""
    smart: bool = False
    content: str | None = None
    entries: tuple[Entry, ...] = ()
    view_count: int = 0
    last_viewed_at: int | None = None
