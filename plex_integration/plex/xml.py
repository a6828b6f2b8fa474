"""Parse Plex's XML while it arrives, and refuse what could do harm.

The bounds are far above what real servers send: a page of 50 complete items with 200 actors each
has 1.8 MB, 12,000 elements and a depth of 4.
"""

import weakref
from collections.abc import Iterable
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from plex_integration.errors import PlexApiError
from plex_integration.plex.errors import PlexNotFound
from plex_integration.plex.memory import Reservation
from plex_integration.plex.repair import Repair

MAX_BYTES = 8 * 1024 * 1024
"""The largest response, decompressed."""
MAX_TAGS = 200_000
"""The most start tags and end tags; an element that closes itself has one."""
MAX_CHILDREN = 10_000
"""The most rows of a response: children of its root, or of an element open where a block ends."""
MAX_DEPTH = 64
"""The deepest nesting where a block ends. Closed elements may be deeper: nothing recurses."""
MAX_NAMES = 2_000
"""The most different names of elements and attributes; the parser stores each."""
MAX_TAG_BYTES = 512 * 1024
"""The longest tag: the parser reads an incomplete one again with each block."""

# Measured with CPython 3.11; tests/plex/test_memory.py compares the estimate with the truth.
_BYTES_PER_BYTE, _BYTES_PER_ELEMENT, _BYTES_PER_ATTRIBUTE = 2, 300, 90


def parse_xml(blocks: Iterable[bytes]) -> Element:
    """Parse a response that arrives in blocks and return its MediaContainer, without text.

    Raises PlexNotFound for an empty body, PlexApiError and ExpatError for anything unusable.
    """
    reservation = Reservation()
    try:
        root = _Parser(reservation).parse(blocks)
    except BaseException:
        reservation.release()
        raise
    weakref.finalize(root, reservation.release)
    if root.tag != "MediaContainer":
        raise PlexApiError
    return root


class _Parser:
    """Parse one response.

    Elements are made by C code alone, and the bounds are checked once per block and at the end.
    """

    def __init__(self, reservation: Reservation) -> None:
        self._reservation = reservation
        self._names: dict[str, str] = {}
        self._expat = expat.ParserCreate("utf-8", intern=self._names)
        self._builder = TreeBuilder()
        self._root: Element | None = None
        self._parsed_bytes = self._tags = 0

    def parse(self, blocks: Iterable[bytes]) -> Element:
        self._expat.StartElementHandler = self._start_root
        self._expat.EndElementHandler = self._builder.end
        # Only a DOCTYPE can declare entities, and Plex never sends one.
        self._expat.StartDoctypeDeclHandler = _refuse_doctype
        try:
            self._feed_all(blocks)
            if self._root is None:
                raise PlexApiError
        except BaseException:
            # The error refers to this object by its traceback, and it may live longer.
            self._root, self._builder = None, TreeBuilder()
            raise
        finally:
            # The first handler and this object refer to each other. Without handlers, the tree is
            # freed as soon as nobody uses it.
            self._expat.StartElementHandler = self._expat.EndElementHandler = None
        return self._root

    def _start_root(self, tag: str, attributes: dict[str, str]) -> None:
        self._root = self._builder.start(tag, attributes)
        self._expat.StartElementHandler = self._builder.start

    def _feed_all(self, blocks: Iterable[bytes]) -> None:
        repair, is_empty, received = Repair(), True, 0
        for block in blocks:
            is_empty = is_empty and not block.strip()
            received += len(block)
            if received > MAX_BYTES:
                raise _too_much()
            self._feed(repair.feed(block))
        if is_empty:
            raise PlexNotFound
        self._expat.Parse(repair.feed(b"", is_last=True), True)
        self._check_open_elements()

    def _feed(self, block: bytes) -> None:
        # Every attribute has a `=`, and every `<` begins a tag, so there cannot be more of either.
        tags = block.count(b"<")
        self._tags += tags
        if self._tags > MAX_TAGS:
            raise _too_much()
        self._reservation.grow(
            len(block) * _BYTES_PER_BYTE
            + tags * _BYTES_PER_ELEMENT
            + block.count(b"=") * _BYTES_PER_ATTRIBUTE
        )
        self._parsed_bytes += len(block)
        self._expat.Parse(block)
        incomplete = self._parsed_bytes - self._expat.CurrentByteIndex
        if len(self._names) > MAX_NAMES or incomplete > MAX_TAG_BYTES:
            raise _too_much()
        self._check_open_elements()

    def _check_open_elements(self) -> None:
        """Check the elements that may still be open: the root, its last child, and so on."""
        element, depth = self._root, 1
        while element is not None and (children := len(element)):
            if children > MAX_CHILDREN or depth >= MAX_DEPTH:
                raise _too_much()
            element, depth = element[-1], depth + 1


def _too_much() -> PlexApiError:
    return PlexApiError("Plex sent more than this service reads.")


def _refuse_doctype(*_: object) -> None:
    raise PlexApiError
