"""What each write to the playlists does; they are those of the token the service has."""

from collections.abc import Mapping, Sequence
from typing import Any

from plex_integration import media
from plex_integration.editing import checking, creating, filling, placing, work
from plex_integration.editing.work import Outcome, Work, told
from plex_integration.errors import PlexApiError, Problem, SmartPlaylist
from plex_integration.gateway.editing import PLAYLIST_TYPES, PlaylistEditor
from plex_integration.tags import Touched


def create(doing: Work, plex: PlaylistEditor, body: Mapping[str, Any]) -> Outcome:
    """Create a playlist of the type of its items, and fill it piece by piece."""
    wanted: list[str] = body["items"]
    title, summary = body["title"], body.get("summary", "")
    naming = plex.start(plex.machine)
    found = plex.at_a_glance(wanted)
    types = (PLAYLIST_TYPES.get(found[key].type) for key in wanted if key in found)
    kind = next(filter(None, types), "video")
    checking.for_playlist(wanted, found, kind)
    changes = work.fields({"title": None}, {"title": title})
    changes += work.fields({"summary": None}, {"summary": summary})
    states = dict.fromkeys(wanted, work.ADDED)
    if doing.dry_run:
        return Outcome(_answer(doing, None, changes, states))
    machine = naming.result()
    pieces = plex.pieces(wanted, title)
    doing.touch(Touched(playlist=""))
    key = creating.left(doing, plex.titled(kind, title)) if doing.unfinished else None
    if key is None:
        key = creating.create(
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
    filling.fill(plex, key, machine, states, missing)
    if summary:
        try:
            plex.edit(key, {"summary": summary})
        except Problem as problem:
            raise told(
                problem,
                playlist=key,
                items=work.told_items(states),
                changes=filling.fields_became(plex, key, {"summary": summary}, problem),
            ) from problem
    reading = plex.start(plex.made, key)
    places = filling.proven(plex, key, states)
    return Outcome(_answer(doing, reading.or_none(), changes, states, places), created=key)


def edit(doing: Work, plex: PlaylistEditor, key: str, body: Mapping[str, Any]) -> Outcome:
    """Change a playlist's title or summary."""
    made = plex.made(key)
    changes = work.fields({name: work.value(made, name) for name in body}, body)
    changed = {change["field"]: body[change["field"]] for change in changes}
    after: media.Playlist | None = made
    if changes and not doing.dry_run:
        doing.touch(Touched(playlist=key))
        try:
            plex.edit(key, changed)
        except Problem as problem:
            became = filling.fields_became(plex, key, changed, problem)
            if any(each["state"] != work.DONE for each in became):
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
            if not filling.is_gone(plex, key):
                raise told(problem, playlist=key) from problem
    return Outcome({"dryRun": doing.dry_run, "deleted": made})


def add_items(doing: Work, plex: PlaylistEditor, key: str, wanted: Sequence[str]) -> Outcome:
    """Put items of the playlist's type at its end, those that are in already not."""
    naming = plex.start(plex.machine)
    placing_ = plex.start(plex.places, key)
    made = _plain(plex, key)
    checking.for_playlist(wanted, plex.at_a_glance(wanted), _kind(made))
    before = placing_.result()
    states = filling.planned(wanted, [place.ratingKey for place in before])
    missing = [each for each, state in states.items() if state == work.ADDED]
    after: media.Playlist | None = made
    places = {place.ratingKey: place.id for place in before}
    if missing and not doing.dry_run:
        machine = naming.result()
        doing.touch(Touched(playlist=key))
        filling.fill(plex, key, machine, states, missing)
        reading = plex.start(plex.made, key)
        places = filling.proven(plex, key, states)
        after = reading.or_none()
    return Outcome(_answer(doing, after, [], states, places))


def remove_item(doing: Work, plex: PlaylistEditor, key: str, item: str, by: str) -> Outcome:
    """Take one place's item out."""
    made = _plain(plex, key)
    place = placing.find(plex.places(key), item, by)
    after: media.Playlist | None = made
    if not doing.dry_run:
        doing.touch(Touched(playlist=key))
        placing.empty(plex, key, place)
        after = plex.start(plex.made, key).or_none()
    states, places = {place.ratingKey: work.REMOVED}, {place.ratingKey: place.id}
    return Outcome(_answer(doing, after, [], states, places))


def move_item(
    doing: Work, plex: PlaylistEditor, key: str, item: str, by: str, after_item: str | None
) -> Outcome:
    """Put one place's item behind another one, or first."""
    made = _plain(plex, key)
    places = plex.places(key)
    place = placing.find(places, item, by)
    behind = placing.find_after(places, place, after_item, by)
    is_there = placing.is_after(places, place, behind)
    after: media.Playlist | None = made
    if not is_there and not doing.dry_run:
        doing.touch(Touched(playlist=key))
        placing.move(plex, key, place, behind)
        after = plex.start(plex.made, key).or_none()
    states = {place.ratingKey: work.ALREADY_THERE if is_there else work.MOVED}
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
        "items": work.items(states, places),
    }
