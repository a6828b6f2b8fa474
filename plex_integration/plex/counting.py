"""Count what is new in a list that is sorted by time, newest first, with few requests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plex_integration.plex.paging import ROWS_PER_REQUEST

# A library grows steadily enough for one or two guesses.
_GUESSES = 3
# Fewer rows say too little about the rate.
_FEWEST_ROWS = 10

ReadMoments = Callable[[int, int], Sequence[int]]
"""Reads the moments of so many rows of the list, from a position on."""


@dataclass(frozen=True)
class DatedRow:
    """The position of a row in the list, and its moment in epoch seconds."""

    position: int
    moment: int


def count_since(read: ReadMoments, since: int, newest: DatedRow, last: DatedRow, total: int) -> int:
    """Count the rows that are not older than `since`; those until `last` are known to be new.

    A page is read where the new rows end if all of them were added at the same rate, or at first
    the next one if hardly any row is known. When such a guess has missed three times, single rows
    halve what is left until one page covers it: at most 13 requests for 250,000 rows.
    """
    low, high = last.position + 1, total
    rows, guesses = (newest, last), 0
    while low < high:
        guess = _position(*rows, since)
        if high - low <= ROWS_PER_REQUEST or low < _FEWEST_ROWS:
            start, size = low, min(ROWS_PER_REQUEST, high - low)
        elif guess is not None and guesses < _GUESSES:
            guesses += 1
            start = max(low, min(guess - ROWS_PER_REQUEST // 2, high - ROWS_PER_REQUEST))
            size = ROWS_PER_REQUEST
        else:
            start, size = (low + high) // 2, 1
        moments = read(start, size)
        new = sum(moment >= since for moment in moments)
        if 0 < new < len(moments):
            return start + new
        if new:
            low = start + new
            rows = (newest, DatedRow(low - 1, moments[-1]))
        else:
            high = start  # also where the list has become shorter
    return low


def _position(first: DatedRow, second: DatedRow, moment: int) -> int | None:
    """Return where a line through two rows reaches a moment; None if their moments are equal."""
    seconds = first.moment - second.moment
    if seconds <= 0:
        return None
    rows = second.position - first.position
    return first.position + (first.moment - moment) * rows // seconds
