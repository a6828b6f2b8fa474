"""Create a collection or playlist once: one that Plex did not confirm is looked for, not repeated.

Plex creates a second collection with the same title without complaint. So the collections that
have the title are recorded before anything is sent, and the new key as soon as it is known: an
equal request within a day continues a creation that failed.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from medianest.api.exceptions import Problem
from medianest.api.fields import iso_instant
from plex_integration.caching.tags import Written
from plex_integration.plex import PendingCall, media
from plex_integration.plex.writer import was_sent
from plex_integration.writing.changes import field_changes, field_states
from plex_integration.writing.items import add, added_outcome
from plex_integration.writing.operation import (
    Editor,
    Operation,
    Outcome,
    list_type,
    written_outcome,
)
from plex_integration.writing.states import (
    ADDED,
    FAILED,
    UNKNOWN,
    item_details,
    item_payloads,
    state_after,
)

Titled = Mapping[str, media.Collection] | Mapping[str, media.Playlist]
"""Collections or playlists by key."""

CLOCK_TOLERANCE = 60
"""Seconds by which Plex's clock may be behind: what seems so much older can be the new one."""


@dataclass(frozen=True)
class NewList(ABC):
    """A collection or playlist to create, and how Plex creates it."""

    editor: Editor
    body: Mapping[str, Any]

    @property
    def title(self) -> str:
        """The title of the new list."""
        return str(self.body["title"])

    @property
    def items(self) -> Sequence[str]:
        """The rating keys of all its items."""
        keys: Sequence[str] = self.body["items"]
        return keys

    @property
    def texts(self) -> dict[str, str]:
        """Its title and its summary."""
        return {"title": self.title, "summary": self.body.get("summary", "")}

    @property
    def states(self) -> dict[str, str]:
        """The states of its items after everything succeeded."""
        return dict.fromkeys(self.items, ADDED)

    @abstractmethod
    def with_title(self) -> Titled:
        """Return the lists of this type that have the title now."""

    @abstractmethod
    def create(self, machine: str, keys: Sequence[str]) -> str:
        """Create the list with its first items and return its key."""

    @abstractmethod
    def edit(self, key: str, values: Mapping[str, str]) -> None:
        """Change fields of the list."""

    @abstractmethod
    def written(self, key: str | None) -> Written:
        """Return what the creation writes; before the list is created, it has no key."""


@dataclass(frozen=True)
class Attempt:
    """The keys that had the title before a creation was sent, and the epoch second of that."""

    before: Sequence[str]
    since: int

    def find(self, titled: Titled) -> str | None:
        """Return the key of the list that the attempt created, if it did."""
        oldest = iso_instant(datetime.fromtimestamp(self.since - CLOCK_TOLERANCE, UTC))
        created = (
            key
            for key, each in titled.items()
            if key not in self.before and (each.addedAt is None or each.addedAt >= oldest)
        )
        return next(created, None)


def create(operation: Operation, new: NewList, machine: PendingCall[str]) -> Outcome:
    """Create a list with its first items, add the others, set the summary, and read it back."""
    changes = field_changes(None, new.texts)
    if operation.dry_run:
        items = item_payloads(new.states)
        return written_outcome(operation, new.editor, None, changes=changes, items=items)
    key = _created_with_items(operation, new, machine.result())
    _set_summary(new, key)
    return added_outcome(operation, new.editor, key, new.states, changes=changes, created=key)


def _created_with_items(operation: Operation, new: NewList, machine: str) -> str:
    first = new.editor.chunks(new.items, new.title)[0]
    operation.will_write(new.written(None))
    key = _continued(operation, new)
    present = set(first if key is None else _item_keys(new.editor, key))
    key = key or _created(operation, new, machine, first)
    operation.will_write(new.written(key))
    missing = [each for each in new.items if each not in present]
    add(new.editor, key, machine, new.states, missing)
    return key


def _continued(operation: Operation, new: NewList) -> str | None:
    """Return the key of what an equal request created before it failed, if it is still there."""
    progress = operation.unfinished.read()
    if not progress:
        return None
    titled = new.with_title()
    if "key" in progress:
        return progress["key"] if progress["key"] in titled else None
    return Attempt(**progress).find(titled)


def _created(operation: Operation, new: NewList, machine: str, first: Sequence[str]) -> str:
    """Create the list and return its key. Raises what Plex did wrong, with the items' states."""
    attempt = Attempt(sorted(new.with_title()), int(time.time()))
    operation.unfinished.save(asdict(attempt))
    try:
        key = new.create(machine, first)
    except Problem as problem:
        key = _found_after(problem, operation, new, attempt)
    operation.unfinished.save({"key": key})
    return key


def _found_after(problem: Problem, operation: Operation, new: NewList, attempt: Attempt) -> str:
    """Return the key of what Plex created although it failed. Raises the failure if it did not."""
    key, state = _search(problem, new, attempt)
    if key is not None:
        return key
    if state == FAILED:
        operation.unfinished.delete()
    problem.details = {"items": item_details(dict.fromkeys(new.items, state))}
    raise problem


def _search(problem: Problem, new: NewList, attempt: Attempt) -> tuple[str | None, str]:
    """Search for what Plex created; return its key, or the state of its items without one."""
    if not was_sent(problem):
        return None, FAILED
    try:
        key = attempt.find(new.with_title())
    except Problem:
        return None, UNKNOWN
    return key, state_after(problem, is_readable=True)


def _set_summary(new: NewList, key: str) -> None:
    """Set the summary, if there is one. Raises what Plex did wrong, with what is done already."""
    summary = {"summary": new.texts["summary"]}
    if not summary["summary"]:
        return
    try:
        new.edit(key, summary)
    except Problem as problem:
        problem.details = {
            list_type(new.editor): key,
            "items": item_details(new.states),
            "changes": field_states(new.editor, key, summary, problem),
        }
        raise


def _item_keys(editor: Editor, key: str) -> list[str]:
    return [position.ratingKey for position in editor.positions(key)]
