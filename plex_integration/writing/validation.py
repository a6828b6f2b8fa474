"""Name every item that cannot be added, before anything is written."""

from collections.abc import Callable, Mapping, Sequence

from medianest.api.exceptions import Invalid
from plex_integration.plex import media
from plex_integration.plex.editing import PLAYLIST_TYPES

NO_ITEM = "there is no such item."


def check_collection_items(
    keys: Sequence[str], items: Mapping[str, media.Item], kind: str, library: str
) -> None:
    """Check that items exist and are of the collection's type and library.

    `items` are those that exist, by key. Raises Invalid.
    """
    _check(keys, items, lambda item: _problem_in_collection(item, kind, library))


def check_playlist_items(keys: Sequence[str], items: Mapping[str, media.Item], kind: str) -> None:
    """Check that items exist and can be in a playlist of this type. Raises Invalid."""
    _check(keys, items, lambda item: _problem_in_playlist(item, kind))


def _check(
    keys: Sequence[str],
    items: Mapping[str, media.Item],
    problem_of: Callable[[media.Item], str | None],
) -> None:
    problems = [
        f"{key}: {problem}"
        for key in keys
        if (problem := problem_of(items[key]) if key in items else NO_ITEM)
    ]
    if problems:
        raise Invalid(
            f"{len(problems)} of {len(keys)} items cannot be put in; nothing was written.",
            details={"items": problems},
        )


def _problem_in_collection(item: media.Item, kind: str, library: str) -> str | None:
    if item.library is None or item.library.id != library:
        where = "another one" if item.library is None else f"library {item.library.id}"
        return f"it is in {where}, the collection in library {library}."
    if item.type != kind:
        return f"it is of type {item.type}, the collection of type {kind}."
    return None


def _problem_in_playlist(item: media.Item, kind: str) -> str | None:
    playlist_type = PLAYLIST_TYPES.get(item.type)
    if playlist_type is None:
        return f"a {item.type} cannot be in a playlist; what is below it can."
    if playlist_type != kind:
        return f"it is of type {item.type}, the playlist of type {kind}."
    return None
