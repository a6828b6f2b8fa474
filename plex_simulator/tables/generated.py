"""The base class of all generated item types: title, dates, pictures and genres."""

from typing import Any

from plex_simulator.generation import metadata
from plex_simulator.generation.metadata import GENRES
from plex_simulator.models import Tag
from plex_simulator.tables.item_table import ItemTable

# The purposes of random values, which keep the values of one item independent of each other.
# Titles, summaries and dates also use the numbers that follow theirs.
TITLE, SUMMARY, ADDED, UPDATED, RELEASED = 0, 10, 20, 25, 30
YEAR, RATING, AUDIENCE, DURATION, QUALITY = 40, 42, 46, 50, 55
GENRE, DIRECTOR, WRITER, PRODUCER, ACTOR, COUNTRY = 110, 120, 130, 140, 150, 160
STUDIO, CONTENT_RATING, GUID, EXTERNAL_ID, VARIANT = 170, 171, 172, 180, 190


class GeneratedTable(ItemTable):
    """A table of items that are generated from the seed."""

    def __init__(self, *args: Any, count: int = 0) -> None:
        super().__init__(*args)
        self._count = count
        self.fast_columns |= {
            "title": self.title,
            "titleSort": self.sort_key,
            "addedAt": self.added_at,
            "id": lambda index: int(self.key(index)),
        }

    def generated_count(self) -> int:
        return self._count

    def title(self, index: int) -> str:
        """Return the generated title."""
        return metadata.make_title(self.rng, index, TITLE)

    def current_title(self, index: int) -> str:
        """Return the title, which may have been edited."""
        if index in self._edited_items:
            return self._edited_items[index].title
        return self.title(index)

    def sort_key(self, index: int) -> str:
        title = self.title(index)
        return (metadata.strip_article(title) or title).casefold()

    def added_at(self, index: int) -> int:
        return metadata.make_added_at(self.rng, index, ADDED, self.now)

    def updated_at(self, index: int) -> int | None:
        added = self.added_at(index)
        return metadata.make_updated_at(self.rng, index, UPDATED, added, self.now)

    def picture(self, index: int, element: str) -> str:
        """Return the path of a picture, for instance of the thumb."""
        stamp = self.updated_at(index) or self.added_at(index)
        return f"/library/metadata/{self.key(index)}/{element}/{stamp}"

    def summary(self, index: int) -> str:
        return metadata.make_summary(self.rng, index, SUMMARY)

    def plex_guid(self, index: int) -> str:
        return f"plex://{self.type}/{self.rng.hexadecimal(index, GUID, 24)}"

    def genres(self, index: int) -> tuple[Tag, ...]:
        count = 0 if index % 43 == 21 else 1 + self.rng.below(index, GENRE + 2, 5)
        numbers = metadata.pick_distinct(self.rng, index, GENRE, count, len(GENRES))
        return tuple(GENRES[number] for number in numbers)

    def genre_ids(self, index: int) -> tuple[int, ...]:
        return tuple(genre.id for genre in self.genres(index))

    def common_fields(self, index: int) -> dict[str, Any]:
        """Return the fields that every generated item has."""
        title = self.title(index)
        return {
            "rating_key": self.key(index),
            "library_key": self.library_key,
            "type": self.type,
            "title": title,
            "title_sort": metadata.strip_article(title),
            "added_at": self.added_at(index),
            "updated_at": self.updated_at(index),
        }
