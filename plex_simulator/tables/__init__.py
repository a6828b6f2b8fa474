"""The item tables: one class per item type, each generating the items of one library.

item_table   base class: rows on demand, changes, columns, sort orders
indexes      columns, sort orders and tag indexes of all items of a table
generated    base class of the generated types: title, dates, pictures, genres
videos       base class of the types with video files
movies       movies and home videos
shows        shows, seasons and episodes
music        artists, albums and tracks
photos       photo albums and photos
"""

from plex_simulator.tables.movies import HomeVideoTable, MovieTable
from plex_simulator.tables.music import AlbumTable, ArtistTable, TrackTable
from plex_simulator.tables.photos import PhotoAlbumTable, PhotoTable
from plex_simulator.tables.shows import EpisodeTable, SeasonTable, ShowTable

__all__ = [
    "AlbumTable",
    "ArtistTable",
    "EpisodeTable",
    "HomeVideoTable",
    "MovieTable",
    "PhotoAlbumTable",
    "PhotoTable",
    "SeasonTable",
    "ShowTable",
    "TrackTable",
]
