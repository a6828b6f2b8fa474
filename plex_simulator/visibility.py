"""Which items the filters of a share let an account see.

A filter is a list of conditions such as `label!=Kids,Adults` or `contentRating=G%2CPG`. An item
passes if all parts between `&` hold; a part holds if one of its conditions between `|` does. The
filters look at the movie, show, artist or photo album; what belongs to it is shown or hidden with
it.
"""

import re
from array import array
from collections.abc import Collection, Sequence
from functools import reduce
from itertools import compress
from operator import and_, or_
from urllib.parse import unquote_plus

from plex_simulator.matching import Mask, make_mask, match_field
from plex_simulator.models import Account
from plex_simulator.tables.item_table import ItemTable

FILTER_NAMES = ("filterAll", "filterMovies", "filterTelevision", "filterMusic", "filterPhotos")
# The filters for the items of a library, by the type of its top level.
FILTERS = {
    "movie": ("filterAll", "filterMovies"),
    "show": ("filterAll", "filterTelevision"),
    "artist": ("filterAll", "filterMusic"),
    "photoalbum": ("filterAll", "filterPhotos"),
}
CONDITION = re.compile("(label|contentRating)(!?)=(.*)", re.DOTALL)


def share_filter(table: ItemTable, user: Account) -> str:
    """Return the filter for the items of a table, empty if the user may see all of them."""
    return user.filter_for(FILTERS[_top_table(table).type])


def has_malformed_filter(user: Account) -> bool:
    """Return whether a filter has a part that is no condition, as after a label with an `&`."""
    filters = user.filter_for(FILTER_NAMES)
    return bool(filters) and not all(map(CONDITION.fullmatch, re.split("[|&]", filters)))


def visible_indexes(table: ItemTable, user: Account, indexes: Sequence[int]) -> Sequence[int]:
    """List those indexes whose items the user may see, in the same order."""
    flags = visible_flags(table, user)
    if flags is None:
        return indexes
    return array("I", compress(indexes, map(flags.__getitem__, indexes)))


def is_visible(table: ItemTable, user: Account, index: int) -> bool:
    """Return whether a user may see an item of a library that the user has access to."""
    top = _top_table(table)
    flags = visible_flags(top, user)
    return flags is None or bool(flags[table.ancestor_index(top, index)])


def visible_flags(table: ItemTable, user: Account) -> Sequence[int] | None:
    """Return 1 for each item that a user may see and 0 for the others, or None for all items."""
    text = share_filter(table, user)
    if not text:
        return None
    top = _top_table(table)
    flags: bytes = top.cached(("visible", text), lambda: _match_filter(top, user, text))
    if top is table:
        return flags
    inherited: bytes = table.cached(
        ("visible", text), lambda: bytes(map(flags.__getitem__, table.ancestor_column(top)))
    )
    return inherited


def _top_table(table: ItemTable) -> ItemTable:
    return [table, *table.ancestor_tables()][-1]


def _match_filter(table: ItemTable, user: Account, text: str) -> bytes:
    masks = [_match_alternatives(table, user, part) for part in text.split("&")]
    return reduce(and_, masks).to_bytes(len(table), "little")


def _match_alternatives(table: ItemTable, user: Account, text: str) -> Mask:
    return reduce(or_, [_match_condition(table, user, part) for part in text.split("|")])


def _match_condition(table: ItemTable, user: Account, text: str) -> Mask:
    """Match one condition. What is no condition hides nothing."""
    match, everything = CONDITION.fullmatch(text), make_mask(b"\1" * len(table))
    if match is None:
        return everything
    field, operator, values = match[1], match[2], frozenset(unquote_plus(match[3]).split(","))
    if field == "label":
        mask = _match_labels(table, user, values)
    else:
        mask = make_mask(map(values.__contains__, table.column(field, user)))
    return mask ^ everything if operator == "!" else mask


def _match_labels(table: ItemTable, user: Account, names: Collection[str]) -> Mask:
    labels = table.tag_names("label").items()
    ids = ",".join(str(tag_id) for tag_id, name in labels if name in names)
    return make_mask(match_field(table, user, "label", "", ids))
