import base64
import http.client
import json
import os
import socket
import struct
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from plex_simulator import Simulator

from .conftest import Asker

EVENTS = "/:/eventsource/notifications"


class Events:
    """Listens to server-sent events."""

    def __init__(self, simulator: Simulator) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(simulator.url).netloc, timeout=5)
        headers = {"X-Plex-Token": simulator.owner_token, "Accept": "text/event-stream"}
        self.connection.request("GET", EVENTS, headers=headers)
        self.response = self.connection.getresponse()

    def next(self) -> tuple[str, Any] | None:
        name = self.response.readline().decode()
        if not name:
            return None
        data = self.response.readline().decode()
        assert self.response.readline() == b"\n"
        container = json.loads(data.removeprefix("data: "))["NotificationContainer"]
        return name.removeprefix("event: ").strip(), container


def test_an_added_item_is_there_and_is_new(fresh: Simulator, ask_fresh: Asker) -> None:
    ask_fresh("/library/sections/1/all?type=1&sort=addedAt:desc")
    made = fresh.catalogue.add("1", "movie", "Brand <New>", year=2024)
    newest = ask_fresh.page("/library/sections/1/all?type=1&sort=addedAt:desc", 0, 1).xml
    assert newest[0].get("title") == "Brand <New>"
    assert newest.get("totalSize") == "61"
    assert ask_fresh(f"/library/metadata/{made.rating_key}").keys == [made.rating_key]


def test_a_removed_show_takes_its_episodes_along(fresh: Simulator, ask_fresh: Asker) -> None:
    show = fresh.catalogue.items("2", "show")[2]
    before = len(fresh.catalogue.items("2", "episode"))
    fresh.catalogue.remove(show.rating_key)
    assert len(fresh.catalogue.items("2", "episode")) == before - (show.leaf_count or 0)
    assert ask_fresh(f"/library/metadata/{show.rating_key}").status == 404
    assert show.rating_key not in ask_fresh("/library/sections/2/all").keys
    assert ask_fresh("/library/sections/2/all?type=4&sort=show.titleSort").status == 200


def test_an_added_episode_counts(fresh: Simulator, ask_fresh: Asker) -> None:
    season = fresh.catalogue.items("2", "season")[1]
    made = fresh.catalogue.add("2", "episode", "Extra", parent_rating_key=season.rating_key)
    now = fresh.catalogue.item(season.rating_key)
    assert now is not None
    assert now.leaf_count == (season.leaf_count or 0) + 1
    assert made.grandparent_title == season.parent_title
    found = ask_fresh(f"/library/metadata/{season.rating_key}/children").keys
    assert found[-1] == made.rating_key
    with pytest.raises(ValueError, match="parent_rating_key"):
        fresh.catalogue.add("2", "episode", "Orphan")


def test_a_new_title_is_sorted_anew_and_reaches_the_episodes(
    fresh: Simulator, ask_fresh: Asker
) -> None:
    show = fresh.catalogue.items("2", "show")[1]
    ask_fresh("/library/sections/2/all?sort=titleSort")
    fresh.catalogue.change(show.rating_key, title="Zzz", title_sort=None)
    assert ask_fresh("/library/sections/2/all?sort=titleSort:desc").keys[0] == show.rating_key
    leaves = ask_fresh(f"/library/metadata/{show.rating_key}/allLeaves").xml
    assert {leaf.get("grandparentTitle") for leaf in leaves} == {"Zzz"}


def test_changes_move_the_counters_of_the_library(fresh: Simulator, ask_fresh: Asker) -> None:
    def counter() -> tuple[int, int]:
        row = ask_fresh("/library/sections").xml[0]
        return int(row.get("contentChangedAt", "")), int(row.get("updatedAt", ""))

    item = fresh.catalogue.items("1", "movie")[5]
    first = counter()
    changed = fresh.catalogue.change(item.rating_key, title="Other")
    assert counter() > first
    assert counter()[0] > 2**53
    assert (changed.updated_at or 0) > (item.updated_at or 0)


def test_marking_watched_is_for_one_user(fresh: Simulator, ask_fresh: Asker) -> None:
    path = "/library/sections/1/all?type=1&unwatched=1"
    key = ask_fresh(path, token="viewer").keys[0]
    owners = ask_fresh(path).keys
    assert ask_fresh(f"/:/scrobble?key={key}&identifier=x", token="viewer").status == 200
    assert key not in ask_fresh(path, token="viewer").keys
    assert ask_fresh(path).keys == owners
    assert ask_fresh(f"/:/unscrobble?key={key}&identifier=x", token="viewer").status == 200
    assert key in ask_fresh(path, token="viewer").keys


