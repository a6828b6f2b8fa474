"""What Plex's XML may be, what is repaired, and what is refused."""

from collections.abc import Callable

import pytest

from plex_integration.errors import PlexApiError
from plex_integration.plex import PlexNotFound
from plex_integration.plex.xml import (
    MAX_CHILDREN,
    MAX_DEPTH,
    MAX_NAMES,
    MAX_TAG_BYTES,
    MAX_TAGS,
    parse_xml,
)
from tests.plex.conftest import RawServer, ok, plex_at

Serve = Callable[..., RawServer]


def titles(serve: Serve, body: bytes | str) -> list[str | None]:
    # So many seconds that the largest response is read on a busy machine.
    plex = plex_at(serve(ok(body)).url, seconds=60)
    return [library.title for library in plex.libraries()]


def named(title: bytes, before: bytes = b"") -> bytes:
    row = b'<Directory key="1" title="' + title + b'"/>'
    return before + b"<MediaContainer>" + row + b"</MediaContainer>"


@pytest.mark.parametrize(
    ("title", "read"),
    [
        (b"Plain", "Plain"),
        ("東京 🚀 Ż".encode(), "東京 🚀 Ż"),
        (b"a &amp; b &lt;c&gt; &quot;d&quot; &#233; &#x1F680;", 'a & b <c> "d" é 🚀'),
        (b"a&#10;b&#9;c", "a\nb\tc"),
        (b"a\nb", "a b"),
    ],
)
def test_titles_are_read_as_xml_says(serve: Serve, title: bytes, read: str) -> None:
    assert titles(serve, named(title)) == [read]


@pytest.mark.parametrize(
    ("title", "read"),
    [
        (b"a\x0bb", "ab"),
        (b"\x00a\x01b\x1f", "ab"),
        (b"a\xef\xbf\xbeb\xef\xbf\xbf", "ab"),
        (b"a&#11;b", "ab"),
        (b"a&#x0B;b&#x1f;&#0;c", "abc"),
        (b"a&#xFFFE;b", "ab"),
        (b"a&#xD800;b", "ab"),
        (b"a\xffb", "a\ufffdb"),
        ("é".encode("latin-1"), "\ufffd"),
        (b"a\x0b\xff\xe6\x9d\xb1", "a\ufffd東"),
    ],
)
def test_what_xml_forbids_is_repaired(serve: Serve, title: bytes, read: str) -> None:
    assert titles(serve, named(title)) == [read]


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b'<?xml version="1.0" encoding="UTF-8"?>\n',
        b"\xef\xbb\xbf",
        b"\n\n",
        b"<!-- a comment -->",
        # Whatever it says of itself, Plex writes UTF-8.
        b'<?xml version="1.0" encoding="ISO-8859-1"?>',
        b'<?xml version="1.0" encoding="no-such-thing"?>',
    ],
)
def test_what_may_stand_before_the_answer(serve: Serve, before: bytes) -> None:
    assert titles(serve, named("Ż".encode(), before)) == ["Ż"]


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><MediaContainer title="&b;"/>',
        b'<?xml version="1.0"?><!DOCTYPE MediaContainer><MediaContainer/>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><MediaContainer/>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><MediaContainer>&b;</MediaContainer>',
        b"\x00<!DOCTYPE a><MediaContainer/>",
        '<!DOCTYPE a [<!ENTITY b "c">]><MediaContainer title="&b;"/>'.encode("utf-16"),
        '<!DOCTYPE a [<!ENTITY b "c">]><MediaContainer title="&b;"/>'.encode("utf-16-le"),
        '<!DOCTYPE a [<!ENTITY b "c">]><MediaContainer title="&b;"/>'.encode("utf-16-be"),
        b'<!DOC\x01TYPE a [<!ENTITY b "c">]><MediaContainer title="&b;"/>',
        b'<!DOC&#1;TYPE a [<!ENTITY b "c">]><MediaContainer title="&b;"/>',
        '<MediaContainer size="0"/>'.encode("utf-16"),
        b'<MediaContainer title="&b;"/>',
        b'<MediaContainer title="a & b"/>',
        b'<MediaContainer title="a" title="b"/>',
        b"<MediaContainer>",
        b"<MediaContainer/><MediaContainer/>",
        b"<MediaContainer/>more",
        b'<Response code="200"/>',
        b"<html><body/></html>",
        b"<mediacontainer/>",
        b'<x:MediaContainer xmlns:x="y"/>',
        b'{"MediaContainer":{"size":0}}',
        b"null",
        b"\xff\xfe\xfd",
        b"<",
        b"\x00",
    ],
)
def test_anything_else_is_refused(serve: Serve, body: bytes) -> None:
    with pytest.raises(PlexApiError):
        titles(serve, body)


