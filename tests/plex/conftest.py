"""A small server on raw sockets, for responses that no correct server sends."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from plex_integration.configuration.connection import Connection
from plex_integration.plex import PlexClient

TOKEN = "a-token-that-nobody-else-may-see"


@dataclass(frozen=True)
class Request:
    """A request: its line and headers as sent, the number of its connection, its number there."""

    head: str
    connection: int
    number: int

    @property
    def path(self) -> str:
        return self.head.split(" ")[1]

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


# Bytes are sent and leave the connection open; None closes it.
Answer = Callable[[Request], bytes | None]


class RawServer:
    """Answers every request with the bytes its function gives."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.requests: list[Request] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(accepted)
            threading.Thread(
                target=self._serve, args=(accepted, self.connections), daemon=True
            ).start()

    def _serve(self, plain: socket.socket, connection: int) -> None:
        with suppress(OSError):
            sock = self._context.wrap_socket(plain, server_side=True) if self._context else plain
            with sock:
                for number in range(1, 1000):
                    head = self._read_head(sock)
                    if not head:
                        return
                    request = Request(head, connection, number)
                    self.requests.append(request)
                    answer = self._answer(request)
                    if answer is None:
                        return
                    sock.sendall(answer)

    @staticmethod
    def _read_head(sock: socket.socket) -> str:
        head = b""
        while b"\r\n\r\n" not in head:
            received = sock.recv(65536)
            if not received:
                return ""
            head += received
        return head.decode("latin-1")


def ok(body: bytes | str, status: str = "200 OK", **headers: str) -> bytes:
    """Return an HTTP response as bytes."""
    body = body.encode() if isinstance(body, str) else body
    named = {"Content-Type": "text/xml;charset=utf-8", "Content-Length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + body


EMPTY = ok('<MediaContainer size="0"/>')


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    """Start raw servers; all are closed after the test."""
    servers: list[RawServer] = []

    def start(answer: Answer | bytes, context: ssl.SSLContext | None = None) -> RawServer:
        function = answer if callable(answer) else lambda _: answer
        servers.append(RawServer(function, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def plex_at(url: str, seconds: float = 5, verify: bool | str = True) -> PlexClient:
    """Return a client of the server at an address."""
    to: Any = Connection(url=url, token=TOKEN, verify=verify, seconds=seconds, show_file_paths=True)
    return PlexClient(to, seconds)


class PlexTv:
    """A plex.tv whose next answer a test chooses."""

    def __init__(self) -> None:
        self.answer: bytes | None = ok("{}")
        self.server = RawServer(self._respond)

    def sends(self, content: Any, status: str = "200 OK", **headers: str) -> None:
        self.answer = ok(json.dumps(content), status, **headers)

    def refuses(self, status: str, code: int | None = None) -> None:
        errors = [{"code": code, "message": "no", "status": 0}] if code else []
        self.sends({"errors": errors}, status)

    @property
    def last(self) -> Request:
        return self.server.requests[-1]

    def _respond(self, _: Request) -> bytes | None:
        return self.answer


@pytest.fixture
def plextv(settings: Any) -> Iterator[PlexTv]:
    made = PlexTv()
    settings.PLEX_TV_URL = made.server.url
    yield made
    made.server.close()
