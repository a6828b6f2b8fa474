"""Cached lists of a scope that are still served and do not show an item or a library.

A list that shows only a part, such as one page of a library, may leave the item out rightly. So
this is an upper bound for how old a response without the item can be.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from medianest import store
from medianest.store import TagVersions
from plex_integration.caching import entry, tags
from plex_integration.caching.entry import Entry
from plex_integration.caching.response_cache import PREFIX
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Scope
from plex_integration.plex.media import Item
from plex_integration.policies import (
    ITEM_CHILDREN,
    ITEM_LOOKUP,
    LIBRARIES,
    LIBRARY_ITEMS,
    ON_DECK,
    RECENTLY_ADDED,
    SEARCH,
    Policy,
)

LISTS = (LIBRARY_ITEMS, ITEM_CHILDREN, ITEM_LOOKUP, ON_DECK, RECENTLY_ADDED, SEARCH)
"""The policies whose responses list items."""
MAX_ENTRIES = 500
"""How many entries of a policy are examined at most."""
MAX_BYTES = 256 * 1024
"""How much of an entry is read: the whole of a list of libraries, and the head of any."""


@dataclass(frozen=True)
class OldLists:
    """How many lists are served without something, and the age of the oldest in seconds."""

    count: int
    oldest: int


def without_item(scope: Scope, item: Item) -> OldLists:
    """Return the lists that depend on the item's library and do not show the item for certain."""
    shown = set(tags.of_server(scope.server, tags.items([item])))
    libraries = [item.library.id] if item.library else []
    names = tags.libraries(libraries) | tags.libraries(None)
    dependent = set(tags.of_server(scope.server, names))
    return _counted(
        each.head.at
        for each in _fresh(scope, LISTS)
        if dependent & each.head.tags.keys() and not shown <= each.head.tags.keys()
    )


def without_library(scope: Scope, library_id: str) -> OldLists:
    """Return the lists of libraries that do not show a library."""
    return _counted(
        each.head.at
        for each in _fresh(scope, (LIBRARIES,))
        if library_id not in {shown["id"] for shown in json.loads(each.payload())["libraries"]}
    )


def _fresh(scope: Scope, policies: Iterable[Policy]) -> Iterator[Entry]:
    """Return the entries that are served without asking Plex."""
    versions, now = store.current().read(scope=scope.versions).tags, time.time()
    for policy in policies:
        for found in _entries(policy, scope, versions):
            if now - found.head.at < runtime.ttl(policy):
                yield found


def _entries(policy: Policy, scope: Scope, versions: TagVersions) -> Iterator[Entry]:
    # It walks through all keys of the store, once for each policy: for this page only.
    prefix = f"{PREFIX}{policy.name}:{scope.name}:"
    for value in store.current().values.scan(prefix, MAX_ENTRIES, MAX_BYTES):
        if found := entry.read(value.beginning, versions):
            yield found


def _counted(moments: Iterable[float]) -> OldLists:
    ages = [max(0, int(time.time() - at)) for at in moments]
    return OldLists(len(ages), max(ages, default=0))
