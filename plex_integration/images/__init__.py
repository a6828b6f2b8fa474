"""Posters, backgrounds and composites: an id in, a checked and newly written picture out.

A client names an item and a kind, never a path or an address. The path is Plex's own word on that
item, and is asked of Plex's transcoder alone; whatever comes back is decoded and written anew, so
that no byte of it reaches a browser as it was.

    asked.py     what may be asked: kinds, sizes, formats
    versions.py  which pictures of Plex's there are, as a text that can stand in a link
    signing.py   links for <img>, which cannot send a token
    drawing.py   bytes of Plex's to a picture of the size and format wanted, or an error
    disk.py      pictures kept in a folder that all workers share
    fetching.py  one picture: from the folder, or from Plex, once for all who want it
    views.py     the endpoint
"""
