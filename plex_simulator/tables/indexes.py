"""Values, sort orders and tags of all items of a table, cached so that no request reads every item.

A change only notes the index of the changed item. The next use reads this item again. Its cost
depends on the number of changes, and hardly on the number of items.
"""

from array import array
from bisect import insort
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any


class Column:
    """One value per item, by index."""

    def __init__(self, count: int, read: Callable[[int], Any]) -> None:
        # Equal values share one object, which saves most of the memory.
        shared: dict[Any, Any] = {}
        values = map(read, range(count))
        self._values = [shared.setdefault(value, value) for value in values]
        self._read = read
        self._changed: set[int] = set()

    def note_change(self, index: int) -> None:
        """Read the value of a changed or added item again before the next use."""
        self._changed.add(index)

    @property
    def values(self) -> Sequence[Any]:
        for index in sorted(self._changed):
            self._values[index : index + 1] = [self._read(index)]  # replaces or appends
        self._changed.clear()
        return self._values


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column to sort by, and where the items without a value belong."""

    column: Column
    descending: bool
    unknown_last: bool

    def sort(self, indexes: Iterable[int]) -> list[int]:
        """Sort indexes; those with equal values stay in their order."""
        values = self.column.values
        known = list(indexes)
        unknown = [index for index in known if values[index] is None]
        if unknown:
            known = [index for index in known if values[index] is not None]
        known.sort(key=values.__getitem__, reverse=self.descending)
        return known + unknown if self.unknown_last else unknown + known

    def compare(self, one: int, other: int) -> int:
        """Return a negative number if the first of two indexes belongs before the second."""
        a, b = self.column.values[one], self.column.values[other]
        if a == b:
            return 0
        if a is None or b is None:
            return 1 if (a is None) == self.unknown_last else -1
        return 1 if (a > b) != self.descending else -1


class Order:
    """The indexes of all items that are not removed, sorted by several keys.

    Items that are equal in all keys are in the order of their indexes.
    """

    def __init__(self, indexes: Iterable[int], keys: Sequence[SortKey], removed: Collection[int]):
        """Take the sorted indexes, the keys that they are sorted by, and the removed items."""
        self._indexes = array("I", indexes)
        self._keys = keys
        self._removed = removed
        self._changed: set[int] = set()

    def note_change(self, index: int) -> None:
        """Move a changed, added or removed item to its new place before the next use."""
        self._changed.add(index)

    @property
    def indexes(self) -> Sequence[int]:
        if self._changed:
            # A new array, because the requests of other threads may still read the old one.
            self._indexes = array("I", [i for i in self._indexes if i not in self._changed])
            for index in self._changed.difference(self._removed):
                insort(self._indexes, index, key=cmp_to_key(self._compare))
            self._changed.clear()
        return self._indexes

    def _compare(self, one: int, other: int) -> int:
        for key in self._keys:
            if result := key.compare(one, other):
                return result
        return one - other


class TagIndex:
    """The items of each tag, for instance the movies of each actor."""

    def __init__(self, tagged: Iterable[tuple[int, Any]], read: Callable[[int], Sequence[Any]]):
        """Take pairs of an index and a tag or person, and a function that reads an item's tags."""
        self._names: dict[int, str] = {}
        self._indexes: dict[int, array[int]] = {}
        for index, tag in tagged:
            if tag.id not in self._names:
                self._names[tag.id] = tag.tag
                self._indexes[tag.id] = array("I")
            self._indexes[tag.id].append(index)
        self._read = read
        self._stale: set[int] = set()
        self._changed: dict[int, Sequence[Any]] = {}  # the tags of the items that changed

    def note_change(self, index: int) -> None:
        """Take the tags of an item from the item itself from the next use on."""
        self._stale.add(index)

    def names(self, visible: Sequence[int] | None = None) -> dict[int, str]:
        """Return the name of each tag that an item has, by id, in the order of the ids.

        With `visible`, only the items with a 1 at their index count.
        """
        self._read_changes()
        used = {
            tag_id: self._names[tag_id]
            for tag_id, indexes in self._indexes.items()
            if any(
                index not in self._changed and (visible is None or visible[index])
                for index in indexes
            )
        }
        used |= {
            tag.id: tag.tag
            for index, tags in self._changed.items()
            if visible is None or visible[index]
            for tag in tags
        }
        return dict(sorted(used.items()))

    def indexes(self, tag_id: float) -> Sequence[int]:
        """List the indexes of the items with a tag, in ascending order."""
        self._read_changes()
        found: Sequence[int] = self._indexes.get(tag_id, ())  # type: ignore[call-overload]
        if not self._changed:
            return found
        unchanged = [index for index in found if index not in self._changed]
        changed = [
            index for index, tags in self._changed.items() if any(tag.id == tag_id for tag in tags)
        ]
        return sorted(unchanged + changed)

    def _read_changes(self) -> None:
        for index in self._stale:
            self._changed[index] = self._read(index)
        self._stale.clear()
