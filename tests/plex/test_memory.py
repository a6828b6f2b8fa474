"""The memory that responses of Plex take has a bound, for one response and for all together."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

import pytest

from plex_integration.errors import PlexApiError
from plex_integration.plex import memory
from plex_integration.plex.memory import Reservation
from plex_integration.plex.xml import MAX_CHILDREN, MAX_TAGS, parse_xml
from tests.plex.conftest import RawServer, ok, plex_at
from tests.service import until

Serve = Callable[..., RawServer]

# These tests collect the garbage of all tests before them. Connections of threads that have ended
# are in it, and a socket may be collected before the connection that would close it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ROW = b'<Video ratingKey="%07d" type="movie" title="Film %07d"/>'


def document(each: bytes, count: int) -> bytes:
    """Return so many elements, in groups that have fewer children than is allowed."""
    group = b"<g>" + each * (count // 100) + b"</g>"
    return b"<MediaContainer>" + group * 100 + b"</MediaContainer>"


def blocks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + 65536] for start in range(0, len(body), 65536))


def reserved() -> int:
    """Return the bytes that are reserved now."""
    Reservation().grow(0)
    return memory._reserved


@pytest.fixture(autouse=True)
def _nothing_reserved() -> None:
    until(is_nothing_reserved, 5, "the responses of other tests are released")


def is_nothing_reserved() -> bool:
    gc.collect()
    return reserved() == 0


def rows_of(width: int, count: int) -> bytes:
    """Return elements whose attributes have values that differ, as a hostile server would."""
    rows = [
        b"<a %s/>" % b" ".join(b'b%d="%d"' % (n, 1000 + number + n) for n in range(width))
        for number in range(count)
    ]
    groups = [b"".join(rows[first : first + 1000]) for first in range(0, count, 1000)]
    return b"<MediaContainer><g>%s</g></MediaContainer>" % b"</g><g>".join(groups)


@pytest.mark.parametrize(
    "body",
    [
        document(b"<a/>", MAX_TAGS - 202),
        document(b'<a b=""/>', MAX_TAGS - 202),
        document(b'<a b="1" c="22" d="33" e="4444"/>', 100_000),
        rows_of(1, 90_000),
        rows_of(6, 60_000),
        rows_of(50, 9_000),
        rows_of(1_000, 500),
        b"<MediaContainer>" + (b'<a b="%s"/>' % (b"x" * 100_000)) * 80 + b"</MediaContainer>",
    ],
    ids=["bare", "one", "four", "differ", "six", "fifty", "thousand", "long"],
)
def test_a_response_takes_no_more_memory_than_it_reserves(body: bytes) -> None:
    gc.collect()
    tracemalloc.start()
    try:
        root = parse_xml(blocks(body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(root)
    assert peak < reserved()


def test_the_memory_is_released_as_soon_as_nobody_uses_the_response() -> None:
    gc.disable()
    try:
        root: Element | None = parse_xml([document(b"<a/>", 10_000)])
        assert reserved() > 0
        del root
        assert reserved() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("body", [b"<MediaContainer><a/>", b"<MediaContainer/>" + b"<" * 9])
def test_a_response_that_is_refused_releases_its_memory(body: bytes) -> None:
    with pytest.raises(Exception, match=r"no element|not well-formed|junk|unclosed"):
        parse_xml([body])
    assert reserved() == 0


def test_a_response_for_which_no_memory_is_left_is_refused(serve: Serve) -> None:
    plex = plex_at(serve(ok(document(b"<a/>", 1_000))).url)
    others = Reservation()
    others.grow(memory.MAX_BYTES - 100_000)
    with pytest.raises(PlexApiError):
        plex.libraries()
    others.release()
    assert plex.libraries() == []


def test_a_list_is_read_page_by_page_and_its_elements_are_not_held(serve: Serve) -> None:
    pages = [
        b"".join(ROW % (n, n) for n in range(first, first + 500)) for first in range(0, 20_000, 500)
    ]
    held: list[int] = []

    def page(request: object) -> bytes:
        held.append(reserved())
        number = len(held) - 1
        return ok(b'<MediaContainer totalSize="20000">%s</MediaContainer>' % pages[number])

    found = plex_at(serve(page).url, seconds=60).collection_items("1", 0, None)
    assert len(found.rows) == 20_000
    one = max(held[1:3])
    assert max(held) <= 2 * one


def test_a_hub_has_no_more_rows_than_were_requested(serve: Serve) -> None:
    rows = b"".join(ROW % (n, n) for n in range(MAX_CHILDREN))
    server = serve(ok(b"<MediaContainer><Hub>%s</Hub></MediaContainer>" % rows))
    found, _ = plex_at(server.url).search("film", 5)
    assert len(found) == 5