def test_a_whole_show_can_be_watched(fresh: Simulator) -> None:
    show = fresh.catalogue.items("2", "show")[0]
    fresh.catalogue.mark_watched(show.rating_key)
    seen = fresh.catalogue.items("2", "show")[0].watch_states[1]
    assert seen.viewed_leaf_count == show.leaf_count


def test_listeners_hear_of_changes(fresh: Simulator) -> None:
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


def test_listeners_can_be_dropped_and_come_back(fresh: Simulator) -> None:
    events = Events(fresh)
    assert fresh.drop_listeners() == 1
    assert events.next() is None
    again = Events(fresh)
    fresh.catalogue.add("1", "movie", "Back")
    assert (again.next() or ("", {}))[0] == "timeline"
    events.connection.close()
    again.connection.close()


def test_listening_needs_a_token(ask_fresh: Asker) -> None:
    assert ask_fresh(EVENTS, token=None).status == 401


def test_a_websocket_hears_the_same(fresh: Simulator) -> None:
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
        kind, length = struct.unpack(">BB", incoming.read(2))
        assert kind == 0x81
        if length == 126:
            (length,) = struct.unpack(">H", incoming.read(2))
        told = json.loads(incoming.read(length))["NotificationContainer"]
        assert told["TimelineEntry"][0]["title"] == "Over the socket"
        connection.sendall(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
        seen = b""
        while piece := connection.recv(4_096):
            seen += piece
        assert seen.endswith(b"\x88\x02\x03\xe8")


# Control over HTTP


def control(simulator: Simulator, method: str, place: str, /, **told: Any) -> Any:
    connection = http.client.HTTPConnection(urlsplit(simulator.url).netloc, timeout=5)
    connection.request(method, f"/simulator/{place}", body=json.dumps(told))
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return answer if response.status == 200 else (response.status, answer)


def test_other_processes_control_it_over_http(fresh: Simulator, ask_fresh: Asker) -> None:
    overview = control(fresh, "GET", "")
    assert overview["libraries"][0]["items"] == {"movie": 60}
    assert fresh.owner_token not in json.dumps(overview)
    key = control(fresh, "POST", "items", library="1", type="movie", title="Remote")["ratingKey"]
    control(fresh, "PUT", f"items/{key}", title="Remoter")
    assert ask_fresh(f"/library/metadata/{key}").xml[0].get("title") == "Remoter"
    control(fresh, "POST", f"items/{key}/watched", user="viewer")
    assert ask_fresh(f"/library/metadata/{key}", token="viewer").xml[0].get("viewCount") == "1"
    control(fresh, "DELETE", f"items/{key}")
    assert ask_fresh(f"/library/metadata/{key}").status == 404
    control(fresh, "POST", "faults", kind="status", status=500, path="/library", times=1)
    assert ask_fresh("/library/sections").status == 500
    report = control(fresh, "GET", "requests?path=/library/sections")
    assert report["count"] == 1
    control(fresh, "DELETE", "requests")
    assert fresh.count() == 0
    assert control(fresh, "DELETE", "listeners") == {"dropped": 0}


def test_control_says_what_is_wrong(fresh: Simulator) -> None:
    assert control(fresh, "POST", "faults", kind="tired")[0] == 400
    assert control(fresh, "DELETE", "items/5")[0] == 404
    assert control(fresh, "GET", "nowhere")[0] == 404
    assert control(fresh, "POST", "items", library="1")[0] == 404
    assert control(fresh, "PUT", "items/1000", colour=1)[0] == 400


def test_a_port_refused_over_http_answers_first(fresh: Simulator) -> None:
    opened = threading.Event()
    heal = fresh.heal
    fresh.heal = lambda: (heal(), opened.set())  # type: ignore[method-assign,assignment]
    assert "faults" in control(fresh, "POST", "faults", kind="refused", seconds=0.1)
    assert opened.wait(5)
    assert control(fresh, "GET", "")["faults"] == []


def test_search_goes_on_after_an_item_is_removed(fresh: Simulator, ask_fresh: Asker) -> None:
    gone = fresh.catalogue.add("1", "movie", "Quite Gone Soon")
    fresh.catalogue.remove(gone.rating_key)
    assert ask_fresh("/hubs/search?query=quite+gone&limit=5").status == 200
