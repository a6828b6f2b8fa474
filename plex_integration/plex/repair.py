"""Repair what Plex is known to get wrong in XML: it copies file names and tags as they are.

They may hold characters that XML forbids, as such or as references, and bytes that are not UTF-8.
"""

import codecs
import re

_CONTROL_CHARACTERS = bytes(set(range(32)) - set(b"\t\n\r"))
_CHARACTER_REFERENCE = re.compile("&#(x[0-9a-fA-F]+|[0-9]+);")
# The longest reference that is repaired if it arrives in two blocks.
_LONGEST_REFERENCE = 16


class Repair:
    """Turn the bytes of a response into UTF-8 that XML allows, block by block."""

    def __init__(self) -> None:
        # Plex writes UTF-8, whatever the document says of itself.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._incomplete = ""

    def feed(self, block: bytes, *, is_last: bool = False) -> bytes:
        """Return a repaired block, without a reference at its end that is not complete yet."""
        # Without NUL and the other control characters no parser can take it for UTF-16, in which a
        # DOCTYPE could hide.
        text = self._decoder.decode(block.translate(None, _CONTROL_CHARACTERS), is_last)
        text = self._incomplete + text.replace("\ufffe", "").replace("\uffff", "")
        end = len(text) if is_last else _end_of_references(text)
        self._incomplete = text[end:]
        return _CHARACTER_REFERENCE.sub(_legal_reference, text[:end]).encode()


def _end_of_references(text: str) -> int:
    """Return where the text ends, or where a reference begins that it does not complete."""
    start = text.rfind("&", max(0, len(text) - _LONGEST_REFERENCE))
    return len(text) if start < 0 or ";" in text[start:] else start


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
