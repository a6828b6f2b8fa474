"""The document's two tables as data: cache times and rate limits.

Viewsets, cache, throttles, schema and documentation read these.
"""

from dataclasses import dataclass

from medianest.api.limits import Limit

STALE_FOR = 24 * 3600
"""Seconds beyond its time to live for which a response may be served while Plex fails."""

REVALIDATED_FOR = 60
"""Seconds beyond its time to live for which a client may use a response while it asks again.

Only where nothing in it depends on what the viewer does: after a mark, the next response shows it.
"""

PARTIAL_FOR = 30
"""Time to live in seconds of a response of which Plex failed a part."""


@dataclass(frozen=True)
class Policy:
    """One endpoint's row: its name, its time to live in seconds, and its limit.

    `has_viewer_state` tells whether the response shows what a viewer has watched.
    """

    name: str
    ttl: int
    limit: Limit
    has_viewer_state: bool = True


SERVER_INFO = Limit("server", 20)
LIBRARY_OPERATIONS = Limit("library", 60)
SEARCHES = Limit("search", 30)
RECENT = Limit("recent", 20)
COLLECTION_OPERATIONS = Limit("collections", 40)

WRITES = Limit("writes", 30)
"""Every write, dry runs too."""

IMAGES = Limit("images", 600)
"""Per user; per address where a signed link is followed."""

PLEX_PINS = Limit("plex-pins", 10)
"""PINs to sign in with Plex, per address."""

HOME_PINS = Limit("home-pins", 5)
"""Wrong PINs of Plex Home profiles, per user."""

SERVER = Policy("server", 30 * 60, SERVER_INFO, has_viewer_state=False)
LIBRARIES = Policy("libraries", 30 * 60, LIBRARY_OPERATIONS, has_viewer_state=False)
LIBRARY_ITEMS = Policy("library-items", 10 * 60, LIBRARY_OPERATIONS)
SEARCH = Policy("search", 10 * 60, SEARCHES)
RECENTLY_ADDED = Policy("recently-added", 10 * 60, RECENT)
COLLECTIONS = Policy("collections", 30 * 60, COLLECTION_OPERATIONS, has_viewer_state=False)
COLLECTION = Policy("collection", 30 * 60, COLLECTION_OPERATIONS)

ITEMS = Policy("items", 10 * 60, LIBRARY_OPERATIONS)
ITEM = Policy("item", 10 * 60, LIBRARY_OPERATIONS)
ITEM_CHILDREN = Policy("item-children", 10 * 60, LIBRARY_OPERATIONS)
ITEM_LOOKUP = Policy("item-lookup", 10 * 60, SEARCHES)
ON_DECK = Policy("on-deck", 60, RECENT)
GENRES = Policy("genres", 30 * 60, LIBRARY_OPERATIONS, has_viewer_state=False)
PLAYLISTS = Policy("playlists", 10 * 60, COLLECTION_OPERATIONS)
PLAYLIST = Policy("playlist", 10 * 60, COLLECTION_OPERATIONS)

POLICIES = (
    SERVER,
    LIBRARIES,
    LIBRARY_ITEMS,
    SEARCH,
    RECENTLY_ADDED,
    COLLECTIONS,
    COLLECTION,
    ITEMS,
    ITEM,
    ITEM_CHILDREN,
    ITEM_LOOKUP,
    ON_DECK,
    GENRES,
    PLAYLISTS,
    PLAYLIST,
)

IMAGE_PATHS = Policy("image-paths", 10 * 60, IMAGES)
"""Which image an item has, where no signed link says so. No endpoint of its own."""

ENDPOINTS = (*POLICIES, IMAGE_PATHS)
"""Every policy whose time to live an operator can change."""

LIMITS = (
    SERVER_INFO,
    LIBRARY_OPERATIONS,
    SEARCHES,
    RECENT,
    COLLECTION_OPERATIONS,
    WRITES,
    IMAGES,
    PLEX_PINS,
    HOME_PINS,
)
"""Every limit an operator can change."""

CATALOG = Policy("lists", 30 * 60, SERVER_INFO)
"""The libraries and genres that make queries canonical. No endpoint of its own."""
