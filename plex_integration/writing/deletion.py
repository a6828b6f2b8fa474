"""Delete a collection or playlist; its items stay."""

from medianest.api.exceptions import Problem
from plex_integration.writing.operation import Editor, list_type


def delete(editor: Editor, key: str) -> None:
    """Delete a list. Raises what Plex did wrong, unless the list is gone all the same."""
    try:
        editor.delete(key)
    except Problem as problem:
        if not _is_gone(editor, key):
            problem.details = {list_type(editor): key}
            raise


def _is_gone(editor: Editor, key: str) -> bool:
    try:
        editor.current(key)
    except editor.not_found:
        return True
    except Problem:
        return False
    return False
