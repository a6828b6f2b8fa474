"""The base class of all generated item types: title, dates, pictures and genres."""

from typing import Any

from plex_simulator.fields import TAG_ATTRIBUTES
from plex_simulator.generation import metadata
from plex_simulator.tables.item_table import ItemTable

# The purposes of random values, which keep the values of one item independent of each other.
# Titles, summaries and dates also use the numbers that follow theirs.
TITLE, SUMMARY, ADDED, UPDATED, RELEASED = 0, 10, 20, 25, 30
YEAR, RATING, AUDIENCE, DURATION, QUALITY = 40, 42, 46, 50, 55
GENRE, DIRECTOR, WRITER, PRODUCER, ACTOR, COUNTRY = 110, 120, 130, 140, 150, 160
STUDIO, CONTENT_RATING, GUID, EXTERNAL_ID, VARIANT = 170, 171, 172, 180, 190
THEME, TAGLINE = 200, 201

# The fields that only some types have.
ABOUT_FIELDS = (
    *("rating", "audienceRating", "contentRating", "studio", "network", "tagline"),
    "editionTitle",
)


class GeneratedTable(ItemTable):
    """A table of items that are generated from the seed."""

    def __init__(self, *args: Any, count: int = 0) -> None:
        super().__init__(*args)
        self._count = count
        self.fast_tags |= dict.fromkeys(TAG_ATTRIBUTES, lambda _: ())
        self.fast_fields |= dict.fromkeys(ABOUT_FIELDS, lambda _: None)
        self.fast_fields |= {
            "title": self.title,
            "titleSort": self.sort_key,
            "summary": self.summary,
            "guid": self.guid,
            "id": lambda index: int(self.key(index)),
            "index": self.position,
            "absoluteIndex": self.position,
            "year": self.year,
            "decade": self.decade,
            "duration": self.duration,
            "originallyAvailableAt": self.released,
            "addedAt": self.added_at,
            "updatedAt": self.updated_at,
            "viewUpdatedAt": self.updated_at,
            "unmatched": lambda index: self.guid(index).startswith("local://"),
        }

    def generated_count(self) -> int:
        return self._count

    def title(self, index: int) -> str:
        """Return the generated title, or an edge case if the server has edge cases."""
        edge_case = metadata.make_edge_case_title(index) if self.edge_cases else None
        return edge_case or self.plain_title(index)

    def plain_title(self, index: int) -> str:
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
        """Return the generated summary, or an edge case if the server has edge cases."""
        edge_case = metadata.make_edge_case_summary(index) if self.edge_cases else None
        return self.plain_summary(index) if edge_case is None else edge_case

    def plain_summary(self, index: int) -> str:
        return ""

    def guid(self, index: int) -> str:
        return self.plex_guid(index)

    def plex_guid(self, index: int) -> str:
        return f"plex://{self.type}/{self.rng.hexadecimal(index, GUID, 24)}"

    def guids(self, index: int) -> tuple[str, ...]:
        """Return the ids that an item has on other sites."""
        return ()

    def position(self, index: int) -> int | None:
        """Return the number of an item among its siblings."""
        return 1

    def year(self, index: int) -> int | None:
        return None

    def decade(self, index: int) -> int | None:
        year = self.year(index)
        return year and year // 10 * 10

    def released(self, index: int) -> str | None:
        return metadata.make_release_date(self.rng, index, RELEASED, self.year(index))

    def common_fields(self, index: int) -> dict[str, Any]:
        """Return the fields that every generated item has."""
        title = self.title(index)
        return {
            "rating_key": self.key(index),
            "library_key": self.library_key,
            "type": self.type,
            "title": title,
            "title_sort": metadata.strip_article(title),
            "summary": self.summary(index),
            "guid": self.guid(index),
            "guids": self.guids(index),
            "index": self.position(index),
            "year": self.year(index),
            "originally_available_at": self.released(index),
            "added_at": self.added_at(index),
            "updated_at": self.updated_at(index),
        }
