"""The writing room: collections and playlists made, filled, ordered, changed and deleted in Plex.

views        who may, how often, and what was asked
serializers  what may be asked, what is answered
writing      one write from its claim to the drop of what it touched
once         Idempotency-Key: the first answer again, and creations that were not finished
filling      items put in, piece by piece, and what became of each
checking     items that cannot be put in, named one by one
collections, playlists  what each write does
"""
