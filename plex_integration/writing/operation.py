"""One write as its service sees it: the request, what it writes, and its outcome."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medianest.api.exceptions import Problem
from plex_integration.caching.tags import WatchStateWritten, Written
from plex_integration.plex import PendingCall, media
from plex_integration.plex.editing import (
    CollectionEditor,
    EditableCollection,
    PlaylistEditor,
    Position,
)
from plex_integration.plex.writer import was_sent
from plex_integration.writing.held_locks import HeldLocks
from plex_integration.writing.idempotency import IdempotencyRecord, UnfinishedCreation

Editor = CollectionEditor | PlaylistEditor
ItemList = EditableCollection | media.Playlist
"""A collection or a playlist."""
Invalidate = Callable[[Collection[str]], bool]
"""Invalidate the responses with one of these tags; tell whether the store received that."""


@dataclass(frozen=True)
class WriteRequest:
    """The ids in the path, the validated query and body, and the library that the path names."""

    ids: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    path_library: media.Library | None = None

    @property
    def library(self) -> media.Library:
        """The library that the path names."""
        if self.path_library is None:
            raise TypeError("the path names no library")
        return self.path_library


@dataclass
class Operation:
    """One write while it is carried out. Two writes with the same `target` never run together.

    `locks` are those that it holds, and `invalidate` is given the tags of what was written.
    """

    dry_run: bool
    target: str
    locks: HeldLocks
    invalidate: Invalidate
    idempotency: IdempotencyRecord
    unfinished: UnfinishedCreation
    written: list[Written | WatchStateWritten] = field(default_factory=list)

    def lock_also(self, key: str) -> None:
        """Lock something else of the target's kind as well. Raises WriteInProgress."""
        kind = self.target.rpartition(":")[0]
        self.locks.lock(f"{kind}:{key}")

    def will_write(self, what: Written | WatchStateWritten) -> None:
        """Announce a write before it is sent to Plex.

        Whatever becomes of the write, the responses that show this are invalidated afterwards.
        """
        if not self.written:
            self.idempotency.begin()
        self.written.append(what)


@dataclass(frozen=True)
class Outcome:
    """What a service returns: the payload's data, and the key of what it created."""

    data: Mapping[str, Any]
    created: str | None = None


def written_outcome(
    operation: Operation,
    editor: Editor,
    current: ItemList | None,
    *,
    changes: Sequence[Mapping[str, Any]] = (),
    items: Sequence[Mapping[str, Any]] = (),
    created: str | None = None,
) -> Outcome:
    """Return the outcome of a write; `current` is the list after it, None if it cannot be read."""
    data = {
        "dryRun": operation.dry_run,
        list_type(editor): current,
        "changes": changes,
        "items": items,
    }
    return Outcome(data, created)


def read_back(editor: Editor, key: str) -> ItemList | None:
    """Return a list as it is now; None if it was deleted or cannot be read."""
    return start_reading_back(editor, key).result_or_none()


def start_reading_back(editor: Editor, key: str) -> PendingCall[ItemList]:
    """Start to read a list as it is now."""
    read: Callable[[str], ItemList] = editor.current
    return editor.start(read, key)


def positions_after(editor: Editor, key: str, problem: Problem) -> Sequence[Position] | None:
    """Return what a list contains after a write failed.

    None if the write was not sent or the list cannot be read.
    """
    if not was_sent(problem):
        return None
    try:
        return editor.positions(key)
    except Problem:
        return None


def list_type(editor: Editor) -> str:
    """Return what an editor writes to, as payloads and error details name it."""
    return "collection" if isinstance(editor, CollectionEditor) else "playlist"
