"""Write to the playlists of the token's user: one service per endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plex_integration.caching.tags import Written
from plex_integration.errors import PlexApiError, SmartPlaylist
from plex_integration.plex import media
from plex_integration.plex.editing import PLAYLIST_TYPES, PlaylistEditor
from plex_integration.writing import creation, deletion, positions
from plex_integration.writing.changes import changed_values, field_changes, raised_unless_changed
from plex_integration.writing.creation import NewList, Titled
from plex_integration.writing.items import Addition
from plex_integration.writing.operation import (
    ItemList,
    Operation,
    Outcome,
    WriteRequest,
    read_back,
    written_outcome,
)
from plex_integration.writing.validation import check_playlist_items

DEFAULT_TYPE = "video"
"""The type of a new playlist none of whose items can be in one."""


@dataclass(frozen=True)
class NewPlaylist(NewList):
    """A playlist to create, of videos, music or photos."""

    editor: PlaylistEditor
    kind: str

    def with_title(self) -> Titled:
        return self.editor.with_title(self.kind, self.title)

    def create(self, machine: str, keys: Sequence[str]) -> str:
        return self.editor.create(self.kind, self.title, machine, keys)

    def edit(self, key: str, values: Mapping[str, str]) -> None:
        self.editor.edit(key, values)

    def written(self, key: str | None) -> Written:
        return Written(playlist=key or "")


def create(operation: Operation, editor: PlaylistEditor, request: WriteRequest) -> Outcome:
    """Create a playlist of the type of its items."""
    machine = editor.start(editor.machine_identifier)
    keys = request.body["items"]
    items = editor.item_summaries(keys)
    kind = _playlist_type([items[key] for key in keys if key in items])
    check_playlist_items(keys, items, kind)
    return creation.create(operation, NewPlaylist(editor, request.body, kind), machine)


def edit(operation: Operation, editor: PlaylistEditor, request: WriteRequest) -> Outcome:
    """Change a playlist's title or summary."""
    key, body = request.ids["playlistKey"], request.body
    current = editor.current(key)
    changes = field_changes(current, body)
    values = changed_values(changes, body)
    after: ItemList | None = current
    if changes and not operation.dry_run:
        operation.will_write(Written(playlist=key))
        with raised_unless_changed(editor, key, values):
            editor.edit(key, values)
        after = read_back(editor, key)
    return written_outcome(operation, editor, after, changes=changes)


def delete(operation: Operation, editor: PlaylistEditor, request: WriteRequest) -> Outcome:
    """Delete a playlist; its items stay."""
    key = request.ids["playlistKey"]
    current = editor.current(key)
    if not operation.dry_run:
        operation.will_write(Written(playlist=key))
        deletion.delete(editor, key)
    return Outcome({"dryRun": operation.dry_run, "deleted": current})


def add_items(operation: Operation, editor: PlaylistEditor, request: WriteRequest) -> Outcome:
    """Append items of the playlist's type, those that are in it already excepted."""
    key, keys = request.ids["playlistKey"], request.body["items"]
    addition = Addition(editor, key, keys)
    current = _regular(editor, key)
    check_playlist_items(keys, editor.item_summaries(keys), _type(current))
    return addition.carry_out(operation, current, Written(playlist=key))


def remove_item(operation: Operation, editor: PlaylistEditor, request: WriteRequest) -> Outcome:
    """Remove the item at a position; it stays at its other positions."""
    key = request.ids["playlistKey"]
    current = _regular(editor, key)
    position = positions.requested_position(editor.positions(key), request)
    written = Written(playlist=key)
    return positions.remove_item(operation, editor, key, current, position, written)


def move_item(operation: Operation, editor: PlaylistEditor, request: WriteRequest) -> Outcome:
    """Move the item at a position after another one, or to the front."""
    key = request.ids["playlistKey"]
    current = _regular(editor, key)
    now = editor.positions(key)
    move = positions.requested_move(now, request)
    is_needed = not move.is_done(now)
    after: ItemList | None = current
    if is_needed and not operation.dry_run:
        operation.will_write(Written(playlist=key))
        positions.move(editor, key, move)
        after = read_back(editor, key)
    items = positions.moved_payloads(move, is_needed=is_needed)
    return written_outcome(operation, editor, after, items=items)


def _playlist_type(items: Sequence[media.Item]) -> str:
    """Return the type of a new playlist: that of the first item that can be in one."""
    types = (PLAYLIST_TYPES.get(item.type) for item in items)
    return next(filter(None, types), DEFAULT_TYPE)


def _regular(editor: PlaylistEditor, key: str) -> media.Playlist:
    """Return a playlist whose items can be changed. Raises SmartPlaylist."""
    current = editor.current(key)
    if current.smart:
        raise SmartPlaylist
    return current


def _type(current: media.Playlist) -> str:
    if current.playlistType is None:
        raise PlexApiError("Plex did not report the playlist's type.")
    return current.playlistType
