"""A shelf holds all items of one type in one library and makes each of them when asked for.

Nothing is made at start. A column (one field of every item) is worked out when it is first
needed, from cheap functions where a kind of item has them, and kept until something changes.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, overload

from plex_simulator.fields import FIELDS
from plex_simulator.generation.metadata import DAY, Dice
from plex_simulator.models import UNSEEN, Item, User, Viewing

CAPACITY = 990_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much there is; seasons, episodes, albums, tracks and photos are the most per parent."""

    movies: int = 240
    shows: int = 40
    seasons: int = 4
    episodes: int = 10
    artists: int = 30
    albums: int = 4
    tracks: int = 10
    photo_albums: int = 12
    photos: int = 20
    videos: int = 24
    hidden: int = 15
    collections: int = 8

    def __post_init__(self) -> None:
        totals = {
            "movies": self.movies,
            "episodes": self.shows * (self.seasons + 1) * self.episodes,
            "tracks": self.artists * self.albums * self.tracks,
            "photos": self.photo_albums * self.photos,
            "videos": self.videos,
            "hidden": self.hidden,
        }
        for name, total in totals.items():
            if not 0 <= total <= CAPACITY:
                raise ValueError(f"{name}: {total} is not between 0 and {CAPACITY}")


class Branches:
    """Which children each parent has, by index; counted for all parents on first use."""

    def __init__(self, parents: Callable[[], int], count: Callable[[int], int]) -> None:
        self._parents = parents
        self._count = count

    @cached_property
    def _first(self) -> list[int]:
        return list(accumulate(map(self._count, range(self._parents())), initial=0))

    def of(self, parent: int) -> range:
        return range(self._first[parent], self._first[parent + 1])

    def parent(self, child: int) -> int:
        return bisect_right(self._first, child) - 1

    def __len__(self) -> int:
        return self._first[-1]


class Live(Sequence[Item]):
    """The items that are there now, in rating key order, made when asked for."""

    def __init__(self, shelf: "Shelf", indexes: Sequence[int]) -> None:
        self._shelf = shelf
        self._indexes = indexes

    def __len__(self) -> int:
        return len(self._indexes)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        if isinstance(index, slice):
            return Live(self._shelf, self._indexes[index])
        return self._shelf.item(self._indexes[index])


