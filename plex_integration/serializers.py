"""The contract: what may be asked (…Query), what is answered (…Payload); OpenAPI comes from here.

A member with `required=False` is one the document marks optional: it is left out where Plex has no
value. Any other member is always there, null where Plex has none.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from plex_integration.errors import LibraryNotFound, SearchQueryTooShort
from plex_integration.pictures.signing import PictureLink
from plex_integration.wire import Flag, Instant, Payload, Query, Text, WholeNumber, is_key

LARGEST_START = 2**31 - 1
LISTED_TYPES = (
    "movie", "show", "season", "episode", "artist", "album", "track", "photo", "photoalbum"
)  # fmt: skip
RECENT_TYPES = LISTED_TYPES[:7]
SEARCHED_TYPES = ("movie", "show", "episode", "artist", "album", "track")
# As Plex does: titles from A on, everything else from the highest down.
SORTED_BY = {"titleSort": "asc", "addedAt": "desc", "rating": "desc", "year": "desc"}
SORTS = [
    f"{field}{direction}" for field in SORTED_BY for direction in ("", ":asc", ":desc")
]  # fmt: skip


# --- What may be asked ----------------------------------------------------------------------------


class DetailsQuery(Query):
    """How much of each item is wanted."""

    details = serializers.ChoiceField(
        choices=["full", "summary"],
        default="full",
        help_text="`full`: complete items. `summary`: what Plex's lists hold (2 genres, 3 actors, "
        "no ids), one upstream request less.",
    )


class Sort(serializers.ChoiceField):
    """A sort field with an optional direction; validated to one with its direction."""

    def to_internal_value(self, data: Any) -> str:
        field, _, direction = str(super().to_internal_value(data)).partition(":")
        return f"{field}:{direction or SORTED_BY[field]}"


class LibraryItemsQuery(DetailsQuery):
    """A page of a library's items: which, in what order."""

    start = WholeNumber(
        min_value=0, max_value=LARGEST_START, default=0, help_text="Starting offset."
    )
    size = WholeNumber(min_value=1, max_value=200, default=50, help_text="Number of items.")
    sort = Sort(
        choices=SORTS,
        default="titleSort:asc",
        help_text="Sort field. Bare, `titleSort` ascends and the others "
        "descend; items without the value come last.",
    )
    type = serializers.ChoiceField(
        choices=LISTED_TYPES,
        required=False,
        help_text="Item type, as the library's own type allows: movie; show, season, episode; "
        "artist, album, track; photo, photoalbum. When left out, the library's own.",
    )
    unwatched = Flag(
        required=False,
        help_text="true: only what is not yet watched (shows: with unwatched episodes). "
        "false: no filter. Not for music and photos.",
    )
    genre = Text(
        required=False,
        max_length=200,
        help_text="A genre's name, in any case, or its id. An unknown one gives an empty page.",
    )
    year = WholeNumber(required=False, min_value=1800, max_value=2100, help_text="Release year.")


class SearchQuery(DetailsQuery):
    """What to look for in all libraries."""

    query = Text(
        min_length=2,
        max_length=200,
        error_messages={"required": "", "blank": "", "min_length": ""},
        help_text="What to look for, 2 to 200 characters.",
    )
    type = serializers.ChoiceField(
        choices=SEARCHED_TYPES, required=False, help_text="Media type filter."
    )
    limit = WholeNumber(
        min_value=1, max_value=200, default=50, help_text="Maximum results, of all types together."
    )

    @classmethod
    def of(cls, parameters: Any) -> Mapping[str, Any]:
        """Return the validated parameters. Raises SearchQueryTooShort before anything else."""
        try:
            return super().of(parameters)
        except serializers.ValidationError as error:
            problems: Any = error.detail
            codes = {each.code for each in problems.get("query", [])}
            if codes & {"required", "blank", "min_length"}:
                raise SearchQueryTooShort from error
            raise


class LibraryKey(serializers.CharField):
    """A library's id. Raises LibraryNotFound for what can be none: Plex is not asked."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and not is_key(data):
            raise LibraryNotFound
        return super().run_validation(data)


class RecentlyAddedQuery(DetailsQuery):
    """What was added lately: how many, of which type, in which library."""

    limit = WholeNumber(min_value=1, max_value=200, default=50, help_text="Maximum items.")
    type = serializers.ChoiceField(
        choices=RECENT_TYPES,
        required=False,
        help_text="Media type filter. When left out, new episodes are grouped as Plex groups them.",
    )
    library = LibraryKey(required=False, help_text="A library's id.")


class ChildrenQuery(DetailsQuery):
    """A page of an item's children."""

    start = WholeNumber(
        min_value=0, max_value=LARGEST_START, default=0, help_text="Starting offset."
    )
    size = WholeNumber(min_value=1, max_value=200, default=50, help_text="Number of items.")


