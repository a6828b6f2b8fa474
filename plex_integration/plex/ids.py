"""Plex's ids: rating keys, library keys and the like consist of 1 to 10 ASCII digits."""

import re

_ID = re.compile(r"[0-9]{1,10}")


def is_id(text: str) -> bool:
    """Return whether a text can be an id of Plex's."""
    return _ID.fullmatch(text) is not None


def checked_id(text: str) -> str:
    """Return an id for use in a path; raise ValueError for anything but ASCII digits."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("an id of Plex consists of digits")
    return text
