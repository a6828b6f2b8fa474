"""The client of plex.tv, where Plex accounts sign in.

    http.py      one bounded request, its client identifier, and its errors
    pins.py      PINs: someone signs in at plex.tv, and this service gets a token
    accounts.py  who an account is, and its token for a Plex Media Server
    servers.py   the servers of the operator's account, and their addresses
    home.py      the profiles of a Plex Home, and switching to one
    shares.py    with whom the owner shares a server
    share_filters.py  which items the filters of a share hide

No answer of plex.tv is logged or stored as it came: it repeats tokens, PINs and mail addresses.
docs/architecture.md says why python-plexapi's classes for plex.tv are not used.
"""
