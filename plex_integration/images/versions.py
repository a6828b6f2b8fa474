"""Which picture of Plex's is meant, as a short text: a version.

    /library/metadata/1072/thumb/1700000000                        metadata.1072.thumb.1700000000
    /library/collections/7/composite/170?width=400&height=600      collections.7.composite.170.400x600
    /playlists/9/composite/1700000000                              playlists.9.composite.1700000000

The picture of a track is its album's, and a background of an episode its show's: the path names
another item, so the version does too. Plex changes the last number with the picture. Any other
path (an address elsewhere, which Plex's transcoder would fetch for whoever asks; anything with
dots, escapes or more parameters) is no version: as if there were no picture.
"""  # noqa: E501

import re
from collections.abc import Mapping

from plex_integration.images.query import KINDS

_PATH = re.compile(
    r"/(?:library/(?=metadata|collections)|(?=playlists))"
    r"(metadata|collections|playlists)/([0-9]{1,10})/(thumb|art|composite)"
    r"(?:/([0-9]{1,20}))?(?:\?width=([0-9]{1,4})&height=([0-9]{1,4}))?"
)
_VERSION = re.compile(
    r"(metadata|collections|playlists)\.([0-9]{1,10})\.(thumb|art|composite)"
    r"(?:\.([0-9]{1,20}))?(?:\.([0-9]{1,4})x([0-9]{1,4}))?"
)


def version(path: str | None) -> str | None:
    """Return the version that a path of Plex's is, or None where it is not one of its pictures."""
    match = _PATH.fullmatch(path or "")
    if match is None:
        return None
    group, key, picture, stamp, width, height = match.groups()
    parts = [group, key, picture]
    if stamp:
        parts.append(stamp)
    if width:
        parts.append(f"{width}x{height}")
    return ".".join(parts)


def path(version: str) -> str | None:
    """Return the path of Plex's that a version is, or None where it is no version."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return None
    group, key, picture, stamp, width, height = match.groups()
    return "".join(
        (
            "/" if group == "playlists" else "/library/",
            f"{group}/{key}/{picture}",
            f"/{stamp}" if stamp else "",
            f"?width={width}&height={height}" if width else "",
        )
    )


def of_kind(kind: str, paths: Mapping[str, str | None]) -> str | None:
    """Return the version of an item's picture of a kind; `paths` is what Plex says of the item."""
    for name in KINDS[kind]:
        found = version(paths.get(name))
        if found and (kind != "composite" or ".composite" in found):
            return found
    return None
