"""Writes: collections and playlists, and what each viewer has watched.

viewsets       the endpoints and the write flow
permissions    who may write
bodies         query parameters and bodies of writes
serializers    payloads of writes
collections    one service per endpoint that writes to a collection
playlists      the same for playlists
watching       the same for what a viewer has watched
watch_changes  what a write does to a watch state, and what is left to do
played_threshold  from where on a server counts a video as watched
operation      one write as its service sees it: the request, what it writes, its outcome
held_locks     the locks that one write holds, and how long it waits for them
locks          locks in the database
execution      one write from its locks to the invalidation of what it wrote
idempotency    Idempotency-Key, and creations that failed halfway
creation       create a collection or playlist, or finish what an earlier attempt began
items          add items in chunks, and find out the state of each
positions      find, remove and move an item
changes        edit fields, and find out the state of each
deletion       delete a collection or playlist
states         states of items and fields, as payloads and error details write them
validation     name every item that cannot be added
"""
