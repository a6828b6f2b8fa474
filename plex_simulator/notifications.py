"""Notifications for the clients that listen to /:/eventsource or /:/websockets."""

import queue
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from plex_simulator.catalogue import DELETED, UPDATED, Change
from plex_simulator.models import TYPE_NUMBERS

# What Plex does with an item that a client opens, by the parameter that asks for it: the title of
# the step, and what is known about the item after it. The simulator finds nothing to refresh.
REFRESH_STEPS: dict[str, tuple[str, dict[str, bool]]] = {
    "asyncCheckFiles": ("Checking files", {"accessible": True, "exists": True}),
    "asyncRefreshLocalMediaAgent": ("Refreshing local metadata", {"refreshed": False}),
    "asyncRefreshAnalysis": ("Refreshing media analysis", {"analyzed": False}),
}


@dataclass(frozen=True, slots=True)
class Message:
    """A notification: its type, and an object under the key that belongs to the type."""

    type: str
    key: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that the server does, and whose progress it reports."""

    type: str
    title: str
    user_id: int = 1  # the owner, whom scans belong to
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def message(self, event: str, **details: Any) -> Message:
        """Return the notification that the activity has started, went on or has ended."""
        activity: dict[str, Any] = {"uuid": self.id, "type": self.type, "title": self.title}
        activity |= {"cancellable": False, "userID": self.user_id, **details}
        content = {"event": event, "uuid": self.id, "Activity": activity}
        return Message("activity", "ActivityNotification", content)


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
            self.send(Message("timeline", "TimelineEntry", {**entry, "state": state}))
        scan = Activity("library.update.section", "Updating library")
        context = {"librarySectionID": change.library_key}
        self.send(scan.message("ended", subtitle=change.title, progress=100, Context=context))

    def send_refresh(self, path: str, steps: Sequence[str], user_id: int) -> None:
        """Send the progress of a refresh of the items at a path, from its start to its end."""
        refresh = Activity("library.refresh.items", "Refreshing", user_id)
        self.send(refresh.message("started", subtitle="", progress=0))
        subtitle = ""
        context: dict[str, Any] = {"key": path}
        for number, step in enumerate(steps):
            subtitle, findings = REFRESH_STEPS[step]
            progress = 100 * number // len(steps)
            self.send(
                refresh.message("updated", subtitle=subtitle, progress=progress, Context=context)
            )
            context = {**context, **findings}
        self.send(refresh.message("ended", subtitle=subtitle, progress=100, Context=context))