class LookupQuery(Query):
    """Which guid to look for."""

    guid = serializers.RegexField(
        r"^(plex://[a-z]+/[0-9a-f]{1,40}|imdb://tt[0-9]{1,12}|(tmdb|tvdb)://[0-9]{1,12})\Z",
        error_messages={
            "invalid": "Must be plex://<type>/<id>, imdb://tt<digits>, tmdb://<digits> or "
            "tvdb://<digits>."
        },
        trim_whitespace=False,
        help_text="`plex://movie/…`, `imdb://tt…`, `tmdb://…` or `tvdb://…`.",
    )


class OnDeckQuery(DetailsQuery):
    """How much of what can be continued."""

    limit = WholeNumber(min_value=1, max_value=200, default=50, help_text="Maximum items.")


class PlaylistsQuery(Query):
    """Which playlists."""

    type = serializers.ChoiceField(
        choices=["video", "audio", "photo"], required=False, help_text="What they hold."
    )


class CollectionsQuery(Query):
    """Which of a library's collections; all when nothing is given."""

    start = WholeNumber(
        min_value=0, max_value=LARGEST_START, default=0, help_text="Starting offset."
    )
    size = WholeNumber(
        min_value=1, max_value=200, required=False, help_text="Number of rows; all when left out."
    )


class CollectionQuery(DetailsQuery, CollectionsQuery):
    """Which of a collection's items; all when nothing is given."""


# --- What is answered -----------------------------------------------------------------------------


class LibraryReferencePayload(Payload):
    """The library something belongs to."""

    id = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    type = serializers.CharField(allow_null=True)


class TagPayload(Payload):
    """A genre, director, writer, country or collection."""

    id = serializers.IntegerField(required=False)
    tag = serializers.CharField()


class ActorPayload(TagPayload):
    """A cast member."""

    role = serializers.CharField(required=False)
    thumb = serializers.CharField(required=False)


class FilePath(serializers.CharField):
    """A path on the server; null unless the context's `show_file_paths` is true."""

    def __init__(self) -> None:
        super().__init__(allow_null=True, help_text="Null where the setting hides paths.")

    def to_representation(self, value: Any) -> Any:
        return value if self.context["show_file_paths"] else None


class PartPayload(Payload):
    """One file of a version."""

    id = serializers.IntegerField(allow_null=True)
    key = serializers.CharField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    file = FilePath()
    size = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    container = serializers.CharField(allow_null=True)
    videoProfile = serializers.CharField(allow_null=True)


