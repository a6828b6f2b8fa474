"""What Plex holds, as plain values: spelled as on the wire, with everything optional explicit.

Times are ISO 8601 texts, durations milliseconds, sizes bytes, bit rates kbps. None means that
Plex has no value. Knows nothing of Plex's XML, of HTTP or of Django.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class LibraryReference:
    """The library something belongs to."""

    id: str
    title: str | None
    type: str | None


@dataclass(frozen=True, slots=True)
class Location:
    """A folder a library reads."""

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
    """How much a library holds; None where Plex would not say."""

    count: int | None
    totalSize: int | None
    totalDuration: int | None
    seasons: int | None = None
    episodes: int | None = None
    albums: int | None = None
    tracks: int | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """A library as Plex lists it."""

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
        """How an item of this library names it."""
        return LibraryReference(self.id, self.title, self.type)


@dataclass(frozen=True, slots=True)
class Storage:
    """The bytes and the playing time of a library."""

    totalSize: int | None
    totalDuration: int | None


@dataclass(frozen=True, slots=True)
class Tag:
    """A genre, director, writer, country or collection; lists of Plex's give no id."""

    tag: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """A cast member, in billing order."""

    tag: str
    id: int | None = None
    role: str | None = None
    thumb: str | None = None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a version; its streams are told on an item's own page alone."""

    id: int | None
    key: str | None
    duration: int | None
    file: str | None
    size: int | None
    container: str | None
    videoProfile: str | None
    streams: Sequence[Stream] | None = None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class ExternalIds:
    """The item's ids elsewhere, those known."""

    imdb: str | None = None
    tmdb: str | None = None
    tvdb: str | None = None
    musicbrainz: str | None = None


@dataclass(frozen=True, slots=True)
class PlaybackProgress:
    """How far the viewer is; never watched is 0, 0 and None."""

    viewOffset: int
    viewCount: int
    lastViewedAt: str | None


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of a file; the offsets are milliseconds."""

    id: int | None
    index: int | None
    title: str | None
    startTimeOffset: int | None
    endTimeOffset: int | None


@dataclass(frozen=True, slots=True)
class Rating:
    """One provider's rating: `value` from 0 to 10, `type` critic or audience."""

    provider: str
    type: str | None
    value: float


@dataclass(frozen=True, slots=True)
class Item:
    """A movie, show, season, episode, artist, album, track, photo or photo album."""

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


@dataclass(frozen=True, slots=True)
class Row:
    """An item as a list or search of Plex holds it: cut short, and why it is there.

    `addedAtSeconds` is the epoch second it was added at, `score` how well it matches a search,
    `reason` what a search matched other than the title.
    """

    item: Item
    addedAtSeconds: int | None = None
    score: float = 0.0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and how many the whole list has.

    `asked` is how many rows Plex sent, counting those that could not be read.
    """

    rows: Sequence[Row]
    total: int
    asked: int


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of one library's items."""

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


@dataclass(frozen=True, slots=True)
class CollectionPage:
    """Some of a library's collections, and how many there are."""

    collections: Sequence[Collection]
    total: int
    asked: int


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist of the token's user; `duration` is that of all its items together."""

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


@dataclass(frozen=True, slots=True)
class PlaylistPage:
    """Some playlists, and how many there are."""

    playlists: Sequence[Playlist]
    total: int
    asked: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class Server:
    """The server itself, as the document's `server` has it; `createdAt` has no source in Plex."""

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
    """What the server can do; None where Plex has no word for it."""

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
class ServerAnswer:
    """The server and its features, which Plex sends together."""

    server: Server
    features: Features


@dataclass(frozen=True)
class Choices:
    """A filter's choices, in Plex's order."""

    all: Sequence[Choice] = ()

    @cached_property
    def ids(self) -> frozenset[str]:
        """Return all ids, as texts."""
        return frozenset(str(choice.id) for choice in self.all)

    @cached_property
    def by_title(self) -> dict[str, str]:
        """Return the id of each title, in any case; the first of equal titles wins."""
        return {choice.title.casefold(): str(choice.id) for choice in reversed(self.all)}
