"""How many responses are cached now, per policy."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from medianest import store
from plex_integration.caching import entry, response_cache

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
        self.entries += 1
        self.size += size
        if age is not None:
            self.oldest = age if self.oldest is None else max(age, self.oldest)
            self.newest = age if self.newest is None else min(age, self.newest)


def stored_entries() -> tuple[Mapping[str, StoredEntries], bool]:
    """Return the current entries by policy, and whether these are all."""
    tags, now = store.current().read().tags, time.time()
    found: dict[str, StoredEntries] = {}
    values = store.current().values.scan(response_cache.PREFIX, MAX_ENTRIES, HEAD_BYTES)
    for value in values:
        policy = value.key.split(":")[1]
        head = entry.read_head(value.beginning)
        if head is None or entry.is_current(head, tags):
            age = None if head is None else max(0, int(now - head.at))
            found.setdefault(policy, StoredEntries()).add(value.size, age)
    return found, len(values) < MAX_ENTRIES
