"""The entries that this process has read from the store, so that a hit need not read them again.

The store says with its first bytes whether an entry is still the same one.
"""

from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache

from medianest.store import TagVersions
from plex_integration.caching import entry
from plex_integration.caching.entry import Entry

MAX_BYTES = 64 * 1024 * 1024
"""How many bytes of entries a process holds: about 1,500 pages of 50 complete items."""


@dataclass(slots=True)
class HeldEntry:
    """An entry, its first bytes in the store, and under which versions it was last current."""

    identity: bytes
    entry: Entry
    _current_under: TagVersions | None = None

    @classmethod
    def of(cls, written: bytes) -> "HeldEntry | None":
        """Read an entry as it is stored; None where it is damaged or foreign."""
        parsed = entry.parse(written)
        return None if parsed is None else cls(written[: entry.IDENTITY_BYTES], parsed)

    def is_current(self, versions: TagVersions) -> bool:
        """Tell whether nothing has changed that the entry depends on."""
        # Most hits find the same versions as the one before.
        if versions is self._current_under:
            return True
        if not entry.is_current(self.entry.head, versions):
            return False
        self._current_under = versions
        return True

    @property
    def size(self) -> int:
        """The bytes that it occupies, about."""
        return len(self.entry.packed) + 1024


def _size(held: HeldEntry) -> int:
    return held.size


_lock = Lock()
_entries: LRUCache[str, HeldEntry] = LRUCache(MAX_BYTES, getsizeof=_size)


def get(key: str) -> HeldEntry | None:
    """Return the entry of a key."""
    try:
        with _lock:
            return _entries[key]
    except KeyError:
        return None


def hold(key: str, held: HeldEntry) -> None:
    """Hold an entry, and evict those used least recently if there is no room."""
    if held.size <= MAX_BYTES:
        with _lock:
            _entries[key] = held


def forget() -> None:
    """Forget all entries."""
    with _lock:
        _entries.clear()
