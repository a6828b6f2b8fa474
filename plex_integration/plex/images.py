"""Request images from Plex: which ones an item has, and one of them in a given size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from plex_integration.errors import ItemNotFound, PlexUnauthorized
from plex_integration.plex.calls import PlexCalls
from plex_integration.plex.errors import PlexNotFound
from plex_integration.plex.transport import enforce_deadline

# The largest image that is read.
MAX_BYTES = 10 * 1024 * 1024

_IMAGE_NAMES = ("thumb", "art", "composite")


@dataclass(frozen=True)
class ImagePaths:
    """Plex's paths of an item's images, by name, and the id of the item's library."""

    paths: Mapping[str, str]
    library: str | None


class ImageClient(PlexCalls):
    """Request images from a Plex Media Server; all calls together take `seconds` at most."""

    def image_paths(self, key: str) -> ImagePaths:
        """Return the images of an item, a collection or a playlist. Raises ItemNotFound."""
        # Playlists belong to no library: they have a path of their own.
        for path in (f"/library/metadata/{key}", f"/playlists/{key}"):
            try:
                root = self._get(path)
            except PlexNotFound:
                continue
            for each in root:
                if each.get("ratingKey") == key:
                    return _paths(each, root)
        raise ItemNotFound

    def image(self, path: str, width: int, height: int, format: str) -> bytes:
        """Return an image that Plex's transcoder has scaled down to fit into a box.

        If Plex refuses the transcoder alone, or does not have one, return the original. The path
        must be one of Plex's own, because the transcoder would fetch any address. Raises
        PlexNotFound if there is no image.
        Reference: https://developer.plex.tv/pms/ (`/photo/:/transcode`)
        """
        if not path.startswith(("/library/", "/playlists/")):
            raise ValueError("an image has a path on the Plex server")
        parameters = {
            "url": path,
            "width": width,
            "height": height,
            "minSize": 0,
            "upscale": 0,
            "format": format,
        }
        try:
            return self._bytes("/photo/:/transcode", parameters)
        except (PlexUnauthorized, PlexNotFound):
            return self._bytes(path)

    def _bytes(self, path: str, parameters: Mapping[str, Any] | None = None) -> bytes:
        # Images are compressed already.
        headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
        with enforce_deadline(self._deadline):
            body = self._http.get_bytes(path, headers, parameters, MAX_BYTES)
        if not body:
            raise PlexNotFound
        return body


def _paths(element: Element, container: Element) -> ImagePaths:
    found = {name: path for name in _IMAGE_NAMES if (path := element.get(name))}
    return ImagePaths(found, element.get("librarySectionID") or container.get("librarySectionID"))
