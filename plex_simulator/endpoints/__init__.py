"""The HTTP endpoints of the simulated server, one module per area of the Plex API.

system      the server itself, sessions, accounts, settings, watch state
history     what was played
library     libraries, items and collections
hubs        search, recently added items, Continue Watching
playlists   reading playlists
editing     creating, changing and deleting collections and playlists
agents      matching items with external ids
pictures    posters, backgrounds and the picture transcoder
"""
