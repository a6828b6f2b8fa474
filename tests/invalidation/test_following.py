"""A stream that goes wrong on the way, and what is dropped for what it tells."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from medianest import store
from medianest.api.exceptions import Problem
from medianest.store.values import LocalValues
from plex_integration.caching import invalidation, tags
from plex_integration.caching.invalidation import Invalidator, Listener, Status, status
from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexApiError, PlexServerUnavailable, PlexUnauthorized
from plex_integration.plex import (
    AnythingChanged,
    Change,
    CollectionChanged,
    ItemChanged,
    LibraryChanged,
    PlexNotFound,
    events,
    listen,
)
from plex_simulator import Simulator
from tests.pace import Stopwatch

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=utf-8\r\n"
NOTIFICATION = json.dumps(
    {
        "TimelineEntry": {
            "identifier": "com.plexapp.plugins.library",
            "state": 5,
            "sectionID": 2,
            "itemID": 7,
        }
    }
)
EVENT = f"event: timeline\ndata: {NOTIFICATION}\n\n".encode()


@dataclass
class Streamer:
    """A server that answers every request with the same pieces, then hangs up or falls silent."""

    pieces: list[bytes]
    hangs_up: bool = True
    requests: list[bytes] = field(default_factory=list)

    def __enter__(self) -> "Streamer":
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while not self._is_over.is_set():
            try:
                talking, _ = self._listening.accept()
            except OSError:
                return
            with talking:
                self.requests.append(talking.recv(65536))
                for piece in self.pieces:
                    talking.sendall(piece)
                if not self.hangs_up:
                    self._is_over.wait(10)

    @property
    def connection(self) -> Connection:
        return Connection(f"http://127.0.0.1:{self.port}", "a-token", True, 5, False)


SERVER = Connection("http://x", "t", True, 1, False)


def _to(plex: Simulator) -> Connection:
    return Connection(plex.url, plex.owner_token, True, 5, False)


def _changes(to: Connection) -> list[Change]:
    return [change for batch in listen(to) for change in batch]


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD + b"\r\n", EVENT],
        [HEAD + b"\r\n" + EVENT[:30], EVENT[30:]],
        [
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
            b"14\r\n" + EVENT[:20] + b"\r\n",
            f"{len(EVENT) - 20:x}\r\n".encode() + EVENT[20:] + b"\r\n0\r\n\r\n",
        ],
    ],
)
def test_a_stream_begins_with_what_was_missed_and_goes_on_with_what_changes(
    pieces: list[bytes],
) -> None:
    with Streamer(pieces) as server:
        assert _changes(server.connection) == [AnythingChanged(), LibraryChanged("2")]
        (raw_request,) = server.requests
    path, *headers = raw_request.decode().split("\r\n")
    assert path == "GET /:/eventsource/notifications HTTP/1.1"
    assert {"X-Plex-Token: a-token", "Accept: text/event-stream"} <= set(headers)


def test_a_stream_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # So long that the server has begun to respond before, however busy the machine is.
    monkeypatch.setattr(events, "MAX_SILENCE", 2.0)
    with Streamer([HEAD + b"\r\n" + EVENT], hangs_up=False) as server:
        heard = listen(server.connection)
        assert [*next(heard), *next(heard)] == [AnythingChanged(), LibraryChanged("2")]
        with pytest.raises(PlexServerUnavailable):
            next(heard)


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        HEAD + b"Content-Length: 100\r\n\r\n: cut",
    ],
)
def test_a_stream_that_is_cut_is_reported_as_plex_being_unavailable_or_as_its_end(
    head: bytes,
) -> None:
    with Streamer([head]) as server:
        heard = listen(server.connection)
        assert next(heard) == (AnythingChanged(),)
        with contextlib.suppress(PlexServerUnavailable):
            assert not any(heard)


@pytest.mark.parametrize(
    ("fault", "options", "problem"),
    [
        ("status", {"status": 401}, PlexUnauthorized),
        ("status", {"status": 403}, PlexUnauthorized),
        ("status", {"status": 404}, PlexNotFound),
        ("status", {"status": 503}, PlexServerUnavailable),
        ("status", {"status": 500}, PlexApiError),
        ("redirect", {}, PlexApiError),
        ("html", {}, PlexApiError),
        ("disconnect", {}, PlexServerUnavailable),
    ],
)
def test_a_stream_that_does_not_begin_says_why(
    plex: Simulator, fault: str, options: dict[str, int], problem: type[Problem]
) -> None:
    plex.fault(fault, path="/:/eventsource", **options)
    with pytest.raises(problem):
        _changes(_to(plex))


# --- What is dropped ------------------------------------------------------------------------------


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was dropped, each time, without the server that each tag begins with."""
    heard: list[list[str]] = []

    def bump(self: object, tags: list[str]) -> bool:
        heard.append([tag.partition("/")[2] for tag in tags])
        return True

    monkeypatch.setattr(LocalValues, "invalidate_tags", bump)
    monkeypatch.setattr(invalidation, "COLLECT_SECONDS", 0.0)
    return heard


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for Plex as long as its connection says, however busy the machine is."""
    monkeypatch.setattr(invalidation, "LOOKUP_SECONDS", 60.0)


def _library(key: str) -> list[str]:
    return [tags.ALL_LIBRARIES, tags.library(key)]


def _dropped_for(to: Connection, *changes: Change) -> None:
    drops = Invalidator()
    drops.add(to, changes)
    drops._step()


def test_only_the_libraries_that_changed_are_dropped(
    plex: Simulator, dropped: list[list[str]]
) -> None:
    _dropped_for(_to(plex), LibraryChanged("2"), LibraryChanged("1"), LibraryChanged("2"))
    assert dropped == [_library("1"), _library("2")]
    assert plex.count() == 0


def test_an_items_library_is_requested_in_one_call(
    plex: Simulator, dropped: list[list[str]], patient: None
) -> None:
    movie, other = (item.rating_key for item in plex.catalogue.items("1", "movie")[:2])
    album = plex.catalogue.items("5", "album")[0].rating_key
    _dropped_for(
        _to(plex), LibraryChanged("2"), ItemChanged(movie), ItemChanged(other), ItemChanged(album)
    )
    assert dropped == [_library("2"), _library("1"), _library("5")]
    assert plex.count() == 1


def test_a_collection_that_changed_is_invalidated_and_nothing_else(
    plex: Simulator, dropped: list[list[str]], patient: None
) -> None:
    collection = plex.catalogue.collections("1")[0].rating_key
    _dropped_for(_to(plex), CollectionChanged(collection))
    assert dropped == [[tags.collection(collection), tags.collections_of("1")]]
    assert plex.count() == 1


def test_items_and_collections_are_looked_up_in_one_call(
    plex: Simulator, dropped: list[list[str]], patient: None
) -> None:
    collection = plex.catalogue.collections("1")[0].rating_key
    album = plex.catalogue.items("5", "album")[0].rating_key
    _dropped_for(_to(plex), CollectionChanged(collection), ItemChanged(album))
    assert dropped == [_library("5"), [tags.collection(collection), tags.collections_of("1")]]
    assert plex.count() == 1


@pytest.mark.parametrize("fault", ["gone", "silent"])
def test_everything_is_invalidated_where_an_items_library_is_unknown(
    plex: Simulator, dropped: list[list[str]], fault: str
) -> None:
    items = [plex.catalogue.items("1", "movie")[0].rating_key, "999999999"]
    if fault == "silent":
        plex.fault("silent")
    watch = Stopwatch()
    _dropped_for(_to(plex), *map(ItemChanged, items))
    assert dropped == [[tags.SERVER]]
    assert watch.keeps(1.5), watch


def test_everything_is_dropped_where_more_items_changed_than_one_call_can_ask_for(
    plex: Simulator, dropped: list[list[str]]
) -> None:
    with Streamer([]) as server:
        _dropped_for(server.connection, *(ItemChanged(str(key)) for key in range(51)))
        assert dropped == [[tags.SERVER]]
        assert server.requests == []


def test_what_the_store_missed_is_sent_again(
    plex: Simulator, monkeypatch: pytest.MonkeyPatch, dropped: list[list[str]]
) -> None:
    monkeypatch.setattr(invalidation, "RETRY_SECONDS", 0.01)
    drops, sent = Invalidator(), []

    def deaf(self: object, tags: list[str]) -> bool:
        sent.append([tag.partition("/")[2] for tag in tags])
        return len(sent) > 2

    monkeypatch.setattr(LocalValues, "invalidate_tags", deaf)
    drops.add(_to(plex), [LibraryChanged("1")])
    for _ in range(3):
        drops._step()
    assert sent == [_library("1")] * 3
    assert drops._pending == set()


def test_the_status_is_stored_for_others_to_read(plex: Simulator, dropped: list[list[str]]) -> None:
    assert status() is None
    drops = Invalidator()
    drops._step()
    began = status()
    assert began
    assert (began.problem, began.changed) == ("starting", None)
    assert drops.set_problem("")
    assert not drops.set_problem("")
    drops._step()
    drops.add(_to(plex), [LibraryChanged("1")])
    drops._step()
    assert (status() or began).problem == ""
    store.current().values.set("listener", b"[]", 5)
    assert status() is None
    store.current().values.set("listener", json.dumps({"problem": "", "since": 1.0}).encode(), 5)
    assert status() == Status("", 1.0)


# --- Again and again ------------------------------------------------------------------------------


class Enough(BaseException):
    """Ends what would go on for ever."""


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the listener would have waited, each time; it stops after 12."""
    seconds: list[float] = []

    def sleep(delay: float) -> None:
        seconds.append(delay)
        if len(seconds) == 12:
            raise Enough

    monkeypatch.setattr(invalidation.time, "sleep", sleep)
    monkeypatch.setattr(invalidation.random, "uniform", lambda low, high: high)
    monkeypatch.setattr(invalidation, "close_old_connections", lambda: None)
    monkeypatch.setattr(Invalidator, "start", lambda self: None)
    return seconds


