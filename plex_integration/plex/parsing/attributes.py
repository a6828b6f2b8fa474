"""Read single attributes; one that is missing or of the wrong kind is None."""

import math
import re
from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from xml.etree.ElementTree import Element

_LARGEST = 2**63 - 1
_MOST_DIGITS = len(str(_LARGEST))
# As int() below, float() accepts too much.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LAST_EPOCH_SECOND = 253402300799  # 9999-12-31T23:59:59Z
_TRUE, _FALSE = frozenset(("1", "true")), frozenset(("0", "false"))


# `text(element, name)` returns an attribute as it is, without a call of Python for each.
text = Element.get


def choice(element: Element, name: str, choices: Collection[str]) -> str | None:
    """Return an attribute that is one of the choices."""
    value = element.get(name)
    return value if value in choices else None


def texts(element: Element, name: str) -> list[str] | None:
    """Return the parts of a comma-separated attribute."""
    value = element.get(name)
    return None if value is None else [part for part in value.split(",") if part]


def whole(element: Element, name: str) -> int | None:
    """Return an attribute as an integer from 0 to 2^63-1, as counts, sizes and positions are."""
    value = element.get(name)
    if value is None:
        return None
    # int() itself also accepts blanks, underscores and the digits of other scripts.
    if not (value.isascii() and value.isdigit()):
        value = value.removeprefix("+")
        if not (value.isascii() and value.isdigit()):
            return None
    if len(value) > _MOST_DIGITS:
        return None
    found = int(value)
    return None if found > _LARGEST else found


def number(element: Element, name: str) -> float | None:
    """Return an attribute as a finite number."""
    value = element.get(name)
    if value is None or not _NUMBER.fullmatch(value):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def flag(element: Element, name: str) -> bool | None:
    """Return an attribute as a boolean."""
    value = element.get(name, "").lower()
    return True if value in _TRUE else False if value in _FALSE else None


def instant(element: Element, name: str) -> str | None:
    """Return an attribute of epoch seconds as ISO 8601 in UTC: 2024-01-01T12:30:00.000Z."""
    return instant_of(whole(element, name))


def instant_of(seconds: int | None) -> str | None:
    """Return epoch seconds as ISO 8601 in UTC."""
    return None if seconds is None or seconds > _LAST_EPOCH_SECOND else _iso_instant(seconds)


# An item is read from a list and then in full, and many items were added in the same scan.
@lru_cache(maxsize=4096)
def _iso_instant(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
