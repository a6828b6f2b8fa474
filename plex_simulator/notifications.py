"""Notifications for the clients that listen to /:/eventsource or /:/websockets."""

import queue
import threading
from typing import Any

from plex_simulator.catalogue import DELETED, UPDATED, Change
from plex_simulator.models import TYPE_NUMBERS

Message = dict[str, Any]
Listener = queue.Queue[Message | None]  # None: the server disconnects the listener


class Broadcast:
    """Sends every notification to every listener."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def subscribe(self) -> Listener:
        listener: Listener = queue.Queue()
        with self._lock:
            self._listeners.append(listener)
        return listener

    def unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    @property
    def listeners(self) -> int:
        """Return the number of listeners."""
        return len(self._listeners)

    def disconnect_all(self) -> int:
        """Disconnect all listeners and return their number."""
        with self._lock:
            disconnected, self._listeners = self._listeners, []
        for listener in disconnected:
            listener.put(None)
        return len(disconnected)

    def send(self, message: Message) -> None:
        with self._lock:
            for listener in self._listeners:
                listener.put(message)

    def send_change(self, change: Change) -> None:
        """Send the timeline notifications of a change and the end of its activity."""
        entry = {
            "identifier": "com.plexapp.plugins.library",
            "sectionID": change.library_key,
            "itemID": change.rating_key,
            "type": TYPE_NUMBERS[change.type],
            "title": change.title,
            "metadataState": "deleted" if change.state == DELETED else "created",
            "updatedAt": change.at,
        }
        # A created item is reported as created and then as updated.
        states = [change.state] if change.state in (UPDATED, DELETED) else [change.state, UPDATED]
        for state in states:
            self.send({"type": "timeline", "size": 1, "TimelineEntry": [{**entry, "state": state}]})
        activity = {
            "event": "ended",
            "uuid": f"{int(change.rating_key):032x}",
            "Activity": {
                "uuid": f"{int(change.rating_key):032x}",
                "type": "library.update.section",
                "cancellable": False,
                "userID": 1,
                "title": "Updating library",
                "subtitle": change.title,
                "progress": 100,
                "Context": {"librarySectionID": change.library_key},
            },
        }
        self.send({"type": "activity", "size": 1, "ActivityNotification": [activity]})
