"""The operator's rooms: the connection to Plex, the policies, and how the cache does."""

from plex_integration.admin import connection, policies, status

__all__ = ["connection", "policies", "status"]
