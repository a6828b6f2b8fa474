"""Sparse items: a cached response of whose items a request wants only some members.

They are made of the one stored entry, so `fields` is no part of a cache key. Making them parses the
payload, which takes 10 ms for a page of 200 complete items: the fast path has it done in a thread.
This process holds the results, by the validator of the payload that they were made of.
"""

from dataclasses import dataclass
from threading import Lock
from typing import Any

from cachetools import LRUCache

from medianest.api import renderers
from plex_integration.caching import entry
from plex_integration.caching.entry import Entry

MAX_BYTES = 16 * 1024 * 1024
"""How many bytes of sparse responses a process holds."""


@dataclass(frozen=True)
class Projection:
    """Which members of a payload are items or lists of items, and which of theirs to keep."""

    members: tuple[str, ...]
    fields: tuple[str, ...]


_Identity = tuple[str, float, str, Projection]


def _size(held: Entry) -> int:
    return len(held.packed) + 1024


_lock = Lock()
_entries: LRUCache[_Identity, Entry] = LRUCache(MAX_BYTES, getsizeof=_size)


def held(key: str, whole: Entry, projection: Projection) -> Entry | None:
    """Return the sparse entry if this process has made it; `key` is that of the whole one."""
    with _lock:
        return _entries.get(_identity(key, whole, projection))


def project(key: str, whole: Entry, projection: Projection) -> Entry:
    """Return the sparse entry, which is as old as the whole one and depends on the same."""
    found = held(key, whole, projection)
    if found is None:
        found = entry.with_payload(whole, _projected(whole.payload(), projection))
        if _size(found) <= MAX_BYTES:
            with _lock:
                _entries[_identity(key, whole, projection)] = found
    return found


def forget() -> None:
    """Forget all sparse entries."""
    with _lock:
        _entries.clear()


def _identity(key: str, whole: Entry, projection: Projection) -> _Identity:
    return key, whole.head.at, whole.head.etag, projection


def _projected(payload: bytes, projection: Projection) -> bytes:
    data = renderers.decode(payload)
    for name in projection.members:
        data[name] = _sparse(data[name], projection.fields)
    return renderers.encode_plain(data)


def _sparse(value: Any, fields: tuple[str, ...]) -> Any:
    """Return an item, or each item of a list, with these members alone, in their own order."""
    if isinstance(value, list):
        return [_sparse(each, fields) for each in value]
    return {name: member for name, member in value.items() if name in fields}
