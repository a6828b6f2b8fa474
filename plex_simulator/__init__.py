"""A simulated Plex Media Server with generated media.

It serves the Plex API over HTTP for the demo, tests, benchmarks and developers of clients, and
needs only the standard library and Pillow.

simulator             the `Simulator` class: start, change, add faults, close
control               the control API for other processes, under /simulator/
server                the HTTP server: authentication, routes, recorded requests
routing               routes, and the state and access checks that endpoints share
endpoints/            the endpoints of the Plex API, one module per area
plextv/               the part of plex.tv that clients need: sign-in, servers, Plex Home, shares
accounts              the accounts: their tokens, and what the owner shares with them
visibility            which items the filters of a share let an account see
messages              requests, responses and HTTP errors
nodes                 node trees and their XML and JSON
rendering             items, collections and playlists as nodes
catalogue             everything that the server holds, and all methods that change it
models                data classes: accounts, libraries, items, collections, playlists
tables/               the items of a library, generated on demand, one class per item type
generation/           titles, people, dates, ratings and files, generated from the seed
seeded_random         pseudo-random values without state
default_accounts      the accounts of the demo
default_collections   the collections that a new catalogue starts with
default_playlists     the playlists that a new catalogue starts with
preparation           what is computed in the background for large libraries
sizes                 how many items the libraries hold
fields                the fields that filters and sorts use
queries               which items a query selects, and in which order
matching              which items match a condition on a field
filter_options        the filters and sorts that a library offers to clients
faults                the ways in which the server can fail
playback              the playback sessions that clients report
preferences           the settings that the owner can change
notifications         notifications of changes
event_streams         server-sent events and websockets
"""

from plex_simulator.simulator import Simulator

__all__ = ["Simulator"]
