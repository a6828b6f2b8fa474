"""The items of one type in one library, generated on demand.

Nothing is generated at start. A column holds one field of every item. It is computed when it is
first read, by a fast function where the item type has one, and cached until an item changes.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from typing import Any, overload

from plex_simulator.fields import FIELDS
from plex_simulator.generation.metadata import DAY
from plex_simulator.models import UNWATCHED, Item, User, WatchState
from plex_simulator.seeded_random import SeededRandom

MAX_CACHED_RESULTS = 256


class ChildRanges:
    """The range of child indexes of each parent, counted for all parents on first use."""

    def __init__(self, parent_count: Callable[[], int], child_count: Callable[[int], int]) -> None:
        self._parent_count = parent_count
        self._child_count = child_count

    @cached_property
    def _first_children(self) -> list[int]:
        counts = map(self._child_count, range(self._parent_count()))
        return list(accumulate(counts, initial=0))

    def of(self, parent: int) -> range:
        """Return the indexes of the children of a parent."""
        return range(self._first_children[parent], self._first_children[parent + 1])

    def parent(self, child: int) -> int:
        """Return the index of the parent of a child."""
        return bisect_right(self._first_children, child) - 1

    def __len__(self) -> int:
        return self._first_children[-1]


class ItemSequence(Sequence[Item]):
    """The items that are not removed, in rating key order. Reading an item generates it."""

    def __init__(self, table: "ItemTable", indexes: Sequence[int]) -> None:
        self._table = table
        self._indexes = indexes

    def __len__(self) -> int:
        return len(self._indexes)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        if isinstance(index, slice):
            return ItemSequence(self._table, self._indexes[index])
        return self._table.item(self._indexes[index])


class ItemTable:
    """All items of one type in one library.

    The first items are generated from the seed, the others were added later. Indexes never change:
    a removed item leaves a gap.
    """

    type = ""
    fast_columns: dict[str, Callable[[int], Any]]  # read without generating the complete item

    def __init__(self, seed: int, now: int, users: Sequence[User], library: str, number: int):
        self.library_key = library
        self.number = number
        self.now = now
        self.this_year = time.gmtime(now).tm_year
        self.users = users
        self.rng = SeededRandom(seed, number)
        self.fast_columns = {}
        self.parent: ItemTable | None = None
        self.child: ItemTable | None = None
        self.child_ranges = ChildRanges(self.generated_count, lambda _: 0)
        self.collection_tags: Callable[[str], tuple[Any, ...]] = lambda _: ()
        self._lock = threading.RLock()
        self._edited_items: dict[int, Item] = {}
        self._removed: set[int] = set()
        self._added_count = 0
        self._watch_states: dict[tuple[int, int], WatchState] = {}
        self._columns: dict[tuple[str, int], list[Any]] = {}
        self._cached_results: dict[Any, Any] = {}

    # Methods of subclasses

    def generated_count(self) -> int:
        """Return how many items are generated from the seed."""
        raise NotImplementedError

    def generate(self, index: int) -> Item:
        """Generate an item from the seed."""
        raise NotImplementedError

    def duration(self, index: int) -> int | None:
        return None

    # Rating keys

    def key(self, index: int) -> str:
        return str(self.number * 1_000_000 + 1_000 + index)

    def index(self, key: str) -> int:
        """Return the index of a rating key; raise ValueError if there is no such item."""
        index = int(key) - self.number * 1_000_000 - 1_000
        if not 0 <= index < len(self) or index in self._removed:
            raise ValueError(key)
        return index

    # Items

    def __len__(self) -> int:
        """Return the number of indexes, including those of removed items."""
        return self.generated_count() + self._added_count

    def base_item(self, index: int) -> Item:
        """Return an item without its collection tags and watch states."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._edited_items.get(index) or self.generate(index)

    def item(self, index: int) -> Item:
        base = self.base_item(index)
        return replace(
            base,
            collections=self.collection_tags(base.rating_key),
            watch_states={user.id: self.watch_state(index, user) for user in self.users},
        )

    def indexes(self) -> Sequence[int]:
        """List the indexes of the items that are not removed, in rating key order."""
        if not self._removed:
            return range(len(self))
        return [index for index in range(len(self)) if index not in self._removed]

    def items(self) -> Sequence[Item]:
        return ItemSequence(self, self.indexes())

    def children(self, index: int) -> list[int]:
        """List the indexes of an item's children in the child table."""
        if self.child is None:
            return []
        child = self.child
        found = list(self.child_ranges.of(index)) if index < self.generated_count() else []
        key = self.key(index)
        added = range(child.generated_count(), len(child))
        found.extend(
            child_index
            for child_index, item in child._edited_items.items()
            if child_index in added and item.parent_rating_key == key
        )
        return [child_index for child_index in found if child_index not in child._removed]

    def parent_table(self) -> "ItemTable":
        if self.parent is None:
            raise LookupError(f"a {self.type} has no parent")
        return self.parent

    def child_table(self) -> "ItemTable":
        if self.child is None:
            raise LookupError(f"a {self.type} has no children")
        return self.child

    def parent_index(self, index: int) -> int:
        """Return the index of an item's parent in the parent table."""
        parent = self.parent_table()
        if index in self._edited_items:
            return parent.index(self._edited_items[index].parent_rating_key or "")
        return parent.child_ranges.parent(index)

    # Watch states

    def watch_state(self, index: int, user: User) -> WatchState:
        """Return a user's watch state of an item; parents sum up the states of their children."""
        if (index, user.id) in self._watch_states:
            return self._watch_states[index, user.id]
        if self.child is not None:
            return self._watch_state_of_children(index, user)
        if index >= self.generated_count():  # an item that was added later
            return UNWATCHED
        rng, purpose = self.rng, 900 + user.id % 97
        percentile = rng.below(index, purpose, 100)
        watched_percent = 45 if user.is_owner else 20
        last = self.now - 3600 - rng.below(index, purpose + 100, 700 * DAY)
        rating = float(1 + rng.below(index, purpose + 200, 10)) if percentile % 9 == 0 else None
        if percentile < watched_percent:
            return WatchState(1 + percentile % 3, 0, last, rating)
        if percentile >= 96:
            return WatchState(0, (self.duration(index) or 0) // 3, last, rating)
        return UNWATCHED if rating is None else WatchState(user_rating=rating)

    def _watch_state_of_children(self, index: int, user: User) -> WatchState:
        child = self.child_table()
        states = [child.watch_state(child_index, user) for child_index in self.children(index)]
        last = max((s.last_viewed_at for s in states if s.last_viewed_at), default=None)
        children_are_leaves = child.child is None
        return WatchState(
            view_count=sum(s.view_count for s in states),
            last_viewed_at=last,
            viewed_leaf_count=sum(
                s.view_count > 0 if children_are_leaves else s.viewed_leaf_count for s in states
            ),
        )

    def set_watch_state(self, index: int, user: User, watch_state: WatchState) -> None:
        self._watch_states[index, user.id] = watch_state

    # Changes

    def set_item(self, index: int, item: Item) -> None:
        self._edited_items[index] = item

    def append(self, item: Item) -> int:
        """Add an item and return its index."""
        self._edited_items[len(self)] = item
        self._added_count += 1
        return len(self) - 1

    def remove(self, index: int) -> None:
        self._removed.add(index)
        self._edited_items.pop(index, None)

    def clear_caches(self) -> None:
        """Drop cached columns and results after a change."""
        with self._lock:
            self._columns.clear()
            self._cached_results.clear()

    # Columns

    def column(self, field: str, user: User) -> list[Any]:
        """Return one field of every item, by index, including the indexes of removed items."""
        cache_key = field, user.id if FIELDS[field].personal else 0
        with self._lock:
            if cache_key not in self._columns:
                self._columns[cache_key] = self._compute_column(field, user)
            return self._columns[cache_key]

    def _compute_column(self, field: str, user: User) -> list[Any]:
        read, personal = FIELDS[field].read, FIELDS[field].personal
        fast = self.fast_columns.get(field)
        if fast is not None:
            values = [fast(index) for index in range(self.generated_count())]
            values.extend(None for _ in range(self._added_count))
            for index in self._edited_items:
                values[index] = read(self._edited_items[index], UNWATCHED)
            return values
        if personal and self.child is None:
            # Personal fields of items without children depend on the watch state alone.
            blank = Item(rating_key="", library_key="", type="", title="", added_at=0, guid="")
            return [read(blank, self.watch_state(index, user)) for index in range(len(self))]
        return [
            None if index in self._removed else self._read_field(index, read, user)
            for index in range(len(self))
        ]

    def _read_field(self, index: int, read: Callable[[Item, WatchState], Any], user: User) -> Any:
        item = self.item(index)
        return read(item, item.seen_by(user))

    def cached(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Return the result of `compute`, which is cached until an item changes."""
        with self._lock:
            if key not in self._cached_results:
                if len(self._cached_results) >= MAX_CACHED_RESULTS:
                    del self._cached_results[next(iter(self._cached_results))]
                self._cached_results[key] = compute()
            return self._cached_results[key]
