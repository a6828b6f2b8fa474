"""Endpoints for metadata agents, which match items with external ids.

The simulated agent knows only the items of the catalogue. A real agent asks an online service. The
responses follow what python-plexapi's `matches` and `getGuid` read (plexapi/mixins,
plexapi/library.py).
"""

from plex_simulator.endpoints.library import PLUGIN
from plex_simulator.messages import Request, Response
from plex_simulator.models import Item
from plex_simulator.nodes import Node
from plex_simulator.routing import ServerState, get_item, route
from plex_simulator.visibility import visible_indexes

MAX_MATCHES = 8


def list_agents(state: ServerState, request: Request) -> Response:
    """List the agents of all libraries, which python-plexapi reads before it searches matches."""
    names = dict.fromkeys(library.agent for library in state.catalogue.libraries)
    rows = [Node("Agent", {"identifier": name, "name": name, "primary": True}) for name in names]
    return request.respond_with_container({}, rows)


def list_matches(state: ServerState, request: Request, key: str) -> Response:
    """List the items with a title or with an external id such as `imdb-tt0944947`."""
    item = get_item(state, request, key)
    title = request.arg("title").casefold()
    site, _, identifier = title.partition("-")
    external_id = f" {site}://{identifier} "
    table = state.catalogue.table(item.library_key, item.type)
    titles, external_ids = table.column("title", request.user), table.external_ids()
    matches: dict[str, Item] = {}
    for index in visible_indexes(table, request.user, table.indexes()):
        if titles[index] == title or external_id in external_ids[index]:
            match = table.item(index)
            if match.guid.startswith("plex://"):
                matches.setdefault(match.guid, match)
            if len(matches) == MAX_MATCHES:
                break
    rows = [
        Node("SearchResult", {"guid": guid, "name": match.title, "year": match.year, "score": 100})
        for guid, match in matches.items()
    ]
    return request.respond_with_container(PLUGIN, rows)


ROUTES = [
    route("GET", "/system/agents", list_agents),
    route("GET", "/library/metadata/<>/matches", list_matches),
]
