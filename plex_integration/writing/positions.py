"""Positions in a collection or playlist: find one, remove its item, or move it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from medianest.api.exceptions import Invalid, Problem
from plex_integration.caching.tags import Written
from plex_integration.errors import ItemNotFound
from plex_integration.plex.editing import Position
from plex_integration.writing.operation import (
    Editor,
    ItemList,
    Operation,
    Outcome,
    WriteRequest,
    list_type,
    positions_after,
    read_back,
    written_outcome,
)
from plex_integration.writing.states import (
    ALREADY_THERE,
    MOVED,
    REMOVED,
    item_details,
    item_payloads,
    state_after,
)


@dataclass(frozen=True)
class Move:
    """A position to move, and the one before its new place; None for the first place."""

    position: Position
    after: Position | None

    def is_done(self, positions: Sequence[Position]) -> bool:
        """Tell whether these positions are in the requested order."""
        if self.position not in positions or (self.after and self.after not in positions):
            return False
        target = list(positions).index(self.after) + 1 if self.after else 0
        return list(positions).index(self.position) == target


def requested_position(positions: Sequence[Position], request: WriteRequest) -> Position:
    """Return the position in the path. Raises ItemNotFound, and Invalid for an ambiguous one."""
    value, by = request.ids["ratingKey"], _id_name(request)
    found = _matching(positions, value, by)
    if not found:
        raise ItemNotFound("The item does not stand there.")
    if len(found) > 1:
        raise Invalid(details={by: [_ambiguous(value, found)]})
    return found[0]


def requested_move(positions: Sequence[Position], request: WriteRequest) -> Move:
    """Return the move that is requested. Raises ItemNotFound, Invalid."""
    position = requested_position(positions, request)
    return Move(position, _requested_after(positions, position, request))


def remove_item(
    operation: Operation,
    editor: Editor,
    key: str,
    current: ItemList,
    position: Position,
    written: Written,
) -> Outcome:
    """Remove a position; with the last one Plex may delete the list."""
    after: ItemList | None = current
    if not operation.dry_run:
        operation.will_write(written)
        _remove(editor, key, position)
        after = read_back(editor, key)
    return written_outcome(operation, editor, after, items=_payloads(position, REMOVED))


def move(editor: Editor, key: str, requested: Move) -> None:
    """Move a position. Raises what Plex did wrong, with the item's state, unless it was moved."""
    after = None if requested.after is None else _plex_id(requested.after)
    try:
        editor.move(key, _plex_id(requested.position), after)
    except Problem as problem:
        now = positions_after(editor, key, problem)
        if now is None or not requested.is_done(now):
            _fail(editor, key, requested.position, problem, is_readable=now is not None)


def moved_payloads(move: Move, *, is_needed: bool) -> list[dict[str, Any]]:
    """Return the state of a moved item for a payload."""
    return _payloads(move.position, MOVED if is_needed else ALREADY_THERE)


def _remove(editor: Editor, key: str, position: Position) -> None:
    try:
        editor.remove(key, _plex_id(position))
    except Problem as problem:
        now = positions_after(editor, key, problem)
        if now is None or position in now:
            _fail(editor, key, position, problem, is_readable=now is not None)


def _fail(
    editor: Editor, key: str, position: Position, problem: Problem, *, is_readable: bool
) -> NoReturn:
    states = {position.ratingKey: state_after(problem, is_readable=is_readable)}
    problem.details = {list_type(editor): key, "items": item_details(states)}
    raise problem


def _requested_after(
    positions: Sequence[Position], position: Position, request: WriteRequest
) -> Position | None:
    value = request.body["after"]
    if value is None:
        return None
    found = _matching(positions, value, _id_name(request))
    if problem := _problem_of_after(value, found, position):
        raise Invalid(details={"after": [problem]})
    return found[0]


def _problem_of_after(value: str, found: Sequence[Position], position: Position) -> str | None:
    if not found:
        return f"{value} does not stand there."
    if len(found) > 1:
        return _ambiguous(value, found)
    return "Nothing comes after itself." if found[0] == position else None


def _matching(positions: Sequence[Position], value: str, by: str) -> list[Position]:
    if by == "ratingKey":
        return [position for position in positions if position.ratingKey == value]
    return [position for position in positions if position.id == value]


def _ambiguous(value: str, found: Sequence[Position]) -> str:
    ids = ", ".join(str(position.id) for position in found)
    return f"{value} stands there {len(found)} times: name one with ?by=playlistItemId ({ids})."


def _id_name(request: WriteRequest) -> str:
    """Return what the ids in the path and the body are; in a collection always rating keys."""
    name: str = request.query.get("by", "ratingKey")
    return name


def _plex_id(position: Position) -> str:
    """Return how Plex names a position: by its own id, or by its item."""
    return position.ratingKey if position.id is None else position.id


def _payloads(position: Position, state: str) -> list[dict[str, Any]]:
    return item_payloads({position.ratingKey: state}, {position.ratingKey: position.id})