def _run() -> None:
    with pytest.raises(Enough):
        Listener().run()


def test_the_delays_grow_to_30_seconds(
    monkeypatch: pytest.MonkeyPatch, slept: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    def refused(to: object) -> Iterator[list[Change]]:
        raise PlexServerUnavailable
        yield

    monkeypatch.setattr(
        invalidation, "_configured", lambda: Connection("http://x", "t", True, 1, False)
    )
    monkeypatch.setattr(invalidation, "listen", refused)
    _run()
    assert slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30]
    assert len(caplog.records) == 1


def test_the_delays_begin_anew_after_a_stream_that_lasted(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    def stream(to: object) -> Iterator[list[Change]]:
        monkeypatch.setattr(invalidation, "STABLE_SECONDS", 0.0 if len(slept) == 3 else 10.0)
        yield [AnythingChanged()]

    monkeypatch.setattr(
        invalidation, "_configured", lambda: Connection("http://x", "t", True, 1, False)
    )
    monkeypatch.setattr(invalidation, "listen", stream)
    _run()
    assert slept[:6] == [0.5, 1, 2, 0.5, 1, 2]


def test_a_changed_connection_is_followed_at_once(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    connections = [Connection(f"http://{name}", "t", True, 1, False) for name in "abbcc"]
    followed: list[str] = []

    def stream(to: Connection) -> Iterator[list[Change]]:
        followed.append(to.url)
        yield [AnythingChanged()]
        yield []

    monkeypatch.setattr(
        invalidation, "_configured", lambda: connections.pop(0) if connections else None
    )
    monkeypatch.setattr(invalidation, "listen", stream)
    monkeypatch.setattr(invalidation, "CHECK_SECONDS", 0.0)
    _run()
    assert followed[:2] == ["http://a", "http://b"]
    assert slept[:2] == [0.0, 0.0]


def test_an_unforeseen_error_is_logged_and_survived(
    monkeypatch: pytest.MonkeyPatch, slept: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(invalidation, "_configured", broken)
    _run()
    assert len(slept) == 12
    assert "listening failed" in caplog.text
