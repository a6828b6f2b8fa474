"""Changes of fields: which fields change, and the state of each after Plex failed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from medianest.api.exceptions import Problem
from plex_integration.writing.operation import Editor, ItemList, list_type, read_back
from plex_integration.writing.states import DONE, state_after


def field_changes(current: ItemList | None, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the fields that change from a list's current values; an empty text is no value."""
    before = {name: _value(current, name) for name in values}
    return [
        {"field": name, "before": before[name] or None, "after": value or None}
        for name, value in values.items()
        if (before[name] or "") != value
    ]


def changed_values(
    changes: Sequence[Mapping[str, Any]], values: Mapping[str, str]
) -> dict[str, str]:
    """Return those of the values that change."""
    return {change["field"]: values[change["field"]] for change in changes}


@contextmanager
def raised_unless_changed(
    editor: Editor, key: str, values: Mapping[str, str], **details: Any
) -> Iterator[None]:
    """Send changes of fields; where Plex fails, raise that only if a field has not changed.

    The details of the error get the state of every field.
    """
    try:
        yield
    except Problem as problem:
        states = field_states(editor, key, values, problem)
        if any(each["state"] != DONE for each in states):
            problem.details = {list_type(editor): key, **details, "changes": states}
            raise


def field_states(
    editor: Editor, key: str, values: Mapping[str, str], problem: Problem
) -> list[dict[str, str]]:
    """Read back which fields changed although Plex failed."""
    current = read_back(editor, key)
    otherwise = state_after(problem, is_readable=current is not None)
    return [
        {"field": name, "state": DONE if current and _has(current, name, value) else otherwise}
        for name, value in values.items()
    ]


def _has(current: ItemList, name: str, value: str) -> bool:
    return (_value(current, name) or "") == value


def _value(current: ItemList | None, name: str) -> str | None:
    """Return a field's value; a sort title that equals the title is no value."""
    if current is None:
        return None
    value: str | None = getattr(current, name)
    return None if name == "titleSort" and value == current.title else value
