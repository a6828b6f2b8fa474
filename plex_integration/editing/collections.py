"""What each write to a library's collections does."""

from collections.abc import Mapping, Sequence
from typing import Any

from plex_integration import media
from plex_integration.editing import checking, creating, filling, placing, work
from plex_integration.editing.work import Outcome, Work, told
from plex_integration.errors import (
    Invalid,
    PlexApiError,
    Problem,
    SmartCollection,
)
from plex_integration.gateway.editing import CollectionEditor, EditedCollection
from plex_integration.services import LISTABLE
from plex_integration.tags import Touched

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
    checking.for_collection(wanted, found, kind, library.id)
    changes = work.fields({"title": None}, {"title": title})
    changes += work.fields({"summary": None}, {"summary": summary})
    states = dict.fromkeys(wanted, work.ADDED)
    if doing.dry_run:
        return Outcome(_answer(doing, None, changes, states))
    machine = naming.result()
    pieces = plex.pieces(wanted, title)
    doing.touch(Touched(library=library.id, items=frozenset(wanted)))
    key = creating.left(doing, plex.titled(library, title)) if doing.unfinished else None
    if key is None:
        key = creating.create(
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
    filling.fill(plex, key, machine, states, missing)
    if summary:
        try:
            plex.edit(key, library.id, {"summary": summary})
        except Problem as problem:
            raise told(
                problem,
                collection=key,
                items=work.told_items(states),
                changes=filling.fields_became(plex, key, {"summary": summary}, problem),
            ) from problem
    reading = plex.start(plex.made, key)
    filling.proven(plex, key, states)
    return Outcome(_answer(doing, reading.or_none(), changes, states), created=key)


def edit(doing: Work, plex: CollectionEditor, key: str, body: Mapping[str, Any]) -> Outcome:
    """Change a collection's fields, its sort order, its mode."""
    made = plex.made(key)
    if made.smart and "sortOrder" in body:
        raise SmartCollection
    before = {name: work.value(made, name) for name in body}
    changes = work.fields(before, body)
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
        became = filling.fields_became(plex, key, changed, problem)
        if any(each["state"] != work.DONE for each in became):
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
            if not filling.is_gone(plex, key):
                raise told(problem, collection=key) from problem
    return Outcome({"dryRun": doing.dry_run, "deleted": made})


def add_items(doing: Work, plex: CollectionEditor, key: str, wanted: Sequence[str]) -> Outcome:
    """Put items of the collection's own type and library in, those that are in already not."""
    naming = plex.start(plex.machine)
    placing_ = plex.start(plex.places, key)
    made = _plain(plex, key)
    found = plex.at_a_glance(wanted)
    checking.for_collection(wanted, found, _kind(made), _library(made))
    states = filling.planned(wanted, [place.ratingKey for place in placing_.result()])
    missing = [each for each, state in states.items() if state == work.ADDED]
    after: EditedCollection | None = made
    if missing and not doing.dry_run:
        machine = naming.result()
        doing.touch(_touched(made, missing))
        filling.fill(plex, key, machine, states, missing)
        reading = plex.start(plex.made, key)
        filling.proven(plex, key, states)
        after = reading.or_none()
    return Outcome(_answer(doing, after, [], states))


def remove_item(doing: Work, plex: CollectionEditor, key: str, item: str) -> Outcome:
    """Take an item out; with the last one Plex may delete the collection."""
    made = _plain(plex, key)
    place = placing.find(plex.places(key), item)
    after: EditedCollection | None = made
    if not doing.dry_run:
        doing.touch(_touched(made, [item]))
        placing.empty(plex, key, place)
        after = plex.start(plex.made, key).or_none()
    return Outcome(_answer(doing, after, [], {item: work.REMOVED}))


def move_item(
    doing: Work, plex: CollectionEditor, key: str, item: str, after_item: str | None
) -> Outcome:
    """Put an item behind another one, or first; the collection is then in its custom order."""
    made = _plain(plex, key)
    places = plex.places(key)
    place = placing.find(places, item)
    behind = placing.find_after(places, place, after_item)
    changes = work.fields({"sortOrder": made.sortOrder}, {"sortOrder": "custom"})
    state = work.MOVED
    if not changes and placing.is_after(places, place, behind):
        state = work.ALREADY_THERE
    after: EditedCollection | None = made
    if state == work.MOVED and not doing.dry_run:
        doing.touch(_touched(made, []))
        if changes:
            try:
                plex.prefer(key, {"sortOrder": "custom"})
            except Problem as problem:
                became = filling.fields_became(plex, key, {"sortOrder": "custom"}, problem)
                if became[0]["state"] != work.DONE:
                    states = work.told_items({item: work.FAILED})
                    raise told(problem, collection=key, items=states, changes=became) from problem
        try:
            placing.move(plex, key, place, behind)
        except Problem as problem:
            if changes:
                problem.details["changes"] = [{"field": "sortOrder", "state": work.DONE}]
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
        "items": work.items(states),
    }
