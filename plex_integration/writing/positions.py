"""One place in a collection or playlist: found, emptied, or moved."""

from collections.abc import Sequence

from plex_integration.writing.items import Editor, about
from plex_integration.writing.operation import FAILED, UNKNOWN, told, told_items
from medianest.api.exceptions import Invalid, Problem
from plex_integration.errors import ItemNotFound
from plex_integration.plex.editing import Place, was_answered, was_sent


def find(places: Sequence[Place], given: str, by: str = "ratingKey") -> Place:
    """Return the place that is meant. Raises ItemNotFound, or Invalid where it may be several."""
    found = _named(places, given, by)
    if not found:
        raise ItemNotFound("The item does not stand there.")
    if len(found) > 1:
        raise Invalid(details={by: [_several(given, found)]})
    return found[0]


def find_after(
    places: Sequence[Place], place: Place, given: str | None, by: str = "ratingKey"
) -> Place | None:
    """Return the place another one is to come after; None: it is to come first. Raises Invalid."""
    if given is None:
        return None
    found = _named(places, given, by)
    if not found:
        raise Invalid(details={"after": [f"{given} does not stand there."]})
    if len(found) > 1:
        raise Invalid(details={"after": [_several(given, found)]})
    if found[0] == place:
        raise Invalid(details={"after": ["Nothing comes after itself."]})
    return found[0]


def is_after(places: Sequence[Place], place: Place, after: Place | None) -> bool:
    """Tell whether a place comes right after another one, or first."""
    where = list(places).index(place)
    return where == (0 if after is None else list(places).index(after) + 1)


def empty(editor: Editor, key: str, place: Place) -> None:
    """Take what stands there out. Raises what Plex did wrong, with what became of it."""
    try:
        editor.take_out(key, name(place))
    except Problem as problem:
        now = _now(editor, key, problem)
        if now is None or place in now:
            raise _told(editor, key, place, problem, now) from problem


def move(editor: Editor, key: str, place: Place, after: Place | None) -> None:
    """Move what stands there. Raises what Plex did wrong, with what became of it."""
    try:
        editor.move(key, name(place), None if after is None else name(after))
    except Problem as problem:
        now = _now(editor, key, problem)
        is_there = now is not None and place in now and (after is None or after in now)
        if now is None or not is_there or not is_after(now, place, after):
            raise _told(editor, key, place, problem, now) from problem


def name(place: Place) -> str:
    """Return how Plex names a place: by its own id, or by what stands there."""
    return place.ratingKey if place.id is None else place.id


def _named(places: Sequence[Place], given: str, by: str) -> list[Place]:
    return [
        place for place in places if given == (place.id if by != "ratingKey" else place.ratingKey)
    ]


def _several(given: str, found: Sequence[Place]) -> str:
    ids = ", ".join(str(place.id) for place in found)
    return f"{given} stands there {len(found)} times: name one with ?by=playlistItemId ({ids})."


def _now(editor: Editor, key: str, problem: Problem) -> Sequence[Place] | None:
    if not was_sent(problem):
        return None
    try:
        return editor.places(key)
    except Problem:
        return None


def _told(
    editor: Editor, key: str, place: Place, problem: Problem, now: Sequence[Place] | None
) -> Problem:
    is_over = not was_sent(problem) or (was_answered(problem) and now is not None)
    states = {place.ratingKey: FAILED if is_over else UNKNOWN}
    return told(problem, **about(key, editor), items=told_items(states))
