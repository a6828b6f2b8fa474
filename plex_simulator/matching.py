"""Evaluate conditions on fields: which items of a table match them.

The result is a mask, so that several conditions can be combined quickly.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from typing import Any

from plex_simulator.fields import FIELDS
from plex_simulator.models import Account
from plex_simulator.tables.item_table import ItemTable

Pair = tuple[str, str]
Mask = int  # one byte per item, in the order of the indexes: 1 if the item matches
ValueTest = Callable[[Any], bool]


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


def match_group(table: ItemTable, user: Account, conditions: Iterator[Pair]) -> Mask:
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


def match_condition(table: ItemTable, user: Account, key: str, value: str) -> Mask:
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
    table: ItemTable, user: Account, field: str, operator: str, value: str
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
