"""Photo albums and photos."""

from typing import Any

from plex_simulator.generation import metadata
from plex_simulator.models import Item, Media, Part
from plex_simulator.tables.generated import (
    RELEASED,
    SHAPE,
    YEAR,
    Titled,
)
from plex_simulator.tables.item_table import Branches


class PhotoAlbums(Titled):
    type = "photoalbum"

    def __init__(self, *args: Any, made: int, photos: int) -> None:
        super().__init__(*args, made=made)
        self.most_photos = max(photos, 1)
        self.branches = Branches(self.made, lambda i: 1 + self.dice(i, SHAPE, self.most_photos))

    def make(self, index: int) -> Item:
        return Item(
            **self.start(index),
            guid=f"local://{self.key(index)}",
            thumb=self.picture(index, "thumb"),
            art=self.picture(index, "art"),
            index=1,
            leaf_count=len(self.children(index)),
        )


class Photos(Titled):
    type = "photo"

    def __init__(self, *args: Any, albums: PhotoAlbums) -> None:
        super().__init__(*args)
        self.parent = self.albums = albums
        albums.child = self

    def made(self) -> int:
        return len(self.albums.branches)

    def title(self, index: int) -> str:
        return f"IMG_{1000 + index}"

    def make(self, index: int) -> Item:
        place = self.albums.branches.parent(index)
        key = int(self.key(index))
        wide = index % 3 > 0
        year = 2012 + self.dice(index, YEAR, 14)
        part = Part(
            id=key * 16,
            key=f"/library/parts/{key * 16}/1600000000/file.jpg",
            file=f"/data/photos/album{place:04}/{self.title(index)}.jpg",
            size=300_000 + self.dice(index, 61, 5_000_000),
            duration=None,
            container="jpeg",
            video_profile=None,
            streams=(),
        )
        media = Media(
            id=key * 4,
            parts=(part,),
            width=4032 if wide else 3024,
            height=3024 if wide else 4032,
            aspect_ratio=1.33 if wide else 0.75,
            container="jpeg",
        )
        return Item(
            **self.start(index),
            guid=f"local://{key}",
            year=year,
            originally_available_at=metadata.released(self.dice, index, RELEASED, year),
            thumb=self.picture(index, "thumb"),
            index=1,
            parent_rating_key=self.albums.key(place),
            parent_guid=f"local://{self.albums.key(place)}",
            parent_title=self.albums.name(place),
            parent_thumb=self.albums.picture(place, "thumb"),
            media=(media,),
        )
