import base64
import http.client
import json
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from plex_simulator import Simulator, event_streams

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
        return name.removeprefix("event: ").strip(), json.loads(data.removeprefix("data: "))


@pytest.fixture
def events(fresh: Simulator) -> Iterator[Events]:
    events = Events(fresh)
    yield events
    events.connection.close()


def test_each_change_is_an_event_with_one_bare_object(fresh: Simulator, events: Events) -> None:
    assert events.response.headers["Content-Type"] == "text/event-stream"
    item = fresh.catalogue.items("1", "movie")[5]
    fresh.catalogue.change(item.rating_key, title="Émile & Co")
    name, content = events.next() or ("", {})
    assert name == "timeline"
    assert list(content) == ["TimelineEntry"]
    entry = content["TimelineEntry"]
    assert (entry["sectionID"], entry["itemID"], entry["state"]) == ("1", item.rating_key, 5)
    assert entry["title"] == "Émile & Co"
    name, content = events.next() or ("", {})
    assert name == "activity"
    assert list(content) == ["ActivityNotification"]
    activity = content["ActivityNotification"]
    assert (activity["event"], activity["Activity"]["type"]) == ("ended", "library.update.section")
    fresh.catalogue.remove(item.rating_key)
    assert (events.next() or ("", {}))[1]["TimelineEntry"]["state"] == 9


def test_a_playback_report_is_an_event_without_the_account(
    fresh: Simulator, fresh_client: PlexClient, events: Events
) -> None:
    movie = fresh.catalogue.items("1", "movie")[5].rating_key
    library = fresh.catalogue.library("1")
    client = {"X_Plex_Client_Identifier": "tv"}
    for time in (90_000, 100_000):
        path = f"/:/timeline?ratingKey={movie}&time={time}&state=playing"
        assert fresh_client.post(path, token="viewer", **client).status == 200
        name, content = events.next() or ("", {})
        (report,) = content.values()
        assert (name, list(content)) == ("playing", ["PlaySessionStateNotification"])
        assert (report["ratingKey"], report["viewOffset"]) == (movie, time)
        assert (report["state"], report["sessionKey"]) == ("playing", "4")
        assert "userID" not in report
    assert fresh.catalogue.library("1") == library


def test_a_ping_shows_that_the_stream_is_alive(
    fresh: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert event_streams.KEEPALIVE_INTERVAL == 10
    monkeypatch.setattr(event_streams, "KEEPALIVE_INTERVAL", 0.05)
    events = Events(fresh)
    assert [events.next(), events.next()] == [("ping", {})] * 2
    events.connection.close()


def test_an_item_that_a_client_opens_is_checked_and_refreshed(
    fresh: Simulator, fresh_client: PlexClient, events: Events
) -> None:
    one, two = (item.rating_key for item in fresh.catalogue.items("1", "movie")[:2])
    path = f"/library/metadata/{one},{two}"
    fresh_client.get(f"/library/metadata/{one}")
    steps = "asyncCheckFiles=1&asyncRefreshLocalMediaAgent=1&asyncRefreshAnalysis=1"
    fresh_client.get(f"{path}?{steps}")
    received = [events.next() or ("", {}) for _ in range(5)]
    assert {name for name, _ in received} == {"activity"}
    notifications = [content["ActivityNotification"] for _, content in received]
    assert [each["event"] for each in notifications] == [
        *("started", "updated", "updated", "updated", "ended")
    ]
    activities = [each["Activity"] for each in notifications]
    assert {each["type"] for each in activities} == {"library.refresh.items"}
    assert len({each["uuid"] for each in activities + notifications}) == 1
    assert [(each["subtitle"], each["progress"]) for each in activities] == [
        ("", 0),
        ("Checking files", 0),
        ("Refreshing local metadata", 33),
        ("Refreshing media analysis", 66),
        ("Refreshing media analysis", 100),
    ]
    found = {"key": path, "accessible": True, "exists": True}
    assert [each.get("Context") for each in activities] == [
        None,
        {"key": path},
        found,
        {**found, "refreshed": False},
        {**found, "refreshed": False, "analyzed": False},
    ]


def test_a_refresh_names_the_user_who_opened_the_item(
    fresh: Simulator, fresh_client: PlexClient, events: Events
) -> None:
    key = fresh.catalogue.items("1", "movie")[0].rating_key
    fresh_client.get(f"/library/metadata/{key}?asyncCheckFiles=1", token="viewer")
    started = (events.next() or ("", {}))[1]["ActivityNotification"]["Activity"]
    assert started["userID"] == fresh.catalogue.viewer.id


def test_disconnected_listeners_can_reconnect(fresh: Simulator, events: Events) -> None:
    assert fresh.drop_listeners() == 1
    assert events.next() is None
    again = Events(fresh)
    fresh.catalogue.add("1", "movie", "Back")
    assert (again.next() or ("", {}))[0] == "timeline"
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
