"""What each write to a library's collections does."""

from collections.abc import Mapping, Sequence
from typing import Any

from plex_integration.plex import media
from plex_integration.writing import validation, creation, items, positions, operation
from plex_integration.writing.operation import Outcome, Work, told
from medianest.api.exceptions import Invalid, Problem
from plex_integration.errors import PlexApiError, SmartCollection
from plex_integration.plex.editing import CollectionEditor, EditedCollection
from plex_integration.reading.services import LISTABLE
from plex_integration.caching.tags import Touched

PREFERENCES = ("sortOrder", "mode")


def create(
    doing: Work, plex: CollectionEditor, library: media.Library, body: Mapping[str, Any]
) -> Outcome:
    """Create a collection of items of one type, and fill it piece by piece."""
    wanted: list[str] = body["items"]
    title, summary = body["title"], body.get("summary", "")
    naming = plex.start(plex.machine)
    found = plex.at_a_glance(wanted)
    kinds = LISTABLE.get(library.type or "", ())
    if not kinds:
        raise Invalid(details={"libraryKey": ["This library's type has no collections."]})
    kind = next((found[key].type for key in wanted if _fits(found.get(key), kinds)), kinds[0])
    validation.for_collection(wanted, found, kind, library.id)
    changes = operation.fields({"title": None}, {"title": title})
    changes += operation.fields({"summary": None}, {"summary": summary})
    states = dict.fromkeys(wanted, operation.ADDED)
    if doing.dry_run:
        return Outcome(_answer(doing, None, changes, states))
    machine = naming.result()
    pieces = plex.pieces(wanted, title)
    doing.touch(Touched(library=library.id, items=frozenset(wanted)))
    key = creation.left(doing, plex.titled(library, title)) if doing.unfinished else None
    if key is None:
        key = creation.create(
            doing,
            lambda: plex.titled(library, title),
            lambda: plex.create(library, kind, title, machine, pieces[0]),
            wanted,
        )
        present = pieces[0]
    else:
        present = [place.ratingKey for place in plex.places(key)]
    doing.touch(Touched(collection=key))
    missing = [each for each in wanted if each not in set(present)]
    items.fill(plex, key, machine, states, missing)
    if summary:
        try:
            plex.edit(key, library.id, {"summary": summary})
        except Problem as problem:
            raise told(
                problem,
                collection=key,
                items=operation.told_items(states),
                changes=items.fields_became(plex, key, {"summary": summary}, problem),
            ) from problem
    reading = plex.start(plex.made, key)
    items.proven(plex, key, states)
    return Outcome(_answer(doing, reading.or_none(), changes, states), created=key)


def edit(doing: Work, plex: CollectionEditor, key: str, body: Mapping[str, Any]) -> Outcome:
    """Change a collection's fields, its sort order, its mode."""
    made = plex.made(key)
    if made.smart and "sortOrder" in body:
        raise SmartCollection
    before = {name: operation.value(made, name) for name in body}
    changes = operation.fields(before, body)
    changed = {change["field"]: body[change["field"]] for change in changes}
    if doing.dry_run or not changes:
        return Outcome(_answer(doing, made, changes, {}))
    # Its items show its title.
    holding = [] if made.smart or "title" not in changed else plex.places(key)
    doing.touch(_touched(made, [place.ratingKey for place in holding]))
    values = {name: value for name, value in changed.items() if name not in PREFERENCES}
    preferences = {name: value for name, value in changed.items() if name in PREFERENCES}
    try:
        if values:
            plex.edit(key, _library(made), values)
        if preferences:
            plex.prefer(key, preferences)
    except Problem as problem:
        became = items.fields_became(plex, key, changed, problem)
        if any(each["state"] != operation.DONE for each in became):
            raise told(problem, collection=key, changes=became) from problem
    return Outcome(_answer(doing, plex.start(plex.made, key).or_none(), changes, {}))


