"""The browsable API's pages with links from ids of Plex to their own pages.

Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from medianest.api.browsable import BrowsableRenderer

_LIBRARY = re.compile(r"/library/sections/([0-9]+)")
_PAGES = {"collection": "plex-collection-detail", "playlist": "plex-playlist"}
_PARENTS = ("show", "season", "artist", "album", "photoalbum")


class PlexBrowsableRenderer(BrowsableRenderer):
    """Render a response as a page, with links to items, libraries, collections and playlists."""

    def link(self, value: Any, name: str, holder: Mapping[str, Any]) -> str | None:
        """Return the page that a member's value names; None where it names none."""
        return super().link(value, name, holder) or _link(value, name, holder)


def _link(value: Any, name: str, holder: Mapping[str, Any]) -> str | None:
    text, kind, key = str(value), holder.get("type"), holder.get("ratingKey")
    if name == "key" and (library := _LIBRARY.fullmatch(text)):
        return reverse("plex-library-items", args=[library[1]])
    if name == "id" and holder.get("title") is not None and "ratingKey" not in holder:
        return _library(text, holder)
    if name in ("key", "ratingKey") and isinstance(key, str) and key.isdigit():
        return reverse(_PAGES.get(str(kind), "plex-item"), args=[key])
    if name in ("parentRatingKey", "grandparentRatingKey") and text.isdigit():
        return reverse("plex-item", args=[text])
    if name in ("childCount", "seasonCount") and kind in _PARENTS and isinstance(key, str):
        return reverse("plex-item-children", args=[key])
    return None


def _library(text: str, holder: Mapping[str, Any]) -> str | None:
    is_library = holder.keys() == {"id", "title", "type"} or _LIBRARY.fullmatch(
        str(holder.get("key"))
    )
    return reverse("plex-library-items", args=[text]) if is_library and text.isdigit() else None
