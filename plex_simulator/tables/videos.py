"""What movies, episodes and home videos have in common: their files."""

from typing import Any

from plex_simulator.generation.metadata import (
    QUALITIES,
    Quality,
    is_analysed,
    list_file_sizes,
)
from plex_simulator.tables.generated import GeneratedTable


class VideoTable(GeneratedTable):
    """A table of items with video files."""

    def __init__(self, *args: Any, count: int = 0) -> None:
        super().__init__(*args, count=count)
        self.fast_fields |= {
            "resolution": lambda index: (first := self.first_quality(index)) and first.resolution,
            "mediaHeight": lambda index: (first := self.first_quality(index)) and first.height,
            "mediaBitrate": lambda index: (first := self.first_quality(index)) and first.bitrate,
            "hdr": self.is_hdr,
            "duplicate": lambda index: len(self.qualities(index)) > 1,
        }

    def qualities(self, index: int) -> tuple[int, ...]:
        """Return the quality of each version of an item, as positions in `QUALITIES`.

        Shows have no files themselves.
        """
        raise NotImplementedError

    def first_quality(self, index: int) -> Quality | None:
        """Return what is known about the first version of an item, if it was analysed."""
        qualities = self.qualities(index)
        return QUALITIES[qualities[0]] if qualities and is_analysed(index) else None

    def is_hdr(self, index: int) -> bool | None:
        if not self.qualities(index):
            return None
        first = self.first_quality(index)
        return first is not None and first.profile == "main 10"

    def storage(self, index: int) -> tuple[int, int]:
        duration = self.duration(index)
        versions = [
            list_file_sizes(self.rng, index, QUALITIES[quality].bitrate, duration)
            for quality in self.qualities(index)
        ]
        lengths = ((duration or 0) // len(sizes) * len(sizes) for sizes in versions)
        size = sum(map(sum, versions))
        return size, sum(lengths) if is_analysed(index) else 0
