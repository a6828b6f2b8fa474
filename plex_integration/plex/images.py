"""What Plex is asked about pictures: which ones an item has, and one of them in a size."""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from plex_integration.errors import ItemNotFound
from plex_integration.plex import transport
from plex_integration.plex.client import Plex
from plex_integration.plex.http import NotThere

# The most bytes of one picture.
MOST_BYTES = 10 * 1024 * 1024

_NAMES = ("thumb", "art", "composite")


@dataclass(frozen=True)
class PicturePaths:
    """What Plex says an item's pictures are, and the library it is in."""

    paths: Mapping[str, str]
    library: str | None


class PicturePlex(Plex):
    """One answer's conversation with a Plex server, about pictures."""

    def picture_paths(self, key: str) -> PicturePaths:
        """Ask which pictures an item, a collection or a playlist has. Raises ItemNotFound."""
        # Playlists are no library's: they have a path of their own.
        for path in (f"/library/metadata/{key}", f"/playlists/{key}"):
            try:
                root = self._get(path)
            except NotThere:
                continue
            for each in root:
                if each.get("ratingKey") == key:
                    return _paths(each, root)
        raise ItemNotFound

    def picture(self, path: str, width: int, height: int, format: str) -> bytes:
        """Ask Plex's transcoder for a picture, scaled down into a box; NotThere where it has none.

        The path is one of Plex's own pictures: the transcoder would fetch any address.
        Reference: https://developer.plex.tv/pms/ (`/photo/:/transcode`)
        """
        if not path.startswith(("/library/", "/playlists/")):
            raise ValueError("a picture of Plex's is at a path of Plex's")
        parameters = {
            "url": path,
            "width": width,
            "height": height,
            "minSize": 0,
            "upscale": 0,
            "format": format,
        }
        with transport.within(self._deadline):
            # Pictures are compressed already.
            headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
            body = self._server.body("/photo/:/transcode", headers, parameters, MOST_BYTES)
        if not body:
            raise NotThere
        return body


def _paths(element: Element, container: Element) -> PicturePaths:
    told = {name: element.get(name) for name in _NAMES}
    return PicturePaths(
        {name: path for name, path in told.items() if path},
        element.get("librarySectionID") or container.get("librarySectionID"),
    )
