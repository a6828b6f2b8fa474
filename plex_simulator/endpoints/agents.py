"""What an agent thinks an item is: /library/metadata/K/matches, which finds outside ids too.

The agent here knows what the catalogue holds and nothing more; a real one asks its own service.
Evidence: python-plexapi's `matches` and `getGuid` (plexapi/mixins, plexapi/library.py).
"""

from plex_simulator.endpoints.library import PLUGIN
from plex_simulator.messages import Refusal, Reply, Request
from plex_simulator.models import Item
from plex_simulator.nodes import Node
from plex_simulator.routing import World, route

# As many as a page of Plex's own matching dialog holds.
_MOST = 8


def matches(world: World, request: Request, key: str) -> Reply:
    """Find what a title, or an outside id spelled as `imdb-tt0944947`, stands for."""
    item = world.catalogue.item(key)
    if item is None or not request.user.may_see(item.library_key):
        raise Refusal(404)
    title = request.arg("title")
    site, _, identifier = title.partition("-")
    outside = f"{site}://{identifier}"
    found: dict[str, Item] = {}
    for each in world.catalogue.items(item.library_key, item.type):
        is_named = title.casefold() == each.title.casefold()
        if each.guid.startswith("plex://") and (outside in each.guids or is_named):
            found.setdefault(each.guid, each)
            if len(found) == _MOST:
                break
    rows = [
        Node("SearchResult", {"guid": guid, "name": each.title, "year": each.year, "score": 100})
        for guid, each in found.items()
    ]
    return request.container(PLUGIN, rows)


def agents(world: World, request: Request) -> Reply:
    """List the agents of the libraries, which python-plexapi looks up before it asks one."""
    names = dict.fromkeys(library.agent for library in world.catalogue.libraries)
    return request.container(
        {}, [Node("Agent", {"identifier": name, "name": name, "primary": True}) for name in names]
    )


ROUTES = [
    route("GET", "/system/agents", agents),
    route("GET", "/library/metadata/<>/matches", matches),
]
