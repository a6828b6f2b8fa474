"""The path of a request to Plex or plex.tv without the ids in it."""

import re

_WORDS = re.compile(r"[A-Za-z:._-]{0,24}|v\d")
"""The parts of a path that are no ids."""


def path_template(path: str) -> str:
    """Return a path with `{id}` in place of each id."""
    return "/".join(part if _WORDS.fullmatch(part) else "{id}" for part in path.split("/"))
