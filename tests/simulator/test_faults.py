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

from .conftest import Asker

PATH = "/library/sections"


def test_a_refused_port_refuses_and_opens_again(fresh: Simulator, ask_fresh: Asker) -> None:
    assert ask_fresh(PATH).status == 200
    before = fresh.port
    fresh.fault("refused")
    ask_fresh.connection.close()
    with pytest.raises(ConnectionRefusedError):
        ask_fresh(PATH)
    ask_fresh.connection.close()
    fresh.heal()
    assert fresh.port == before
    assert ask_fresh(PATH).status == 200
    assert fresh.count(PATH) == 2


def test_a_port_can_be_refused_for_a_time(fresh: Simulator, ask_fresh: Asker) -> None:
    opened = threading.Event()
    heal = fresh.heal
    fresh.heal = lambda: (heal(), opened.set())  # type: ignore[method-assign,assignment]
    fresh.fault("refused", seconds=0.05)
    assert opened.wait(5)
    assert ask_fresh(PATH).status == 200


def test_a_silent_server_never_answers(fresh: Simulator) -> None:
    fresh.fault("silent")
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=0.3) as connection:
        connection.sendall(b"GET /identity HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)


@pytest.mark.parametrize("kind", ["drip_headers", "drip_body"])
def test_a_dripping_server_sends_byte_by_byte(fresh: Simulator, kind: str) -> None:
    fresh.fault(kind, interval=0.03)
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=5) as connection:
        connection.sendall(b"GET /identity HTTP/1.1\r\nHost: x\r\n\r\n")
        begun, pieces = time.monotonic(), []
        while time.monotonic() - begun < 0.5:
            pieces.append(connection.recv(1_000))
        assert sum(map(len, pieces[1:])) <= 40
        assert (b"\r\n\r\n" in pieces[0]) == (kind == "drip_body")


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_status_is_answered_in_plexs_words(
    fresh: Simulator, ask_fresh: Asker, status: int
) -> None:
    fresh.fault("status", status=status, retry_after=7)
    answer = ask_fresh(PATH)
    assert answer.status == status
    assert answer.headers["Retry-After"] == "7"
    if status == 503:
        assert answer.xml.get("title") == "Maintenance"
        assert ask_fresh("/identity", Accept="application/json").json["code"] == 503
    else:
        assert f"<h1>{status} ".encode() in answer.body


def test_a_fault_may_be_limited_to_paths_and_times(fresh: Simulator, ask_fresh: Asker) -> None:
    fresh.fault("status", path=r"^/library/sections/\d+$", times=2, status=500)
    assert [ask_fresh("/library/sections/1").status for _ in range(3)] == [500, 500, 200]
    assert ask_fresh(PATH).status == 200
    fresh.fault("empty", path="/library/metadata")
    assert ask_fresh(PATH).body != b""
    assert ask_fresh("/library/metadata/1000").body == b""


def test_broken_and_foreign_answers(fresh: Simulator, ask_fresh: Asker) -> None:
    fresh.fault("truncated", times=1)
    with pytest.raises(ElementTree.ParseError):
        _ = ask_fresh(PATH).xml
    fresh.fault("html", times=1)
    page = ask_fresh(PATH)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    fresh.fault("redirect", times=1, to="http://127.0.0.1:1/x")
    moved = ask_fresh(PATH)
    assert (moved.status, moved.headers["Location"]) == (302, "http://127.0.0.1:1/x")
    fresh.fault("doctype", times=1)
    assert b"<!DOCTYPE" in ask_fresh(PATH).body
    fresh.fault("wrong_encoding", times=1)
    lying = ask_fresh(PATH)
    assert lying.headers["Content-Encoding"] == "gzip"
    assert lying.body.startswith(b"<?xml")
    fresh.fault("cut", times=1)
    with pytest.raises(http.client.IncompleteRead):
        ask_fresh(PATH)


def test_too_much_data(fresh: Simulator, ask_fresh: Asker) -> None:
    fresh.fault("huge", times=1, size=300_000)
    assert len(ask_fresh(PATH).body) > 300_000
    fresh.fault("gzip_bomb", times=1, size=5_000_000)
    bomb = ask_fresh(PATH).body
    assert len(bomb) < 50_000
    assert len(gzip.decompress(bomb)) > 5_000_000
    fresh.fault("endless", times=1)
    connection = http.client.HTTPConnection(urlsplit(fresh.url).netloc, timeout=5)
    connection.request("GET", "/identity")
    assert len(connection.getresponse().read(3_000_000)) == 3_000_000
    connection.close()


def test_a_slow_server_answers_rightly_in_the_end(fresh: Simulator, ask_fresh: Asker) -> None:
    fresh.fault("slow", delay=0.2)
    begun = time.monotonic()
    assert ask_fresh(PATH).status == 200
    assert time.monotonic() - begun >= 0.2


def test_an_unknown_section_can_be_an_empty_200(fresh: Simulator, ask_fresh: Asker) -> None:
    fresh.fault("unknown_section_empty")
    answer = ask_fresh("/library/sections/77/all")
    assert (answer.status, answer.body) == (200, b"")
    assert ask_fresh("/library/sections/1/all").status == 200


def test_pictures_can_be_wrong(fresh: Simulator, ask_fresh: Asker) -> None:
    thumb = fresh.catalogue.items("1", "movie")[0].thumb or ""
    for kind, start in (("picture_html", b"<!DOCTYPE"), ("picture_svg", b"<svg")):
        fresh.fault(kind, times=1)
        answer = ask_fresh(thumb)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.body.startswith(start)
    fresh.fault("picture_oversized", times=1)
    assert len(ask_fresh(thumb).body) > 10 * 1024 * 1024
    fresh.fault("picture_missing", times=1)
    assert ask_fresh(thumb).status == 404
    assert ask_fresh(PATH).status == 200


def test_closing_ends_every_waiting_fault(fresh: Simulator) -> None:
    connections = []
    for kind in ("silent", "drip_headers", "slow"):
        options = {"slow": {"delay": 60.0}, "drip_headers": {"interval": 30.0}}.get(kind, {})
        fresh.fault(kind, path=f"/{kind}", **options)
        connection = socket.create_connection(("127.0.0.1", fresh.port), timeout=5)
        connections.append(connection)
        connection.sendall(f"GET /{kind} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    begun = time.monotonic()
    fresh.close()
    assert time.monotonic() - begun < 1
    for connection in connections:
        connection.close()


def test_unknown_kinds_and_options_are_named(fresh: Simulator) -> None:
    with pytest.raises(ValueError, match="unknown fault 'tired'"):
        fresh.fault("tired")
    with pytest.raises(ValueError, match="slow has no option colour"):
        fresh.fault("slow", colour=1)
    assert {"refused", "silent", "slow"} <= KINDS.keys()


def test_requests_are_counted_and_reported(fresh: Simulator, ask_fresh: Asker) -> None:
    ask_fresh("/library/sections/1/all?type=1&X-Plex-Token=secret", Accept="application/json")
    ask_fresh("/nothing", token=None)
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
