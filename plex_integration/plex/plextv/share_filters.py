"""The filters of a share: which items of a shared library the owner hides from an account.

A filter consists of conditions `field=values` and `field!=values`; `A|B&C` means (A or B) and C.
Values are separated by a comma or %2C, as the program that wrote them did. plex.tv returns a filter
byte for byte as it was written.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

FILTERS: Mapping[str, str] = {
    "movie": "filterMovies",
    "show": "filterTelevision",
    "artist": "filterMusic",
    "photo": "filterPhotos",
}
"""The filter of each type of library."""
OF_ALL_TYPES = "filterAll"

MAX_VALUES = 5
"""How many values of a condition are shown."""

_CONDITION = re.compile(r"(label|contentRating)(!?=)(.+)", re.DOTALL)

Tags = Mapping[str, Collection[str]]
"""What the filters look at: {"label": […], "contentRating": […]}."""


@dataclass(frozen=True)
class _Condition:
    """A condition of a filter; `operator` is = or !=."""

    field: str
    operator: str
    values: Sequence[str]

    def holds(self, tags: Tags) -> bool:
        """Tell whether an item meets the condition."""
        found = {each.casefold() for each in tags.get(self.field, ())}
        has_one = any(value.casefold() in found for value in self.values)
        return has_one == (self.operator == "=")

    def __str__(self) -> str:
        more = len(self.values) - MAX_VALUES
        values = ", ".join(self.values[:MAX_VALUES])
        return f"{self.field}{self.operator}{values}{f' and {more} more' if more > 0 else ''}"


@dataclass(frozen=True)
class Hiding:
    """What hides an item: the name of a filter, and its conditions, of which none holds."""

    filter: str
    conditions: Sequence[_Condition]

    def __str__(self) -> str:
        return f"{self.filter} ({' or '.join(map(str, self.conditions))})"


def find_hiding(filters: Mapping[str, str], library_type: str | None, tags: Tags) -> Hiding | None:
    """Return what hides an item with these tags from an account; None if no filter does."""
    for name in (OF_ALL_TYPES, FILTERS.get(library_type or "", "")):
        for alternatives in filters.get(name, "").split("&"):
            conditions = _parse(alternatives)
            if conditions and not any(each.holds(tags) for each in conditions):
                return Hiding(name, conditions)
    return None


def _parse(alternatives: str) -> list[_Condition]:
    """Return the conditions of which one must hold; none if one is not understood."""
    found = [_CONDITION.fullmatch(each) for each in alternatives.split("|")]
    if None in found:
        return []
    return [_Condition(match[1], match[2], _values(match[3])) for match in found if match]


def _values(text: str) -> list[str]:
    return [value for value in unquote_plus(text).split(",") if value]
