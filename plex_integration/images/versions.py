"""Versions: Plex's paths of images, as a short text that can be part of a link.

    /library/metadata/1072/thumb/1700000000                        metadata.1072.thumb.1700000000
    /library/collections/7/composite/170?width=400&height=600      collections.7.composite.170.400x600
    /playlists/9/composite/1700000000                              playlists.9.composite.1700000000

A track has the image of its album, and an episode the background of its show. Their paths name the
other item, and so does the version. Plex changes the last number when the image changes.

Every other path counts as no image: an address elsewhere, which Plex's transcoder would fetch, or a
path with dots, escapes or other parameters.
"""  # noqa: E501

import re
from collections.abc import Mapping

from plex_integration.images.query import KINDS

_PATH = re.compile(
    r"/(?:library/(?=metadata|collections)|(?=playlists))"
    r"(metadata|collections|playlists)/([0-9]{1,10})/(thumb|art|composite)"
    r"(?:/(-?[0-9]{1,20}))?(?:\?width=([0-9]{1,4})&height=([0-9]{1,4}))?"
)
_VERSION = re.compile(
    r"(metadata|collections|playlists)\.([0-9]{1,10})\.(thumb|art|composite)"
    r"(?:\.(-?[0-9]{1,20}))?(?:\.([0-9]{1,4})x([0-9]{1,4}))?"
)


def from_path(path: str | None) -> str | None:
    """Return the version of one of Plex's paths; None if it is not the path of an image."""
    match = _PATH.fullmatch(path or "")
    if match is None:
        return None
    group, key, name, timestamp, width, height = match.groups()
    parts = [group, key, name]
    if timestamp:
        parts.append(timestamp)
    if width:
        parts.append(f"{width}x{height}")
    return ".".join(parts)


def to_path(version: str) -> str | None:
    """Return Plex's path of a version; None if it is not a version."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return None
    group, key, name, timestamp, width, height = match.groups()
    return "".join(
        (
            "/" if group == "playlists" else "/library/",
            f"{group}/{key}/{name}",
            f"/{timestamp}" if timestamp else "",
            f"?width={width}&height={height}" if width else "",
        )
    )


def of_kind(kind: str, paths: Mapping[str, str | None]) -> str | None:
    """Return the version of an item's image of a kind; `paths` are Plex's paths by attribute."""
    for name in KINDS[kind]:
        version = from_path(paths.get(name))
        if version and (kind != "composite" or ".composite" in version):
            return version
    return None