class MediaPayload(Payload):
    """One version of an item."""

    id = serializers.IntegerField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    bitrate = serializers.IntegerField(allow_null=True, help_text="kbps.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    aspectRatio = serializers.FloatField(allow_null=True)
    audioChannels = serializers.IntegerField(allow_null=True)
    audioCodec = serializers.CharField(allow_null=True)
    videoCodec = serializers.CharField(allow_null=True)
    videoResolution = serializers.CharField(allow_null=True)
    container = serializers.CharField(allow_null=True)
    videoFrameRate = serializers.CharField(allow_null=True)
    videoProfile = serializers.CharField(allow_null=True)
    parts = PartPayload(many=True)


class ExternalIdsPayload(Payload):
    """The item's ids elsewhere, those known."""

    imdb = serializers.CharField(required=False)
    tmdb = serializers.CharField(required=False)
    tvdb = serializers.CharField(required=False)
    musicbrainz = serializers.CharField(required=False)


class PlaybackProgressPayload(Payload):
    """How far the viewer is."""

    viewOffset = serializers.IntegerField(help_text="Milliseconds.")
    viewCount = serializers.IntegerField()
    lastViewedAt = Instant(allow_null=True)


class ItemPayload(Payload):
    """A movie, show, season, episode, artist, album, track, photo or photo album."""

    ratingKey = serializers.CharField()
    key = serializers.CharField()
    guid = serializers.CharField(required=False)
    externalIds = ExternalIdsPayload(required=False)
    type = serializers.CharField()
    subtype = serializers.CharField(required=False)
    title = serializers.CharField(allow_null=True)
    titleSort = serializers.CharField(required=False)
    originalTitle = serializers.CharField(required=False)
    summary = serializers.CharField(required=False)
    rating = serializers.FloatField(required=False)
    audienceRating = serializers.FloatField(required=False)
    year = serializers.IntegerField(required=False)
    tagline = serializers.CharField(required=False)
    contentRating = serializers.CharField(required=False)
    duration = serializers.IntegerField(required=False, help_text="Milliseconds.")
    originallyAvailableAt = serializers.CharField(required=False, help_text="As Plex has it.")
    addedAt = Instant(allow_null=True)
    updatedAt = Instant(allow_null=True)
    art = serializers.CharField(required=False)
    artUrl = PictureLink("art")
    thumb = serializers.CharField(required=False)
    thumbUrl = PictureLink("thumb")
    banner = serializers.CharField(required=False)
    theme = serializers.CharField(required=False)
    studio = serializers.CharField(required=False)
    library = LibraryReferencePayload(allow_null=True)
    parentRatingKey = serializers.CharField(required=False)
    parentTitle = serializers.CharField(required=False)
    index = serializers.IntegerField(required=False)
    parentIndex = serializers.IntegerField(required=False)
    grandparentRatingKey = serializers.CharField(required=False)
    grandparentTitle = serializers.CharField(required=False)
    genres = TagPayload(many=True, required=False)
    directors = TagPayload(many=True, required=False)
    writers = TagPayload(many=True, required=False)
    actors = ActorPayload(many=True, required=False, help_text="The first 20, in billing order.")
    countries = TagPayload(many=True, required=False)
    collections = TagPayload(many=True, required=False)
    media = MediaPayload(many=True, required=False)
    seasonCount = serializers.IntegerField(required=False, help_text="Without specials.")
    episodeCount = serializers.IntegerField(required=False)
    childCount = serializers.IntegerField(required=False, help_text="Seasons with specials.")
    leafCount = serializers.IntegerField(required=False)
    viewedLeafCount = serializers.IntegerField(required=False)
    playbackProgress = PlaybackProgressPayload()


class PaginationPayload(Payload):
    """Where this page lies in the whole."""

    start = serializers.IntegerField()
    size = serializers.IntegerField(help_text="The page size in force.")
    total = serializers.IntegerField(help_text="All that match.")
    hasMore = serializers.BooleanField()


class ServerInfoPayload(Payload):
    """The server itself."""

    name = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    platform = serializers.CharField(allow_null=True)
    platformVersion = serializers.CharField(allow_null=True)
    machineIdentifier = serializers.CharField(allow_null=True)
    updatedAt = Instant(allow_null=True)
    createdAt = Instant(allow_null=True, help_text="Plex has no source for it: null.")
    multiuser = serializers.BooleanField(allow_null=True)
    transcoderActiveVideoSessions = serializers.IntegerField(allow_null=True)
    transcoderAudio = serializers.BooleanField(allow_null=True)
    transcoderVideo = serializers.BooleanField(allow_null=True)
    transcoderVideoBitrates = serializers.ListField(child=serializers.CharField(), allow_null=True)
    transcoderVideoQualities = serializers.ListField(child=serializers.CharField(), allow_null=True)
    transcoderVideoResolutions = serializers.ListField(
        child=serializers.CharField(), allow_null=True
    )


class ConnectionPayload(Payload):
    """How this service reaches the server."""

    uri = serializers.CharField()
    local = serializers.BooleanField(allow_null=True)
    relay = serializers.BooleanField(allow_null=True)
    address = serializers.CharField()
    port = serializers.IntegerField()
    protocol = serializers.CharField()


class FeaturesPayload(Payload):
    """What the server can do; null where Plex has no word for it."""

    activityNotifications = serializers.BooleanField(allow_null=True)
    collections = serializers.BooleanField(allow_null=True)
    contentRating = serializers.BooleanField(allow_null=True)
    dvr = serializers.BooleanField(allow_null=True)
    livetv = serializers.BooleanField(allow_null=True)
    musicAnalysis = serializers.BooleanField(allow_null=True)
    passthrough = serializers.BooleanField(allow_null=True)
    photoTranscoding = serializers.BooleanField(allow_null=True)
    playlists = serializers.BooleanField()
    premium = serializers.BooleanField(allow_null=True)
    provider = serializers.CharField()
    publicAddressMatches = serializers.BooleanField(allow_null=True)
    publish = serializers.BooleanField(allow_null=True)
    scannerPhotos = serializers.BooleanField(allow_null=True)
    searchByGenre = serializers.BooleanField(allow_null=True)
    sync = serializers.BooleanField(allow_null=True)
    transcodingThrottling = serializers.BooleanField(allow_null=True)
    voiceSearch = serializers.BooleanField(allow_null=True)


class ServerStatisticsPayload(Payload):
    """How much the server holds and does."""

    accountID = serializers.IntegerField(allow_null=True, help_text="No source in Plex: null.")
    deviceID = serializers.IntegerField(allow_null=True, help_text="No source in Plex: null.")
    sessionCount = serializers.IntegerField(allow_null=True)
    libraryCount = serializers.IntegerField(allow_null=True)
    totalSize = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    totalDuration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")


class ServerPayload(Payload):
    """`GET /server`."""

    server = ServerInfoPayload()
    connection = ConnectionPayload()
    features = FeaturesPayload()
    statistics = ServerStatisticsPayload()


class LocationPayload(Payload):
    """A folder a library reads."""

    id = serializers.IntegerField(allow_null=True)
    path = FilePath()


class LibraryStatisticsPayload(Payload):
    """How much a library holds."""

    count = serializers.IntegerField(allow_null=True)
    totalSize = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    totalDuration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    seasons = serializers.IntegerField(required=False)
    episodes = serializers.IntegerField(required=False)
    albums = serializers.IntegerField(required=False)
    tracks = serializers.IntegerField(required=False)


class FilterPayload(Payload):
    """A filter that Plex offers for a library."""

    filter = serializers.CharField(allow_null=True)
    filterType = serializers.CharField(allow_null=True)
    key = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_null=True)
    type = serializers.CharField(allow_null=True)


