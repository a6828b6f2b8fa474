"""Listen to Plex's event stream and report which libraries and items changed.

The stream consists of server-sent events
(https://html.spec.whatwg.org/multipage/server-sent-events.html). It is not trusted: the size of a
line and of an event is limited, and what cannot be parsed is ignored, because cached responses
expire anyway. Only an event that is too large is reported, as AnythingChanged.
"""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from plex_integration.configuration.connection import Connection
from plex_integration.plex.http import PlexHttp

# Plex sends at least a ping every 10 seconds. After this many seconds without a byte the connection
# is lost, even if nobody closed it: a pulled plug, a router that forgot it.
MAX_SILENCE = 35.0

# The largest event: Plex's have some hundred bytes, or some thousand for a long timeline.
MAX_BYTES = 1024 * 1024

_PATH = "/:/eventsource/notifications"
_LIBRARY_PLUGIN = "com.plexapp.plugins.library"
# The states of a timeline entry that end a change; those before are its intermediate steps.
_DONE, _DELETED = 5, 9
_PLAYLIST_TYPE = 15
# Plex names several items at once: /library/metadata/1,2,3.
_ITEMS_PATH = re.compile(r"/library/metadata/([0-9]+(?:,[0-9]+)*)(?:/|$)")
_COLLECTION_PATH = re.compile(r"/library/collections/([0-9]+)(?:/|$)")


@dataclass(frozen=True)
class LibraryChanged:
    """Something in this library changed."""

    library: str


@dataclass(frozen=True)
class ItemChanged:
    """This item changed; Plex did not name its library."""

    item: str


@dataclass(frozen=True)
class CollectionChanged:
    """This collection changed; Plex did not name its library."""

    collection: str


@dataclass(frozen=True)
class AnythingChanged:
    """Anything may have changed: an event was missed, too large, or did not say what changed."""


Change = LibraryChanged | ItemChanged | CollectionChanged | AnythingChanged


@dataclass(frozen=True)
class Event:
    """A server-sent event; `data` is None if it was too large."""

    name: str
    data: str | None


class EventParser:
    """Parse a stream of bytes, in pieces of any size, into events; never raise."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._line = bytearray()
        self._name = ""
        self._data: list[str] = []
        self._size = 0  # of the event's data so far, with a line break per line
        self._is_too_large = False
        self._is_first_line = True
        self._is_after_cr = False

    def feed(self, piece: bytes) -> list[Event]:
        """Parse a piece; return the events that it completes."""
        if self._is_after_cr and piece:
            piece, self._is_after_cr = piece.removeprefix(b"\n"), False
        if not piece:
            return []
        self._is_after_cr = piece.endswith(b"\r")
        first, *others = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._append(first)
        events = []
        for other in others:
            if event := self._end_line():
                events.append(event)
            self._append(other)
        return events

    def _append(self, part: bytes) -> None:
        if self._size + len(self._line) + len(part) > self._max_bytes:
            self._is_too_large = True
        if self._is_too_large:
            self._data.clear()
            # Of a line that is ignored, only whether it is empty matters: that ends the event.
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
            self._parse_field(line)
        return None

    def _parse_field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"data":
            self._data.append(value.decode("utf-8", "replace"))
            self._size += len(value) + 1

    def _end_event(self) -> Event | None:
        event = None
        if self._is_too_large:
            event = Event(self._name, None)
        elif self._data:
            event = Event(self._name, "\n".join(self._data))
        self._name, self._size, self._is_too_large = "", 0, False
        self._data.clear()
        return event


def listen(connection: Connection) -> Generator[Sequence[Change], None, None]:
    """Listen to a server until it ends the stream; return changes in batches as they arrive.

    The first batch, AnythingChanged, comes once the stream has begun: it covers the time before. An
    empty batch shows that the server is alive. Raises PlexServerUnavailable, also after MAX_SILENCE
    seconds without a byte, PlexUnauthorized and PlexApiError.
    Reference: https://developer.plex.tv/pms/
    """
    parser = EventParser()
    with PlexHttp(connection).stream(_PATH, "text/event-stream", MAX_SILENCE) as pieces:
        yield (AnythingChanged(),)
        for piece in pieces:
            yield [change for event in parser.feed(piece) for change in read_changes(event)]


def read_changes(event: Event) -> Iterator[Change]:
    """Return the changes in an event; most events have none.

    Plex's event stream sends `{"ActivityNotification": {…}}`, its websocket a list of these in a
    `NotificationContainer`. Both are understood, and ids may be digits or numbers.
    """
    if event.data is None:
        yield AnythingChanged()
        return
    try:
        message = json.loads(event.data)
    except (ValueError, RecursionError):
        return
    container = _as_object(_as_object(message).get("NotificationContainer", message))
    for entry in _as_objects(container.get("TimelineEntry")):
        yield from _timeline_changes(entry)
    for notification in _as_objects(container.get("ActivityNotification")):
        if notification.get("event") == "ended":
            yield from _activity_changes(_as_object(notification.get("Activity")))


def _timeline_changes(entry: dict[str, Any]) -> Iterator[Change]:
    is_playlist = _as_number(entry.get("type")) == _PLAYLIST_TYPE
    if entry.get("identifier") != _LIBRARY_PLUGIN or is_playlist:
        return
    if _as_number(entry.get("state")) in (_DONE, _DELETED):
        library, item = _as_number(entry.get("sectionID")), _as_number(entry.get("itemID"))
        if library:
            yield LibraryChanged(str(library))
        elif item:
            yield ItemChanged(str(item))


def _activity_changes(activity: dict[str, Any]) -> Iterator[Change]:
    if activity.get("type") not in ("library.update.section", "library.refresh.items"):
        return
    context = _as_object(activity.get("Context"))
    if _changed_nothing(context):
        return
    path = str(context.get("key"))
    if library := _as_number(context.get("librarySectionID")):
        yield LibraryChanged(str(library))
    elif items := _ITEMS_PATH.match(path):
        yield from map(ItemChanged, items[1].split(","))
    elif collection := _COLLECTION_PATH.match(path):
        yield CollectionChanged(collection[1])
    else:
        yield AnythingChanged()


def _changed_nothing(context: dict[str, Any]) -> bool:
    # Whenever a client opens an item, Plex looks for its files, for new metadata and for what to
    # analyze, and reports that as a refresh. Each of these steps may be left out.
    steps = [context[name] for name in ("refreshed", "analyzed") if name in context]
    if steps:
        return all(step is False for step in steps)
    return context.get("exists") is True and context.get("accessible") is True


def _as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_objects(value: Any) -> list[dict[str, Any]]:
    return [_as_object(each) for each in (value if isinstance(value, list) else [value])]


def _as_number(value: Any) -> int | None:
    """Return an id or a state, sent as a number or as digits; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if type(value) is int and 0 <= value < 10**19 else None
