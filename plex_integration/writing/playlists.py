"""What each write to the playlists does; they are those of the token the service has."""

from collections.abc import Mapping, Sequence
from typing import Any

from plex_integration.plex import media
from plex_integration.writing import validation, creation, items, positions, operation
from plex_integration.writing.operation import Outcome, Work, told
from plex_integration.errors import PlexApiError, SmartPlaylist
from medianest.api.exceptions import Problem
from plex_integration.plex.editing import PLAYLIST_TYPES, PlaylistEditor
from plex_integration.caching.tags import Touched


def create(doing: Work, plex: PlaylistEditor, body: Mapping[str, Any]) -> Outcome:
    """Create a playlist of the type of its items, and fill it piece by piece."""
    wanted: list[str] = body["items"]
    title, summary = body["title"], body.get("summary", "")
    naming = plex.start(plex.machine)
    found = plex.at_a_glance(wanted)
    types = (PLAYLIST_TYPES.get(found[key].type) for key in wanted if key in found)
    kind = next(filter(None, types), "video")
    validation.for_playlist(wanted, found, kind)
    changes = operation.fields({"title": None}, {"title": title})
    changes += operation.fields({"summary": None}, {"summary": summary})
    states = dict.fromkeys(wanted, operation.ADDED)
    if doing.dry_run:
        return Outcome(_answer(doing, None, changes, states))
    machine = naming.result()
    pieces = plex.pieces(wanted, title)
    doing.touch(Touched(playlist=""))
    key = creation.left(doing, plex.titled(kind, title)) if doing.unfinished else None
    if key is None:
        key = creation.create(
            doing,
            lambda: plex.titled(kind, title),
            lambda: plex.create(kind, title, machine, pieces[0]),
            wanted,
        )
        present = pieces[0]
    else:
        present = [place.ratingKey for place in plex.places(key)]
    doing.touch(Touched(playlist=key))
    missing = [each for each in wanted if each not in set(present)]
    items.fill(plex, key, machine, states, missing)
    if summary:
        try:
            plex.edit(key, {"summary": summary})
        except Problem as problem:
            raise told(
                problem,
                playlist=key,
                items=operation.told_items(states),
                changes=items.fields_became(plex, key, {"summary": summary}, problem),
            ) from problem
    reading = plex.start(plex.made, key)
    places = items.proven(plex, key, states)
    return Outcome(_answer(doing, reading.or_none(), changes, states, places), created=key)


def edit(doing: Work, plex: PlaylistEditor, key: str, body: Mapping[str, Any]) -> Outcome:
    """Change a playlist's title or summary."""
    made = plex.made(key)
    changes = operation.fields({name: operation.value(made, name) for name in body}, body)
    changed = {change["field"]: body[change["field"]] for change in changes}
    after: media.Playlist | None = made
    if changes and not doing.dry_run:
        doing.touch(Touched(playlist=key))
        try:
            plex.edit(key, changed)
        except Problem as problem:
            became = items.fields_became(plex, key, changed, problem)
            if any(each["state"] != operation.DONE for each in became):
                raise told(problem, playlist=key, changes=became) from problem
        after = plex.start(plex.made, key).or_none()
    return Outcome(_answer(doing, after, changes, {}))


def delete(doing: Work, plex: PlaylistEditor, key: str) -> Outcome:
    """Delete a playlist; its items stay."""
    made = plex.made(key)
    if not doing.dry_run:
        doing.touch(Touched(playlist=key))
        try:
            plex.delete(key)
        except Problem as problem:
            if not items.is_gone(plex, key):
                raise told(problem, playlist=key) from problem
    return Outcome({"dryRun": doing.dry_run, "deleted": made})


def add_items(doing: Work, plex: PlaylistEditor, key: str, wanted: Sequence[str]) -> Outcome:
    """Put items of the playlist's type at its end, those that are in already not."""
    naming = plex.start(plex.machine)
    placing_ = plex.start(plex.places, key)
    made = _plain(plex, key)
    validation.for_playlist(wanted, plex.at_a_glance(wanted), _kind(made))
    before = placing_.result()
    states = items.planned(wanted, [place.ratingKey for place in before])
    missing = [each for each, state in states.items() if state == operation.ADDED]
    after: media.Playlist | None = made
    places = {place.ratingKey: place.id for place in before}
    if missing and not doing.dry_run:
        machine = naming.result()
        doing.touch(Touched(playlist=key))
        items.fill(plex, key, machine, states, missing)
        reading = plex.start(plex.made, key)
        places = items.proven(plex, key, states)
        after = reading.or_none()
    return Outcome(_answer(doing, after, [], states, places))


def remove_item(doing: Work, plex: PlaylistEditor, key: str, item: str, by: str) -> Outcome:
    """Take one place's item out."""
    made = _plain(plex, key)
    place = positions.find(plex.places(key), item, by)
    after: media.Playlist | None = made
    if not doing.dry_run:
        doing.touch(Touched(playlist=key))
        positions.empty(plex, key, place)
        after = plex.start(plex.made, key).or_none()
    states, places = {place.ratingKey: operation.REMOVED}, {place.ratingKey: place.id}
    return Outcome(_answer(doing, after, [], states, places))


def move_item(
    doing: Work, plex: PlaylistEditor, key: str, item: str, by: str, after_item: str | None
) -> Outcome:
    """Put one place's item behind another one, or first."""
    made = _plain(plex, key)
    places = plex.places(key)
    place = positions.find(places, item, by)
    behind = positions.find_after(places, place, after_item, by)
    is_there = positions.is_after(places, place, behind)
    after: media.Playlist | None = made
    if not is_there and not doing.dry_run:
        doing.touch(Touched(playlist=key))
        positions.move(plex, key, place, behind)
        after = plex.start(plex.made, key).or_none()
    states = {place.ratingKey: operation.ALREADY_THERE if is_there else operation.MOVED}
    return Outcome(_answer(doing, after, [], states, {place.ratingKey: place.id}))


def _plain(plex: PlaylistEditor, key: str) -> media.Playlist:
    made = plex.made(key)
    if made.smart:
        raise SmartPlaylist
    return made


def _kind(made: media.Playlist) -> str:
    if made.playlistType is None:
        raise PlexApiError("Plex does not tell what the playlist holds.")
    return made.playlistType


def _answer(
    doing: Work,
    made: media.Playlist | None,
    changes: Sequence[Mapping[str, Any]],
    states: Mapping[str, str],
    places: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    return {
        "dryRun": doing.dry_run,
        "playlist": made,
        "changes": changes,
        "items": operation.items(states, places),
    }
