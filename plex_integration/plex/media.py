"""Plain values for what Plex has: libraries, items, collections, playlists, the server.

The fields are named as in the JSON responses. Times are ISO 8601 texts, durations milliseconds,
sizes bytes, bit rates kbps. None means that Plex has no value. This module uses no XML, no HTTP and
no Django.

What items consist of is not frozen: a page has a thousand of these values, and it takes three times
as long to create a frozen one. Nothing changes them, and no two responses share them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

LIBRARY_TYPES = ("movie", "show", "artist", "photo")
ITEM_TYPES = (
    "movie", "show", "season", "episode", "artist", "album", "track", "photo", "photoalbum", "clip"
)  # fmt: skip
PLAYLIST_CONTENTS = ("video", "audio", "photo")
STREAM_TYPES = ("video", "audio", "subtitle", "lyrics")


@dataclass(frozen=True, slots=True)
class LibraryReference:
    """The library that an item or a collection belongs to."""

    id: str
    title: str | None
    type: str | None


@dataclass(frozen=True, slots=True)
class Location:
    """A folder that a library reads its files from."""

    id: int | None
    path: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that Plex offers for a library."""

    filter: str | None
    filterType: str | None
    key: str | None
    title: str | None
    type: str | None


@dataclass(frozen=True, slots=True)
class LibraryStatistics:
    """How much a library contains; None where Plex sends no value."""

    count: int | None
    totalSize: int | None
    totalDuration: int | None
    seasons: int | None = None
    episodes: int | None = None
    albums: int | None = None
    tracks: int | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """A library."""

    id: str
    key: str
    title: str | None
    type: str | None
    agent: str | None
    scanner: str | None
    language: str | None
    uuid: str | None
    refreshing: bool | None
    createdAt: str | None
    updatedAt: str | None
    scannedAt: str | None
    content: bool | None
    directory: bool | None
    contentChangedAt: int | None
    hidden: int | None
    location: Sequence[Location]

    @property
    def reference(self) -> LibraryReference:
        """Return the reference by which an item of this library names it."""
        return LibraryReference(self.id, self.title, self.type)


@dataclass(frozen=True, slots=True)
class Libraries:
    """The libraries that a token may see.

    `is_complete` is false if Plex sent a row that is no readable library: which one is unknown.
    """

    all: Sequence[Library]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Storage:
    """The bytes and the playing time of a library."""

    totalSize: int | None
    totalDuration: int | None


@dataclass(slots=True)
class Tag:
    """A genre, director, writer, country or collection; Plex sends no ids in lists."""

    tag: str
    id: int | None = None


@dataclass(slots=True)
class Actor:
    """A member of the cast."""

    tag: str
    id: int | None = None
    role: str | None = None
    thumb: str | None = None


@dataclass(slots=True)
class Stream:
    """A video, audio, subtitle or lyrics track of a file."""

    id: int | None
    streamType: str | None
    codec: str | None
    index: int | None
    language: str | None
    languageCode: str | None
    title: str | None
    displayTitle: str | None
    default: bool
    selected: bool
    forced: bool
    bitrate: int | None
    channels: int | None
    width: int | None
    height: int | None


@dataclass(slots=True)
class Part:
    """One file of a version; its streams are part of an item's details only."""

    id: int | None
    key: str | None
    duration: int | None
    file: str | None
    size: int | None
    container: str | None
    videoProfile: str | None
    streams: Sequence[Stream] | None = None


@dataclass(slots=True)
class Media:
    """One version of an item."""

    id: int | None
    duration: int | None
    bitrate: int | None
    width: int | None
    height: int | None
    aspectRatio: float | None
    audioChannels: int | None
    audioCodec: str | None
    videoCodec: str | None
    videoResolution: str | None
    container: str | None
    videoFrameRate: str | None
    videoProfile: str | None
    parts: Sequence[Part]


@dataclass(slots=True)
class ExternalIds:
    """The known ids of an item at other sites."""

    imdb: str | None = None
    tmdb: str | None = None
    tvdb: str | None = None
    musicbrainz: str | None = None


@dataclass(slots=True)
class PlaybackProgress:
    """How far the user has watched an item: 0, 0 and None if never."""

    viewOffset: int
    viewCount: int
    lastViewedAt: str | None


@dataclass(slots=True)
class Chapter:
    """A chapter of a file; the offsets are milliseconds."""

    id: int | None
    index: int | None
    title: str | None
    startTimeOffset: int | None
    endTimeOffset: int | None


@dataclass(slots=True)
class Rating:
    """The rating of one provider: `value` is 0 to 10, `type` is critic or audience."""

    provider: str
    type: str | None
    value: float


