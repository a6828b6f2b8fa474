"""Requests whose body comes slowly, or is too large, or never comes."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from medianest.api.middleware import NO_PAGE, PAGE
from medianest.serving import bodies
from medianest.serving.bodies import MAX_BODY_BYTES, BodyLayer
from medianest.serving.responses import Receive, Scope, Send
from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import HOST, OPERATOR, PASSWORD, Person, Service, Valkey, ask, at_once

from .conftest import ITEMS
from .exchange import DISCONNECT, Client, body, scope_of

PATH = "/api/v1/plex/playlists"
ORIGIN = "https://client.example"
PIECE = 16 * 1024


class Echo:
    """An application that answers with the whole body, and remembers what it received."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.received.append(message)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)
    monkeypatch.setattr(bodies, "LINGER_SECONDS", 0.1)


def exchange(echo: Echo, client: Client, **headers: str) -> Client:
    return asyncio.run(client.ask(BodyLayer(echo), scope_of(PATH, "POST", **headers)))


def assert_refused(client: Client, status: int, code: str) -> None:
    answer = json.loads(client.content)
    assert (client.status, answer["success"], answer["error"]["code"]) == (status, False, code)
    assert client.headers["content-type"] == "application/json"
    assert client.headers["content-length"] == str(len(client.content))
    assert client.headers["cache-control"] == "no-store"
    assert client.headers["connection"] == "close"
    assert client.headers["x-request-id"] == answer["metadata"]["requestId"]


def test_pieces_of_a_body_are_passed_on_as_one(echo: Echo) -> None:
    client = exchange(echo, Client([body(b"one ", more=True), body(b"two")]))
    assert echo.received == [body(b"one two")]
    assert client.content == b"one two"


def test_a_client_that_sends_no_body_gets_408(echo: Echo, impatient: None) -> None:
    client = exchange(echo, Client([]), content_length="10")
    assert_refused(client, 408, "REQUEST_TIMEOUT")
    assert echo.received == []


def test_a_client_that_sends_a_byte_now_and_then_gets_408(echo: Echo, impatient: None) -> None:
    client = exchange(echo, Client([body(b"x", more=True)] * 1000, pause=0.01))
    assert_refused(client, 408, "REQUEST_TIMEOUT")
    assert echo.received == []


def test_a_body_that_is_declared_too_large_is_refused_before_it_comes(
    echo: Echo, impatient: None
) -> None:
    client = exchange(echo, Client([]), content_length=str(MAX_BODY_BYTES + 1))
    assert_refused(client, 413, "PAYLOAD_TOO_LARGE")


def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LINGER_BYTES", 0)
    client = Client([body(bytes(PIECE), more=True)] * 100)
    assert_refused(exchange(echo, client), 413, "PAYLOAD_TOO_LARGE")
    assert 100 - len(client.to_send) == MAX_BODY_BYTES // PIECE + 1


def test_what_comes_after_a_refusal_is_read_within_bounds(echo: Echo) -> None:
    client = Client([body(bytes(PIECE), more=True)] * 100)
    assert_refused(exchange(echo, client, content_length="9999999"), 413, "PAYLOAD_TOO_LARGE")
    assert 100 - len(client.to_send) == bodies.LINGER_BYTES // PIECE
    finished = Client([body(bytes(PIECE), more=True), body(bytes(PIECE)), DISCONNECT])
    assert_refused(exchange(echo, finished, content_length="9999999"), 413, "PAYLOAD_TOO_LARGE")
    assert finished.to_send == [DISCONNECT]


def test_the_largest_body_is_passed_on(echo: Echo) -> None:
    content = bytes(MAX_BODY_BYTES)
    client = exchange(echo, Client([body(content)]), content_length=str(MAX_BODY_BYTES))
    assert client.content == content


def test_a_client_that_goes_away_is_answered_nothing(echo: Echo) -> None:
    client = exchange(echo, Client([body(b"half", more=True), DISCONNECT]))
    assert client.received == echo.received == []


