"""The endpoints whose cached responses are measured."""

from dataclasses import dataclass

from medianest.api.limits import Limit
from plex_integration import policies

PATH = "/api/v1/plex/libraries/1/items"
QUERY = "?size=50"


@dataclass(frozen=True)
class Endpoint:
    """A request, and the limit that it counts against.

    The name is also that of the files which hold the response for the other servers.
    """

    name: str
    path: str
    query: str
    limit: Limit

    @property
    def target(self) -> str:
        return self.path + self.query

    @property
    def per_user(self) -> int:
        """Return how often a user may send it in a round, which is below the limit."""
        return self.limit.requests * 5 // 6


ITEMS = Endpoint("items", PATH, QUERY, policies.LIBRARY_OPERATIONS)
SEARCH = Endpoint("search", "/api/v1/plex/search", "?query=the", policies.SEARCHES)
RECENT = Endpoint("recent", "/api/v1/plex/recently-added", "", policies.RECENT)
COLLECTIONS = Endpoint(
    "collections", "/api/v1/plex/libraries/1/collections", "", policies.COLLECTION_OPERATIONS
)
SERVER = Endpoint("server", "/api/v1/plex/server", "", policies.SERVER_INFO)
ENDPOINTS = (ITEMS, SEARCH, SERVER)
"""Those that all servers answer."""
ALLOWANCE = (*ENDPOINTS, RECENT, COLLECTIONS)
"""One for each limit of reading."""
