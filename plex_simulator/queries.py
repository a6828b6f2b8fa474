"""Which items a media query selects, and in which order: Plex's sorts and filters.

Ties keep rating key order in both directions. Titles compare by their case-folded code points.
"""

import random
import re
import time
from calendar import timegm
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.models import User
from plex_simulator.tables.item_table import Shelf

Pair = tuple[str, str]
Test = Callable[[int], bool]

RELATIVE = re.compile(r"-?(\d+)(mon|[smhdwy])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mon": 2_592_000, "y": 31_536_000}
CONDITION = re.compile(r"(?:(\w+)\.)?(\w+?)(!=|!|=|<<|>>|<|>|)")
SORT = re.compile(r"(?:(\w+)\.)*(\w+)((?::(?:asc|desc|nullsLast))*)")  # the last scope counts
ASCENDING = {"titleSort", "title", "index", "absoluteIndex", "guid", "id", "summary", "tagline"}
ASCENDING |= {"updatedAt", "mediaHeight"}

_shuffles = count()


class BadQuery(ValueError):
    """A sort that Plex answers with 400."""


def select(shelf: Shelf, user: User, pairs: Sequence[Pair], now: int) -> Sequence[int]:
    """List the indexes that match the filters among the pairs, in the order of their `sort`."""
    sort = next((value for key, value in pairs if key == "sort"), "") or default_sort(shelf.type)
    wanted = tuple(conditions(shelf, pairs, now))
    if "random" in sort:
        shuffled = [*matching(shelf, user, wanted, shelf.indexes())]
        random.Random(next(_shuffles)).shuffle(shuffled)
        return shuffled
    ordered: Sequence[int] = shelf.kept((user.id, sort), lambda: order(shelf, user, sort))
    if not wanted:
        return ordered
    found: Sequence[int] = shelf.kept(
        (user.id, sort, wanted), lambda: [*matching(shelf, user, wanted, ordered)]
    )
    return found


def default_sort(kind: str) -> str:
    return {
        "season": "show.titleSort,index",
        "episode": "show.titleSort,season.index:nullsLast,episode.index:nullsLast",
        "album": "artist.titleSort,titleSort",
        "track": "artist.titleSort,album.titleSort,index",
        "photo": "photoalbum.titleSort,originallyAvailableAt:asc",
    }.get(kind, "titleSort")


# Sorting


def order(shelf: Shelf, user: User, sort: str) -> list[int]:
    """Sort a whole shelf, last field first, since Python's sort is stable."""
    steps = []
    for text in sort.split(","):
        match = SORT.fullmatch(text)
        if not match:
            raise BadQuery(text)
        scope, field, directions = match.groups()
        if field not in FIELDS or FIELDS[field].kind == "tag":
            raise BadQuery(text)
        named = directions.split(":")[1:]
        # A modifier of any kind ends the default direction: `year:nullsLast` ascends.
        down = "desc" in named or (not named and field not in ASCENDING)
        steps.append((scoped_column(shelf, user, scope, field), down, "nullsLast" in named))
    ordered = list(shelf.indexes())
    for column, down, nulls_last in reversed(steps):
        known = [index for index in ordered if column[index] is not None]
        unknown = [index for index in ordered if column[index] is None]
        known.sort(key=column.__getitem__, reverse=down)
        ordered = known + unknown if down or nulls_last else unknown + known
    return ordered


def scoped_column(shelf: Shelf, user: User, scope: str | None, field: str) -> list[Any]:
    """Read a column of the shelf itself, of its parents, or the latest among its children."""
    if scope in (None, shelf.type, "clip"):
        return shelf.column(field, user)
    climb: Shelf | None = shelf
    while climb is not None and climb.type != scope:
        climb = climb.parent
    if climb is not None:
        above = climb.column(field, user)
        return [above[ancestor(shelf, climb, index)] for index in range(len(shelf))]
    below = shelf.child
    while below is not None and below.type != scope:
        below = below.child
    if below is None:
        raise BadQuery(scope)
    values = below.column(field, user)
    latest: list[Any] = [None] * len(shelf)
    for index in below.indexes():
        parent, value = ancestor(below, shelf, index), values[index]
        if value is not None and (latest[parent] is None or latest[parent] < value):
            latest[parent] = value
    return latest


def ancestor(shelf: Shelf, above: Shelf, index: int) -> int:
    while shelf is not above:
        index, shelf = shelf.parent_index(index), shelf.above()
    return index


# Filtering


