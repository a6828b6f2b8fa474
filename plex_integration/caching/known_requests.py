"""What requests mean: which cached response belongs to a path and query string, for whom.

The full path (URL, DRF, serializers, service) works it out and remembers it here: in this process,
and in the store for all workers, so that a cached response needs the full path in none of them.
"""

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b
from threading import Lock
from typing import Any

from cachetools import LRUCache

from medianest import store
from plex_integration import cache_layout
from plex_integration.caching.entry import Head
from plex_integration.caching.page_links import PageRequest
from plex_integration.caching.projection import Projection

PREFIX = f"request-{cache_layout.VERSION}:"
MAX_REQUESTS = 10_000
MAX_REQUEST_BYTES = 1024
SECONDS = 3600
"""How long the store keeps what a request means."""

Identity = tuple[str, str, str]
"""The name of a scope, a path and a query string."""


@dataclass(frozen=True)
class KnownRequest:
    """The cached response that a path and query string mean in a scope.

    It holds while the lists of the catalog that it was derived from are current. `key` is the
    response's name in the store, `route` the name of the URL, `shape` that of the payload.
    `ignored` names the query parameters that have no effect; `projection` is what of the response's
    items is wanted, None for all of it; `page` is the page that is asked for, None for no page.
    """

    policy: str
    key: str
    route: str
    shape: str
    catalog_heads: tuple[Head, ...]
    ignored: tuple[str, ...] = ()
    projection: Projection | None = None
    page: PageRequest | None = None


_lock = Lock()
_known: LRUCache[Identity, KnownRequest] = LRUCache(MAX_REQUESTS)
_shapes: dict[str, str] = {}


def declare(policy: str, shape: str) -> None:
    """Declare the shape of the payloads of a policy, as this release writes them."""
    _shapes[policy] = shape


def get(identity: Identity) -> KnownRequest | None:
    """Return what a request means, if this process knows."""
    try:
        with _lock:
            return _known[identity]
    except KeyError:
        return None


def remember(identity: Identity, known: KnownRequest) -> None:
    """Remember what a request means, in this process and in the store; not a very long one."""
    if is_too_long(identity) or get(identity) == known:
        return
    store.current().values.set(key(identity), json.dumps(asdict(known)).encode(), SECONDS)
    _remember_here(identity, known)


def read(identity: Identity, written: bytes | None) -> KnownRequest | None:
    """Read and remember what another worker has stored; None where this release cannot use it."""
    known = _parse(written)
    if known is not None:
        _remember_here(identity, known)
    return known


def is_too_long(identity: Identity) -> bool:
    """Tell whether a request is longer than 1 KiB."""
    return sum(len(part.encode()) for part in identity) > MAX_REQUEST_BYTES


def key(identity: Identity) -> str:
    """Return the key under which the store has it."""
    return PREFIX + blake2b(json.dumps(identity).encode(), digest_size=16).hexdigest()


def forget() -> None:
    """Forget every request that this process knows."""
    with _lock:
        _known.clear()


def _remember_here(identity: Identity, known: KnownRequest) -> None:
    with _lock:
        _known[identity] = known


def _parse(written: bytes | None) -> KnownRequest | None:
    if written is None:
        return None
    try:
        fields = json.loads(written)
        heads = tuple(Head(**each) for each in fields.pop("catalog_heads"))
        ignored = tuple(fields.pop("ignored"))
        projection = _projection(fields.pop("projection"))
        page = PageRequest(**written_page) if (written_page := fields.pop("page")) else None
        known = KnownRequest(
            **fields, catalog_heads=heads, ignored=ignored, projection=projection, page=page
        )
    except (ValueError, TypeError, AttributeError, KeyError):
        return None  # another release wrote it
    return known if _shapes.get(known.policy) == known.shape else None


def _projection(written: Any) -> Projection | None:
    if written is None:
        return None
    return Projection(tuple(written["members"]), tuple(written["fields"]))
