"""What movies, shows, music, photos and home videos are like: one shelf class per type."""

from plex_simulator.tables.movies import Movies, Videos
from plex_simulator.tables.music import Albums, Artists, Tracks
from plex_simulator.tables.photos import PhotoAlbums, Photos
from plex_simulator.tables.shows import Episodes, Seasons, Shows

__all__ = [
    "Albums",
    "Artists",
    "Episodes",
    "Movies",
    "PhotoAlbums",
    "Photos",
    "Seasons",
    "Shows",
    "Tracks",
    "Videos",
]
