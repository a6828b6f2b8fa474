"""How many items the libraries of a simulated server hold."""

from dataclasses import dataclass

# Rating keys leave room for so many items of one type in one library.
MAX_ITEMS = 990_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The number of items per type.

    The numbers of seasons, episodes, albums, tracks and photos are the maximum per parent.
    """

    movies: int = 240
    shows: int = 40
    seasons: int = 4
    episodes: int = 10
    artists: int = 30
    albums: int = 4
    tracks: int = 10
    photo_albums: int = 12
    photos: int = 20
    videos: int = 24
    hidden: int = 15
    collections: int = 8

    def __post_init__(self) -> None:
        totals = {
            "movies": self.movies,
            "episodes": self.shows * (self.seasons + 1) * self.episodes,
            "tracks": self.artists * self.albums * self.tracks,
            "photos": self.photo_albums * self.photos,
            "videos": self.videos,
            "hidden": self.hidden,
        }
        for name, total in totals.items():
            if not 0 <= total <= MAX_ITEMS:
                raise ValueError(f"{name}: {total} is not between 0 and {MAX_ITEMS}")
