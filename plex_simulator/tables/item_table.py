"""The items of one type in one library, generated on demand.

Nothing is generated at start. Columns, sort orders and tag indexes are computed when they are first
used, from a fast function where the item type has one, and follow the changes of items. `indexes`
describes them. The results of requests are cached until an item of the library changes.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import accumulate
from typing import Any, NamedTuple, overload

from plex_simulator.fields import FIELDS, TAG_ATTRIBUTES
from plex_simulator.generation.metadata import DAY
from plex_simulator.models import OWNER_ID, UNWATCHED, Account, Item, Tag, WatchState
from plex_simulator.seeded_random import SeededRandom
from plex_simulator.tables.indexes import Column, Order, SortKey, TagIndex

BLANK_ITEM = Item(rating_key="", library_key="", type="", title="", added_at=0, guid="")

# For 250,000 items, an order and the largest result have 1 MB.
MAX_ORDERS = 256
MAX_CACHED_RESULTS = 32


class SortField(NamedTuple):
    """A field to sort by: that of the items, or of an ancestor or descendant table."""

    table: "ItemTable"
    name: str
    descending: bool = False
    unknown_last: bool = False


def sum_storage(item: Item) -> tuple[int, int]:
    """Return the size in bytes and the duration in milliseconds of an item's files."""
    parts = [part for media in item.media for part in media.parts]
    return sum(part.size for part in parts), sum(part.duration or 0 for part in parts)


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
    """Items of one table. Reading an item generates it; `values` does not."""

    def __init__(self, table: "ItemTable", indexes: Sequence[int]) -> None:
        self._table = table
        self._indexes = indexes

    def values(self, field: str, user: Account) -> list[Any]:
        """Return one field of each item."""
        column = self._table.column(field, user)
        return [column[index] for index in self._indexes]

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


class WatchStates(Mapping[int, WatchState]):
    """The watch states of an item by account id, each computed when it is read."""

    def __init__(self, table: "ItemTable", index: int) -> None:
        self._table = table
        self._index = index

    def __getitem__(self, user_id: int) -> WatchState:
        for user in self._table.users:
            if user.id == user_id:
                return self._table.watch_state(self._index, user)
        raise KeyError(user_id)

    def __iter__(self) -> Iterator[int]:
        return (user.id for user in self._table.users)

    def __len__(self) -> int:
        return len(self._table.users)


