"""A load from Plex for the response cache: a client with a deadline, behind the breaker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from plex_integration.caching import breaker
from plex_integration.caching.response_cache import Loaded
from plex_integration.configuration.connection import Connection
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Library

Client = TypeVar("Client", bound=PlexClient)


@dataclass(frozen=True)
class PlexLoad(Generic[Client]):
    """Give `load` a client of the server; `libraries` are those that are known already."""

    client: type[Client]
    connection: Connection
    load: Callable[[Client], Loaded]
    libraries: Sequence[Library] = ()

    def __call__(self, seconds: float) -> Loaded:
        """Load within so many seconds. Raises PlexServerUnavailable while the breaker is open."""
        with breaker.guard():
            return self.load(self.client(self.connection, seconds, self.libraries))
