"""One write as its service sees it: what it may use, what it touches, what comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from medianest.api.exceptions import Problem
from plex_integration.caching.tags import Touched

ADDED, ALREADY_THERE, REMOVED, MOVED = "added", "alreadyThere", "removed", "moved"
# What else can have become of an item, or a field, when a write fails half way.
DONE, FAILED, UNKNOWN = "done", "failed", "unknown"


@dataclass(frozen=True)
class Outcome:
    """What is answered: under `data`, and the key of what was created."""

    data: Mapping[str, Any]
    created: str | None = None


@dataclass
class Work:
    """One write. `touch` comes before anything is sent: what it names is dropped, whatever comes.

    `unfinished` is what an equal creation left behind when it failed; `leave` leaves it, or None.
    """

    dry_run: bool
    unfinished: Mapping[str, Any] | None = None
    leave: Callable[[Mapping[str, Any] | None], None] = lambda unfinished: None
    begin: Callable[[], None] = lambda: None
    touched: list[Touched] = field(default_factory=list)

    def touch(self, what: Touched) -> None:
        """Say what is about to be written."""
        if not self.touched:
            self.begin()
        self.touched.append(what)


def told(problem: Problem, **details: Any) -> Problem:
    """Let a problem of Plex's tell what was done before it."""
    problem.details = details
    return problem


def items(states: Mapping[str, str], places: Mapping[str, str | None] | None = None) -> Any:
    """Spell what became of items, in the order they were named."""
    found = places or {}
    return [
        {"ratingKey": key, "playlistItemId": _number(found.get(key)), "state": state}
        for key, state in states.items()
    ]


def told_items(states: Mapping[str, str]) -> list[dict[str, str]]:
    """Spell for an error what became of items."""
    return [{"ratingKey": key, "state": state} for key, state in states.items()]


def fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Spell which fields change; an empty text is no value."""
    return [
        {"field": name, "before": before[name] or None, "after": text or None}
        for name, text in after.items()
        if (before[name] or "") != text
    ]


def value(made: Any, name: str) -> str | None:
    """Return a field as Plex has it: a sort title that is the title is none of its own."""
    found: str | None = getattr(made, name)
    return None if name == "titleSort" and found == made.title else found


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