class LibraryPayload(Payload):
    """A library."""

    id = serializers.CharField(source="library.id")
    key = serializers.CharField(source="library.key")
    title = serializers.CharField(source="library.title", allow_null=True)
    type = serializers.CharField(source="library.type", allow_null=True)
    agent = serializers.CharField(source="library.agent", allow_null=True)
    scanner = serializers.CharField(source="library.scanner", allow_null=True)
    language = serializers.CharField(source="library.language", allow_null=True)
    uuid = serializers.CharField(source="library.uuid", allow_null=True)
    refreshing = serializers.BooleanField(source="library.refreshing", allow_null=True)
    createdAt = Instant(source="library.createdAt", allow_null=True)
    updatedAt = Instant(source="library.updatedAt", allow_null=True)
    scannedAt = Instant(source="library.scannedAt", allow_null=True)
    content = serializers.BooleanField(source="library.content", allow_null=True)
    directory = serializers.BooleanField(source="library.directory", allow_null=True)
    contentChangedAt = serializers.IntegerField(
        source="library.contentChangedAt",
        allow_null=True,
        help_text="Plex's change counter, not a time; newer servers exceed 2^53.",
    )
    hidden = serializers.IntegerField(source="library.hidden", allow_null=True)
    location = LocationPayload(source="library.location", many=True)
    statistics = LibraryStatisticsPayload()
    filters = FilterPayload(many=True, required=False)


class LibrariesPayload(Payload):
    """`GET /libraries`."""

    libraries = LibraryPayload(many=True)
    totalCount = serializers.IntegerField()
    totalMediaItems = serializers.IntegerField(
        allow_null=True, help_text="Movies, episodes, tracks and photos; null if one is unknown."
    )


class LibraryItemsPayload(Payload):
    """`GET /libraries/:libraryKey/items`."""

    items = ItemPayload(many=True)
    pagination = PaginationPayload()
    libraryInfo = LibraryReferencePayload()


class SearchResultPayload(ItemPayload):
    """An item, and what in it matched."""

    matchReason = serializers.CharField(help_text="`title`, or what Plex says it matched.")


class SearchPayload(Payload):
    """`GET /search`."""

    results = SearchResultPayload(many=True)
    total = serializers.IntegerField(help_text="Results returned.")
    queryTime = serializers.IntegerField(help_text="Milliseconds that Plex took.")


class RecentlyAddedPayload(Payload):
    """`GET /recently-added`."""

    items = ItemPayload(many=True)
    total = serializers.IntegerField(help_text="All of the timeframe, before `limit`.")
    timeframe = serializers.CharField()


class ListedCollectionPayload(Payload):
    """A collection, as a library lists it."""

    ratingKey = serializers.CharField()
    key = serializers.CharField()
    type = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    titleSort = serializers.CharField(required=False)
    summary = serializers.CharField(required=False)
    contentRating = serializers.CharField(required=False)
    addedAt = Instant(allow_null=True)
    updatedAt = Instant(allow_null=True)
    art = serializers.CharField(required=False)
    artUrl = PictureLink("art")
    thumb = serializers.CharField(required=False)
    thumbUrl = PictureLink("thumb")
    childCount = serializers.IntegerField(allow_null=True)
    smart = serializers.BooleanField()
    subtype = serializers.CharField(required=False)
    library = LibraryReferencePayload(allow_null=True)


