"""How many responses are cached now, per policy."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from medianest import store
from medianest.store import TagVersions
from plex_integration.caching import entry, response_cache
from plex_integration.caching.entry import Head

MAX_ENTRIES = 2000
"""How many entries are examined at most."""
HEAD_BYTES = 8192
"""How much of an entry is read, which is more than its head needs."""


@dataclass
class StoredEntries:
    """The cached responses of one policy: their number, their bytes, and their ages in seconds."""

    entries: int = 0
    size: int = 0
    oldest: int | None = None
    newest: int | None = None

    def add(self, size: int, age: int | None) -> None:
        """Count an entry; its age is None where its head cannot be read."""
        self.merge(StoredEntries(1, size, age, age))

    def merge(self, other: "StoredEntries") -> None:
        """Count the entries of another policy, too."""
        self.entries += other.entries
        self.size += other.size
        self.oldest = max(
            (each for each in (self.oldest, other.oldest) if each is not None), default=None
        )
        self.newest = min(
            (each for each in (self.newest, other.newest) if each is not None), default=None
        )


def stored_entries() -> tuple[Mapping[str, StoredEntries], bool]:
    """Return the current entries by policy, and whether these are all."""
    versions, now = _Versions(), time.time()
    found: dict[str, StoredEntries] = {}
    values = store.current().values.scan(response_cache.PREFIX, MAX_ENTRIES, HEAD_BYTES)
    for value in values:
        _, policy, scope, _ = value.key.split(":")
        head = entry.read_head(value.beginning)
        if head is None or versions.are_those_of(head, scope):
            age = None if head is None else max(0, int(now - head.at))
            found.setdefault(policy, StoredEntries()).add(value.size, age)
    return found, len(values) < MAX_ENTRIES


class _Versions:
    """The tag versions of all scopes, and of each viewer's; each is read once."""

    def __init__(self) -> None:
        self._shared = store.current().read().tags
        self._of_viewers: dict[str, TagVersions] = {}

    def are_those_of(self, head: Head, scope: str) -> bool:
        """Tell whether an entry of the scope with this name is current."""
        # The key does not say whether the scope is a viewer's, which has versions of its own.
        if entry.is_current(head, self._shared):
            return True
        if scope not in self._of_viewers:
            self._of_viewers[scope] = store.current().read(scope=scope).tags
        return entry.is_current(head, self._of_viewers[scope])
