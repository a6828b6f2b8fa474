"""Plex's XML elements to the value types of `media.py`. Pure functions: no network, no settings.

    attributes.py    single attributes: text, whole, number, flag, instant
    server.py        the server and its features
    libraries.py     libraries, their filters, genres and storage; the library of an item
    items.py         items: rows of lists and searches, complete rows, item details
    tags.py          what an item has below it: genres, actors, ratings, chapters, external ids
    versions.py      the versions of an item, their files and streams
    collections.py   collections
    playlists.py     playlists

Plex is not trusted: a value of the wrong kind counts as absent, a row without a valid id is left
out, and nothing raises. python-plexapi's own casts turn a wrong value into NaN, a local time or an
exception.
"""
