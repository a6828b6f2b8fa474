"""Read single attributes; one that is missing or of the wrong kind is None."""

import math
import re
from collections.abc import Collection
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

_INTEGER = re.compile(r"[+]?[0-9]{1,19}")
_LARGEST = 2**63 - 1
# float() itself also accepts blanks, underscores and the digits of other scripts.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LAST_EPOCH_SECOND = 253402300799  # 9999-12-31T23:59:59Z
_TRUE, _FALSE = frozenset(("1", "true")), frozenset(("0", "false"))


def text(element: Element, name: str) -> str | None:
    """Return an attribute as it is."""
    return element.get(name)


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
    value = element.get(name, "")
    found = int(value) if _INTEGER.fullmatch(value) else None
    return None if found is None or found > _LARGEST else found


def number(element: Element, name: str) -> float | None:
    """Return an attribute as a finite number."""
    written = element.get(name, "")
    value = float(written) if _NUMBER.fullmatch(written) else math.inf
    return value if math.isfinite(value) else None


def flag(element: Element, name: str) -> bool | None:
    """Return an attribute as a boolean."""
    value = element.get(name, "").lower()
    return True if value in _TRUE else False if value in _FALSE else None


def instant(element: Element, name: str) -> str | None:
    """Return an attribute of epoch seconds as ISO 8601 in UTC: 2024-01-01T12:30:00.000Z."""
    seconds = whole(element, name)
    if seconds is None or seconds > _LAST_EPOCH_SECOND:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
