"""States of items and fields, as payloads and error details write them."""

from collections.abc import Mapping
from typing import Any

from medianest.api.exceptions import Problem
from plex_integration.plex.writer import was_answered, was_sent

ADDED, ALREADY_THERE, REMOVED, MOVED = "added", "alreadyThere", "removed", "moved"
DONE, FAILED, UNKNOWN = "done", "failed", "unknown"
"""Further states of items and fields in the details of a write that failed halfway."""


def state_after(problem: Problem, *, is_readable: bool) -> str:
    """Return the state of what was requested and is not done after Plex failed.

    It failed if the request was not sent, or if Plex responded and the present state `is_readable`.
    Otherwise it is unknown: Plex may still do it.
    """
    is_over = not was_sent(problem) or (was_answered(problem) and is_readable)
    return FAILED if is_over else UNKNOWN


def item_payloads(
    states: Mapping[str, str], position_ids: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    """Return the states of items for a payload, in their order."""
    ids = position_ids or {}
    return [
        {"ratingKey": key, "playlistItemId": _number(ids.get(key)), "state": state}
        for key, state in states.items()
    ]


def item_details(states: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the states of items for the details of an error."""
    return [{"ratingKey": key, "state": state} for key, state in states.items()]


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