def test_a_refusal_has_the_headers_that_every_response_has(
    echo: Echo, impatient: None, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    client = exchange(echo, Client([]), x_request_id="mine-1", origin=ORIGIN, content_length="9")
    assert client.headers["x-request-id"] == "mine-1"
    assert client.headers["access-control-allow-origin"] == ORIGIN
    assert client.headers["x-content-type-options"] == "nosniff"
    assert client.headers["x-plex-response-time"].endswith("ms")
    foreign = exchange(echo, Client([]), origin="https://other.example", content_length="9")
    assert "access-control-allow-origin" not in foreign.headers


def test_a_refusal_is_a_page_in_a_browser_and_problem_details_for_who_prefers_them(
    echo: Echo, impatient: None
) -> None:
    page = exchange(echo, Client([]), content_length="9", accept="text/html,*/*;q=0.8")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == PAGE
    assert b"REQUEST_TIMEOUT" in page.content
    problem = exchange(echo, Client([]), content_length="9", accept="application/problem+json")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.headers["content-security-policy"] == NO_PAGE
    assert b'"code":"REQUEST_TIMEOUT"' in problem.content


def test_a_refusal_says_how_long_the_request_took(echo: Echo, impatient: None) -> None:
    client = exchange(echo, Client([]), content_length="9")
    assert 90 <= int(client.headers["x-plex-response-time"].removesuffix("ms")) < 30_000


@pytest.mark.parametrize("case", ["a repeated header", "a foreign host"])
def test_a_refusal_of_a_request_that_cannot_be_read_is_as_safe_and_invents_nothing(
    echo: Echo, impatient: None, case: str
) -> None:
    scope = scope_of(PATH, "POST", content_length="9", x_request_id="mine-1")
    if case == "a foreign host":
        scope["headers"][0] = (b"host", b"elsewhere.example")
    else:
        scope["headers"].append((b"x-request-id", b"mine-2"))
    client = asyncio.run(Client([]).ask(BodyLayer(echo), scope))
    assert_refused(client, 408, "REQUEST_TIMEOUT")
    assert client.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.headers["x-content-type-options"] == "nosniff"
    taken = client.headers.get("x-plex-response-time", "0ms")
    assert int(taken.removesuffix("ms")) < 30_000


def test_no_log_line_holds_what_a_client_chose(
    echo: Echo, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    scope = scope_of(PATH + "/evil\nline", "POST", content_length="9")
    asyncio.run(Client([]).ask(BodyLayer(echo), scope))
    assert "REQUEST_TIMEOUT" in caplog.text
    assert "evil" not in caplog.text


class Lines:
    """Connections to a service whose clients promise a body."""

    def __init__(self, service: Service, size: int, path: str) -> None:
        self._address = (HOST, service.port)
        head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        self._lines = [socket.create_connection(self._address) for _ in range(size)]
        for line in self._lines:
            line.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode())

    def drip(self, stopped: threading.Event) -> None:
        """Send one byte a second over each connection."""
        while not stopped.wait(1):
            for line in self._lines:
                with contextlib.suppress(OSError):
                    line.sendall(b" ")

    def close(self) -> None:
        for line in self._lines:
            line.close()


@pytest.fixture
def slow_clients(isolated: Service) -> Iterator[None]:
    """200 clients that send no body, and 40 that send a byte a second."""
    silent = Lines(isolated, 200, "/api/v1/auth/token")
    dripping = Lines(isolated, 40, PATH)
    stopped = threading.Event()
    thread = threading.Thread(target=dripping.drip, args=(stopped,))
    thread.start()
    yield
    stopped.set()
    thread.join()
    silent.close()
    dripping.close()


def test_clients_that_send_slowly_hold_up_nobody_else(
    isolated: Service,
    valkey: Valkey,
    plex: Simulator,
    people: Sequence[Person],
    slow_clients: None,
) -> None:
    watch = Stopwatch()
    path = f"{ITEMS}&size=2"
    misses = [ask(isolated.url, f"{path}&start={number}", people[0].headers) for number in range(5)]
    hits = at_once(isolated.url, [(path, person.headers) for person in people[:20]])
    credentials = {"username": OPERATOR, "password": PASSWORD}
    sign_in = at_once(isolated.url, [("/api/v1/auth/token", {})], credentials)
    for answer in (*misses, *hits, *sign_in):
        assert answer.status == 200
        assert watch.allows(answer.seconds, 0.5), watch
    assert {answer.headers["x-plex-cache-status"] for answer in hits} == {"HIT"}


LARGE = 2 * MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("length", "sent"),
    [
        (f"Content-Length: {LARGE}", b""),
        (f"Content-Length: {LARGE}", bytes(LARGE)),
        ("Transfer-Encoding: chunked", f"{LARGE:x}\r\n".encode() + bytes(LARGE)),
    ],
    ids=["declared", "declared and sent", "chunked"],
)
def test_a_body_that_is_too_large_is_refused_at_once_and_the_connection_closed(
    isolated: Service, valkey: Valkey, length: str, sent: bytes
) -> None:
    watch = Stopwatch()
    with socket.create_connection((HOST, isolated.port), timeout=30) as line:
        line.sendall(f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\n{length}\r\n\r\n".encode() + sent)
        answer = b""
        while received := line.recv(65536):
            answer += received
            if b'"PAYLOAD_TOO_LARGE"' in answer:
                assert watch.keeps(0.5)
    assert watch.keeps(2)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"PAYLOAD_TOO_LARGE"' in answer