class ItemTable:
    """All items of one type in one library.

    The first items are generated from the seed, the others were added later. Indexes never change:
    a removed item leaves a gap.
    """

    type = ""
    # Functions that read one field or the tags of a generated item without generating all of it.
    fast_fields: dict[str, Callable[[int], Any]]
    fast_tags: dict[str, Callable[[int], Sequence[Any]]]

    def __init__(
        self,
        seed: int,
        now: int,
        users: Sequence[Account],
        edge_cases: bool,  # whether some titles and summaries are edge cases
        library: str,
        number: int,
    ) -> None:
        self.library_key = library
        self.number = number
        self.now = now
        self.this_year = time.gmtime(now).tm_year
        self.users = users
        self.edge_cases = edge_cases
        self.rng = SeededRandom(seed, number)
        self.fast_fields = {}
        self.fast_tags = {}
        self.parent: ItemTable | None = None
        self.child: ItemTable | None = None
        self.child_ranges = ChildRanges(self.generated_count, lambda _: 0)
        self._collection_tags: Mapping[str, tuple[Tag, ...]] = {}
        self._lock = threading.RLock()
        self._edited_items: dict[int, Item] = {}
        self._removed: set[int] = set()
        self._added_count = 0
        self._watch_states: dict[tuple[int, int], WatchState] = {}
        self._columns: dict[tuple[str, str, int], Column] = {}  # by type, field and user
        self._orders: dict[tuple[int, tuple[SortField, ...]], Order] = {}
        self._tag_indexes: dict[str, TagIndex] = {}
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

    def leaf_count(self, index: int) -> int | None:
        """Return the number of episodes of a show or season."""
        return None

    def guids(self, index: int) -> tuple[str, ...]:
        """Return the ids that a generated item has on other sites."""
        return self.generate(index).guids

    def storage(self, index: int) -> tuple[int, int]:
        """Return the size in bytes and duration in milliseconds of a generated item's files."""
        return sum_storage(self.generate(index))

    # Rating keys

    def key(self, index: int) -> str:
        return str(self.number * 1_000_000 + 1_000 + index)

    def index(self, key: str) -> int:
        """Return the index of a rating key; raise ValueError if there is no such item."""
        index = self.find_index(key)
        if index is None:
            raise ValueError(key)
        return index

    def find_index(self, key: str) -> int | None:
        """Return the index of a rating key, or None if there is no such item."""
        index = int(key) - self.number * 1_000_000 - 1_000
        return index if 0 <= index < len(self) and index not in self._removed else None

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
            collections=self._collection_tags.get(base.rating_key, ()),
            watch_states=WatchStates(self, index),
        )

    def indexes(self) -> Sequence[int]:
        """List the indexes of the items that are not removed, in rating key order."""
        if not self._removed:
            return range(len(self))
        indexes: Sequence[int] = self.cached("indexes", self._list_indexes)
        return indexes

    def _list_indexes(self) -> list[int]:
        return [index for index in range(len(self)) if index not in self._removed]

    def items(self, indexes: Sequence[int] | None = None) -> ItemSequence:
        """List the items at some indexes, or all items in rating key order."""
        return ItemSequence(self, self.indexes() if indexes is None else indexes)

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

    def link_parent(self, parent: "ItemTable") -> None:
        """Make another table of the library the table of the parents of these items."""
        self.parent, parent.child = parent, self
        # The tables read each other's columns, so that two locks could wait for each other.
        self._lock = parent._lock

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

    def ancestor_index(self, ancestor: "ItemTable", index: int) -> int:
        """Return the index of an item's ancestor in the ancestor's table."""
        table: ItemTable = self
        while table is not ancestor:
            index, table = table.parent_index(index), table.parent_table()
        return index

    def descendants(self, descendant: "ItemTable", index: int) -> list[int]:
        """List the indexes of an item's descendants in their table."""
        if descendant is self:
            return [index]
        child = self.child_table()
        return [
            found
            for child_index in self.children(index)
            for found in child.descendants(descendant, child_index)
        ]

    def ancestor_tables(self) -> list["ItemTable"]:
        return [] if self.parent is None else [self.parent, *self.parent.ancestor_tables()]

    def descendant_tables(self) -> list["ItemTable"]:
        return [] if self.child is None else [self.child, *self.child.descendant_tables()]

    # Watch states

    def watch_state(self, index: int, user: Account) -> WatchState:
        """Return a user's watch state of an item; parents sum up the states of their children."""
        if self.child is not None:
            own = self._watch_states.get((index, user.id), UNWATCHED)
            return replace(self._watch_state_of_children(index, user), user_rating=own.user_rating)
        if (index, user.id) in self._watch_states:
            return self._watch_states[index, user.id]
        if index >= self.generated_count():  # an item that was added later
            return UNWATCHED
        return self.generated_watch_state(index, user)

    def generated_watch_state(self, index: int, user: Account) -> WatchState:
        """Return what a user had watched of a generated item before the server started."""
        # Each account has purposes of its own, so that no two have watched the same.
        rng, purpose = self.rng, 901 + 1_000 * (user.id - OWNER_ID)
        percentile = rng.below(index, purpose, 100)
        watched_percent = 45 if user.is_owner else 20
        last = self.now - 3600 - rng.below(index, purpose + 100, 700 * DAY)
        rating = float(1 + rng.below(index, purpose + 200, 10)) if percentile % 9 == 0 else None
        if percentile < watched_percent:
            return WatchState(1 + percentile % 3, 0, last, rating)
        if percentile >= 96:
            return WatchState(0, (self.duration(index) or 0) // 3, last, rating)
        return UNWATCHED if rating is None else WatchState(user_rating=rating)

    def _watch_state_of_children(self, index: int, user: Account) -> WatchState:
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

    def set_watch_state(self, index: int, user: Account, watch_state: WatchState) -> None:
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

    def relatives(self, index: int) -> list[tuple["ItemTable", int]]:
        """List the tables and indexes of an item's ancestors and descendants."""
        ancestors = [(table, self.ancestor_index(table, index)) for table in self.ancestor_tables()]
        return ancestors + [
            (table, descendant)
            for table in self.descendant_tables()
            for descendant in self.descendants(table, index)
        ]

    def note_change(self, index: int) -> None:
        """Let columns, orders and tag indexes follow the change of an item or of a relative."""
        with self._lock:
            for cached in (self._columns, self._orders, self._tag_indexes):
                for each in cached.values():
                    each.note_change(index)

    def clear_results(self) -> None:
        """Drop the cached results after a change in the library."""
        with self._lock:
            self._cached_results.clear()

    def set_collection_tags(self, tags: Mapping[str, tuple[Tag, ...]]) -> None:
        """Replace the collection tags of all items, which are given by rating key."""
        with self._lock:
            self._collection_tags = tags
            self._tag_indexes.pop("collection", None)
            self._cached_results.clear()

    # Columns, orders and tags

    def column(self, field: str, user: Account, of: "ItemTable | None" = None) -> Sequence[Any]:
        """Return one field of every item, by index. That of a removed item has no meaning.

        With `of`, the field is that of their ancestors in another table, or the greatest one of
        their descendants. Strings are case-folded.
        """
        with self._lock:
            return self._column(field, user, self if of is None else of).values

    def _column(self, field: str, user: Account, of: "ItemTable") -> Column:
        key = of.type, field, user.id if FIELDS[field].personal else 0
        if key not in self._columns:
            read: Callable[[int], Any] = partial(self._read_field, field, user)
            if of in self.ancestor_tables():
                read = partial(self._read_inherited, field, user, of)
            elif of is not self:
                read = partial(self._read_greatest, field, user, of)
            self._columns[key] = Column(len(self), read)
        return self._columns[key]

    def ancestor_column(self, ancestor: "ItemTable") -> Sequence[int]:
        """Return the index of the ancestor of every item, by index."""
        key = ancestor.type, "", 0
        with self._lock:
            if key not in self._columns:
                read = partial(self._read_ancestor, ancestor)
                self._columns[key] = Column(len(self), read)
            return self._columns[key].values

    def _read_field(self, field: str, user: Account, index: int) -> Any:
        if index in self._removed:
            return None
        value = self._read_raw_field(field, user, index)
        return value.casefold() if value and FIELDS[field].type == "string" else value

    def _read_raw_field(self, field: str, user: Account, index: int) -> Any:
        if field in self.fast_fields and index not in self._edited_items:
            return self.fast_fields[field](index)
        if FIELDS[field].personal:
            leaf_count = self.leaf_count(index)
            blank = BLANK_ITEM if leaf_count is None else replace(BLANK_ITEM, leaf_count=leaf_count)
            return FIELDS[field].read(blank, self.watch_state(index, user))
        return FIELDS[field].read(self.base_item(index), UNWATCHED)

    def _read_ancestor(self, ancestor: "ItemTable", index: int) -> int:
        return 0 if index in self._removed else self.ancestor_index(ancestor, index)

    def _read_inherited(self, field: str, user: Account, ancestor: "ItemTable", index: int) -> Any:
        if index in self._removed:
            return None
        return ancestor.column(field, user)[self.ancestor_index(ancestor, index)]

    def _read_greatest(self, field: str, user: Account, descendant: "ItemTable", index: int) -> Any:
        if index in self._removed:
            return None
        column = descendant.column(field, user)
        values = (column[each] for each in self.descendants(descendant, index))
        return max((value for value in values if value is not None), default=None)

    def external_ids(self) -> Sequence[str]:
        """Return the ids of every item on other sites, by index, each between two spaces."""
        key = self.type, "guids", 0
        with self._lock:
            if key not in self._columns:
                self._columns[key] = Column(len(self), self._read_external_ids)
            return self._columns[key].values

    def _read_external_ids(self, index: int) -> str:
        edited = self._edited_items.get(index)
        return f" {' '.join(self.guids(index) if edited is None else edited.guids)} "

    def order(self, user: Account, fields: tuple[SortField, ...]) -> Sequence[int]:
        """List the indexes of the items that are not removed, sorted by fields.

        Items that are equal in all fields are in rating key order.
        """
        key = user.id if any(FIELDS[field.name].personal for field in fields) else 0, fields
        with self._lock:
            order = self._orders.pop(key, None) or self._make_order(user, fields)
            self._orders[key] = order  # the last one is the one used last
            if len(self._orders) > MAX_ORDERS:
                del self._orders[next(iter(self._orders))]
            return order.indexes

    def _make_order(self, user: Account, fields: tuple[SortField, ...]) -> Order:
        """Sort by fields, starting with the order of the last one, which may be cached already."""
        indexes: Iterable[int] = self.indexes()
        ascending = fields[-1]._replace(descending=False, unknown_last=False)
        if fields != (ascending,):
            indexes = self.order(user, (ascending,))
        columns = [self._column(field.name, user, field.table) for field in fields]
        keys = [
            SortKey(column, field.descending, field.unknown_last)
            for column, field in zip(columns, fields, strict=True)
        ]
        is_sorted_by_last = len(keys) > 1 and fields[-1] == ascending
        for key in reversed(keys[:-1] if is_sorted_by_last else keys):
            indexes = key.sort(indexes)
        return Order(indexes, keys, self._removed)

    def tag_names(self, field: str, visible: Sequence[int] | None = None) -> dict[int, str]:
        """Return the names of the tags that the items have, for instance of all genres, by id.

        With `visible`, only the items with a 1 at their index count.
        """
        with self._lock:
            return self._tag_index(field).names(visible)

    def tagged_items(self, field: str, tag_id: float) -> Sequence[int]:
        """List the indexes of the items with a tag, in ascending order."""
        with self._lock:
            return self._tag_index(field).indexes(tag_id)

    def _tag_index(self, field: str) -> TagIndex:
        if field not in self._tag_indexes:
            self._tag_indexes[field] = TagIndex(self._tagged(field), partial(self._tags, field))
        return self._tag_indexes[field]

    def _tagged(self, field: str) -> Iterator[tuple[int, Any]]:
        """Yield the index and tag of each tagged item, in the order of the indexes."""
        indexes = self.indexes()
        if field == "collection":
            found = map(self.find_index, self._collection_tags)
            indexes = sorted(index for index in found if index is not None)
        return ((index, tag) for index in indexes for tag in self._tags(field, index))

    def _tags(self, field: str, index: int) -> Sequence[Any]:
        if index in self._removed:
            return ()
        if field == "collection":
            return self._collection_tags.get(self.key(index), ())
        if field in self.fast_tags and index not in self._edited_items:
            return self.fast_tags[field](index)
        tags: Sequence[Any] = getattr(self.base_item(index), TAG_ATTRIBUTES[field])
        return tags

    # Totals and results

    def total_storage(self) -> tuple[int, int]:
        """Return the size in bytes and the duration in milliseconds of all files."""
        size, duration = self._generated_storage
        for index in {*self._edited_items, *self._removed}:
            if index < self.generated_count():
                size, duration = size - self.storage(index)[0], duration - self.storage(index)[1]
        for item in self._edited_items.values():
            size, duration = size + sum_storage(item)[0], duration + sum_storage(item)[1]
        return size, duration

    @cached_property
    def _generated_storage(self) -> tuple[int, int]:
        totals = [self.storage(index) for index in range(self.generated_count())]
        return sum(size for size, _ in totals), sum(duration for _, duration in totals)

    def cached(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Return the result of `compute`, which is cached until an item changes."""
        with self._lock:
            if key not in self._cached_results:
                if len(self._cached_results) >= MAX_CACHED_RESULTS:
                    del self._cached_results[next(iter(self._cached_results))]
                self._cached_results[key] = compute()
            return self._cached_results[key]
