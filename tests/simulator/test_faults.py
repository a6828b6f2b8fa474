import gzip
import http.client
import socket
import threading
import time
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from plex_simulator import Simulator
from plex_simulator.faults import KINDS
from tests.pace import Stopwatch
from tests.service import until

from .conftest import PlexClient

PATH = "/library/sections"


def test_the_fault_refused_closes_the_port_until_heal(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    assert fresh_client.get(PATH).status == 200
    before = fresh.port
    fresh.fault("refused")
    fresh_client.connection.close()
    with pytest.raises(ConnectionRefusedError):
        fresh_client.get(PATH)
    fresh_client.connection.close()
    fresh.heal()
    assert fresh.port == before
    assert fresh_client.get(PATH).status == 200
    assert fresh.count(PATH) == 2


def test_the_fault_refused_can_be_limited_to_some_seconds(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    opened = threading.Event()
    heal = fresh.heal
    fresh.heal = lambda: (heal(), opened.set())  # type: ignore[method-assign,assignment]
    fresh.fault("refused", seconds=0.05)
    assert opened.wait(5)
    assert fresh_client.get(PATH).status == 200


def test_the_fault_silent_sends_no_response(fresh: Simulator) -> None:
    fresh.fault("silent")
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=0.3) as connection:
        connection.sendall(b"GET /identity HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_request_that_is_answered_after_a_reset_is_not_recorded(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.fault("silent", times=1)
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=20) as connection:
        connection.sendall(b"GET /identity HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: fresh.faults[0]["left"] == 0, 10, "it is received")
        fresh.reset_requests()
        fresh.heal()
        assert connection.recv(1) == b""
    assert fresh_client.get(PATH).status == 200
    assert [each.path for each in fresh.requests] == [PATH]


@pytest.mark.parametrize("kind", ["drip_headers", "drip_body"])
def test_the_drip_faults_send_one_byte_at_a_time(fresh: Simulator, kind: str) -> None:
    interval = 0.03
    fresh.fault(kind, interval=interval)
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=20) as connection:
        started, received, dripped = time.monotonic(), b"", b""
        connection.sendall(b"GET /identity HTTP/1.1\r\nHost: x\r\n\r\n")
        while len(dripped) < 10:
            received += connection.recv(1_000)
            dripped = received if kind == "drip_headers" else received.partition(b"\r\n\r\n")[2]
        assert time.monotonic() - started >= (len(dripped) - 2) * interval


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_the_fault_status_sends_the_error_page_of_plex(
    fresh: Simulator, fresh_client: PlexClient, status: int
) -> None:
    fresh.fault("status", status=status, retry_after=7)
    response = fresh_client.get(PATH)
    assert response.status == status
    assert response.headers["Retry-After"] == "7"
    if status == 503:
        assert response.xml.get("title") == "Maintenance"
        assert fresh_client.get("/identity", Accept="application/json").json["code"] == 503
    else:
        assert f"<h1>{status} ".encode() in response.body


def test_a_fault_can_be_limited_to_paths_and_a_number_of_requests(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.fault("status", path=r"^/library/sections/\d+$", times=2, status=500)
    assert [fresh_client.get("/library/sections/1").status for _ in range(3)] == [500, 500, 200]
    assert fresh_client.get(PATH).status == 200
    fresh.fault("empty", path="/library/metadata")
    assert fresh_client.get(PATH).body != b""
    assert fresh_client.get("/library/metadata/1000").body == b""


def test_faults_that_send_broken_or_unexpected_content(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.fault("truncated", times=1)
    with pytest.raises(ElementTree.ParseError):
        _ = fresh_client.get(PATH).xml
    fresh.fault("html", times=1)
    page = fresh_client.get(PATH)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    fresh.fault("redirect", times=1, to="http://127.0.0.1:1/x")
    moved = fresh_client.get(PATH)
    assert (moved.status, moved.headers["Location"]) == (302, "http://127.0.0.1:1/x")
    fresh.fault("doctype", times=1)
    assert b"<!DOCTYPE" in fresh_client.get(PATH).body
    fresh.fault("wrong_encoding", times=1)
    response = fresh_client.get(PATH)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.body.startswith(b"<?xml")
    fresh.fault("cut", times=1)
    with pytest.raises(http.client.IncompleteRead):
        fresh_client.get(PATH)


def test_faults_that_send_too_much_data(fresh: Simulator, fresh_client: PlexClient) -> None:
    fresh.fault("huge", times=1, size=300_000)
    assert len(fresh_client.get(PATH).body) > 300_000
    fresh.fault("gzip_bomb", times=1, size=5_000_000)
    bomb = fresh_client.get(PATH).body
    assert len(bomb) < 50_000
    assert len(gzip.decompress(bomb)) > 5_000_000
    fresh.fault("endless", times=1)
    connection = http.client.HTTPConnection(urlsplit(fresh.url).netloc, timeout=5)
    connection.request("GET", "/identity")
    assert len(connection.getresponse().read(3_000_000)) == 3_000_000
    connection.close()


def test_the_fault_slow_sends_the_correct_response_later(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.fault("slow", delay=0.2)
    started = time.monotonic()
    assert fresh_client.get(PATH).status == 200
    assert time.monotonic() - started >= 0.2


def test_an_unknown_library_can_be_answered_with_an_empty_200(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.fault("unknown_section_empty")
    response = fresh_client.get("/library/sections/77/all")
    assert (response.status, response.body) == (200, b"")
    assert fresh_client.get("/library/sections/1/all").status == 200


def test_faults_that_send_invalid_pictures(fresh: Simulator, fresh_client: PlexClient) -> None:
    thumb = fresh.catalogue.items("1", "movie")[0].thumb or ""
    for kind, start in (("picture_html", b"<!DOCTYPE"), ("picture_svg", b"<svg")):
        fresh.fault(kind, times=1)
        response = fresh_client.get(thumb)
        assert response.headers["Content-Type"] == "image/jpeg"
        assert response.body.startswith(start)
    fresh.fault("picture_oversized", times=1)
    assert len(fresh_client.get(thumb).body) > 10 * 1024 * 1024
    fresh.fault("picture_missing", times=1)
    assert fresh_client.get(thumb).status == 404
    assert fresh_client.get(PATH).status == 200


def test_closing_the_simulator_ends_all_delays(fresh: Simulator) -> None:
    connections = []
    for kind in ("silent", "drip_headers", "slow"):
        options = {"slow": {"delay": 60.0}, "drip_headers": {"interval": 30.0}}.get(kind, {})
        fresh.fault(kind, path=f"/{kind}", **options)
        connection = socket.create_connection(("127.0.0.1", fresh.port), timeout=5)
        connections.append(connection)
        connection.sendall(f"GET /{kind} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    watch = Stopwatch()
    fresh.close()
    assert watch.keeps(1), watch
    for connection in connections:
        connection.close()


def test_unknown_kinds_and_options_of_faults_are_reported(fresh: Simulator) -> None:
    with pytest.raises(ValueError, match="unknown fault 'tired'"):
        fresh.fault("tired")
    with pytest.raises(ValueError, match="slow has no option colour"):
        fresh.fault("slow", colour=1)
    assert {"refused", "silent", "slow"} <= KINDS.keys()


def test_requests_are_recorded_without_tokens(fresh: Simulator, fresh_client: PlexClient) -> None:
    fresh_client.get(
        "/library/sections/1/all?type=1&X-Plex-Token=secret", Accept="application/json"
    )
    fresh_client.get("/nothing", token=None)
    assert fresh.count() == 2
    assert fresh.count("/library") == 1
    assert fresh.count("^/no") == 1
    first, second = fresh.requests
    assert (first.method, first.path, first.query) == (
        "GET",
        "/library/sections/1/all",
        {"type": "1"},
    )
    assert (first.status, first.user, second.status, second.user) == (200, "Margit", 401, None)
    assert first.headers["accept"] == "application/json"
    assert "x-plex-token" not in first.headers
    fresh.reset_requests()
    assert fresh.count() == 0
