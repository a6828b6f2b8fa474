"""One function per endpoint: what it asks of Plex, its canonical query, and its cache tags.

Services send no response and do not use the cache. Each takes the catalog, the ids in the path
and the validated query.
"""

from plex_integration.reading.services.collections import collection, collections
from plex_integration.reading.services.items import item, item_children, item_lookup
from plex_integration.reading.services.libraries import genres, libraries
from plex_integration.reading.services.library_items import library_items
from plex_integration.reading.services.many_items import many_items
from plex_integration.reading.services.on_deck import on_deck
from plex_integration.reading.services.playlists import playlist, playlists
from plex_integration.reading.services.read import Catalog, Read, Result
from plex_integration.reading.services.recently_added import recently_added
from plex_integration.reading.services.search import search
from plex_integration.reading.services.server import server

__all__ = [
    "Catalog",
    "Read",
    "Result",
    "collection",
    "collections",
    "genres",
    "item",
    "item_children",
    "item_lookup",
    "libraries",
    "library_items",
    "many_items",
    "on_deck",
    "playlist",
    "playlists",
    "recently_added",
    "search",
    "server",
]
