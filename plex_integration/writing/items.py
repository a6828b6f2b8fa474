"""Add items in chunks, and find out the state of each where Plex fails."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from medianest.api.exceptions import Problem
from plex_integration.caching.tags import Written
from plex_integration.errors import PlexApiError
from plex_integration.plex.editing import Position
from plex_integration.writing.operation import (
    Editor,
    ItemList,
    Operation,
    Outcome,
    list_type,
    positions_after,
    start_reading_back,
    written_outcome,
)
from plex_integration.writing.states import (
    ADDED,
    ALREADY_THERE,
    FAILED,
    item_details,
    item_payloads,
    state_after,
)


class Addition:
    """Items to add to an existing list, those that are in it already excepted.

    What the list contains is read in the background, while the caller checks the items.
    """

    def __init__(self, editor: Editor, key: str, keys: Sequence[str]) -> None:
        self._editor, self._key, self._keys = editor, key, keys
        self._machine = editor.start(editor.machine_identifier)
        self._positions = editor.start(editor.positions, key)

    @property
    def missing(self) -> list[str]:
        """The items that are not in the list."""
        return [key for key in self._keys if key not in self._before]

    def carry_out(self, operation: Operation, current: ItemList, written: Written) -> Outcome:
        """Add what is missing. Raises what `add` and `added_outcome` raise."""
        states = {key: ALREADY_THERE if key in self._before else ADDED for key in self._keys}
        if operation.dry_run or not self.missing:
            items = item_payloads(states, self._before)
            return written_outcome(operation, self._editor, current, items=items)
        machine = self._machine.result()
        operation.will_write(written)
        add(self._editor, self._key, machine, states, self.missing)
        return added_outcome(operation, self._editor, self._key, states)

    @cached_property
    def _before(self) -> dict[str, str | None]:
        """The ids of the positions in the list, by rating key."""
        return _position_ids(self._positions.result())


def add(
    editor: Editor, key: str, machine: str, states: Mapping[str, str], missing: Sequence[str]
) -> None:
    """Add what is missing, chunk by chunk, each sent once.

    Raises what Plex did wrong, with the states of all items in its details: `states` has those of
    the items that are not missing. A client that repeats the request finishes it.
    """
    done = {**states, **dict.fromkeys(missing, FAILED)}
    for chunk in editor.chunks(missing):
        try:
            editor.add(key, machine, chunk)
        except Problem as problem:
            _raise_unless_added(editor, key, done, chunk, problem)
        done |= dict.fromkeys(chunk, ADDED)


def added_outcome(
    operation: Operation,
    editor: Editor,
    key: str,
    states: Mapping[str, str],
    *,
    changes: Sequence[Mapping[str, Any]] = (),
    created: str | None = None,
) -> Outcome:
    """Read the list back and return the outcome.

    Raises PlexApiError if Plex accepted items and does not show them.
    """
    current = start_reading_back(editor, key)
    items = item_payloads(states, _shown_position_ids(editor, key, states))
    return written_outcome(
        operation, editor, current.result_or_none(), changes=changes, items=items, created=created
    )


def _raise_unless_added(
    editor: Editor, key: str, done: Mapping[str, str], chunk: Sequence[str], problem: Problem
) -> None:
    """Raise the failure of a chunk with the states of all items, unless the chunk was added."""
    positions = positions_after(editor, key, problem)
    otherwise = state_after(problem, is_readable=positions is not None)
    present = _position_ids(positions or ())
    states = {each: ADDED if each in present else otherwise for each in chunk}
    if all(state == ADDED for state in states.values()):
        return
    details = {list_type(editor): key, "items": item_details({**done, **states})}
    if isinstance(problem, editor.not_found) and positions is not None:
        # The list exists, so the 404 is about an item that was removed meanwhile.
        raise PlexApiError("Plex refuses the items.", details=details) from problem
    problem.details = details
    raise problem


def _shown_position_ids(
    editor: Editor, key: str, states: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the position ids of what is in the list now; nothing if it cannot be read."""
    try:
        shown = _position_ids(editor.positions(key))
    except Problem:  # the items were added, for Plex said so
        return {}
    lost = [each for each, state in states.items() if state == ADDED and each not in shown]
    if lost:
        items = item_details({**states, **dict.fromkeys(lost, FAILED)})
        raise PlexApiError(
            "Plex took the items but does not show all of them.",
            details={list_type(editor): key, "items": items},
        )
    return shown


def _position_ids(positions: Sequence[Position]) -> dict[str, str | None]:
    return {position.ratingKey: position.id for position in positions}
