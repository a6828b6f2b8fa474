"""What is cached in the store has a version, which changes with its bytes."""

from hashlib import blake2b

from medianest import store
from plex_integration import cache_layout
from plex_integration.caching import entry, known_requests
from plex_integration.caching.entry import Entry, Head
from plex_integration.caching.known_requests import KnownRequest
from plex_integration.caching.page_links import PageRequest
from plex_integration.caching.projection import Projection

DIGESTS = {1: "b38ac4204892e0b3"}
"""What each version of the layout looks like. Never change a line: a release wrote like this."""

HEAD = Head(
    at=1.5,
    crc=2,
    size=3,
    etag='W/"x"',
    partial=False,
    total=-1,
    has_more=False,
    base="b",
    tags={"libraries": "4"},
)
KNOWN = KnownRequest(
    policy="library-items",
    key="key",
    route="route",
    shape="shape",
    catalog_heads=(HEAD,),
    ignored=("foo",),
    projection=Projection(("items",), ("title",)),
    page=PageRequest("/path?", 0, 50),
)
IDENTITY = ("scope", "/api/v1/plex/search", "query=the")


def written() -> bytes:
    """Return an entry and a known request as the store has them."""
    known_requests.remember(IDENTITY, KNOWN)
    known = store.current().read_value(known_requests.key(IDENTITY))
    assert known is not None
    return Entry(HEAD, b"packed").to_bytes() + known


def test_the_layout_of_what_is_cached_changes_with_its_version_alone() -> None:
    digest = blake2b(written(), digest_size=8).hexdigest()
    assert DIGESTS.get(cache_layout.VERSION) == digest, (
        "Entries or known requests are written in another way: raise VERSION in "
        f"plex_integration/cache_layout.py, and add the new version here: {digest!r}"
    )


def test_an_entry_of_another_layout_is_not_read() -> None:
    ours = Entry(HEAD, b"packed").to_bytes()
    assert entry.parse(ours) is not None
    other = ours.replace(b"MediaNest 1\n", b"MediaNest 0\n", 1)
    assert other != ours
    assert entry.parse(other) is None
