"""Photo albums and photos."""

from typing import Any

from plex_simulator.generation import metadata
from plex_simulator.models import Item, Media, Part
from plex_simulator.tables.generated import (
    RELEASED,
    VARIANT,
    YEAR,
    GeneratedTable,
)
from plex_simulator.tables.item_table import ChildRanges


class PhotoAlbumTable(GeneratedTable):
    type = "photoalbum"

    def __init__(self, *args: Any, count: int, photos: int) -> None:
        super().__init__(*args, count=count)
        self.max_photos = max(photos, 1)
        self.child_ranges = ChildRanges(
            self.generated_count, lambda i: 1 + self.rng.below(i, VARIANT, self.max_photos)
        )

    def generate(self, index: int) -> Item:
        return Item(
            **self.common_fields(index),
            guid=f"local://{self.key(index)}",
            thumb=self.picture(index, "thumb"),
            art=self.picture(index, "art"),
            index=1,
            leaf_count=len(self.children(index)),
        )


class PhotoTable(GeneratedTable):
    type = "photo"

    def __init__(self, *args: Any, albums: PhotoAlbumTable) -> None:
        super().__init__(*args)
        self.parent = self.albums = albums
        albums.child = self

    def generated_count(self) -> int:
        return len(self.albums.child_ranges)

    def title(self, index: int) -> str:
        return f"IMG_{1000 + index}"

    def generate(self, index: int) -> Item:
        album = self.albums.child_ranges.parent(index)
        key = int(self.key(index))
        is_landscape = index % 3 > 0
        year = 2012 + self.rng.below(index, YEAR, 14)
        part = Part(
            id=key * 16,
            key=f"/library/parts/{key * 16}/1600000000/file.jpg",
            file=f"/data/photos/album{album:04}/{self.title(index)}.jpg",
            size=300_000 + self.rng.below(index, 61, 5_000_000),
            duration=None,
            container="jpeg",
            video_profile=None,
            streams=(),
        )
        media = Media(
            id=key * 4,
            parts=(part,),
            width=4032 if is_landscape else 3024,
            height=3024 if is_landscape else 4032,
            aspect_ratio=1.33 if is_landscape else 0.75,
            container="jpeg",
        )
        return Item(
            **self.common_fields(index),
            guid=f"local://{key}",
            year=year,
            originally_available_at=metadata.make_release_date(self.rng, index, RELEASED, year),
            thumb=self.picture(index, "thumb"),
            index=1,
            parent_rating_key=self.albums.key(album),
            parent_guid=f"local://{self.albums.key(album)}",
            parent_title=self.albums.current_title(album),
            parent_thumb=self.albums.picture(album, "thumb"),
            media=(media,),
        )
