"""Items put in, piece by piece; where Plex fails, what became of each is found out and told."""

from collections.abc import Mapping, Sequence

from plex_integration.writing.operation import (
    ADDED,
    ALREADY_THERE,
    DONE,
    FAILED,
    UNKNOWN,
    told,
    told_items,
    value,
)
from plex_integration.errors import PlexApiError
from medianest.api.exceptions import Problem
from plex_integration.plex.editing import (
    CollectionEditor,
    PlaylistEditor,
    was_answered,
    was_sent,
)

Editor = CollectionEditor | PlaylistEditor


def planned(wanted: Sequence[str], present: Sequence[str]) -> dict[str, str]:
    """Return what becomes of items when all goes well."""
    there = set(present)
    return {key: ALREADY_THERE if key in there else ADDED for key in wanted}


def fill(
    editor: Editor, key: str, machine: str, states: Mapping[str, str], missing: Sequence[str]
) -> dict[str, str]:
    """Put in what is missing; return what became of all, where `states` tells it of the others.

    Raises what Plex did wrong, with the state of every item in its details. Nothing is sent again:
    who asks again finishes it, for what is in by then is already there.
    """
    done = {**states, **dict.fromkeys(missing, FAILED)}
    for piece in editor.pieces(missing):
        try:
            editor.add(key, machine, piece)
        except Problem as problem:
            now = there(editor, key) if was_sent(problem) else []
            done |= became(problem, piece, now)
            if any(done[each] != ADDED for each in piece):
                # A 404 where it is there is one of an item that went away meanwhile.
                is_item = isinstance(problem, editor.missing) and now is not None
                why = PlexApiError("Plex refuses the items.") if is_item else problem
                raise told(why, **about(key, editor), items=told_items(done)) from problem
        done |= dict.fromkeys(piece, ADDED)
    return done


def became(problem: Problem, piece: Sequence[str], now: Sequence[str] | None) -> dict[str, str]:
    """Return what became of items that were sent when Plex failed; `now`: what is in it since.

    What is not in it after Plex refused will not come. What is not in it when Plex did not answer
    may still come.
    """
    if now is None:
        return dict.fromkeys(piece, UNKNOWN)
    is_over = was_answered(problem) or not was_sent(problem)
    return {each: ADDED if each in now else FAILED if is_over else UNKNOWN for each in piece}


def there(editor: Editor, key: str) -> list[str] | None:
    """Return what is in it now; None where that cannot be found out."""
    try:
        return [place.ratingKey for place in editor.places(key)]
    except Problem:
        return None


def proven(editor: Editor, key: str, states: Mapping[str, str]) -> dict[str, str | None]:
    """Read back where each item stands.

    Raises PlexApiError where Plex took items and does not show them. What cannot be read back was
    written all the same, for Plex said so.
    """
    try:
        found = {place.ratingKey: place.id for place in editor.places(key)}
    except Problem:
        return {}
    if lost := [each for each, state in states.items() if state == ADDED and each not in found]:
        raise told(
            PlexApiError("Plex took the items but does not show all of them."),
            **about(key, editor),
            items=told_items({**states, **dict.fromkeys(lost, FAILED)}),
        )
    return found


def fields_became(
    editor: Editor, key: str, wanted: Mapping[str, str], problem: Problem
) -> list[dict[str, str]]:
    """Find out which fields changed although Plex failed."""
    now = editor.start(editor.made, key).or_none()
    otherwise = FAILED if not was_sent(problem) or (now and was_answered(problem)) else UNKNOWN
    return [
        {"field": name, "state": DONE if now and (value(now, name) or "") == text else otherwise}
        for name, text in wanted.items()
    ]


def is_gone(editor: Editor, key: str) -> bool:
    """Tell whether it is known not to be there."""
    try:
        editor.made(key)
    except editor.missing:
        return True
    except Problem:
        return False
    return False


def about(key: str, editor: Editor) -> dict[str, str]:
    """Name for an error what was being written to."""
    return {"collection" if isinstance(editor, CollectionEditor) else "playlist": key}
