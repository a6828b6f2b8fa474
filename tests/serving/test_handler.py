"""Django in threads: which ones, what is refused when they are all in use, and how files go out."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from medianest.serving import upstream
from medianest.serving.handler import CARRIED, ServiceHandler
from medianest.serving.responses import Message
from medianest.serving.threads import Threads
from plex_integration.caching.fast_path import PREFIX
from tests.service import until

from .conftest import PromptThreads
from .exchange import Client, scope_of

PLEX, OTHER, SIGN_IN = f"{PREFIX}anything", "/api/v1/anything", "/api/v1/auth/token"
ORIGIN = "https://client.example"
METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"]


class Service:
    """A handler with one thread of each kind, and jobs that occupy these."""

    def __init__(self, queue: int = 0, patience: float = 60) -> None:
        self.general = PromptThreads("general", 1, queue)
        self.waiting, self.sign_in = Threads("waiting", 1, queue), Threads("sign-in", 1, queue)
        self.handler = ServiceHandler(
            self.general,
            self.waiting,
            self.sign_in,
            sign_in_paths=[SIGN_IN],
            sign_in_patience=patience,
            patience=lambda: patience,
        )
        self._ended = threading.Event()

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Client:
        return await Client().ask(self.handler, scope_of(path, method, **headers))

    async def occupy(self, threads: Threads) -> None:
        task = asyncio.create_task(threads.run(self._ended.wait, 60))
        await asyncio.to_thread(until, lambda: threads._jobs == 1, 10, "the thread is in use")
        self._task = task

    def close(self) -> None:
        self._ended.set()
        for threads in (self.general, self.waiting, self.sign_in):
            threads.shutdown()


def run(scenario: Callable[[Service], Awaitable[None]], **options: Any) -> None:
    """Run a scenario with a service in an event loop."""
    service = Service(**options)
    try:
        asyncio.run(scenario(service))  # type: ignore[arg-type]
    finally:
        service.close()


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All paths lead to a view that needs the other server; the threads in which it was called."""
    called: list[str] = []

    def view(_: object, request: HttpRequest) -> HttpResponse:
        called.append(threading.current_thread().name.split("_")[0])
        request.META.setdefault(f"{CARRIED}first", len(called))
        may_wait = request.path.startswith(PREFIX) and upstream.may_wait()
        return HttpResponse(f"{may_wait} {request.META[f'{CARRIED}first']}")

    monkeypatch.setattr(ServiceHandler, "get_response", view)
    return called


def test_with_all_threads_in_use_requests_are_refused_at_once(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]

    async def scenario(service: Service) -> None:
        await service.occupy(service.general)
        for path in (PLEX, OTHER):
            client = await service.ask(path, x_request_id="mine-1", origin=ORIGIN)
            assert client.status == 503
            assert client.headers["retry-after"] == "1"
            assert client.headers["cache-control"] == "no-store"
            assert client.headers["x-request-id"] == "mine-1"
            assert client.headers["access-control-allow-origin"] == ORIGIN
            answer = json.loads(client.content)
            assert answer["error"]["code"] == "SERVICE_UNAVAILABLE"
            assert answer["metadata"]["requestId"] == "mine-1"

    run(scenario)


@pytest.mark.parametrize("method", METHODS)
def test_what_needs_the_other_server_is_run_again_where_it_may_wait(
    views: list[str], method: str
) -> None:
    async def scenario(service: Service) -> None:
        client = await service.ask(PLEX, method)
        assert client.content == b"True 1"

    run(scenario)
    assert views == ["general", "waiting"]


def test_what_is_known_to_need_the_other_server_is_run_there_at_once(views: list[str]) -> None:
    async def scenario(service: Service) -> None:
        scope = scope_of(PLEX) | {CARRIED: {upstream.NEEDED: True}}
        assert (await Client().ask(service.handler, scope)).content == b"True 1"

    run(scenario)
    assert views == ["waiting"]


def test_what_is_known_to_need_the_other_server_is_answered_without_it_where_it_cannot_wait(
    views: list[str],
) -> None:
    async def scenario(service: Service) -> None:
        await service.occupy(service.waiting)
        scope = scope_of(PLEX) | {CARRIED: {upstream.NEEDED: True}}
        assert (await Client().ask(service.handler, scope)).content == b"False 1"

    run(scenario)
    assert views == ["general"]


