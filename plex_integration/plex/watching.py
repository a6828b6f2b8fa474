"""What a viewer has watched: read it, mark it, and set resume points; each write is sent once.

The requests are those of python-plexapi's `mixins.py`. Plex is not idempotent: each `/:/scrobble`
counts one view more. https://developer.plex.tv/pms/
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from plex_integration.errors import ItemNotFound
from plex_integration.plex import media
from plex_integration.plex.client import LEAN
from plex_integration.plex.errors import missing, not_found_as
from plex_integration.plex.ids import checked_id, is_id
from plex_integration.plex.parsing.attributes import whole
from plex_integration.plex.parsing.items import parse_item_details
from plex_integration.plex.writer import PlexWriter

# How many writes are sent at the same time.
AT_ONCE = 8

_LIBRARY = {"identifier": "com.plexapp.plugins.library"}
# Where the episodes of an item are listed.
_EPISODES = {"show": "allLeaves", "season": "children"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is played: a movie, an episode or a track. `season` is empty if Plex names none."""

    ratingKey: str
    season: str
    viewCount: int
    viewOffset: int

    @property
    def is_watched(self) -> bool:
        """Tell whether it was watched at least once."""
        return self.viewCount > 0


@dataclass(frozen=True, slots=True)
class WatchState:
    """An item and its episodes; the leaf of what has no episodes is the item itself."""

    item: media.Item
    leaves: Sequence[Leaf]

    @property
    def show(self) -> str | None:
        """The show that an episode or a season belongs to."""
        names = {"episode": self.item.grandparentRatingKey, "season": self.item.parentRatingKey}
        key = names.get(self.item.type)
        return key if key and is_id(key) else None

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the item, of what is below it and of what it belongs to."""
        parents = (self.item.parentRatingKey, self.item.grandparentRatingKey)
        below = [key for leaf in self.leaves for key in (leaf.ratingKey, leaf.season)]
        return frozenset(filter(None, (self.item.ratingKey, *parents, *below)))


class WatchClient(PlexWriter):
    """Read and write the watch states of the token's user."""

    not_found = ItemNotFound

    def state(self, key: str) -> WatchState:
        """Return an item and its episodes as they are now. Raises ItemNotFound."""
        item = self._watched_item(key)
        if item.type in _EPISODES:
            path = f"/library/metadata/{checked_id(key)}/{_EPISODES[item.type]}"
            with not_found_as(ItemNotFound):
                found = self._page(_leaves, path, 0, None, excludeAllLeaves=1, **LEAN)
            return WatchState(item, found.parsed)
        seen = item.playbackProgress
        return WatchState(item, [Leaf(key, "", seen.viewCount, seen.viewOffset)])

    def scrobble(self, key: str) -> None:
        """Add a view to an item, or to all episodes of a show or season."""
        self._write("PUT", "/:/scrobble", key=checked_id(key), **_LIBRARY)

    def unscrobble(self, key: str) -> None:
        """Remove views and resume point of an item, or of all episodes of a show or season."""
        self._write("PUT", "/:/unscrobble", key=checked_id(key), **_LIBRARY)

    def set_resume_point(self, key: str, offset: int) -> None:
        """Set where to resume, in milliseconds; Plex ignores what is below a minute."""
        # Plex does not document this path; GET is what its own clients send.
        values = {"key": checked_id(key), "time": str(offset), "state": "stopped"}
        self._write("GET", "/:/progress", **values, **_LIBRARY)

    def write_each(self, write: Callable[[str], None], keys: Sequence[str]) -> None:
        """Write to several items, some at the same time.

        Raises the first failure of some; the following ones are not sent then.
        """
        for first in range(0, len(keys), AT_ONCE):
            calls = [self.start(write, key) for key in keys[first : first + AT_ONCE]]
            failures = [failure for call in calls if (failure := call.failure())]
            if failures:
                raise failures[0]

    def _watched_item(self, key: str) -> media.Item:
        with not_found_as(ItemNotFound):
            root = self._get(f"/library/metadata/{checked_id(key)}", **LEAN)
        item = parse_item_details(root, self._known)
        if item is None:
            raise missing(root, media.ITEM_TYPES, ItemNotFound)
        return item


def _leaves(elements: Sequence[Element], container: Element) -> list[Leaf]:
    return [_leaf(each) for each in elements if is_id(each.get("ratingKey", ""))]


def _leaf(element: Element) -> Leaf:
    season = element.get("parentRatingKey", "")
    return Leaf(
        element.attrib["ratingKey"],
        season if is_id(season) else "",
        whole(element, "viewCount") or 0,
        whole(element, "viewOffset") or 0,
    )
