"""A load from Plex for the response cache: a client with a deadline, behind the breaker."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from plex_integration.caching import breaker
from plex_integration.caching.response_cache import Loaded
from plex_integration.configuration.connection import Connection

Client = TypeVar("Client")


@dataclass(frozen=True)
class PlexLoad(Generic[Client]):
    """Give `load` a client; `client` makes one of a connection and the seconds that are left."""

    client: Callable[[Connection, float], Client]
    connection: Connection
    load: Callable[[Client], Loaded]

    def __call__(self, seconds: float) -> Loaded:
        """Load within so many seconds. Raises PlexServerUnavailable while the breaker is open."""
        with breaker.guard(self.connection.server):
            return self.load(self.client(self.connection, seconds))
