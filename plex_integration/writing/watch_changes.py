"""What a write does to a watch state: what it accepts, what is left to do, and how that is sent."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from medianest.api.exceptions import Invalid
from plex_integration.caching.tags import WatchStateWritten
from plex_integration.plex.watching import WatchClient, WatchState

PLAYED = frozenset({"movie", "episode", "track"})
WITH_EPISODES = frozenset({"show", "season"})
FIRST_RESUME_POINT = 60_000
"""Milliseconds. Plex stores no resume point before that."""


class Change(ABC):
    """A change of the watch state of an item, which is sent only if something is left to do."""

    types: ClassVar[frozenset[str]]
    refusal: ClassVar[str]

    def check(self, state: WatchState) -> None:
        """Check whether an item can be changed so. Raises Invalid."""
        if state.item.type not in self.types:
            raise Invalid(details={"ratingKey": [f"A {state.item.type} {self.refusal}."]})

    @abstractmethod
    def left(self, state: WatchState) -> Sequence[str]:
        """Return the keys of what must still be sent to Plex."""

    @abstractmethod
    def send(self, client: WatchClient) -> Callable[[str], None]:
        """Return what sends the change of one key."""

    @abstractmethod
    def written(self, state: WatchState) -> WatchStateWritten:
        """Return what the change writes."""

    @property
    def reads_marks(self) -> bool:
        """Tell whether a mark that is set at the same moment would make the change wrong."""
        return True


class Watched(Change):
    """Mark everything that is not watched; what is watched stays as it is."""

    types = PLAYED | WITH_EPISODES
    refusal = "cannot be watched"

    def left(self, state: WatchState) -> Sequence[str]:
        """Return the item, or of one that is watched in part the seasons and episodes left."""
        left = [leaf for leaf in state.leaves if not leaf.is_watched]
        if left and len(left) == len(state.leaves):
            return [state.item.ratingKey]
        # A mark of a season would count its watched episodes again.
        begun = {leaf.season for leaf in state.leaves if leaf.is_watched} | {""}
        keys = (leaf.ratingKey if leaf.season in begun else leaf.season for leaf in left)
        return list(dict.fromkeys(keys))

    def send(self, client: WatchClient) -> Callable[[str], None]:
        """Return the call that counts one view."""
        return client.scrobble

    def written(self, state: WatchState) -> WatchStateWritten:
        """Return the item, its episodes and its parents, and their marks."""
        return _written(state, marks=True)


class NotWatched(Change):
    """Remove marks and resume points."""

    types = Watched.types
    refusal = Watched.refusal

    def left(self, state: WatchState) -> Sequence[str]:
        """Return the item if anything of it has a mark or a resume point."""
        has_any = any(leaf.is_watched or leaf.viewOffset for leaf in state.leaves)
        return [state.item.ratingKey] if has_any else []

    def send(self, client: WatchClient) -> Callable[[str], None]:
        """Return the call that removes both."""
        return client.unscrobble

    def written(self, state: WatchState) -> WatchStateWritten:
        """Return the item, its episodes and its parents, and their marks."""
        return _written(state, marks=True)


@dataclass(frozen=True)
class Progress(Change):
    """Set the resume point, or remove it in the first minute.

    `percent` of the duration is from where on the server counts a video as watched.
    """

    offset: int
    percent: int

    types: ClassVar = PLAYED
    refusal: ClassVar = "has no resume point"

    @property
    def _wanted(self) -> int:
        return self.offset if self.offset >= FIRST_RESUME_POINT else 0

    def check(self, state: WatchState) -> None:
        """Check the item and the bounds of its resume point. Raises Invalid."""
        super().check(state)
        if problem := self._problem(state):
            raise Invalid(details={"viewOffset": [problem]})

    def _problem(self, state: WatchState) -> str | None:
        duration, (leaf,) = state.item.duration, state.leaves
        if duration and self.offset > duration:
            return f"Must not be beyond the duration of {duration} ms."
        if duration and self.offset * 100 >= duration * self.percent:
            return f"From {self.percent} % of the duration on, use PUT …/watched instead."
        if not self._wanted and leaf.is_watched and leaf.viewOffset != self.offset:
            return (
                "Below 60000 it removes the resume point, and Plex would no longer count "
                "the item as watched. Use DELETE …/watched to remove both."
            )
        return None

    def left(self, state: WatchState) -> Sequence[str]:
        """Return the item if it has another resume point."""
        (leaf,) = state.leaves
        return [] if leaf.viewOffset == self._wanted else [leaf.ratingKey]

    def send(self, client: WatchClient) -> Callable[[str], None]:
        """Return the call that sets the resume point; only another one removes it."""
        if not self._wanted:
            return client.unscrobble
        return partial(client.set_resume_point, offset=self._wanted)

    def written(self, state: WatchState) -> WatchStateWritten:
        """Return the item and its parents, and whether a resume point comes or goes."""
        (leaf,) = state.leaves
        return _written(state, resumes=not (leaf.viewOffset and self._wanted))

    @property
    def reads_marks(self) -> bool:
        """Tell whether it removes the resume point, which removes a mark too."""
        return not self._wanted


def _written(state: WatchState, **changed: bool) -> WatchStateWritten:
    library = state.item.library
    return WatchStateWritten(library.id if library else None, state.keys, **changed)
