"""The operator's pages in Django's admin.

connection  the connection to Plex, and a test of it
missing     what the connection lacks before Plex can be used
sign_in     sign in at plex.tv, to choose one of the account's servers
account     the account that an operator has signed in to, in the session
servers     the servers of that account
addresses   the addresses of a server: test them and use one
viewers     users with their own view of Plex
importing   users from those who have access to Plex
visibility  why a user does not see an item or a library
single_row  what the pages of models with one row share
policies    cache times and rate limits
service     the state of the service, on the first page, and the banner of every page
status      the cache's numbers, and the state of what the service depends on
charts      responses over the last hours, as bars
clearing    what an operator can clear
states      Plex, breaker, Redis and listener, each in one sentence
stored      how many responses are cached
labels      what the pages call endpoints and durations
"""

from accounts.site import add_first_page
from plex_integration.admin import connection, missing, policies, status, viewers
from plex_integration.admin.visibility import page as visibility_page

add_first_page(missing.first_page)

__all__ = ["connection", "policies", "status", "viewers", "visibility_page"]