def delete(doing: Work, plex: CollectionEditor, key: str) -> Outcome:
    """Delete a collection; its items stay."""
    made = plex.made(key)
    holding = [] if made.smart else plex.places(key)
    if not doing.dry_run:
        doing.touch(_touched(made, [place.ratingKey for place in holding]))
        try:
            plex.delete(key)
        except Problem as problem:
            if not items.is_gone(plex, key):
                raise told(problem, collection=key) from problem
    return Outcome({"dryRun": doing.dry_run, "deleted": made})


def add_items(doing: Work, plex: CollectionEditor, key: str, wanted: Sequence[str]) -> Outcome:
    """Put items of the collection's own type and library in, those that are in already not."""
    naming = plex.start(plex.machine)
    placing_ = plex.start(plex.places, key)
    made = _plain(plex, key)
    found = plex.at_a_glance(wanted)
    validation.for_collection(wanted, found, _kind(made), _library(made))
    states = items.planned(wanted, [place.ratingKey for place in placing_.result()])
    missing = [each for each, state in states.items() if state == operation.ADDED]
    after: EditedCollection | None = made
    if missing and not doing.dry_run:
        machine = naming.result()
        doing.touch(_touched(made, missing))
        items.fill(plex, key, machine, states, missing)
        reading = plex.start(plex.made, key)
        items.proven(plex, key, states)
        after = reading.or_none()
    return Outcome(_answer(doing, after, [], states))


def remove_item(doing: Work, plex: CollectionEditor, key: str, item: str) -> Outcome:
    """Take an item out; with the last one Plex may delete the collection."""
    made = _plain(plex, key)
    place = positions.find(plex.places(key), item)
    after: EditedCollection | None = made
    if not doing.dry_run:
        doing.touch(_touched(made, [item]))
        positions.empty(plex, key, place)
        after = plex.start(plex.made, key).or_none()
    return Outcome(_answer(doing, after, [], {item: operation.REMOVED}))


def move_item(
    doing: Work, plex: CollectionEditor, key: str, item: str, after_item: str | None
) -> Outcome:
    """Put an item behind another one, or first; the collection is then in its custom order."""
    made = _plain(plex, key)
    places = plex.places(key)
    place = positions.find(places, item)
    behind = positions.find_after(places, place, after_item)
    changes = operation.fields({"sortOrder": made.sortOrder}, {"sortOrder": "custom"})
    state = operation.MOVED
    if not changes and positions.is_after(places, place, behind):
        state = operation.ALREADY_THERE
    after: EditedCollection | None = made
    if state == operation.MOVED and not doing.dry_run:
        doing.touch(_touched(made, []))
        if changes:
            try:
                plex.prefer(key, {"sortOrder": "custom"})
            except Problem as problem:
                became = items.fields_became(plex, key, {"sortOrder": "custom"}, problem)
                if became[0]["state"] != operation.DONE:
                    states = operation.told_items({item: operation.FAILED})
                    raise told(problem, collection=key, items=states, changes=became) from problem
        try:
            positions.move(plex, key, place, behind)
        except Problem as problem:
            if changes:
                problem.details["changes"] = [{"field": "sortOrder", "state": operation.DONE}]
            raise
        after = plex.start(plex.made, key).or_none()
    return Outcome(_answer(doing, after, changes, {item: state}))


def _plain(plex: CollectionEditor, key: str) -> EditedCollection:
    made = plex.made(key)
    if made.smart:
        raise SmartCollection
    return made


def _library(made: EditedCollection) -> str:
    if made.library is None:
        raise PlexApiError("Plex does not tell which library the collection is in.")
    return made.library.id


def _kind(made: EditedCollection) -> str:
    kind = made.subtype or (made.library.type if made.library else None)
    if kind is None:
        raise PlexApiError("Plex does not tell what the collection holds.")
    return kind


def _fits(item: media.Item | None, kinds: Sequence[str]) -> bool:
    return item is not None and item.type in kinds


def _touched(made: EditedCollection, items: Sequence[str]) -> Touched:
    library = made.library.id if made.library else None
    return Touched(collection=made.ratingKey, library=library, items=frozenset(items))


def _answer(
    doing: Work,
    made: EditedCollection | None,
    changes: Sequence[Mapping[str, Any]],
    states: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "dryRun": doing.dry_run,
        "collection": made,
        "changes": changes,
        "items": operation.items(states),
    }
