"""Evaluate Plex's media queries: which items the filters match, and in which order.

Items with equal sort values stay in rating key order in both directions. Titles are compared by
their case-folded code points.
"""

import random
import re
import time
from array import array
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, count
from typing import Any, overload

from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.models import User
from plex_simulator.tables.item_table import ItemTable, SortField

Pair = tuple[str, str]
Mask = int  # one byte per item, in the order of the indexes: 1 if the item matches
ValueTest = Callable[[Any], bool]

RELATIVE_DATE = re.compile(r"-?(\d+)(mon|[smhdwy])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mon": 2_592_000, "y": 31_536_000}
CONDITION = re.compile(r"(?:(\w+)\.)?(\w+?)(!=|!|=|<<|>>|<|>|)")
SORT = re.compile(r"(?:(\w+)\.)*(\w+)((?::(?:asc|desc|nullsLast))*)")  # captures the last scope
ASCENDING_FIELDS = {"titleSort", "title", "index", "absoluteIndex", "guid", "id", "summary"}
ASCENDING_FIELDS |= {"tagline", "updatedAt", "mediaHeight"}

_shuffle_seeds = count()


class InvalidSort(ValueError):
    """A sort that Plex answers with status 400."""


def select(table: ItemTable, user: User, pairs: Sequence[Pair], now: int) -> Sequence[int]:
    """List the indexes of the items that match a query, in the order of its `sort`.

    `pairs` are the names and values of the query, of which filters are only a part.
    """
    sort = next((value for key, value in pairs if key == "sort"), "") or default_sort(table.type)
    conditions = tuple(read_conditions(table, pairs, now))
    if "random" in sort:
        return ShuffledIndexes(filter_indexes(table, user, conditions, table.indexes()))
    fields = read_sort(table, sort)
    if not conditions:
        return table.order(user, fields)
    matching: Sequence[int] = table.cached(
        (user.id, fields, conditions),
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


def find_related_table(table: ItemTable, scope: str | None) -> ItemTable | None:
    """Return the table itself, or the ancestor or descendant table of a type."""
    if scope in (None, table.type, "clip"):
        return table
    for direction in ("parent", "child"):
        other: ItemTable | None = getattr(table, direction)
        while other is not None:
            if other.type == scope:
                return other
            other = getattr(other, direction)
    return None


def is_ancestor(other: ItemTable, table: ItemTable) -> bool:
    return other in (table.parent, table.parent and table.parent.parent)


def parse_date(value: str, now: int) -> str:
    """Convert a date such as -30d or 2024-01-31 to epoch seconds."""
    match = RELATIVE_DATE.fullmatch(value)
    if match:
        return str(now - int(match[1]) * SECONDS[match[2]])
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return str(timegm(time.strptime(value, "%Y-%m-%d")))
    return value


def filter_indexes(
    table: ItemTable, user: User, conditions: Sequence[Pair], indexes: Sequence[int]
) -> Sequence[int]:
    """List those indexes that match all conditions."""
    if not conditions:
        return indexes
    matches = match_group(table, user, iter(conditions)).to_bytes(len(table), "little")
    return array("I", [index for index in indexes if matches[index]])


def match_group(table: ItemTable, user: User, conditions: Iterator[Pair]) -> Mask:
    """Combine the conditions up to the end or `pop`; `or` separates alternatives."""
    everything = make_mask(b"\1" * len(table))
    found, alternative = 0, everything
    for key, value in conditions:
        if key == "push":
            alternative &= match_group(table, user, conditions)
        elif key == "pop":
            break
        elif key == "or":
            found, alternative = found | alternative, everything
        elif key != "and":
            alternative &= match_condition(table, user, key, value)
    return found | alternative


def make_mask(flags: Iterable[int]) -> Mask:
    return int.from_bytes(bytes(flags), "little")


def match_condition(table: ItemTable, user: User, key: str, value: str) -> Mask:
    """Match one condition, which may filter by a field of ancestors or descendants."""
    scope, field, operator = key.split(".", 2)
    related = find_related_table(table, scope)
    if related is None or related is table:
        return make_mask(match_field(table, user, field, operator, value))
    flags = match_field(related, user, field, operator, value)
    if is_ancestor(related, table):
        return make_mask(map(flags.__getitem__, table.ancestor_column(related)))
    matching = set(compress(related.ancestor_column(table), flags))
    return make_mask(index in matching for index in range(len(table)))


def match_field(
    table: ItemTable, user: User, field: str, operator: str, value: str
) -> Sequence[int]:
    """Return 1 for each item whose field has one of the values, and 0 for the others."""
    if FIELDS[field].type == "tag":
        return match_tags(table, field, operator, value)
    passes = make_value_test(FIELDS[field].type, field, operator, value)
    return bytes(map(passes, table.column(field, user)))


def match_tags(table: ItemTable, field: str, operator: str, value: str) -> Sequence[int]:
    negated = operator.startswith("!")
    flags = bytearray([negated]) * len(table)
    for tag_id in value.split(","):
        for index in table.tagged_items(field, parse_number(tag_id)):
            flags[index] = not negated
    return flags


def make_value_test(field_type: str, field: str, operator: str, value: str) -> ValueTest:
    """Make the test of one field value.

    A comma separates alternatives, except in strings, since titles can contain commas.
    """
    if field_type == "boolean":
        expected = (value != "0") != (operator == "!")
        return lambda actual: bool(actual) == expected
    if field_type == "string":
        return make_string_test(operator, value.casefold())
    if field_type == "date" and field == "originallyAvailableAt":
        bound: Any = time.strftime("%Y-%m-%d", time.gmtime(parse_number(value)))
        return make_range_test(operator, bound)
    if field_type in ("integer", "date") and operator in ("<", "<<", ">", ">>"):
        return make_range_test(operator, parse_number(value))
    alternatives: set[Any] = set(value.split(","))
    if field_type in ("integer", "date"):
        alternatives = {parse_number(alternative) for alternative in alternatives}
    negated = operator.startswith("!")
    return lambda actual: (actual in alternatives) != negated


def make_range_test(operator: str, bound: Any) -> ValueTest:
    if operator == ">>":
        return lambda actual: actual is not None and actual > bound
    if operator == "<<":
        return lambda actual: actual is not None and actual < bound
    if operator == ">":
        return lambda actual: actual is not None and actual >= bound
    return lambda actual: actual is not None and actual <= bound


def make_string_test(operator: str, expected: str) -> ValueTest:
    tests: dict[str, ValueTest] = {
        "": lambda actual: expected in (actual or ""),
        "!": lambda actual: expected not in (actual or ""),
        "=": lambda actual: (actual or "") == expected,
        "!=": lambda actual: (actual or "") != expected,
        "<": lambda actual: (actual or "").startswith(expected),
        ">": lambda actual: (actual or "").endswith(expected),
    }
    return tests.get(operator, tests[""])


def parse_number(text: str) -> float:
    """Convert text to a number, or to NaN, which equals no value."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
