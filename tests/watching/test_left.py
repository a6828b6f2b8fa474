"""What is left to do of a change, whatever the order in which Plex lists the episodes."""

from dataclasses import replace

import pytest

from plex_integration.plex.media import Item, PlaybackProgress
from plex_integration.plex.watching import Leaf, WatchState
from plex_integration.writing.watch_changes import NotWatched, Watched

SHOW = Item(
    ratingKey="1",
    key="/library/metadata/1",
    type="show",
    title="A Show",
    addedAt=None,
    updatedAt=None,
    library=None,
    playbackProgress=PlaybackProgress(0, 0, None),
)


def show(*leaves: Leaf) -> WatchState:
    return WatchState(SHOW, leaves)


NEW = Leaf("10", "2", 0, 0)
SEEN = Leaf("11", "2", 1, 0)
OTHER, OTHER_SEEN = Leaf("20", "3", 0, 0), Leaf("21", "3", 2, 0)
LOOSE = Leaf("30", "", 0, 0)


@pytest.mark.parametrize(
    ("state", "left"),
    [
        (show(), []),
        (show(NEW, OTHER), ["1"]),
        (show(SEEN, OTHER_SEEN), []),
        (show(NEW, SEEN), ["10"]),
        (show(SEEN, OTHER, replace(OTHER, ratingKey="22")), ["3"]),
        (show(NEW, OTHER, SEEN), ["10", "3"]),
        (show(NEW, OTHER, SEEN, OTHER_SEEN), ["10", "20"]),
        (show(SEEN, LOOSE, replace(LOOSE, ratingKey="31")), ["30", "31"]),
    ],
)
def test_no_mark_that_is_sent_reaches_what_is_watched(state: WatchState, left: list[str]) -> None:
    assert list(Watched().left(state)) == left


@pytest.mark.parametrize(
    ("state", "left"),
    [
        (show(), []),
        (show(NEW, OTHER), []),
        (show(NEW, OTHER_SEEN), ["1"]),
        (show(NEW, replace(OTHER, viewOffset=70_000)), ["1"]),
    ],
)
def test_marks_and_resume_points_are_removed_together(state: WatchState, left: list[str]) -> None:
    assert list(NotWatched().left(state)) == left