def conditions(shelf: Shelf, pairs: Iterable[Pair], now: int) -> Iterable[Pair]:
    """Keep the pairs that are filters Plex knows for this type; it ignores all others."""
    for key, value in pairs:
        if key in ("push", "pop", "or", "and"):
            yield key, value
            continue
        match = CONDITION.fullmatch(key)
        if not match or match[2] not in FIELDS:
            continue
        scope, field, operator = match.groups()
        kind, known = FIELDS[field].kind, related(shelf, scope)
        # A string field of a parent (show.title on episodes) is accepted but does nothing.
        if known is None or field not in TYPE_FIELDS[known.type]:
            continue
        if kind == "string" and known is not shelf and above(shelf, known):
            continue
        if kind == "string" and value.startswith("="):
            operator, value = operator + "=", value[1:]
        if kind == "date":
            value = moment(value, now)
        yield f"{known.type}.{field}.{operator}", value


def related(shelf: Shelf, scope: str | None) -> Shelf | None:
    if scope in (None, shelf.type, "clip"):
        return shelf
    for step in ("parent", "child"):
        other: Shelf | None = getattr(shelf, step)
        while other is not None:
            if other.type == scope:
                return other
            other = getattr(other, step)
    return None


def above(shelf: Shelf, other: Shelf) -> bool:
    return other in (shelf.parent, shelf.parent and shelf.parent.parent)


def moment(value: str, now: int) -> str:
    """Turn -30d or 2024-01-31 into epoch seconds."""
    match = RELATIVE.fullmatch(value)
    if match:
        return str(now - int(match[1]) * SECONDS[match[2]])
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return str(timegm(time.strptime(value, "%Y-%m-%d")))
    return value


def matching(
    shelf: Shelf, user: User, wanted: Sequence[Pair], ordered: Iterable[int]
) -> Iterable[int]:
    passes = group(shelf, user, iter(wanted))
    return (index for index in ordered if passes(index))


def group(shelf: Shelf, user: User, wanted: Iterable[Pair]) -> Test:
    """Read conditions up to the end or `pop`: alternatives, parted by `or`, of joint tests."""
    alternatives: list[list[Test]] = [[]]
    rest = iter(wanted)
    for key, value in rest:
        if key == "push":
            alternatives[-1].append(group(shelf, user, rest))
        elif key == "pop":
            break
        elif key == "or":
            alternatives.append([])
        elif key != "and":
            alternatives[-1].append(condition(shelf, user, key, value))
    if len(alternatives) == 1:
        tests = alternatives[0]
        return tests[0] if len(tests) == 1 else lambda index: all(test(index) for test in tests)
    return lambda index: any(all(test(index) for test in tests) for tests in alternatives)


def condition(shelf: Shelf, user: User, key: str, value: str) -> Test:
    scope, field, operator = key.split(".", 2)
    passes = comparison(FIELDS[field].kind, field, operator, value)
    related_shelf = related(shelf, scope) or shelf
    column = related_shelf.column(field, user)
    if related_shelf is shelf:
        return lambda index: passes(column[index])
    if above(shelf, related_shelf):
        return lambda index: passes(column[ancestor(shelf, related_shelf, index)])
    having = {
        ancestor(related_shelf, shelf, index)
        for index in related_shelf.indexes()
        if passes(column[index])
    }
    return having.__contains__


def comparison(kind: str, field: str, operator: str, value: str) -> Callable[[Any], bool]:
    """Build the test of one value. Text is not split at commas, since titles have them."""
    if kind == "boolean":
        expected = (value != "0") != (operator == "!")
        return lambda have: bool(have) == expected
    if kind == "string":
        return text_comparison(operator, value.casefold())
    if kind == "date" and field == "originallyAvailableAt":
        bound: Any = time.strftime("%Y-%m-%d", time.gmtime(number(value)))
        return bounds(operator, bound)
    if kind in ("integer", "date") and operator in ("<", "<<", ">", ">>"):
        return bounds(operator, number(value))
    choices: set[Any] = set(value.split(","))
    if kind in ("integer", "date", "tag"):
        choices = {number(choice) for choice in choices}
    negative = operator.startswith("!")
    if kind == "tag":
        return lambda have: (not choices.isdisjoint(have or ())) != negative
    return lambda have: (have in choices) != negative


def bounds(operator: str, bound: Any) -> Callable[[Any], bool]:
    if operator == ">>":
        return lambda have: have is not None and have > bound
    if operator == "<<":
        return lambda have: have is not None and have < bound
    if operator == ">":
        return lambda have: have is not None and have >= bound
    return lambda have: have is not None and have <= bound


def text_comparison(operator: str, wanted: str) -> Callable[[Any], bool]:
    tests: dict[str, Callable[[str], bool]] = {
        "": lambda have: wanted in have,
        "!": lambda have: wanted not in have,
        "=": lambda have: have == wanted,
        "!=": lambda have: have != wanted,
        "<": lambda have: have.startswith(wanted),
        ">": lambda have: have.endswith(wanted),
    }
    test = tests.get(operator, tests[""])
    return lambda have: test((have or "").casefold())


def number(text: str) -> float:
    """Read a number; what is none equals nothing."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
