"""Evaluate Plex's media queries: which items the filters match, and in which order.

An account gets only the items that it may see.

Items with equal sort values stay in rating key order in both directions. Titles are compared by
their case-folded code points.
"""

import random
import re
import time
from array import array
from calendar import timegm
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, count
from typing import overload

from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.matching import Pair, find_related_table, is_ancestor, make_mask, match_group
from plex_simulator.models import Account
from plex_simulator.tables.item_table import ItemTable, SortField
from plex_simulator.visibility import share_filter, visible_flags, visible_indexes

RELATIVE_DATE = re.compile(r"-?(\d+)(mon|[smhdwy])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mon": 2_592_000, "y": 31_536_000}
CONDITION = re.compile(r"(?:(\w+)\.)?(\w+?)(!=|!|=|<<|>>|<|>|)")
SORT = re.compile(r"(?:(\w+)\.)*(\w+)((?::(?:asc|desc|nullsLast))*)")  # captures the last scope
ASCENDING_FIELDS = {"titleSort", "title", "index", "absoluteIndex", "guid", "id", "summary"}
ASCENDING_FIELDS |= {"tagline", "updatedAt", "mediaHeight"}

_shuffle_seeds = count()


class InvalidSort(ValueError):
    """A sort that Plex answers with status 400."""


def select(table: ItemTable, user: Account, pairs: Sequence[Pair], now: int) -> Sequence[int]:
    """List the indexes of the items that match a query, in the order of its `sort`.

    `pairs` are the names and values of the query, of which filters are only a part.
    """
    sort = next((value for key, value in pairs if key == "sort"), "") or default_sort(table.type)
    conditions = tuple(read_conditions(table, pairs, now))
    if "random" in sort:
        return ShuffledIndexes(filter_indexes(table, user, conditions, table.indexes()))
    fields = read_sort(table, sort)
    if not conditions and not share_filter(table, user):
        return table.order(user, fields)
    matching: Sequence[int] = table.cached(
        (user.id, share_filter(table, user), fields, conditions),
        lambda: filter_indexes(table, user, conditions, table.order(user, fields)),
    )
    return matching


class ShuffledIndexes(Sequence[int]):
    """Indexes in a random order, which is a different one for every page, as in Plex."""

    def __init__(self, indexes: Sequence[int]) -> None:
        self._indexes = indexes
        self._random = random.Random(next(_shuffle_seeds))

    def __len__(self) -> int:
        return len(self._indexes)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            # Shuffling 250,000 indexes for a page of 50 would take a tenth of a second.
            return self._random.sample(self._indexes, len(range(len(self))[index]))
        return self._random.choice(self._indexes)

    def __iter__(self) -> Iterator[int]:
        return iter(self[:])


def default_sort(item_type: str) -> str:
    """Return the order of a query without `sort`."""
    return {
        "season": "show.titleSort,index",
        "episode": "show.titleSort,season.index:nullsLast,episode.index:nullsLast",
        "album": "artist.titleSort,titleSort",
        "track": "artist.titleSort,album.titleSort,index",
        "photo": "photoalbum.titleSort,originallyAvailableAt:asc",
    }.get(item_type, "titleSort")


# Sorting


def read_sort(table: ItemTable, sort: str) -> tuple[SortField, ...]:
    """Read a comma-separated list of fields; raise InvalidSort if a table has no such field."""
    return tuple(read_sort_field(table, text) for text in sort.split(","))


def read_sort_field(table: ItemTable, text: str) -> SortField:
    match = SORT.fullmatch(text)
    if not match:
        raise InvalidSort(text)
    scope, field, modifiers = match.groups()
    scope_table = find_related_table(table, scope)
    if scope_table is None or field not in FIELDS or FIELDS[field].type == "tag":
        raise InvalidSort(text)
    modifier_names = modifiers.split(":")[1:]
    # Any modifier replaces the default direction: `year:nullsLast` sorts ascending.
    descending = "desc" in modifier_names or (not modifier_names and field not in ASCENDING_FIELDS)
    return SortField(scope_table, field, descending, descending or "nullsLast" in modifier_names)


# Filtering


def read_conditions(table: ItemTable, pairs: Iterable[Pair], now: int) -> Iterator[Pair]:
    """Yield the filters among the pairs; like Plex, ignore unknown filters."""
    for key, value in pairs:
        if key in ("push", "pop", "or", "and"):
            yield key, value
            continue
        match = CONDITION.fullmatch(key)
        if not match or match[2] not in FIELDS:
            continue
        scope, field, operator = match.groups()
        field_type, scope_table = FIELDS[field].type, find_related_table(table, scope)
        if scope_table is None or field not in TYPE_FIELDS[scope_table.type]:
            continue
        if field_type == "string" and value.startswith("="):
            operator, value = operator + "=", value[1:]
        # Plex accepts the exact title of a parent, for instance show.title==, but ignores it.
        if field_type == "string" and operator.endswith("=") and is_ancestor(scope_table, table):
            continue
        if field_type == "date":
            value = parse_date(value, now)
        yield f"{scope_table.type}.{field}.{operator}", value


def parse_date(value: str, now: int) -> str:
    """Convert a date such as -30d or 2024-01-31 to epoch seconds."""
    match = RELATIVE_DATE.fullmatch(value)
    if match:
        return str(now - int(match[1]) * SECONDS[match[2]])
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return str(timegm(time.strptime(value, "%Y-%m-%d")))
    return value


def filter_indexes(
    table: ItemTable, user: Account, conditions: Sequence[Pair], indexes: Sequence[int]
) -> Sequence[int]:
    """List those indexes that match all conditions, and that the user may see."""
    if not conditions:
        return visible_indexes(table, user, indexes)
    mask, visible = match_group(table, user, iter(conditions)), visible_flags(table, user)
    if visible is not None:
        mask &= make_mask(visible)
    matches = mask.to_bytes(len(table), "little")
    return array("I", compress(indexes, map(matches.__getitem__, indexes)))