class CollectionsPayload(Payload):
    """`GET /libraries/:libraryKey/collections`."""

    collections = ListedCollectionPayload(many=True)
    total = serializers.IntegerField()
    library = LibraryReferencePayload()
    pagination = PaginationPayload()


class CollectionPayload(Payload):
    """`GET /collections/:collectionKey`."""

    collection = ListedCollectionPayload()
    items = ItemPayload(many=True)
    pagination = PaginationPayload()


class StreamPayload(Payload):
    """A track of a file."""

    id = serializers.IntegerField(allow_null=True)
    streamType = serializers.CharField(
        allow_null=True, help_text="`video`, `audio`, `subtitle` or `lyrics`."
    )
    codec = serializers.CharField(allow_null=True)
    index = serializers.IntegerField(required=False)
    language = serializers.CharField(required=False)
    languageCode = serializers.CharField(required=False)
    title = serializers.CharField(required=False)
    displayTitle = serializers.CharField(required=False)
    default = serializers.BooleanField()
    selected = serializers.BooleanField()
    forced = serializers.BooleanField()
    bitrate = serializers.IntegerField(required=False, help_text="kbps.")
    channels = serializers.IntegerField(required=False)
    width = serializers.IntegerField(required=False)
    height = serializers.IntegerField(required=False)


class DetailedPartPayload(PartPayload):
    """One file of a version, with its tracks."""

    streams = StreamPayload(many=True)


class DetailedMediaPayload(MediaPayload):
    """One version of an item, with its files' tracks."""

    parts = DetailedPartPayload(many=True)


class RatingPayload(Payload):
    """One source's rating, from 0 to 10."""

    provider = serializers.CharField(help_text="Who rated, such as `imdb`.")
    type = serializers.CharField(required=False, help_text="`critic` or `audience`.")
    value = serializers.FloatField()


class ChapterPayload(Payload):
    """A chapter."""

    id = serializers.IntegerField(allow_null=True)
    index = serializers.IntegerField(required=False)
    title = serializers.CharField(required=False)
    startTimeOffset = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    endTimeOffset = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")


class ItemDetailPayload(ItemPayload):
    """An item with everything Plex holds of it."""

    actors = ActorPayload(many=True, required=False, help_text="All, in billing order.")
    producers = TagPayload(many=True, required=False)
    ratings = RatingPayload(many=True, required=False)
    chapters = ChapterPayload(many=True, required=False)
    media = DetailedMediaPayload(many=True, required=False)
    editionTitle = serializers.CharField(required=False)
    userRating = serializers.FloatField(required=False)


class ItemAnswerPayload(Payload):
    """`GET /items/:ratingKey`."""

    item = ItemDetailPayload()


class ChildrenPayload(Payload):
    """`GET /items/:ratingKey/children`."""

    parent = ItemPayload()
    items = ItemPayload(many=True)
    pagination = PaginationPayload()


class ItemsPayload(Payload):
    """`GET /items/lookup` and `GET /on-deck`."""

    items = ItemPayload(many=True)
    total = serializers.IntegerField()


class GenrePayload(Payload):
    """A genre, for a filter menu."""

    id = serializers.IntegerField()
    title = serializers.CharField()


class GenresPayload(Payload):
    """`GET /libraries/:libraryKey/genres`."""

    genres = GenrePayload(many=True)
    total = serializers.IntegerField()
    library = LibraryReferencePayload()


class PlaylistPayload(Payload):
    """A playlist."""

    ratingKey = serializers.CharField()
    key = serializers.CharField()
    type = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    summary = serializers.CharField(required=False)
    playlistType = serializers.CharField(allow_null=True, help_text="`video`, `audio`, `photo`.")
    smart = serializers.BooleanField()
    addedAt = Instant(allow_null=True)
    updatedAt = Instant(allow_null=True)
    itemCount = serializers.IntegerField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True, help_text="Milliseconds.")
    composite = serializers.CharField(required=False)
    thumbUrl = PictureLink("thumb", member="composite")


class PlaylistsPayload(Payload):
    """`GET /playlists`."""

    playlists = PlaylistPayload(many=True)
    total = serializers.IntegerField()


class PlaylistItemPayload(ItemPayload):
    """An item of a playlist; the same item can stand in it twice."""

    playlistItemId = serializers.IntegerField(allow_null=True)


class PlaylistAnswerPayload(Payload):
    """`GET /playlists/:playlistKey`."""

    playlist = PlaylistPayload()
    items = PlaylistItemPayload(many=True)
    pagination = PaginationPayload()