class Shelf:
    """One type of one library. Indexes never move: a removed item leaves a gap."""

    type = ""
    quick: dict[str, Callable[[int], Any]]

    def __init__(self, seed: int, now: int, users: Sequence[User], library: str, number: int):
        self.library_key = library
        self.number = number
        self.now = now
        self.this_year = time.gmtime(now).tm_year
        self.users = users
        self.dice = Dice(seed, number)
        self.quick = {}
        self.parent: Shelf | None = None
        self.child: Shelf | None = None
        self.branches = Branches(self.made, lambda _: 0)  # from self to child
        self.collection_tags: Callable[[str], tuple[Any, ...]] = lambda _: ()
        self._lock = threading.RLock()
        self._edits: dict[int, Item] = {}
        self._removed: set[int] = set()
        self._added = 0
        self._views: dict[tuple[int, int], Viewing] = {}
        self._columns: dict[tuple[str, int], list[Any]] = {}
        self._kept: dict[Any, Any] = {}

    # What a kind of item fills in

    def made(self) -> int:
        raise NotImplementedError

    def make(self, index: int) -> Item:
        raise NotImplementedError

    def duration(self, index: int) -> int | None:
        return None

    # Rating keys

    def key(self, index: int) -> str:
        return str(self.number * 1_000_000 + 1_000 + index)

    def index(self, key: str) -> int:
        """Find the index of a rating key; ValueError where no such item is (or is any more)."""
        index = int(key) - self.number * 1_000_000 - 1_000
        if not 0 <= index < len(self) or index in self._removed:
            raise ValueError(key)
        return index

    # Items

    def __len__(self) -> int:
        return self.made() + self._added

    def bare(self, index: int) -> Item:
        """Make an item without what users and collections add to it."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._edits.get(index) or self.make(index)

    def item(self, index: int) -> Item:
        bare = self.bare(index)
        return replace(
            bare,
            collections=self.collection_tags(bare.rating_key),
            viewing={user.id: self.viewing(index, user) for user in self.users},
        )

    def indexes(self) -> Sequence[int]:
        """List what is there, in rating key order."""
        if not self._removed:
            return range(len(self))
        return [index for index in range(len(self)) if index not in self._removed]

    def live(self) -> Sequence[Item]:
        return Live(self, self.indexes())

    def children(self, index: int) -> list[int]:
        """List the indexes in the child shelf that belong to an item of this one."""
        if self.child is None:
            return []
        child = self.child
        found = list(self.branches.of(index)) if index < self.made() else []
        key = self.key(index)
        for place in range(child.made(), len(child)):
            if child._edits[place].parent_rating_key == key:
                found.append(place)
        return [place for place in found if place not in child._removed]

    def above(self) -> "Shelf":
        if self.parent is None:
            raise LookupError(f"a {self.type} has no parent")
        return self.parent

    def below(self) -> "Shelf":
        if self.child is None:
            raise LookupError(f"a {self.type} has no children")
        return self.child

    def parent_index(self, index: int) -> int:
        parent = self.above()
        if index in self._edits:
            return parent.index(self._edits[index].parent_rating_key or "")
        return parent.branches.parent(index)

    # Watch state

    def viewing(self, index: int, user: User) -> Viewing:
        """Tell one user's history with one item; that of a parent follows from its children."""
        if (index, user.id) in self._views:
            return self._views[index, user.id]
        if self.child is not None:
            return self._viewing_of_children(index, user)
        if index >= self.made():  # nobody has seen what was added later
            return UNSEEN
        dice, purpose = self.dice, 900 + user.id % 97
        throw = dice(index, purpose, 100)
        seen = 45 if user.is_owner else 20
        last = self.now - 3600 - dice(index, purpose + 100, 700 * DAY)
        stars = float(1 + dice(index, purpose + 200, 10)) if throw % 9 == 0 else None
        if throw < seen:
            return Viewing(1 + throw % 3, 0, last, stars)
        if throw >= 96:
            return Viewing(0, (self.duration(index) or 0) // 3, last, stars)
        return UNSEEN if stars is None else Viewing(user_rating=stars)

    def _viewing_of_children(self, index: int, user: User) -> Viewing:
        child = self.below()
        below = [child.viewing(place, user) for place in self.children(index)]
        last = max((v.last_viewed_at for v in below if v.last_viewed_at), default=None)
        leaves = child.child is None
        return Viewing(
            view_count=sum(v.view_count for v in below),
            last_viewed_at=last,
            viewed_leaf_count=sum(
                v.view_count > 0 if leaves else v.viewed_leaf_count for v in below
            ),
        )

    def set_viewing(self, index: int, user: User, viewing: Viewing) -> None:
        self._views[index, user.id] = viewing

    # Changes

    def put(self, index: int, item: Item) -> None:
        self._edits[index] = item

    def append(self, item: Item) -> int:
        self._edits[len(self)] = item
        self._added += 1
        return len(self) - 1

    def remove(self, index: int) -> None:
        self._removed.add(index)
        self._edits.pop(index, None)

    def forget(self) -> None:
        """Drop kept columns and orders after a change."""
        with self._lock:
            self._columns.clear()
            self._kept.clear()

    # Columns

    def column(self, field: str, user: User) -> list[Any]:
        """Read one field of every item, gaps included; work it out once and keep it."""
        kept = field, user.id if FIELDS[field].personal else 0
        with self._lock:
            if kept not in self._columns:
                self._columns[kept] = self._read(field, user)
            return self._columns[kept]

    def _read(self, field: str, user: User) -> list[Any]:
        read, personal = FIELDS[field].read, FIELDS[field].personal
        quick = self.quick.get(field)
        if quick is not None:
            values = [quick(index) for index in range(self.made())]
            values.extend(None for _ in range(self._added))
            for index in self._edits:
                values[index] = read(self._edits[index], UNSEEN)
            return values
        if personal and self.child is None:
            blank = Item(rating_key="", library_key="", type="", title="", added_at=0, guid="")
            return [read(blank, self.viewing(index, user)) for index in range(len(self))]
        return [
            None if index in self._removed else self._field(index, read, user)
            for index in range(len(self))
        ]

    def _field(self, index: int, read: Callable[[Item, Viewing], Any], user: User) -> Any:
        item = self.item(index)
        return read(item, item.seen_by(user))

    def kept(self, key: Any, work: Callable[[], Any]) -> Any:
        """Keep the outcome of some work until the shelf changes; the oldest goes after 256."""
        with self._lock:
            if key not in self._kept:
                if len(self._kept) >= 256:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = work()
            return self._kept[key]