@pytest.mark.parametrize("body", [b"", b" ", b"\r\n\t"])
def test_no_body_is_nothing_there(serve: Serve, body: bytes) -> None:
    with pytest.raises(PlexNotFound):
        titles(serve, body)


def nested(depth: int) -> bytes:
    return b"<MediaContainer>" + b"<a>" * (depth - 1) + b"</a>" * (depth - 1) + b"</MediaContainer>"


def flat(tags: int, each: bytes = b"<a/>") -> bytes:
    """Return a response of so many tags, in which no element has more than 1,000 children."""
    groups, rest = divmod(tags - 2, 1000)
    full = b"<g>" + each * 998 + b"</g>"
    return b"<MediaContainer>" + full * groups + each * rest + b"</MediaContainer>"


@pytest.mark.parametrize(
    ("largest", "one_more"),
    [
        (nested(MAX_DEPTH), nested(MAX_DEPTH + 1)),
        (flat(MAX_TAGS), flat(MAX_TAGS + 1)),
        (
            b"<MediaContainer>" + b"<a/>" * MAX_CHILDREN + b"</MediaContainer>",
            b"<MediaContainer>" + b"<a/>" * (MAX_CHILDREN + 1) + b"</MediaContainer>",
        ),
        (
            b"<MediaContainer>" + b"<a/>" * MAX_CHILDREN + b"</MediaContainer>",
            b"<MediaContainer>" + b"<a/>" * 8_000_000 + b"</MediaContainer>",
        ),
        (
            named(b"A" * (MAX_TAG_BYTES - 65536)),
            named(b"A" * (MAX_TAG_BYTES + 65536)),
        ),
        (
            b"<MediaContainer %s/>" % b" ".join(b'a%d=""' % n for n in range(MAX_NAMES - 1)),
            b"<MediaContainer %s/>" % b" ".join(b'a%d=""' % n for n in range(MAX_NAMES)),
        ),
    ],
    ids=["depth", "tags", "children", "millions", "tag", "names"],
)
def test_a_response_within_a_bound_is_read_and_one_beyond_it_is_refused(
    serve: Serve, largest: bytes, one_more: bytes
) -> None:
    titles(serve, largest)
    with pytest.raises(PlexApiError):
        titles(serve, one_more)


def test_deep_elements_that_are_closed_within_a_block_do_no_harm() -> None:
    deep = b"<a>" * 9_000 + b"</a>" * 9_000
    root = parse_xml([b"<MediaContainer>%s<Directory/></MediaContainer>" % deep])
    assert [each.tag for each in root] == ["a", "Directory"]


@pytest.mark.parametrize("body", [nested(50_000), flat(1_000_000)])
def test_a_response_is_refused_while_it_arrives(serve: Serve, body: bytes) -> None:
    # The rest of the response never arrives: reading it would end at the deadline, as unavailable.
    server = serve(ok(body, Content_Length=str(len(body) + 1_000)))
    with pytest.raises(PlexApiError):
        plex_at(server.url, seconds=30).libraries()


@pytest.mark.parametrize("size", range(1, 40))
def test_what_is_cut_by_the_end_of_a_block_is_read_as_if_it_were_not(size: int) -> None:
    title = "東京&#xB; &amp; a\x0bb &#x1F680;\ufffe é".encode() + b"\xff"
    body = named(title, b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>")
    blocks = [body[start : start + size] for start in range(0, len(body), size)]
    assert parse_xml(blocks)[0].get("title") == "東京 & ab 🚀 é\ufffd"


def test_elements_and_attributes_nobody_knows_are_ignored(serve: Serve) -> None:
    body = (
        '<MediaContainer new="1"><Strange/><Directory key="1" title="A" new="x"><New/></Directory>'
        '<Directory title="no key"/><Directory key="abc" title="no number"/>text'
        '<Directory key="２" title="no ASCII"/></MediaContainer>'
    )
    assert titles(serve, body) == ["A"]
