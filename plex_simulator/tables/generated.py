"""What all kinds of items share: a title, dates, pictures, genres."""

from typing import Any

from plex_simulator.generation import metadata
from plex_simulator.generation.metadata import GENRES
from plex_simulator.models import Tag
from plex_simulator.tables.item_table import Shelf

# What a throw of the dice is for. Titles, summaries and dates take the next few numbers as well.
TITLE, SUMMARY, ADDED, UPDATED, RELEASED = 0, 10, 20, 25, 30
YEAR, RATING, AUDIENCE, DURATION, VERSION = 40, 42, 46, 50, 55
GENRE, DIRECTOR, WRITER, PRODUCER, ACTOR, COUNTRY = 110, 120, 130, 140, 150, 160
STUDIO, CONTENT_RATING, GUID, EXTERNAL, SHAPE = 170, 171, 172, 180, 190


class Titled(Shelf):
    """What all kinds share: a title, dates, pictures."""

    def __init__(self, *args: Any, made: int = 0) -> None:
        super().__init__(*args)
        self._made = made
        self.quick |= {
            "title": self.title,
            "titleSort": self.title_key,
            "addedAt": self.added_at,
            "id": lambda index: int(self.key(index)),
        }

    def made(self) -> int:
        return self._made

    def title(self, index: int) -> str:
        return metadata.title(self.dice, index, TITLE)

    def name(self, index: int) -> str:
        """Tell the title as it is now, which may have been edited."""
        return self._edits[index].title if index in self._edits else self.title(index)

    def title_key(self, index: int) -> str:
        title = self.title(index)
        return (metadata.title_sort(title) or title).casefold()

    def added_at(self, index: int) -> int:
        return metadata.added_at(self.dice, index, ADDED, self.now)

    def updated_at(self, index: int) -> int | None:
        added = self.added_at(index)
        return metadata.updated_at(self.dice, index, UPDATED, added, self.now)

    def picture(self, index: int, kind: str) -> str:
        stamp = self.updated_at(index) or self.added_at(index)
        return f"/library/metadata/{self.key(index)}/{kind}/{stamp}"

    def summary(self, index: int) -> str:
        return metadata.summary(self.dice, index, SUMMARY)

    def plex_guid(self, index: int) -> str:
        return f"plex://{self.type}/{self.dice.hexadecimal(index, GUID, 24)}"

    def genres(self, index: int) -> tuple[Tag, ...]:
        count = 0 if index % 43 == 21 else 1 + self.dice(index, GENRE + 2, 5)
        drawn = metadata.distinct(self.dice, index, GENRE, count, len(GENRES))
        return tuple(GENRES[number] for number in drawn)

    def genre_ids(self, index: int) -> tuple[int, ...]:
        return tuple(genre.id for genre in self.genres(index))

    def start(self, index: int) -> dict[str, Any]:
        """Fill in what every kind of item has."""
        title = self.title(index)
        return {
            "rating_key": self.key(index),
            "library_key": self.library_key,
            "type": self.type,
            "title": title,
            "title_sort": metadata.title_sort(title),
            "added_at": self.added_at(index),
            "updated_at": self.updated_at(index),
        }
