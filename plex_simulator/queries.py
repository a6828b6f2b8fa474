"""Evaluate Plex's media queries: which items the filters match, and in which order.

Items with equal sort values stay in rating key order in both directions. Titles are compared by
their case-folded code points.
"""

import random
import re
import time
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.models import User
from plex_simulator.tables.item_table import ItemTable

Pair = tuple[str, str]
IndexTest = Callable[[int], bool]
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
        shuffled = [*filter_indexes(table, user, conditions, table.indexes())]
        random.Random(next(_shuffle_seeds)).shuffle(shuffled)
        return shuffled
    ordered: Sequence[int] = table.cached((user.id, sort), lambda: sort_indexes(table, user, sort))
    if not conditions:
        return ordered
    matching: Sequence[int] = table.cached(
        (user.id, sort, conditions), lambda: [*filter_indexes(table, user, conditions, ordered)]
    )
    return matching


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


def sort_indexes(table: ItemTable, user: User, sort: str) -> list[int]:
    """Sort all items of a table by a comma-separated list of fields."""
    keys = []
    for text in sort.split(","):
        match = SORT.fullmatch(text)
        if not match:
            raise InvalidSort(text)
        scope, field, modifiers = match.groups()
        if field not in FIELDS or FIELDS[field].type == "tag":
            raise InvalidSort(text)
        modifier_names = modifiers.split(":")[1:]
        # Any modifier replaces the default direction: `year:nullsLast` sorts ascending.
        descending = "desc" in modifier_names or (
            not modifier_names and field not in ASCENDING_FIELDS
        )
        column = read_scoped_column(table, user, scope, field)
        keys.append((column, descending, "nullsLast" in modifier_names))
    indexes = list(table.indexes())
    # Python's sort is stable, so sorting by the last field first gives the combined order.
    for column, descending, nulls_last in reversed(keys):
        known = [index for index in indexes if column[index] is not None]
        unknown = [index for index in indexes if column[index] is None]
        known.sort(key=column.__getitem__, reverse=descending)
        indexes = known + unknown if descending or nulls_last else unknown + known
    return indexes


def read_scoped_column(table: ItemTable, user: User, scope: str | None, field: str) -> list[Any]:
    """Return a field per item: its own, that of an ancestor, or the greatest of its descendants."""
    if scope in (None, table.type, "clip"):
        return table.column(field, user)
    ancestor: ItemTable | None = table
    while ancestor is not None and ancestor.type != scope:
        ancestor = ancestor.parent
    if ancestor is not None:
        ancestor_values = ancestor.column(field, user)
        inherited: list[Any] = [None] * len(table)
        for index in table.indexes():
            inherited[index] = ancestor_values[ancestor_index(table, ancestor, index)]
        return inherited
    descendant = table.child
    while descendant is not None and descendant.type != scope:
        descendant = descendant.child
    if descendant is None:
        raise InvalidSort(scope)
    values = descendant.column(field, user)
    greatest: list[Any] = [None] * len(table)
    for index in descendant.indexes():
        own_index, value = ancestor_index(descendant, table, index), values[index]
        if value is not None and (greatest[own_index] is None or greatest[own_index] < value):
            greatest[own_index] = value
    return greatest


def ancestor_index(table: ItemTable, ancestor: ItemTable, index: int) -> int:
    """Return the index of an item's ancestor in the ancestor's table."""
    while table is not ancestor:
        index, table = table.parent_index(index), table.parent_table()
    return index


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
    table: ItemTable, user: User, conditions: Sequence[Pair], indexes: Iterable[int]
) -> Iterable[int]:
    return filter(make_group_test(table, user, iter(conditions)), indexes)


def make_group_test(table: ItemTable, user: User, conditions: Iterable[Pair]) -> IndexTest:
    """Combine the conditions up to the end or `pop`; `or` separates alternatives."""
    alternatives: list[list[IndexTest]] = [[]]
    remaining = iter(conditions)
    for key, value in remaining:
        if key == "push":
            alternatives[-1].append(make_group_test(table, user, remaining))
        elif key == "pop":
            break
        elif key == "or":
            alternatives.append([])
        elif key != "and":
            alternatives[-1].append(make_condition_test(table, user, key, value))
    if len(alternatives) == 1:
        tests = alternatives[0]
        return tests[0] if len(tests) == 1 else lambda index: all(test(index) for test in tests)
    return lambda index: any(all(test(index) for test in tests) for tests in alternatives)


def make_condition_test(table: ItemTable, user: User, key: str, value: str) -> IndexTest:
    """Make the test of one condition, which may filter by a field of ancestors or descendants."""
    scope, field, operator = key.split(".", 2)
    passes = make_value_test(FIELDS[field].type, field, operator, value)
    scope_table = find_related_table(table, scope) or table
    column = scope_table.column(field, user)
    if scope_table is table:
        return lambda index: passes(column[index])
    if is_ancestor(scope_table, table):
        return lambda index: passes(column[ancestor_index(table, scope_table, index)])
    matching = {
        ancestor_index(scope_table, table, index)
        for index in scope_table.indexes()
        if passes(column[index])
    }
    return matching.__contains__


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
    if field_type in ("integer", "date", "tag"):
        alternatives = {parse_number(alternative) for alternative in alternatives}
    negated = operator.startswith("!")
    if field_type == "tag":
        return lambda actual: (not alternatives.isdisjoint(actual or ())) != negated
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
    tests: dict[str, Callable[[str], bool]] = {
        "": lambda actual: expected in actual,
        "!": lambda actual: expected not in actual,
        "=": lambda actual: actual == expected,
        "!=": lambda actual: actual != expected,
        "<": lambda actual: actual.startswith(expected),
        ">": lambda actual: actual.endswith(expected),
    }
    test = tests.get(operator, tests[""])
    return lambda actual: test((actual or "").casefold())


def parse_number(text: str) -> float:
    """Convert text to a number, or to NaN, which equals no value."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
