"""The operator's pages in Django's admin.

connection  the connection to Plex, and a test of it
sign_in     sign in at plex.tv to get a token
policies    cache times and rate limits
status      the cache's numbers, and the state of what the service depends on
charts      responses over the last hours, as bars
clearing    what an operator can clear
states      Plex, breaker, Redis and listener, each in one sentence
stored      how many responses are cached
labels      what the pages call endpoints and durations
"""

from plex_integration.admin import connection, policies, status

__all__ = ["connection", "policies", "status"]
