"""Parse playlists."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.ids import is_id
from plex_integration.plex.parsing.attributes import choice, flag, instant, text, whole
from plex_integration.plex.parsing.smart import depends_on_watch_state


def parse_playlists(elements: Iterable[Element]) -> list[media.Playlist]:
    """Parse a list of playlists; whatever is not a playlist is left out."""
    return [_playlist(each) for each in elements if _is_playlist(each)]


def _is_playlist(element: Element) -> bool:
    return element.get("type") == "playlist" and is_id(element.get("ratingKey", ""))


def _playlist(element: Element) -> media.Playlist:
    key = element.attrib["ratingKey"]
    return media.Playlist(
        ratingKey=key,
        key=f"/playlists/{key}",
        type="playlist",
        title=text(element, "title"),
        playlistType=choice(element, "playlistType", media.PLAYLIST_CONTENTS),
        smart=bool(flag(element, "smart")),
        addedAt=instant(element, "addedAt"),
        updatedAt=instant(element, "updatedAt"),
        itemCount=whole(element, "leafCount"),
        duration=whole(element, "duration"),
        summary=text(element, "summary"),
        composite=text(element, "composite"),
        dependsOnWatchState=depends_on_watch_state(element),
    )
