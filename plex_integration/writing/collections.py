"""Write to the collections of a library: one service per endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medianest.api.exceptions import Invalid, Problem
from plex_integration.caching.tags import Written
from plex_integration.errors import PlexApiError, SmartCollection
from plex_integration.plex import media
from plex_integration.plex.editing import CollectionEditor, EditableCollection
from plex_integration.reading.services.types import LISTABLE
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
from plex_integration.writing.positions import Move
from plex_integration.writing.states import DONE, FAILED, item_details
from plex_integration.writing.validation import check_collection_items

PREFERENCES = ("sortOrder", "mode")
"""Fields that Plex stores as preferences of the collection."""
CUSTOM_ORDER = {"sortOrder": "custom"}
"""The order in which items can be moved."""


@dataclass(frozen=True)
class NewCollection(NewList):
    """A collection to create in a library, of items of one type."""

    editor: CollectionEditor
    library: media.Library
    kind: str

    def with_title(self) -> Titled:
        return self.editor.with_title(self.library, self.title)

    def create(self, machine: str, keys: Sequence[str]) -> str:
        return self.editor.create(self.library, self.kind, self.title, machine, keys)

    def edit(self, key: str, values: Mapping[str, str]) -> None:
        self.editor.edit(key, self.library.id, values)

    def written(self, key: str | None) -> Written:
        return Written(collection=key, library=self.library.id, items=frozenset(self.items))


def create(operation: Operation, editor: CollectionEditor, request: WriteRequest) -> Outcome:
    """Create a collection of items of one type."""
    machine = editor.start(editor.machine_identifier)
    keys, library = request.body["items"], request.library
    items = editor.item_summaries(keys)
    kind = _item_type(library, [items[key] for key in keys if key in items])
    check_collection_items(keys, items, kind, library.id)
    return creation.create(operation, NewCollection(editor, request.body, library, kind), machine)


def edit(operation: Operation, editor: CollectionEditor, request: WriteRequest) -> Outcome:
    """Change a collection's fields, its sort order or its mode."""
    key, body = request.ids["collectionKey"], request.body
    current = editor.current(key)
    if current.smart and "sortOrder" in body:
        raise SmartCollection
    changes = field_changes(current, body)
    values = changed_values(changes, body)
    after: ItemList | None = current
    if changes and not operation.dry_run:
        # Items show the titles of their collections.
        items = _item_keys(editor, key, current) if "title" in values else []
        operation.will_write(_written(current, items))
        with raised_unless_changed(editor, key, values):
            _edit(editor, key, current, values)
        after = read_back(editor, key)
    return written_outcome(operation, editor, after, changes=changes)


def delete(operation: Operation, editor: CollectionEditor, request: WriteRequest) -> Outcome:
    """Delete a collection; its items stay."""
    key = request.ids["collectionKey"]
    current = editor.current(key)
    items = _item_keys(editor, key, current)
    if not operation.dry_run:
        operation.will_write(_written(current, items))
        deletion.delete(editor, key)
    return Outcome({"dryRun": operation.dry_run, "deleted": current})


def add_items(operation: Operation, editor: CollectionEditor, request: WriteRequest) -> Outcome:
    """Add items of the collection's type and library, those that are in it already excepted."""
    key, keys = request.ids["collectionKey"], request.body["items"]
    addition = Addition(editor, key, keys)
    current = _regular(editor, key)
    items = editor.item_summaries(keys)
    check_collection_items(keys, items, _type(current), _library_id(current))
    return addition.carry_out(operation, current, _written(current, addition.missing))


def remove_item(operation: Operation, editor: CollectionEditor, request: WriteRequest) -> Outcome:
    """Remove an item; with the last one Plex may delete the collection."""
    key = request.ids["collectionKey"]
    current = _regular(editor, key)
    position = positions.requested_position(editor.positions(key), request)
    written = _written(current, [position.ratingKey])
    return positions.remove_item(operation, editor, key, current, position, written)


def move_item(operation: Operation, editor: CollectionEditor, request: WriteRequest) -> Outcome:
    """Move an item after another one, or to the front; the sort order becomes `custom`."""
    key = request.ids["collectionKey"]
    current = _regular(editor, key)
    now = editor.positions(key)
    move = positions.requested_move(now, request)
    changes = field_changes(current, CUSTOM_ORDER)
    is_needed = bool(changes) or not move.is_done(now)
    after: ItemList | None = current
    if is_needed and not operation.dry_run:
        operation.will_write(_written(current, []))
        _move(editor, key, move, changes_order=bool(changes))
        after = read_back(editor, key)
    items = positions.moved_payloads(move, is_needed=is_needed)
    return written_outcome(operation, editor, after, changes=changes, items=items)


def _item_type(library: media.Library, items: Sequence[media.Item]) -> str:
    """Return the type of a new collection: that of the first item the library can list."""
    listable = LISTABLE.get(library.type or "", ())
    if not listable:
        raise Invalid(details={"libraryKey": ["This library's type has no collections."]})
    return next((item.type for item in items if item.type in listable), listable[0])


def _edit(
    editor: CollectionEditor, key: str, current: EditableCollection, values: Mapping[str, str]
) -> None:
    fields = {name: value for name, value in values.items() if name not in PREFERENCES}
    preferences = {name: value for name, value in values.items() if name in PREFERENCES}
    if fields:
        editor.edit(key, _library_id(current), fields)
    if preferences:
        editor.set_preferences(key, preferences)


def _move(editor: CollectionEditor, key: str, move: Move, *, changes_order: bool) -> None:
    if not changes_order:
        positions.move(editor, key, move)
        return
    not_moved = item_details({move.position.ratingKey: FAILED})
    with raised_unless_changed(editor, key, CUSTOM_ORDER, items=not_moved):
        editor.set_preferences(key, CUSTOM_ORDER)
    try:
        positions.move(editor, key, move)
    except Problem as problem:
        problem.details["changes"] = [{"field": "sortOrder", "state": DONE}]
        raise


def _regular(editor: CollectionEditor, key: str) -> EditableCollection:
    """Return a collection whose items can be changed. Raises SmartCollection."""
    current = editor.current(key)
    if current.smart:
        raise SmartCollection
    return current


def _item_keys(editor: CollectionEditor, key: str, current: EditableCollection) -> list[str]:
    """Return the items of a collection that show it; those of a smart one do not."""
    if current.smart:
        return []
    return [position.ratingKey for position in editor.positions(key)]


def _library_id(current: EditableCollection) -> str:
    if current.library is None:
        raise PlexApiError("Plex did not report the collection's library.")
    return current.library.id


def _type(current: EditableCollection) -> str:
    kind = current.subtype or (current.library.type if current.library else None)
    if kind is None:
        raise PlexApiError("Plex did not report the type of the collection's items.")
    return kind


def _written(current: EditableCollection, items: Sequence[str]) -> Written:
    library = current.library.id if current.library else None
    return Written(collection=current.ratingKey, library=library, items=frozenset(items))
