"""The only door to Plex: no other package imports plexapi, requests or urllib3.

    client.py       PlexClient: one method per request to a Plex Media Server
    editing.py      CollectionEditor, PlaylistEditor: the same for writes
    watching.py     WatchClient: the watch states of a viewer
    writer.py       PlexWriter: what all writes share
    images.py       ImageClient: the same for images
    events.py       listen: changes, as the server reports them
    diagnostics.py  diagnose: the operator's connection test
    candidates.py   the addresses of a server, tried without a token
    plextv/         plex.tv, where Plex accounts sign in

    media.py        the value types that all of them return
    parsing/        Plex's XML to these value types

    calls.py        one connection and one deadline for all calls of a response
    paging.py       pages of lists, whatever page sizes the server prefers
    http.py         PlexHttp: python-plexapi's server class with bounded requests
    errors.py       the translation of everything that can go wrong
    xml.py          parsing XML while it arrives, within bounds
    repair.py       repairs of what Plex gets wrong in XML
    memory.py       the bound on the memory that parsed responses take
    transport.py    sessions that observe a deadline
    traced_transport.py  the same, with a span for each request; only where requests are traced
    ids.py          what an id looks like

Callers pass a Connection and get value types or errors of `plex_integration.errors`. No plexapi
object, no XML element and no foreign exception leaves this package. docs/architecture.md says which
parts of python-plexapi are used and which are bypassed.
"""

from plex_integration.plex.calls import PendingCall
from plex_integration.plex.client import IDS_PER_CALL, TYPE_NUMBERS, PlexClient
from plex_integration.plex.diagnostics import Diagnosis, diagnose
from plex_integration.plex.errors import PlexForbidden, PlexNotFound
from plex_integration.plex.events import (
    AnythingChanged,
    Change,
    CollectionChanged,
    ItemChanged,
    LibraryChanged,
    listen,
)

__all__ = [
    "IDS_PER_CALL",
    "TYPE_NUMBERS",
    "AnythingChanged",
    "Change",
    "CollectionChanged",
    "Diagnosis",
    "ItemChanged",
    "LibraryChanged",
    "PendingCall",
    "PlexClient",
    "PlexForbidden",
    "PlexNotFound",
    "diagnose",
    "listen",
]