@dataclass(slots=True)
class Item:
    """A movie, show, season, episode, artist, album, track, photo or photo album.

    `matchReason` is what a search matched: the title, unless Plex names something else.
    """

    ratingKey: str
    key: str
    type: str
    title: str | None
    addedAt: str | None
    updatedAt: str | None
    library: LibraryReference | None
    playbackProgress: PlaybackProgress
    guid: str | None = None
    externalIds: ExternalIds | None = None
    subtype: str | None = None
    titleSort: str | None = None
    originalTitle: str | None = None
    summary: str | None = None
    rating: float | None = None
    audienceRating: float | None = None
    year: int | None = None
    tagline: str | None = None
    contentRating: str | None = None
    duration: int | None = None
    originallyAvailableAt: str | None = None
    art: str | None = None
    thumb: str | None = None
    banner: str | None = None
    theme: str | None = None
    studio: str | None = None
    genres: Sequence[Tag] | None = None
    directors: Sequence[Tag] | None = None
    writers: Sequence[Tag] | None = None
    actors: Sequence[Actor] | None = None
    countries: Sequence[Tag] | None = None
    collections: Sequence[Tag] | None = None
    media: Sequence[Media] | None = None
    parentRatingKey: str | None = None
    parentTitle: str | None = None
    grandparentRatingKey: str | None = None
    grandparentTitle: str | None = None
    index: int | None = None
    parentIndex: int | None = None
    seasonCount: int | None = None
    episodeCount: int | None = None
    childCount: int | None = None
    leafCount: int | None = None
    viewedLeafCount: int | None = None
    matchReason: str | None = None
    playlistItemId: int | None = None
    editionTitle: str | None = None
    userRating: float | None = None
    producers: Sequence[Tag] | None = None
    ratings: Sequence[Rating] | None = None
    chapters: Sequence[Chapter] | None = None

    def has_guid(self, guid: str) -> bool:
        """Return whether this is the item's own guid or one of its external ids."""
        site, _, identifier = guid.partition("://")
        return guid == self.guid or (
            self.externalIds is not None and getattr(self.externalIds, site, None) == identifier
        )


@dataclass(slots=True)
class Row:
    """A row of a list or search: what the list itself says of an item.

    `addedAtSeconds` is its `addedAt` there in epoch seconds. `read_item` parses the shortened item
    of the list: most rows need only the complete one.
    """

    ratingKey: str
    library: LibraryReference | None
    addedAtSeconds: int | None
    playlistItemId: int | None
    matchReason: str
    read_item: Callable[[], Item]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and the length of the whole list.

    `received` is the number of rows that Plex sent, including those that cannot be parsed.
    """

    rows: Sequence[Row]
    total: int
    received: int


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of items of one library.

    `dependsOnWatchState` tells whether it chooses its items by what the viewer has watched.
    """

    ratingKey: str
    key: str
    type: str
    title: str | None
    addedAt: str | None
    updatedAt: str | None
    childCount: int | None
    smart: bool
    library: LibraryReference | None
    titleSort: str | None = None
    summary: str | None = None
    contentRating: str | None = None
    art: str | None = None
    thumb: str | None = None
    subtype: str | None = None
    dependsOnWatchState: bool = False


@dataclass(frozen=True, slots=True)
class CollectionPage:
    """Some collections of a library, and how many it has; `received` as in Page."""

    collections: Sequence[Collection]
    total: int
    received: int


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist of the token's user; `duration` is the total of its items.

    `dependsOnWatchState` tells whether it chooses its items by what the user has watched.
    """

    ratingKey: str
    key: str
    type: str
    title: str | None
    playlistType: str | None
    smart: bool
    addedAt: str | None
    updatedAt: str | None
    itemCount: int | None
    duration: int | None
    summary: str | None = None
    composite: str | None = None
    dependsOnWatchState: bool = False


@dataclass(frozen=True, slots=True)
class PlaylistPage:
    """Some playlists, and how many there are; `received` as in Page."""

    playlists: Sequence[Playlist]
    total: int
    received: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class Server:
    """The server itself; `createdAt` is always None, because Plex does not send it."""

    name: str | None
    version: str | None
    platform: str | None
    platformVersion: str | None
    machineIdentifier: str | None
    updatedAt: str | None
    multiuser: bool | None
    transcoderActiveVideoSessions: int | None
    transcoderAudio: bool | None
    transcoderVideo: bool | None
    transcoderVideoBitrates: Sequence[str] | None
    transcoderVideoQualities: Sequence[str] | None
    transcoderVideoResolutions: Sequence[str] | None
    createdAt: str | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """What the server can do; None where Plex sends no value."""

    activityNotifications: bool | None
    collections: bool | None
    dvr: bool | None
    livetv: bool | None
    musicAnalysis: bool | None
    photoTranscoding: bool | None
    premium: bool | None
    publish: bool | None
    sync: bool | None
    voiceSearch: bool | None
    playlists: bool = True
    provider: str = "plex"
    contentRating: bool | None = None
    passthrough: bool | None = None
    publicAddressMatches: bool | None = None
    scannerPhotos: bool | None = None
    searchByGenre: bool | None = None
    transcodingThrottling: bool | None = None


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The server and its features, which Plex sends in one response."""

    server: Server
    features: Features


@dataclass(frozen=True)
class Choices:
    """The choices of a filter in Plex's order."""

    all: Sequence[Choice] = ()

    @cached_property
    def ids(self) -> frozenset[str]:
        """Return the ids of all choices as texts."""
        return frozenset(str(choice.id) for choice in self.all)

    @cached_property
    def by_title(self) -> dict[str, str]:
        """Return the id of each case-folded title; of equal titles, the first choice's id."""
        return {choice.title.casefold(): str(choice.id) for choice in reversed(self.all)}
