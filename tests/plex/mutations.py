"""Mutations of XML responses: what a broken Plex, or a proxy in front of it, could make of them."""

import codecs
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from xml.etree.ElementTree import Element, fromstring, tostring

from hypothesis import strategies as st

ODD_VALUES = (
    "", " ", "0", "-1", "1", "+5", "007", "1.5", "NaN", "-Infinity", "1e999", "9" * 19, "9" * 400,
    "9223372036854775808", "253402300800", "true", "TRUE", "null", "１２", "1_000", "0x10", "1\n",
    "movie", "show", "collection", "playlist", "plex://movie/1", "../../etc/passwd", "\U0001f3ac",
    "\u202e", "é" * 300, "a,b,,c", "http://[", "imdb://", "://", "%00", "<&>\"'",
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """One change: its kind, the place (counted modulo the number of places) and a value."""

    kind: str
    place: int
    detail: int
    value: str


def mutated(body: bytes, mutations: list[Mutation]) -> bytes:
    """Return a response with mutations: first those of elements, then those of bytes."""
    root = fromstring(body)
    for each in mutations:
        if each.kind in OF_ELEMENTS:
            OF_ELEMENTS[each.kind](root, each)
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    for each in mutations:
        if each.kind in OF_BYTES:
            body = OF_BYTES[each.kind](body, each)
    return body


def _element(root: Element, mutation: Mutation) -> Element:
    elements = list(root.iter())
    return elements[mutation.place % len(elements)]


def _name(element: Element, mutation: Mutation) -> str:
    return sorted(element.attrib)[mutation.detail % len(element.attrib)]


def _drop_attribute(root: Element, mutation: Mutation) -> None:
    element = _element(root, mutation)
    if element.attrib:
        del element.attrib[_name(element, mutation)]


def _retype_attribute(root: Element, mutation: Mutation) -> None:
    element = _element(root, mutation)
    if element.attrib:
        element.set(_name(element, mutation), mutation.value)


def _rename_attribute(root: Element, mutation: Mutation) -> None:
    element = _element(root, mutation)
    if element.attrib:
        element.set("renamed", element.attrib.pop(_name(element, mutation)))


def _swap_attributes(root: Element, mutation: Mutation) -> None:
    attributes = _element(root, mutation).attrib
    names = sorted(attributes)
    attributes |= dict(
        zip(names, [attributes[name] for name in names[1:] + names[:1]], strict=True)
    )


def _drop_children(root: Element, mutation: Mutation) -> None:
    element = _element(root, mutation)
    if len(element):
        element.remove(element[mutation.detail % len(element)])


def _double_child(root: Element, mutation: Mutation) -> None:
    element = _element(root, mutation)
    if len(element):
        element.append(deepcopy(element[mutation.detail % len(element)]))


def _nest_element(root: Element, mutation: Mutation) -> None:
    element = _element(root, mutation)
    element.append(deepcopy(element))


def _rename_element(root: Element, mutation: Mutation) -> None:
    tags = sorted({each.tag for each in root.iter()} | {"Unknown"})
    _element(root, mutation).tag = tags[mutation.detail % len(tags)]


def _empty_element(root: Element, mutation: Mutation) -> None:
    element = _element(root, mutation)
    del element[:]


def _write_text(root: Element, mutation: Mutation) -> None:
    _element(root, mutation).text = mutation.value


def _double_attribute(body: bytes, mutation: Mutation) -> bytes:
    return body.replace(b" ", b' title="again" title="twice" ', 1 + mutation.detail % 3)


def _truncate(body: bytes, mutation: Mutation) -> bytes:
    return body[: mutation.place % (len(body) + 1)]


def _flip_byte(body: bytes, mutation: Mutation) -> bytes:
    at = mutation.place % len(body) if body else 0
    return body[:at] + bytes([mutation.detail % 256]) + body[at + 1 :]


def _insert_bytes(body: bytes, mutation: Mutation) -> bytes:
    at = mutation.place % (len(body) + 1)
    pieces = (b"\x00", b"\xff\xfe", b"\xc3", b"&#0;", b"&#xD800;", b"&unknown;", b"]]>", b"\x1b[0m")
    return body[:at] + pieces[mutation.detail % len(pieces)] + body[at:]


def _reencode(body: bytes, mutation: Mutation) -> bytes:
    encodings = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp037")
    encoding = encodings[mutation.detail % len(encodings)]
    return body.decode("utf-8", "replace").encode(encoding, "replace")


def _declare_encoding(body: bytes, mutation: Mutation) -> bytes:
    names = (b"utf-16", b"latin-1", b"unknown", b"us-ascii", b"")
    return body.replace(b"utf-8", names[mutation.detail % len(names)], 1)


def _add_mark(body: bytes, mutation: Mutation) -> bytes:
    marks = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\n", b"<!DOCTYPE a>")
    return marks[mutation.detail % len(marks)] + body


OF_ELEMENTS: dict[str, Callable[[Element, Mutation], None]] = {
    "drop attribute": _drop_attribute,
    "retype attribute": _retype_attribute,
    "rename attribute": _rename_attribute,
    "swap attributes": _swap_attributes,
    "drop child": _drop_children,
    "double child": _double_child,
    "nest element": _nest_element,
    "rename element": _rename_element,
    "empty element": _empty_element,
    "write text": _write_text,
}

OF_BYTES: dict[str, Callable[[bytes, Mutation], bytes]] = {
    "double attribute": _double_attribute,
    "truncate": _truncate,
    "flip byte": _flip_byte,
    "insert bytes": _insert_bytes,
    "reencode": _reencode,
    "declare encoding": _declare_encoding,
    "add mark": _add_mark,
}

_NUMBERS = st.integers(0, 2**16)


def _mutations(kinds: st.SearchStrategy[str]) -> st.SearchStrategy[list[Mutation]]:
    each = st.builds(Mutation, kinds, _NUMBERS, _NUMBERS, st.sampled_from(ODD_VALUES))
    return st.lists(each, min_size=1, max_size=4)


MUTATIONS_OF_ELEMENTS = _mutations(st.sampled_from(list(OF_ELEMENTS)))
"""What leaves a response well-formed."""

# With a changed byte most bodies are no XML any more, so elements are changed more often.
MUTATIONS = _mutations(
    st.one_of(
        st.sampled_from(list(OF_ELEMENTS)),
        st.sampled_from(list(OF_ELEMENTS)),
        st.sampled_from(list(OF_BYTES)),
    )
)
