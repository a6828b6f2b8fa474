"""What movies, shows, music, photos and home videos are like: one shelf class per type."""

from plex_simulator.kinds.films import Movies, Videos
from plex_simulator.kinds.music import Albums, Artists, Tracks
from plex_simulator.kinds.photos import PhotoAlbums, Photos
from plex_simulator.kinds.series import Episodes, Seasons, Shows

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
