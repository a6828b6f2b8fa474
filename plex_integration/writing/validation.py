"""What cannot be put in is named, item by item, before anything is written."""

from collections.abc import Callable, Mapping, Sequence

from plex_integration.plex import media
from medianest.api.exceptions import Invalid
from plex_integration.plex.editing import PLAYLIST_TYPES

NO_ITEM = "there is no such item."


def for_collection(
    wanted: Sequence[str], found: Mapping[str, media.Item], kind: str, library: str
) -> None:
    """Refuse what is not there, of another type or in another library. Raises Invalid."""
    _refuse(wanted, found, lambda item: _unfit_for_collection(item, kind, library))


def for_playlist(wanted: Sequence[str], found: Mapping[str, media.Item], kind: str) -> None:
    """Refuse what is not there or cannot be in a playlist of this type. Raises Invalid."""
    _refuse(wanted, found, lambda item: _unfit_for_playlist(item, kind))


def _refuse(
    wanted: Sequence[str], found: Mapping[str, media.Item], why: Callable[[media.Item], str | None]
) -> None:
    problems = [
        f"{key}: {problem}"
        for key in wanted
        if (problem := NO_ITEM if key not in found else why(found[key]))
    ]
    if problems:
        raise Invalid(
            f"{len(problems)} of {len(wanted)} items cannot be put in; nothing was written.",
            details={"items": problems},
        )


def _unfit_for_collection(item: media.Item, kind: str, library: str) -> str | None:
    if item.library is None or item.library.id != library:
        where = "another one" if item.library is None else f"library {item.library.id}"
        return f"it is in {where}, the collection in library {library}."
    if item.type != kind:
        return f"it is of type {item.type}, the collection of type {kind}."
    return None


def _unfit_for_playlist(item: media.Item, kind: str) -> str | None:
    holds = PLAYLIST_TYPES.get(item.type)
    if holds is None:
        return f"a {item.type} cannot be in a playlist; what is below it can."
    if holds != kind:
        return f"it is of type {item.type}, the playlist of type {kind}."
    return None
