"""Whose view of Plex a request has: the service's own, or that of the user's Plex account.

connections  the connection of a user, with the token of the user's Plex account
access       whether a viewer still has access, and what follows when it ends
tokens       the server's token for a Plex account, from plex.tv
identity     which server the configured address leads to
"""
