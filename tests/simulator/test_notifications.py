import base64
import http.client
import json
import os
import socket
import struct
from typing import Any
from urllib.parse import urlsplit

from plex_simulator import Simulator

from .conftest import PlexClient

EVENTS = "/:/eventsource/notifications"


class Events:
    """Receives server-sent events."""

    def __init__(self, simulator: Simulator) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(simulator.url).netloc, timeout=5)
        headers = {"X-Plex-Token": simulator.owner_token, "Accept": "text/event-stream"}
        self.connection.request("GET", EVENTS, headers=headers)
        self.response = self.connection.getresponse()

    def next(self) -> tuple[str, Any] | None:
        """Return the name and content of the next event, or None at the end of the stream."""
        name = self.response.readline().decode()
        if not name:
            return None
        data = self.response.readline().decode()
        assert self.response.readline() == b"\n"
        container = json.loads(data.removeprefix("data: "))["NotificationContainer"]
        return name.removeprefix("event: ").strip(), container


def test_listeners_receive_notifications_of_changes(fresh: Simulator) -> None:
    events = Events(fresh)
    assert events.response.headers["Content-Type"] == "text/event-stream"
    item = fresh.catalogue.items("1", "movie")[5]
    fresh.catalogue.change(item.rating_key, title="Émile & Co")
    name, container = events.next() or ("", {})
    assert name == container["type"] == "timeline"
    entry = container["TimelineEntry"][0]
    assert (entry["sectionID"], entry["itemID"], entry["state"]) == ("1", item.rating_key, 5)
    assert entry["title"] == "Émile & Co"
    name, container = events.next() or ("", {})
    assert name == "activity"
    activity = container["ActivityNotification"][0]
    assert (activity["event"], activity["Activity"]["type"]) == ("ended", "library.update.section")
    fresh.catalogue.remove(item.rating_key)
    assert (events.next() or ("", {}))[1]["TimelineEntry"][0]["state"] == 9
    events.connection.close()


def test_disconnected_listeners_can_reconnect(fresh: Simulator) -> None:
    events = Events(fresh)
    assert fresh.drop_listeners() == 1
    assert events.next() is None
    again = Events(fresh)
    fresh.catalogue.add("1", "movie", "Back")
    assert (again.next() or ("", {}))[0] == "timeline"
    events.connection.close()
    again.connection.close()


def test_listening_for_notifications_needs_a_token(fresh_client: PlexClient) -> None:
    assert fresh_client.get(EVENTS, token=None).status == 401


def test_a_websocket_receives_the_same_notifications(fresh: Simulator) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=5) as connection:
        request = (
            f"GET /:/websockets/notifications?X-Plex-Token={fresh.owner_token} HTTP/1.1\r\n"
            "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        connection.sendall(request.encode())
        incoming = connection.makefile("rb")
        assert incoming.readline().startswith(b"HTTP/1.1 101")
        while incoming.readline() != b"\r\n":
            pass
        fresh.catalogue.add("1", "movie", "Over the socket")
        opcode, length = struct.unpack(">BB", incoming.read(2))
        assert opcode == 0x81
        if length == 126:
            (length,) = struct.unpack(">H", incoming.read(2))
        container = json.loads(incoming.read(length))["NotificationContainer"]
        assert container["TimelineEntry"][0]["title"] == "Over the socket"
        connection.sendall(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
        received = b""
        while piece := connection.recv(4_096):
            received += piece
        assert received.endswith(b"\x88\x02\x03\xe8")
