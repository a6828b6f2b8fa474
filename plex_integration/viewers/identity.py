"""Which server the configured address leads to: the identifier by which plex.tv knows it."""

from medianest.api.exceptions import Problem
from plex_integration.caching import breaker
from plex_integration.configuration import changes, runtime
from plex_integration.configuration.connection import Connection
from plex_integration.plex import PlexClient


def machine_identifier(connection: Connection) -> str:
    """Return the server's identifier; Plex is asked once for each configured address.

    Raises the errors of a request to Plex.
    """
    return connection.machine_identifier or _read(connection)


def current_machine_identifier() -> str:
    """Return the server's identifier as it is now: another server may have taken the address.

    The known one is returned while Plex does not respond. Raises the errors of a request to Plex
    if there is none.
    """
    connection = runtime.required_connection()
    try:
        return _read(connection)
    except Problem:
        if connection.machine_identifier:
            return connection.machine_identifier
        raise


def _read(connection: Connection) -> str:
    with breaker.guard(connection.server):
        found = PlexClient(connection, connection.seconds).machine_identifier()
    if found != connection.machine_identifier:
        changes.learn_identity(connection.url, found)
    return found
