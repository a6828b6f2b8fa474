"""The data classes of the simulated server: accounts, libraries, items, collections and playlists.

They do not depend on HTTP, on XML or on how their values are generated.
"""

from collections.abc import Iterable, Mapping
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

OWNER_ID = 1  # of the owner's account on the server


@dataclass(frozen=True, slots=True)
class Share:
    """What the owner has shared with an account."""

    libraries: frozenset[str]  # the keys of the libraries
    filters: Mapping[str, str] = field(default_factory=dict)  # for instance filterMovies


@dataclass(slots=True, eq=False, kw_only=True)
class Account:
    """An account at plex.tv, with what it may see on the server."""

    id: int  # on the server; the owner's is 1 there
    plex_tv_id: int  # at plex.tv; of everybody but the owner, it is the id on the server
    uuid: str
    name: str
    email: str  # empty for managed accounts
    server_token: str = field(repr=False)  # the access token for this server
    jwt: str | None = field(default=None, repr=False)  # what plex.tv sends instead of it
    share: Share | None = None  # None for the owner, and for accounts without access
    home: bool = False  # whether the account is a member of the owner's Plex Home
    restricted: bool = False  # whether the account is managed by the Plex Home
    restriction_profile: str | None = None  # little_kid, older_kid or teen
    pin: str | None = field(default=None, repr=False)  # protects a profile of the Plex Home
    # Account tokens by client identifier, and those of switches to a profile of the Plex Home.
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    switch_tokens: list[str] = field(default_factory=list, repr=False)

    @property
    def is_owner(self) -> bool:
        return self.id == OWNER_ID

    @property
    def has_access(self) -> bool:
        return self.is_owner or self.share is not None

    @property
    def username(self) -> str:
        """Return the name to sign in with. Managed accounts have none."""
        return "" if self.restricted else self.name

    @property
    def token(self) -> str:
        """Return the account token that was issued last; it works at plex.tv."""
        return next(reversed(self.tokens.values()), "")

    def may_see(self, library_key: str) -> bool:
        """Return whether the account has access to a library."""
        share = self.share
        return self.is_owner or (share is not None and library_key in share.libraries)

    def filter_for(self, names: Iterable[str]) -> str:
        """Return the share filters with some names as one filter, empty if there are none."""
        share = self.share
        filters = {} if share is None else share.filters
        return "&".join(text for name in names if (text := filters.get(name)))


@dataclass(frozen=True, slots=True)
class Tag:
    """A genre, country, label or collection that an item is tagged with."""

    id: int
    tag: str


@dataclass(frozen=True, slots=True)
class Person:
    """A director, writer, producer or actor."""

    id: int
    tag: str
    tag_key: str
    thumb: str | None


@dataclass(frozen=True, slots=True)
class Role:
    """An actor and the character that the actor plays."""

    person: Person
    role: str | None

    @property
    def id(self) -> int:
        return self.person.id

    @property
    def tag(self) -> str:
        return self.person.tag


@dataclass(frozen=True, slots=True)
class Rating:
    """The rating of an item on one rating site."""

    image: str
    value: float
    type: str  # critic or audience


@dataclass(frozen=True, slots=True)
class Stream:
    """A video, audio or subtitle stream of a file."""

    id: int
    stream_type: int  # 1 video, 2 audio, 3 subtitles
    codec: str
    index: int
    display_title: str
    language: str | None = None
    language_code: str | None = None
    title: str | None = None  # from the file, for instance "SDH"
    default: bool = False
    selected: bool = False  # whether it is played unless the user chooses another
    forced: bool = False
    bitrate: int | None = None
    channels: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a media version."""

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
    """A version of an item, for instance in 4k; its files are its parts."""

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
    """A chapter of a video. Start and end are in milliseconds."""

    id: int
    index: int
    start: int
    end: int
    title: str


@dataclass(frozen=True, slots=True)
class WatchState:
    """What one user has watched of an item, or of the episodes of a show or season."""

    view_count: int = 0
    view_offset: int = 0
    last_viewed_at: int | None = None
    user_rating: float | None = None
    viewed_leaf_count: int = 0


UNWATCHED = WatchState()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A movie, show, season, episode, artist, album, track, photo album or photo.

    Times are in epoch seconds and durations in milliseconds.
    """

    rating_key: str
    library_key: str
    type: str  # "photoalbum" for photo albums; Plex sends "photo" for them
    title: str
    added_at: int
    guid: str
    slug: str | None = None  # names the item at plex.tv; only of items that Plex's agents matched
    subtype: str | None = None
    title_sort: str | None = None  # None if items sort by the title itself
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
    parent_slug: str | None = None
    parent_title: str | None = None
    parent_year: int | None = None
    parent_thumb: str | None = None
    grandparent_rating_key: str | None = None
    grandparent_guid: str | None = None
    grandparent_slug: str | None = None
    grandparent_title: str | None = None
    grandparent_thumb: str | None = None
    grandparent_art: str | None = None
    leaf_count: int | None = None
    child_count: int | None = None
    season_count: int | None = None  # only for shows with specials
    genres: tuple[Tag, ...] = ()
    countries: tuple[Tag, ...] = ()
    directors: tuple[Person, ...] = ()
    writers: tuple[Person, ...] = ()
    producers: tuple[Person, ...] = ()
    roles: tuple[Role, ...] = ()
    collections: tuple[Tag, ...] = ()
    labels: tuple[Tag, ...] = ()
    guids: tuple[str, ...] = ()
    ratings: tuple[Rating, ...] = ()
    media: tuple[Media, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    folders: tuple[str, ...] = ()  # of shows and artists
    locked_fields: tuple[str, ...] = ()  # the fields that a refresh does not overwrite
    watch_states: Mapping[int, WatchState] = field(default_factory=dict)  # by user id

    @property
    def sort_title(self) -> str:
        return self.title_sort or self.title

    def seen_by(self, user: Account) -> WatchState:
        """Return the watch state of a user."""
        return self.watch_states.get(user.id, UNWATCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library, which the Plex API calls a section."""

    key: str
    type: str
    title: str
    agent: str
    scanner: str
    language: str
    uuid: str
    location: str
    hidden: int  # 0: no, 1: from the home screen, 2: from the home screen and from searches
    created_at: int
    updated_at: int
    scanned_at: int
    content_changed_at: int
    item_types: tuple[str, ...]  # from the top level down, for instance show, season, episode


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection of items of one type in one library."""

    rating_key: str
    tag_id: int  # the value that the filter `collection=` takes; it differs from the rating key
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
    content: str | None = None  # the query of a smart one, "/library/sections/1/all?type=1&…"
    item_keys: tuple[str, ...] = ()  # the items of one that is not smart, in custom order
    mode: int = -1  # -1: default, 0: hide, 1: hide items, 2: show items
    sort: int = 0  # 0: by release date, 1: by title, 2: custom
    filter_user: int = 0  # whose watch states filter a smart one; 0: the owner's, 1: the viewer's
    locked_fields: tuple[str, ...] = ()

    @property
    def sort_title(self) -> str:
        return self.title_sort or self.title


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """An item in a playlist. Its id is unique even where a playlist holds an item twice."""

    id: int
    rating_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A playlist of one user."""

    rating_key: str
    guid: str
    user_id: int
    title: str
    playlist_type: str  # video, audio or photo
    added_at: int
    updated_at: int
    summary: str = ""
    smart: bool = False
    content: str | None = None
    entries: tuple[PlaylistEntry, ...] = ()
    view_count: int = 0
    last_viewed_at: int | None = None
    locked_fields: tuple[str, ...] = ()
