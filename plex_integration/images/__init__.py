"""Posters, backgrounds and composites: an id in, a decoded and newly encoded image out.

A client names an item and a kind, never a path or an address. The path is what Plex says of that
item, and only Plex's transcoder is asked for it. Every image is decoded and encoded again, so no
byte from Plex reaches a browser unchanged.

    viewsets.py        the endpoint: one request, top to bottom
    authentication.py  who may see an image: users, and holders of a signed link
    signing.py         links for <img>, which cannot send a token
    query.py           what a client may request: kinds, sizes, formats
    versions.py        Plex's paths of images, as a short text that can be part of a link
    fetch.py           get an image from the disk cache, or fetch it from Plex once for all requests
    render.py          decode, resize and encode what Plex sent
    disk_cache.py      a folder of images that all workers of a machine share, read in pieces
"""
