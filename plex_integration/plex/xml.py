"""Parse Plex's XML: repair what Plex is known to get wrong, refuse what could do harm."""

import re
from xml.etree.ElementTree import Element, ParseError, XMLParser

from plex_integration.errors import PlexApiError
from plex_integration.plex.errors import PlexNotFound

# The largest response, decompressed. An unpaged list of 10,000 items is about as large.
MAX_BYTES = 32 * 1024 * 1024

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CHARACTER_REFERENCE = re.compile("&#(x[0-9a-fA-F]+|[0-9]+);")
_ILLEGAL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def parse_xml(body: bytes) -> Element:
    """Parse a response of at most MAX_BYTES and return its MediaContainer.

    Raises PlexNotFound for an empty body, PlexApiError and ParseError for anything unusable.
    """
    if not body.strip():
        raise PlexNotFound
    root = _parse_leniently(body)
    if root.tag != "MediaContainer":
        raise PlexApiError
    return root


def _parse_leniently(body: bytes) -> Element:
    # A UTF-16 mark or a NUL makes expat read UTF-16, whatever encoding the parser was given. A
    # DOCTYPE could hide in that, so such a body is repaired, which makes it UTF-8, first.
    if b"\x00" in body or body.startswith(_UTF_16_MARKS):
        body = _repair(body)
    try:
        return _parse_strictly(body)
    except ParseError:
        # Plex copies control characters from file names and tags, which XML does not allow.
        return _parse_strictly(_repair(body))


def _parse_strictly(body: bytes) -> Element:
    # Only a DOCTYPE can declare entities, and Plex never sends one.
    if b"<!DOCTYPE" in body:
        raise PlexApiError
    parser = XMLParser(encoding="utf-8")  # noqa: S314 - no DOCTYPE, no more than MAX_BYTES
    parser.feed(body)
    root: Element = parser.close()
    return root


def _repair(body: bytes) -> bytes:
    text = _ILLEGAL_CHARACTERS.sub("", body.decode("utf-8", "replace"))
    return _CHARACTER_REFERENCE.sub(_legal_reference, text).encode()


def _legal_reference(found: re.Match[str]) -> str:
    """Return a character reference unchanged, or nothing where XML forbids the character."""
    digits = found[1]
    if len(digits) > 10:
        return ""
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    return found[0] if _is_legal(code) else ""


def _is_legal(code: int) -> bool:
    is_in_basic_plane = code in (9, 10, 13) or 32 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD
    return is_in_basic_plane or 0x10000 <= code <= 0x10FFFF
