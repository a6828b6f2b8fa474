"""Parse how smart collections and playlists choose their items."""

import re
from xml.etree.ElementTree import Element

from plex_integration.plex.parsing.attributes import flag

# The fields of a query that differ from viewer to viewer. Plex encodes some queries twice, so what
# is around the name of a field is not looked at.
_WATCH_STATE = re.compile(
    "unwatched|unviewedLeafCount|viewedLeafCount|inProgress|viewCount|viewOffset|lastViewedAt"
)


def depends_on_watch_state(element: Element) -> bool:
    """Tell whether a list chooses or sorts its items by what a viewer has watched.

    A smart list without its query may do so.
    """
    if not flag(element, "smart"):
        return False
    content = element.get("content")
    return not content or _WATCH_STATE.search(content) is not None
