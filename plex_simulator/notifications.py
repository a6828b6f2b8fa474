"""Tells listeners what changed, as /:/eventsource and /:/websockets do."""

import queue
import threading
from typing import Any

from plex_simulator.catalogue import Change
from plex_simulator.models import TYPE_NUMBERS

Message = dict[str, Any]


class Broadcast:
    """Hands every notification to every listener."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[queue.Queue[Message | None]] = []

    def subscribe(self) -> "queue.Queue[Message | None]":
        listener: queue.Queue[Message | None] = queue.Queue()
        with self._lock:
            self._listeners.append(listener)
        return listener

    def unsubscribe(self, listener: "queue.Queue[Message | None]") -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def drop(self) -> int:
        """Hang up on everyone who listens; tell how many that were."""
        with self._lock:
            dropped, self._listeners = self._listeners, []
        for listener in dropped:
            listener.put(None)
        return len(dropped)

    def send(self, message: Message) -> None:
        with self._lock:
            for listener in self._listeners:
                listener.put(message)

    def send_change(self, change: Change) -> None:
        """Announce a change: its steps on the timeline, then the end of the activity."""
        entry = {
            "identifier": "com.plexapp.plugins.library",
            "sectionID": change.library_key,
            "itemID": change.rating_key,
            "type": TYPE_NUMBERS[change.type],
            "title": change.title,
            "metadataState": "deleted" if change.state == 9 else "created",
            "updatedAt": change.at,
        }
        states = [9] if change.state == 9 else [change.state, 5] if change.state != 5 else [5]
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
