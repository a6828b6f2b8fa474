"""Photo albums and photos."""

from typing import Any

from plex_simulator.generation import vocabulary
from plex_simulator.models import Item, Media, Part
from plex_simulator.tables.generated import (
    TITLE,
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

    def plain_title(self, index: int) -> str:
        season = self.rng.choice(index, TITLE, vocabulary.SEASONS)
        return f"{season} in {self.rng.choice(index, TITLE + 1, vocabulary.PLACES)}"

    def guid(self, index: int) -> str:
        return f"local://{self.key(index)}"

    def summary(self, index: int) -> str:
        return ""

    def generate(self, index: int) -> Item:
        return Item(
            **self.common_fields(index),
            thumb=self.picture(index, "thumb"),
            art=self.picture(index, "art"),
            leaf_count=len(self.children(index)),
        )


class PhotoTable(GeneratedTable):
    type = "photo"

    def __init__(self, *args: Any, albums: PhotoAlbumTable) -> None:
        super().__init__(*args)
        self.albums = albums
        self.link_parent(albums)

    def generated_count(self) -> int:
        return len(self.albums.child_ranges)

    def title(self, index: int) -> str:
        return f"IMG_{1000 + index}"

    def guid(self, index: int) -> str:
        return f"local://{self.key(index)}"

    def summary(self, index: int) -> str:
        return ""

    def storage(self, index: int) -> tuple[int, int]:
        return 300_000 + self.rng.below(index, 61, 5_000_000), 0

    def year(self, index: int) -> int | None:
        return 2012 + self.rng.below(index, YEAR, 14)

    def generate(self, index: int) -> Item:
        album = self.albums.child_ranges.parent(index)
        key = int(self.key(index))
        is_landscape = index % 3 > 0
        part = Part(
            id=key * 16,
            key=f"/library/parts/{key * 16}/1600000000/file.jpg",
            file=f"/data/photos/album{album:04}/{self.title(index)}.jpg",
            size=self.storage(index)[0],
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
            thumb=self.picture(index, "thumb"),
            parent_rating_key=self.albums.key(album),
            parent_guid=f"local://{self.albums.key(album)}",
            parent_title=self.albums.current_title(album),
            parent_thumb=self.albums.picture(album, "thumb"),
            media=(media,),
        )
