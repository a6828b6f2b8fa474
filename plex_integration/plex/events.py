"""What Plex tells while it goes on: its event stream, read as changes of libraries.

The stream is server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
Nothing in it is trusted: lines and events have a size, and what cannot be read is passed over,
for entries have a time to live anyway. Only an event too large to be read is told, as `Missed`.
"""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from plex_integration.configuration.connection import Connection
from plex_integration.plex.http import Server

# Plex says something every 10 seconds, if only that it is there. Who is silent for longer than
# this is gone, though no one may have closed the connection: a pulled plug, a forgetful router.
SILENCE = 35.0

# The most bytes of one event; Plex's have some hundreds, or some thousands for a long timeline.
MOST_BYTES = 1024 * 1024

_PATH = "/:/eventsource/notifications"
_LIBRARY = "com.plexapp.plugins.library"
# The timeline's states: an item is as it will be, or gone. The ones before are steps on the way.
_DONE, _DELETED = 5, 9
_PLAYLIST = 15
_ITEM = re.compile(r"/library/metadata/([0-9]+)")


@dataclass(frozen=True)
class LibraryChanged:
    """Something in this library is not what it was."""

    library: str


@dataclass(frozen=True)
class ItemChanged:
    """This item is not what it was; Plex did not say whose it is."""

    item: str


@dataclass(frozen=True)
class Missed:
    """Something may have changed anywhere."""


Change = LibraryChanged | ItemChanged | Missed


@dataclass(frozen=True)
class Event:
    """A server-sent event; `data` is None where it was too large to keep."""

    name: str
    data: str | None


class Parser:
    """Reads events from bytes, in whatever pieces these come; never raises for any of them."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._line = bytearray()
        self._name = ""
        self._data: list[str] = []
        self._size = 0  # of what is kept of this event: its data, and a line break each
        self._is_too_large = False
        self._is_first_line = True
        self._is_after_cr = False

    def feed(self, piece: bytes) -> list[Event]:
        """Read a piece; return the events that it completes."""
        if self._is_after_cr and piece:
            piece, self._is_after_cr = piece.removeprefix(b"\n"), False
        if not piece:
            return []
        self._is_after_cr = piece.endswith(b"\r")
        begun, *others = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._keep(begun)
        events = []
        for other in others:
            if event := self._end_line():
                events.append(event)
            self._keep(other)
        return events

    def _keep(self, part: bytes) -> None:
        if self._size + len(self._line) + len(part) > self._most:
            self._is_too_large = True
        if self._is_too_large:
            self._data.clear()
            # Of a line that is passed over only matters that it is not empty.
            part, self._size = part[:1], 0
            del self._line[1:]
        self._line += part

    def _end_line(self) -> Event | None:
        line = bytes(self._line)
        self._line.clear()
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            return self._end_event()
        if not self._is_too_large:
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"event":
                self._name = value.decode("utf-8", "replace")
            elif field == b"data":
                self._data.append(value.decode("utf-8", "replace"))
                self._size += len(value) + 1
        return None

    def _end_event(self) -> Event | None:
        event = None
        if self._is_too_large:
            event = Event(self._name, None)
        elif self._data:
            event = Event(self._name, "\n".join(self._data))
        self._name, self._size, self._is_too_large = "", 0, False
        self._data.clear()
        return event


def follow(to: Connection) -> Generator[Sequence[Change], None, None]:
    """Listen to a server until it ends the stream; give what changed as it is told.

    The first is given once the server listens to us: `Missed`, for what changed before then. An
    empty one is a sign of life. Raises PlexServerUnavailable, also after `SILENCE` seconds
    without one, PlexUnauthorized and PlexApiError.
    Reference: https://developer.plex.tv/pms/
    """
    parser = Parser()
    with Server(to).stream(_PATH, "text/event-stream", SILENCE) as pieces:
        yield (Missed(),)
        for piece in pieces:
            yield [change for event in parser.feed(piece) for change in changes(event)]


def changes(event: Event) -> Iterator[Change]:
    """Tell what an event says of libraries; most say nothing of them.

    Plex's event stream has `{"ActivityNotification": {…}}`, its websocket a list of these in a
    `NotificationContainer`; any mixture is understood, ids are digits or numbers.
    """
    if event.data is None:
        yield Missed()
        return
    try:
        told = json.loads(event.data)
    except (ValueError, RecursionError):
        return
    container = _object(told).get("NotificationContainer", told)
    for entry in _objects(_object(container).get("TimelineEntry")):
        yield from _of_timeline(entry)
    for notification in _objects(_object(container).get("ActivityNotification")):
        if notification.get("event") == "ended":
            yield from _of_activity(_object(notification.get("Activity")))


def _of_timeline(entry: dict[str, Any]) -> Iterator[Change]:
    if entry.get("identifier") != _LIBRARY or _number(entry.get("type")) == _PLAYLIST:
        return
    if _number(entry.get("state")) in (_DONE, _DELETED):
        library, item = _number(entry.get("sectionID")), _number(entry.get("itemID"))
        if library:
            yield LibraryChanged(str(library))
        elif item:
            yield ItemChanged(str(item))


def _of_activity(activity: dict[str, Any]) -> Iterator[Change]:
    if activity.get("type") not in ("library.update.section", "library.refresh.items"):
        return
    context = _object(activity.get("Context"))
    if library := _number(context.get("librarySectionID")):
        yield LibraryChanged(str(library))
    elif item := _ITEM.match(str(context.get("key"))):
        yield ItemChanged(item[1])
    else:
        yield Missed()


def _object(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _objects(told: Any) -> list[dict[str, Any]]:
    return [_object(each) for each in (told if isinstance(told, list) else [told])]


def _number(told: Any) -> int | None:
    """Read an id or a state, which come as numbers or as digits; None for anything else."""
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 20:
        return int(told)
    return told if type(told) is int and 0 <= told < 10**19 else None
