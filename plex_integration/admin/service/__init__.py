"""The state of the service: the first thing that an operator sees, and the banner of every page.

lines         a line for each thing that the service depends on, and all of them together
dependencies  Plex, Redis, the database and the listener
machine       processes, pictures on the disk, clocks and versions
suspicious    settings that look wrong
banner        what is wrong now, from what is known already
plex_check    the last check of Plex
database      what the database says about itself, and its pending migrations
view          the parts of the page that a script refreshes
"""