def test_what_needs_no_other_server_is_run_once_while_all_others_wait(views: list[str]) -> None:
    async def scenario(service: Service) -> None:
        await service.occupy(service.waiting)
        assert (await service.ask(OTHER)).content == b"False 1"

    run(scenario)
    assert views == ["general"]


@pytest.mark.parametrize("queue", [0, 1], ids=["no room", "too long in the queue"])
def test_what_cannot_wait_is_answered_without_the_other_server(
    views: list[str], queue: int
) -> None:
    async def scenario(service: Service) -> None:
        await service.occupy(service.waiting)
        assert (await service.ask(PLEX)).content == b"False 1"

    run(scenario, queue=queue, patience=0.05)
    assert views == ["general", "general"]


def test_what_signs_in_has_threads_of_its_own(views: list[str]) -> None:
    async def scenario(service: Service) -> None:
        await service.occupy(service.general)
        assert (await service.ask(SIGN_IN, "POST")).status == 200
        await service.occupy(service.sign_in)
        assert (await service.ask(SIGN_IN, "POST")).status == 503

    run(scenario)
    assert views == ["sign-in"]


# --- Files ----------------------------------------------------------------------------------------

SIZE = 3 * 1024 * 1024 + 17
MAX_PIECE = 64 * 1024
NAME = "large.bin"


@pytest.fixture
def file(settings: Any, tmp_path: Path) -> Path:
    """A large static file."""
    settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = tmp_path, False
    file = tmp_path / NAME
    file.write_bytes(bytes(SIZE))
    return file


def download(client: Client, method: str = "GET", **headers: str) -> Client:
    async def scenario(service: Service) -> None:
        await client.ask(service.handler, scope_of(f"/static/{NAME}", method, **headers))

    run(scenario)
    return client


class Changer(Client):
    """A client that changes the file as soon as the first piece has come."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    async def send(self, message: Message) -> None:
        await super().send(message)
        if len(self.received) == 2:
            self._file.write_bytes(b"\1" * SIZE)


def test_a_file_is_read_and_sent_in_pieces(file: Path) -> None:
    client = download(Changer(file))
    assert (client.status, client.headers["content-length"]) == (200, str(SIZE))
    assert len(client.content) == SIZE
    assert max(map(len, client.pieces)) <= MAX_PIECE
    # What is read before the first piece is sent is that piece, and what `open` reads ahead.
    assert client.content.count(0) <= 2 * MAX_PIECE


def test_a_range_of_a_file_is_sent_alone(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 4096)
    client = download(Client(), range="bytes=70000-270000")
    assert client.status == 206
    assert client.headers["content-range"] == f"bytes 70000-270000/{256 * 4096}"
    assert client.content == file.read_bytes()[70_000:270_001]
    assert max(map(len, client.pieces)) <= MAX_PIECE
    refused = download(Client(), range="bytes=9000000-")
    assert (refused.status, refused.content) == (416, b"")


def test_a_file_that_the_client_has_is_not_sent_again(file: Path) -> None:
    headers = download(Client()).headers
    same = download(Client(), if_none_match=headers["etag"])
    assert (same.status, same.content) == (304, b"")
    assert download(Client(), if_modified_since=headers["last-modified"]).status == 304
    assert download(Client(), if_none_match='"another"').status == 200


def test_the_head_of_a_file_has_its_length_and_no_content(file: Path) -> None:
    client = download(Client(), method="HEAD")
    assert (client.status, client.headers["content-length"]) == (200, str(SIZE))
    assert client.content == b""


class Leaver(Client):
    """A client that goes away after the first piece."""

    async def send(self, message: Message) -> None:
        await super().send(message)
        if len(self.received) == 2:
            raise OSError("the connection is closed")


def test_a_file_is_closed_when_the_client_goes_away(
    file: Path, recwarn: pytest.WarningsRecorder
) -> None:
    client = Leaver()
    with pytest.raises(OSError, match="the connection is closed"):
        download(client)
    assert len(client.pieces) == 1
    assert str(file) not in {str(each.resolve()) for each in Path("/proc/self/fd").iterdir()}
