"""Something new, created once: a creation that Plex did not answer is looked for, not repeated.

Plex makes a second collection of the same title without a word. So what was there under the title
is noted before anything is sent, and so is the key as soon as it is known: who asks for the same
creation again, within a day of one that failed, goes on with that one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from plex_integration.plex import media
from plex_integration.writing.operation import FAILED, UNKNOWN, Work, told, told_items
from medianest.api.exceptions import Problem
from plex_integration.plex.editing import was_answered, was_sent
from medianest.api.fields import iso_instant

Titled = Mapping[str, media.Collection] | Mapping[str, media.Playlist]

# Clocks differ by a little: what is this much older than the attempt may still be its own.
SLACK = 60


def left(doing: Work, titled: Titled) -> str | None:
    """Return the key of what an equal attempt created, or may have, before it failed."""
    unfinished = doing.unfinished or {}
    if "key" in unfinished:
        return unfinished["key"] if unfinished["key"] in titled else None
    if "before" in unfinished:
        return _new(titled, unfinished["before"], unfinished["since"])
    return None


def create(
    doing: Work, titled: Callable[[], Titled], send: Callable[[], str], wanted: Sequence[str]
) -> str:
    """Create something, and return its key. Raises what Plex did wrong, with what became of it."""
    before, since = sorted(titled()), int(time.time())
    doing.leave({"before": before, "since": since})
    try:
        key = send()
    except Problem as problem:
        state = FAILED
        found = None
        if was_sent(problem):
            try:
                found = _new(titled(), before, since)
                state = FAILED if was_answered(problem) else UNKNOWN
            except Problem:
                state = UNKNOWN
        if found is None:
            if state == FAILED:
                doing.leave(None)
            raise told(problem, items=told_items(dict.fromkeys(wanted, state))) from problem
        key = found
    doing.leave({"key": key})
    return key


def _new(titled: Titled, before: Sequence[str], since: int) -> str | None:
    oldest = iso_instant(datetime.fromtimestamp(since - SLACK, UTC))
    return next(
        (
            key
            for key, each in titled.items()
            if key not in before and (each.addedAt is None or each.addedAt >= oldest)
        ),
        None,
    )
