"""Query parameters of the reading endpoints, with their bounds."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from medianest.api.fields import Flag, Text, WholeNumber
from medianest.api.serializers import Query
from plex_integration.errors import LibraryNotFound, SearchQueryTooShort
from plex_integration.plex.ids import is_id
from plex_integration.plex.media import ITEM_TYPES, PLAYLIST_CONTENTS
from plex_integration.reading.rating_keys import RatingKeyList
from plex_integration.reading.serializers.details import PlexMediaItemDetailsPayload
from plex_integration.reading.serializers.items import PlexMediaItemPayload, PlexSearchResultPayload
from plex_integration.reading.serializers.playlists import PlexPlaylistItemPayload
from plex_integration.reading.sparse import fields_of

MAX_NAMED = 200
"""How many items a request may name."""

LARGEST_START = 2**31 - 1
LISTED_TYPES = tuple(kind for kind in ITEM_TYPES if kind != "clip")
RECENT_TYPES = LISTED_TYPES[:7]
SEARCHED_TYPES = ("movie", "show", "episode", "artist", "album", "track")
# As Plex does: titles from A on, everything else from the highest down.
SORTED_BY = {"titleSort": "asc", "addedAt": "desc", "rating": "desc", "year": "desc"}
SORTS = [
    f"{field}{direction}" for field in SORTED_BY for direction in ("", ":asc", ":desc")
]  # fmt: skip


class SparseQuery(Query):
    """Which members the items have."""

    fields = fields_of(PlexMediaItemPayload)


class DetailsQuery(SparseQuery):
    """How complete the items are."""

    details = serializers.ChoiceField(
        choices=["full", "summary"],
        default="full",
        help_text="`full`: complete items. `summary`: what Plex's lists contain (2 genres, 3 "
        "actors, no ids), one upstream request less.",
    )


class Sort(serializers.ChoiceField):
    """A sort field with an optional direction; the validated value always has one."""

    def to_internal_value(self, data: Any) -> str:
        field, _, direction = str(super().to_internal_value(data)).partition(":")
        return f"{field}:{direction or SORTED_BY[field]}"


class LibraryItemsQuery(DetailsQuery):
    """A page of a library's items: filters, sort order and position."""

    start = WholeNumber(
        min_value=0, max_value=LARGEST_START, default=0, help_text="Starting offset."
    )
    size = WholeNumber(min_value=1, max_value=200, default=50, help_text="Number of items.")
    sort = Sort(
        choices=SORTS,
        default="titleSort:asc",
        help_text="Sort field. Without a direction, `titleSort` ascends and the others "
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
    """What to search for in all libraries."""

    query = Text(
        min_length=2,
        max_length=200,
        error_messages={"required": "", "blank": "", "min_length": ""},
        help_text="The text to search for, 2 to 200 characters.",
    )
    type = serializers.ChoiceField(
        choices=SEARCHED_TYPES, required=False, help_text="Media type filter."
    )
    limit = WholeNumber(
        min_value=1, max_value=200, default=50, help_text="Maximum results, of all types together."
    )
    fields = fields_of(PlexSearchResultPayload)

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
    """A library's id. Raises LibraryNotFound for anything that cannot be one."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and not is_id(data):
            raise LibraryNotFound
        return super().run_validation(data)


class RecentlyAddedQuery(DetailsQuery):
    """Filters of recently added items."""

    limit = WholeNumber(min_value=1, max_value=200, default=50, help_text="Maximum items.")
    type = serializers.ChoiceField(
        choices=RECENT_TYPES,
        required=False,
        help_text="Media type filter. When left out, new episodes are grouped as Plex groups them.",
    )
    library = LibraryKey(required=False, help_text="A library's id.")


class ItemQuery(Query):
    """Which members the item has."""

    fields = fields_of(PlexMediaItemDetailsPayload)


class ChildrenQuery(DetailsQuery):
    """A page of an item's children."""

    start = WholeNumber(
        min_value=0, max_value=LARGEST_START, default=0, help_text="Starting offset."
    )
    size = WholeNumber(min_value=1, max_value=200, default=50, help_text="Number of items.")


class ManyItemsQuery(SparseQuery):
    """Which items to show."""

    ids = RatingKeyList(
        MAX_NAMED, help_text="The rating keys of the items, comma-separated, in their order."
    )


class LookupQuery(SparseQuery):
    """The guid to look up."""

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
    """How many of the items to continue."""

    limit = WholeNumber(min_value=1, max_value=200, default=50, help_text="Maximum items.")


class PlaylistsQuery(Query):
    """A filter of playlists."""

    type = serializers.ChoiceField(
        choices=PLAYLIST_CONTENTS, required=False, help_text="The type of their items."
    )


class CollectionsQuery(Query):
    """A page of a library's collections; all of them without parameters."""

    start = WholeNumber(
        min_value=0, max_value=LARGEST_START, default=0, help_text="Starting offset."
    )
    size = WholeNumber(
        min_value=1, max_value=200, required=False, help_text="Number of rows; all when left out."
    )


class CollectionQuery(DetailsQuery, CollectionsQuery):
    """A page of the items of a collection; all of them without parameters."""


class PlaylistQuery(CollectionQuery):
    """A page of the items of a playlist; all of them without parameters."""

    fields = fields_of(PlexPlaylistItemPayload)
